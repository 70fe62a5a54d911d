"""Monitoring for HCRM: says when too many messages are quarantined, and when more is due than people can do."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from hcrm_core.api import ConfigurationError, DecideDone, Finding, IntakeDone, WorkspaceView, hookimpl


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[monitoring]` of the workspace.

    Attributes:
        quarantined_percent: So many of a source's messages of one type may be quarantined.
        messages: Of fewer than these nothing is concluded.
        tasks_per_day: So many tasks an owner can do in a day; `[monitoring.owners]` has those of single ones.
        owners: Owner → tasks a day.
    """

    quarantined_percent: int = 5
    messages: int = 20
    tasks_per_day: int = 200
    owners: dict[str, int] = {}


@hookimpl
def after_intake(done: IntakeDone, workspace: WorkspaceView) -> Sequence[Finding]:
    """Find types of messages of which too many were quarantined."""
    return list(_quarantined(done, _settings(workspace)))


@hookimpl
def after_decide(done: DecideDone, workspace: WorkspaceView) -> Sequence[Finding]:
    """Find days on which more is due than its owner can do, and strategies that decided far more than they keep."""
    return list(_overloaded(done, _settings(workspace)))


def _quarantined(done: IntakeDone, settings: Settings) -> Iterator[Finding]:
    for one in done.types:
        total = one.folded + one.quarantined
        if total >= settings.messages and one.quarantined * 100 > total * settings.quarantined_percent:
            kind = one.message_type or "of no known type"
            yield Finding(
                "warning",
                f"{one.quarantined:,} of {total:,} messages {kind} of the source {one.source} were quarantined "
                f"({one.quarantined * 100 // total}%). See: hcrm messages list --state quarantined "
                f"--source {one.source}",
            )


def _overloaded(done: DecideDone, settings: Settings) -> Iterator[Finding]:
    for one in done.load:
        most = settings.owners.get(one.owner, settings.tasks_per_day)
        if one.tasks > most:
            yield Finding(
                "warning",
                f"{one.tasks:,} tasks of {one.owner} are due on {one.due_on}, {one.tasks - most:,} more than can be "
                f"done in a day ({most:,}). Spread them, or see: hcrm tasks list --owner {one.owner}",
            )


def _settings(workspace: WorkspaceView) -> Settings:
    given = workspace.settings("monitoring")
    known = Settings.__struct_fields__
    for key, value in given.items():
        if key not in known:
            raise ConfigurationError(f"[monitoring] has no key {key!r} in hcrm.toml. Valid here: {', '.join(known)}.")
        numbers = value.values() if key == "owners" and isinstance(value, dict) else [value]
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ConfigurationError(f"[monitoring] {key} in hcrm.toml must be whole numbers, 0 or above.")
    return Settings(**given)  # type: ignore[arg-type]
