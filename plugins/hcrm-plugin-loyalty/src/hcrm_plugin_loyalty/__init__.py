"""Loyalty programmes for HCRM: each programme of a YAML file gives points for charges, and tiers for points."""

from collections.abc import Iterator, Sequence
from importlib.resources import files

from hcrm_core.api import ConfigurationError, Strategy, WorkspaceView, hookimpl
from hcrm_plugin_loyalty.compiler import compile_programme
from hcrm_plugin_loyalty.reader import read_programmes

SHIPPED = ("family-card.yaml",)


@hookimpl
def register_strategies(workspace: WorkspaceView) -> Sequence[Strategy]:
    """Compile the programme files named by `programmes` in `[loyalty]`, or the shipped one where it is absent.

    Raises:
        ConfigurationError: A programme file is wrong; the text has file and line.
    """
    found: dict[str, Strategy] = {}
    for file, text in _files(workspace):
        for programme in read_programmes(text, file):
            for strategy in compile_programme(programme):
                if strategy.name in found:
                    raise ConfigurationError(
                        f"{file}: the programme {programme.id!r} stands in another file too. Rename one of them."
                    )
                found[strategy.name] = strategy
    return list(found.values())


def _files(workspace: WorkspaceView) -> Iterator[tuple[str, str]]:
    settings = workspace.settings("loyalty")
    for key in settings:
        if key != "programmes":
            raise ConfigurationError(f"[loyalty] has no key {key!r} in hcrm.toml. Valid here: programmes.")
    named = settings.get("programmes")
    if named is None:
        for name in SHIPPED:
            text = files(__name__).joinpath("programmes", name).read_text(encoding="utf-8")
            yield f"the shipped programme {name}", text
        return
    paths = [named] if isinstance(named, str) else named
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise ConfigurationError(
            'programmes in [loyalty] of hcrm.toml must be a list of paths: programmes = ["programmes/a.yaml"].'
        )
    for path in paths:
        yield path, workspace.read_text(path)
