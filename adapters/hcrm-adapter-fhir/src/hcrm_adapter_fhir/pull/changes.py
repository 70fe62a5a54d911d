"""When resources changed, by `meta.lastUpdated`: the newest change a search has seen, which the next begins at.

It is never later than the server's answer. A time in the future, as a clock that was wrong leaves it behind, would hide
whatever changes until then.
"""

from collections.abc import Iterator
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from hcrm_adapter_fhir.mapping import dates
from hcrm_adapter_fhir.reader import entries_of
from hcrm_core.api import HttpResponse, Problem

SKEW = 300 * 1_000_000
"""Microseconds by which the clocks of one server's machines may differ without a word."""

_EVER = 10**18


def newest_of(bundle: dict[str, Any], kind: str, before: str, response: HttpResponse) -> tuple[str, list[Problem]]:
    """The newest change among a page and what was before, and what people should know of the times.

    Args:
        bundle: The page.
        kind: Resource type it was asked for; those of other types were included and have searches of their own.
        before: Newest change of the pages before, or empty.
        response: The answer that held it.
    """
    answered, late = _answered(response), False
    for changed in _changes(bundle, kind):
        if order(changed) > answered:
            late |= order(changed) > answered + SKEW
        elif order(changed) > order(before):
            before = changed
    text = (
        "Resources say that they were changed after the server sent them. The next search begins at the newest change "
        "before; these come again every time. Have the server's clock and these times set right."
    )
    return before, [Problem("time-in-future", f"{kind}.meta.lastUpdated", text)] if late else []


def newer(known: str, newest: str, response: HttpResponse) -> str:
    """What to begin at next: what is known, or the newest change; nothing known where that lies in the future."""
    kept = "" if order(known) > _answered(response) + SKEW else known
    return max(kept, newest, key=order)


def order(instant: str) -> int:
    """An instant to compare by; none comes before all."""
    found = dates.microseconds(instant, "UTC") if instant else None
    return found if found is not None else -_EVER


def earlier(instant: str, seconds: int) -> str:
    """An instant so many seconds before."""
    found = dates.moment(instant, "UTC")
    if found is None:
        return instant
    try:
        return (found - timedelta(seconds=seconds)).astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    except OverflowError:
        return instant


def _changes(bundle: dict[str, Any], kind: str) -> Iterator[str]:
    for entry in entries_of(bundle):
        resource = entry.get("resource")
        meta = resource.get("meta") if isinstance(resource, dict) and resource.get("resourceType") == kind else None
        changed = meta.get("lastUpdated") if isinstance(meta, dict) else None
        if isinstance(changed, str) and dates.microseconds(changed, "UTC") is not None:
            yield changed


def _answered(response: HttpResponse) -> int:
    """When the server answered, microseconds UTC."""
    try:
        return int(parsedate_to_datetime(response.headers["date"]).timestamp()) * 1_000_000
    except (LookupError, ValueError, TypeError, OverflowError):
        return _EVER
