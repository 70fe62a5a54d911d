"""What HCRM takes from its surroundings: the workspace's place, the clock, who is at work. Nothing else reads them."""

import getpass
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from hcrm_core.errors import UsageError, WorkspaceError

CONFIGURATION = "hcrm.toml"


def find_workspace(given: str | None) -> Path:
    """The workspace folder: `--workspace`, then `HCRM_WORKSPACE`, then the current directory.

    Raises:
        WorkspaceError: There is no `hcrm.toml` in it; the text lists the places searched.
    """
    for place, said in ((given, "--workspace"), (os.environ.get("HCRM_WORKSPACE"), "HCRM_WORKSPACE")):
        if place:
            if (Path(place) / CONFIGURATION).is_file():
                return Path(place).resolve()
            raise WorkspaceError(
                f"{said} names {place}, but there is no {CONFIGURATION} in it. Make a workspace with: hcrm init {place}"
            )
    if (Path.cwd() / CONFIGURATION).is_file():
        return Path.cwd()
    raise WorkspaceError(
        f"There is no workspace here: searched --workspace (not given), HCRM_WORKSPACE (not set) and the current "
        f"directory {Path.cwd()} for {CONFIGURATION}. Make one with: hcrm init DIR"
    )


def now() -> datetime:
    """The present instant in UTC; `HCRM_NOW` (ISO 8601 with an offset) sets the clock for rehearsals and tests.

    Raises:
        UsageError: `HCRM_NOW` is not an instant.
    """
    given = os.environ.get("HCRM_NOW")
    if not given:
        return datetime.now(UTC)
    return parse_instant(given, "HCRM_NOW")


def parse_instant(text: str, where: str) -> datetime:
    """Read an instant such as `2026-11-21T08:00:00+08:00` or `2026-11-21T00:00:00Z`.

    Raises:
        UsageError: It is none, or it has no offset.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise UsageError(f"{where} is not an instant with an offset such as 2026-11-21T08:00:00+08:00.")
    return instant.astimezone(UTC)


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 UTC."""
    delta = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_microseconds(value: int) -> datetime:
    """The instant in UTC."""
    return datetime.fromtimestamp(value // 1_000_000, UTC).replace(microsecond=value % 1_000_000)


def shown(value: int, timezone: str) -> str:
    """Microseconds since 1970 UTC as commands show an instant: ISO 8601 to the second, in a zone, with its offset."""
    return from_microseconds(value).astimezone(ZoneInfo(timezone)).isoformat(timespec="seconds")


def local_day(instant: datetime, timezone: str) -> date:
    """The calendar day of an instant in a zone."""
    return instant.astimezone(ZoneInfo(timezone)).date()


def user() -> str:
    """Who is at work, by login name; by number where the system has no name for it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


def terminal() -> bool:
    """Whether a person is watching standard error, so that progress is worth showing."""
    return sys.stderr.isatty()
