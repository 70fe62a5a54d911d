"""Why somebody is not in it, as text for a terminal. Ids and codes only, as in `narrate`."""

from collections.abc import Iterator, Mapping
from typing import Any

from hcrm_core.decide.narrate import plain
from hcrm_core.decide.why_not import WhyNot
from hcrm_core.env import shown
from hcrm_core.model.absence import Cause, Check


def render_why_not(found: WhyNot, timezone: str) -> str:
    """Lines of text that end without a newline; instants are shown in `timezone`."""
    return "\n".join(_lines(found, timezone))


def _lines(found: WhyNot, timezone: str) -> Iterator[str]:
    at = shown(found.as_of, timezone)
    run = f"run {found.run}" if found.run else "it never ran"
    standing = "has decided" if found.verdict == "decided" else "has nothing that stands"
    yield f"{found.strategy} {found.version} {standing} about the customer {found.customer} ({run}, as of {at})"
    for decision in found.decisions:
        yield f"  {_pairs({name: value for name, value in decision.items() if value is not None})}"
    if found.verdict == "decided":
        how = "ID" if found.kind in ("task", "points") else f"{found.customer} --strategy {found.strategy}"
        yield f"What it rests on: hcrm explain {found.kind} {how}"
        return
    if found.changed:
        yield "  The strategy or its parameters have changed since that run; this is what it makes of the customer now."
    if not found.known:
        yield "  Nothing was known of this customer at that instant, or only under other ids. Look again: hcrm decide"
    yield from _verdict(found)


def _verdict(found: WhyNot) -> Iterator[str]:
    match found.verdict:
        case "no_row":
            for cause in found.causes:
                yield from _cause(cause)
        case "refused":
            yield "Its SELECT has a row, which a review refuses:"
            yield from (f"  {reason}" for reason in found.reasons)
        case "left_out_by_function":
            yield "Its SELECT has rows, and its function makes nothing of them:"
            yield from (f"  {_pairs(row)}" for row in found.rows)
        case _:
            yield "It has rows that no run has applied yet:"
            yield from (f"  {_pairs(row)}" for row in found.rows)
            yield f"Next: hcrm decide {found.strategy}"


def _cause(cause: Cause) -> Iterator[str]:
    if cause.after:
        yield "Of its steps " + ", ".join(f"{one.step} has {_counted(one.rows or 0)}" for one in cause.after)
    match cause.at:
        case "table":
            yield f"{cause.step} has none: the table {cause.of} has no row about this customer"
        case "empty":
            yield f"{cause.step} has none: {cause.of} is empty, for everybody"
        case "limit":
            yield f"{cause.step} has none: LIMIT leaves out this customer's {_counted(cause.rows)}"
        case "except" | "intersect":
            yield f"{cause.step} has none: {cause.at.upper()} with {cause.of} takes away {_counted(cause.rows)}"
        case "unknown":
            yield f"{cause.step} has none, and no single predicate tells why; it reads {cause.of or 'nothing'}"
        case "join":
            yield f"{cause.step} has none: of {_counted(cause.rows)} none finds a row of {cause.of}"
            yield from _checks(cause, "finds one", "find one", "with")
        case _:
            where = {"having": " after grouping", "qualify": " after its windows"}.get(cause.at, "")
            yield f"{cause.step} has none: of {_counted(cause.rows)} of {cause.of}{where}"
            yield from _checks(cause, "fulfils", "fulfil", "")
            for near in cause.nearest:
                only = "only " if len(near.fails) == 1 else ""
                fails = f"{only}{' and '.join(near.fails)}"
                yield f"  the nearest fails {fails}: {_pairs(near.values)} in {_counted(near.rows)}"


def _checks(cause: Cause, one: str, many: str, by: str) -> Iterator[str]:
    failing = [check for check in cause.checks if check.fulfilled < cause.rows]
    if failing and all(check.fulfilled for check in failing):
        yield f"  none {one} all of these at once"
    for check in sorted(failing, key=lambda check: check.fulfilled > 0):
        count = f"{check.fulfilled} {one if check.fulfilled == 1 else many}" if check.fulfilled else f"none {one}"
        given = f" where {_pairs(check.parameters)}" if check.parameters else ""
        yield f"  {' '.join(part for part in (count, by, check.predicate) if part)}{given}{_failed(check)}"


def _failed(check: Check) -> str:
    if not check.failed:
        return ""
    shown = [f"{_pairs(one.values)} in {_counted(one.rows)}" for one in check.failed]
    return ": " + "; ".join(shown)


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {'nothing' if value is None else plain(value)}" for name, value in values.items())


def _counted(rows: int) -> str:
    return f"{rows:,} row" if rows == 1 else f"{rows:,} rows"
