"""Every hook of HCRM. A plugin implements those it needs and nothing else; `hcrm_core.api.hookimpl` marks them.

Hooks whose name begins with `register_` collect: the core calls one plugin at a time, in the order of `plugins` in
`hcrm.toml`, and attributes an error to the plugin it came from.
"""

from collections.abc import Sequence
from typing import Protocol

import click
import pluggy

from hcrm_core.model.adapters import Adapter
from hcrm_core.model.reports import Report
from hcrm_core.model.strategies import Strategy

PROJECT = "hcrm"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class WorkspaceView(Protocol):
    """What a plugin may see of the workspace while it registers."""

    def settings(self, table: str) -> dict[str, object]:
        """The TOML table `[table]` of `hcrm.toml`, empty where absent."""

    def read_text(self, path: str) -> str:
        """A UTF-8 text file inside the workspace, by its path relative to the workspace.

        Raises:
            ConfigurationError: There is no such file, or it lies outside the workspace.
        """


@hookspec
def register_adapters() -> Sequence[type[Adapter]]:  # type: ignore[empty-body]
    """Offer adapters.

    When: before intake, in the core and in every translation worker.
    Returns: adapter classes; `None` or an empty sequence offers none.
    Order: none; a name offered twice is an error.
    Since: 0.1. Used by: hcrm-adapter-hl7v2.
    """


@hookspec
def register_strategies(workspace: WorkspaceView) -> Sequence[Strategy]:  # type: ignore[empty-body]
    """Offer strategies.

    When: before `hcrm decide` and whatever lists strategies.
    Arguments: `workspace`: settings and rule files, for strategies that are compiled from rules.
    Returns: strategies; `None` or an empty sequence offers none.
    Order: the run orders them by what they read, then by plugin order; a name offered twice is an error.
    Since: 0.1. Used by: hcrm-plugin-segmentation, hcrm-plugin-followup.
    """


@hookspec
def register_reports() -> Sequence[type[Report]]:  # type: ignore[empty-body]
    """Offer reports.

    When: before `hcrm report`.
    Returns: report classes; `None` or an empty sequence offers none.
    Order: none; a name offered twice is an error.
    Since: 0.1. Used by: hcrm-plugin-reporting.
    """


@hookspec
def register_commands() -> Sequence[click.Command]:  # type: ignore[empty-body]
    """Offer commands of the command line.

    When: only when a command is asked for that the core does not have, and by `hcrm plugins commands`.
    Returns: click commands; `None` or an empty sequence offers none. A command of the core cannot be replaced.
    Order: none; a name offered twice is an error.
    Since: 0.1. Used by: hcrm-adapter-simulator (`hcrm simulate`).
    """
