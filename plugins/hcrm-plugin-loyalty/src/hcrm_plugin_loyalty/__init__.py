"""Loyalty programmes for HCRM: each programme of a YAML file gives points for charges, and tiers for points."""

from collections.abc import Sequence

from hcrm_core.api import ConfigurationError, Strategy, WorkspaceView, hookimpl, rule_texts
from hcrm_plugin_loyalty.compiler import compile_programme
from hcrm_plugin_loyalty.reader import read_programmes

SHIPPED = ("programmes/family-card.yaml",)


@hookimpl
def register_strategies(workspace: WorkspaceView) -> Sequence[Strategy]:
    """Compile the programme files named by `programmes` in `[loyalty]`, or the shipped one where it is absent.

    Raises:
        ConfigurationError: A programme file is wrong; the text has file and line.
    """
    found: dict[str, Strategy] = {}
    for file, text in rule_texts(workspace, "loyalty", "programmes", __name__, SHIPPED):
        for programme in read_programmes(text, file):
            for strategy in compile_programme(programme):
                if strategy.name in found:
                    raise ConfigurationError(
                        f"{file}: the programme {programme.id!r} stands in another file too. Rename one of them."
                    )
                found[strategy.name] = strategy
    return list(found.values())
