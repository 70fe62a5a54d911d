"""Every hook of HCRM. A plugin implements those it needs and nothing else; `hcrm_core.api.hookimpl` marks them.

The core calls one plugin at a time, in the order of `plugins` in `hcrm.toml`, and attributes an error to the plugin it
came from. Hooks whose name begins with `register_` collect, and so does `review_decisions`; `transform_` changes what
passes through; `after_` observes. All but the first step of `register_commands` are called in a process of the
plugin's own, which holds no key and no connection.

A hook is experimental (it may change in any release), stable, or deprecated: an implementer of a deprecated one, or of
a deprecated argument, is warned for two minor releases and six months before it goes. An implementation names those
arguments it needs; one that gives an argument a default works on a core that does not have it yet.
"""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeVar

import click
import pluggy

from hcrm_core.model.adapters import Adapter
from hcrm_core.model.channels import Channel
from hcrm_core.model.observing import DecideDone, Finding, IntakeDone
from hcrm_core.model.reports import Report
from hcrm_core.model.reviews import Review
from hcrm_core.model.strategies import Strategy
from hcrm_core.model.translation import Translation

PROJECT = "hcrm"
hookimpl = pluggy.HookimplMarker(PROJECT)
_hookspec = pluggy.HookspecMarker(PROJECT)
F = TypeVar("F", bound=Callable[..., object])
Stage = Literal["experimental", "stable", "deprecated"]

STAGES: dict[str, Stage] = {}
"""Hook → where it is in its life."""


def hook(stage: Stage, *, warning: str | None = None, arguments: dict[str, str] | None = None) -> Callable[[F], F]:
    """Declare a hook.

    Args:
        stage: Where it is in its life.
        warning: What implementers of a deprecated hook are told: since when, what instead, until when.
        arguments: Likewise those that take a deprecated argument, by its name.
    """

    def declare(function: F) -> F:
        STAGES[function.__name__] = stage
        mark = _hookspec(
            warn_on_impl=DeprecationWarning(warning) if warning else None,
            warn_on_impl_args={name: DeprecationWarning(text) for name, text in (arguments or {}).items()} or None,
        )
        marked: F = mark(function)
        return marked

    return declare


class WorkspaceView(Protocol):
    """What a plugin may see of the workspace."""

    def settings(self, table: str) -> dict[str, object]:
        """The TOML table `[table]` of `hcrm.toml`, empty where absent; `[store]` always is."""

    def read_text(self, path: str) -> str:
        """A UTF-8 text file inside the workspace, by its path relative to the workspace.

        Raises:
            ConfigurationError: There is no such file, or it lies outside the workspace.
        """


@hook("stable")
def register_adapters() -> Sequence[type[Adapter]]:  # type: ignore[empty-body]
    """Offer adapters.

    When: before intake, and in every process that reads messages.
    Returns: adapter classes; `None` or an empty sequence offers none.
    Order: none; a name offered twice is an error.
    Since: 0.1. Used by: hcrm-adapter-hl7v2.
    """


@hook("stable")
def register_strategies(workspace: WorkspaceView) -> Sequence[Strategy]:  # type: ignore[empty-body]
    """Offer strategies.

    When: before `hcrm decide` and whatever lists strategies.
    Arguments: `workspace`: settings and rule files, for strategies that are compiled from rules.
    Returns: strategies; `None` or an empty sequence offers none.
    Order: the run orders them by what they read, then by plugin order; a name offered twice is an error.
    Since: 0.1. Used by: hcrm-plugin-segmentation, hcrm-plugin-followup, hcrm-plugin-loyalty.
    """


@hook("stable")
def register_reports() -> Sequence[type[Report]]:  # type: ignore[empty-body]
    """Offer reports.

    When: before `hcrm report`.
    Returns: report classes; `None` or an empty sequence offers none.
    Order: none; a name offered twice is an error.
    Since: 0.1. Used by: hcrm-plugin-reporting.
    """


@hook("experimental")
def register_channels() -> Sequence[Channel]:  # type: ignore[empty-body]
    """Offer ways by which customers are reached.

    When: before `hcrm decide`, which refuses tasks that name an unknown channel, and before tasks are shown.
    Returns: channels; `None` or an empty sequence offers none.
    Order: none; a name offered twice is an error.
    Since: 0.1. Used by: hcrm-plugin-followup.
    """


@hook("stable")
def register_commands() -> Sequence[click.Command]:  # type: ignore[empty-body]
    """Offer commands of the command line.

    When: only when a command is asked for that the core does not have, and by `hcrm plugins commands`. The command that
    is called runs in the core's own process, and acts through the core's verbs only.
    Returns: click commands; `None` or an empty sequence offers none. A command of the core cannot be replaced.
    Order: none; a name offered twice is an error.
    Since: 0.1. Used by: hcrm-adapter-simulator (`hcrm simulate`).
    """


@hook("experimental")
def transform_records(source: str, payload: bytes, translation: Translation) -> Translation | None:
    """Change what an adapter made of one message: a site's fixes, its Z segments, what can be computed from a field.

    When: after every accepted translation, in the process of the adapter; also when a message is replayed or shown.
    Pure, as translating is.
    Arguments: `source`: its name; `payload`: the message as received; `translation`: as the adapter, or the plugin
    before, gave it.
    Returns: the translation that takes its place (records, coverage, problems, quarantine); `None` leaves it.
    Order: that of `plugins`, each seeing what the one before gave. One that fails quarantines the message.
    Since: 0.1. Used by: hcrm-plugin-resident-identity.
    """


@hook("experimental")
def review_decisions(workspace: WorkspaceView) -> Sequence[Review]:  # type: ignore[empty-body]
    """Offer reviews of what strategies are about to decide: each is a SELECT that returns what it objects to.

    When: before `hcrm decide`; the SELECTs are run after each strategy they look at and before anything is applied.
    Arguments: `workspace`: settings and profiles.
    Returns: reviews; `None` or an empty sequence offers none.
    Order: all are run; where several refuse one row the first's reason is kept. A review that fails is a veto: nothing
    of the strategy is applied. A plugin that implements this hook and cannot be loaded is one against everything.
    Since: 0.1. Used by: hcrm-plugin-compliance.
    """


@hook("experimental")
def after_intake(done: IntakeDone, workspace: WorkspaceView) -> Sequence[Finding]:  # type: ignore[empty-body]
    """Look at what was worked off.

    When: at the end of `hcrm ingest` and `hcrm run`, and once a minute by `hcrm run --watch` when something was.
    Arguments: `done`: counts by source and message type; `workspace`: settings.
    Returns: findings, which are told to whoever watches; `None` or an empty sequence: nothing to say.
    Order: that of `plugins`. One that fails is named and changes nothing.
    Since: 0.1. Used by: hcrm-plugin-monitoring.
    """


@hook("experimental")
def after_decide(done: DecideDone, workspace: WorkspaceView) -> Sequence[Finding]:  # type: ignore[empty-body]
    """Look at what was decided.

    When: at the end of a `hcrm decide` that applied.
    Arguments: `done`: outcomes by strategy and the workload they lead to; `workspace`: settings.
    Returns: findings, which are told to whoever watches; `None` or an empty sequence: nothing to say.
    Order: that of `plugins`. One that fails is named and changes nothing.
    Since: 0.1. Used by: hcrm-plugin-monitoring.
    """
