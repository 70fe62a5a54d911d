"""`hcrm messages coverage`: what was understood of the messages, what was not, and what is otherwise since."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import click

from hcrm_core import env
from hcrm_core.cli.context import Opened, counted, json_option, opened, say, show_json, show_table, workspace_option
from hcrm_core.cli.message import content, note
from hcrm_core.cli.selection import Selection, instant, select, typed
from hcrm_core.errors import HcrmError, NotFoundError, UsageError
from hcrm_core.store.queries import coverage as ledger
from hcrm_core.store.queries import inbox
from hcrm_core.store.queries.coverage import STATUSES, CoverageRow

POINTS = 10
"""By how many percentage points a share must change to be told of."""

FEW = 3
"""How many messages that must be, of the period that has fewer of the type: shares of few change by chance."""

_Key = tuple[str, str, str]
_Kind = tuple[str, str]


class Period(NamedTuple):
    """Days of arrival; `until` is the day after the last. `None`: without end."""

    since: str | None = None
    until: str | None = None


@click.command()
@click.option("--source", metavar="NAME", help="Only this source.")
@click.option(
    "--type",
    "message_type",
    metavar="TYPE",
    callback=typed,
    help="Only of this type: ADT^A08, or ADT* for all ADT.",
)
@click.option("--status", type=click.Choice(STATUSES), help="Only fields of which this is true.")
@click.option("--since", metavar="DAY", help="Only messages that arrived on this day or later.")
@click.option("--until", metavar="DAY", help="Only messages that arrived before this day.")
@click.option(
    "--diff",
    nargs=2,
    metavar="BEFORE AFTER",
    help="What is otherwise on the day AFTER than on the day BEFORE; or in periods, FIRST..LAST.",
)
@click.option("--examples", is_flag=True, help="Show a value of each field, masked where it may tell who somebody is.")
@click.option(
    "--unmask", is_flag=True, help="Show the values of people too; that you did is written to the audit trail."
)
@click.option("--by", metavar="NAME", help="Who looks; your login name by default.")
@json_option
@workspace_option
def coverage(
    source: str | None,
    message_type: str | None,
    status: str | None,
    since: str | None,
    until: str | None,
    diff: tuple[str, str] | None,
    examples: bool,
    unmask: bool,
    by: str | None,
    as_json: bool,
    workspace: str | None,
) -> None:
    """Account for every field: in how many messages it was filled, and whether it was mapped, ignored, unknown or
    left out.

    A message is counted on the day it arrived, once, as its newest accepted translation has it.

    --diff tells of a field that appeared or vanished, or that changed: it is mapped, ignored, unknown or left out
    otherwise than before; or the share of messages that fill it, or in which one of these is true of it, has moved by
    ten percentage points or more, and by at least three messages of the period that has fewer. Messages in quarantine
    are told apart.
    """
    if diff and (since or until or examples or unmask):
        raise UsageError(
            "--diff names its own days and shows no values: leave out --since, --until, --examples, --unmask."
        )
    with opened(workspace) as space:
        with space.store.read() as connection:
            known = ledger.messages(connection, source)
        if source is not None and not known:
            raise NotFoundError(f"No message of a source {source!r} has been translated yet.")
        if diff:
            _compare(space, [_period(one) for one in diff], source, message_type, status, as_json)
            return
        days = Period(*(_day(one, option) if one else None for one, option in ((since, "--since"), (until, "--until"))))
        with space.store.read() as connection:
            found = ledger.read(connection, source, *days, message_type)
        found = [row for row in found if status in (None, row.status)]
        shown = _shown(space, found)
        if examples or unmask:
            for row, example in zip(shown, _examples(space, found, unmask, by), strict=True):
                row |= example
    if as_json:
        show_json(shown)
        return
    columns = ["source", "type", "field", "name", "status", "messages", "first_seen", "last_seen"]
    columns += ["message", "example"] if examples or unmask else []
    show_table([name.replace("_", " ") for name in columns], [[row[name] for name in columns] for row in shown])


def _shown(space: Opened, found: Sequence[CoverageRow]) -> list[dict[str, Any]]:
    names = _names(space, {(row.source, row.field) for row in found})
    return [
        {
            "source": row.source,
            "type": row.message_type,
            "field": row.field,
            "name": names[row.source, row.field],
            "status": row.status,
            "messages": row.messages,
            "first_seen": row.first_seen,
            "last_seen": row.last_seen,
            "message": row.examples[0],
        }
        for row in found
    ]


def _examples(space: Opened, found: Sequence[CoverageRow], unmask: bool, by: str | None) -> list[dict[str, Any]]:
    """For each row the message that holds the field, and its value; both `None` where none is left to look at."""
    wanted = {number: row.source for row in found for number in row.examples}
    if unmask:
        note(space, sorted(wanted), by or env.user())
    read = {number: _fields(space, number, source, unmask) for number, source in sorted(wanted.items())}
    shown = []
    for row in found:
        number = next((one for one in row.examples if row.field in read[one]), None)
        shown.append({"message": number, "example": None if number is None else read[number][row.field]})
    return shown


def _fields(space: Opened, number: int, source: str, unmask: bool) -> dict[str, str]:
    """The filled fields of one message, each as it was sent first."""
    with space.store.read_inbox() as landed:
        message = inbox.read(landed, number)
    if message is None or message.payload is None:
        return {}
    try:
        read = space.pool.inspect(space.source_of(source), space.store.codec.open(message.payload))
    except HcrmError:
        return {}
    values: dict[str, str] = {}
    for (field, _), row in zip(read.fields, content(read, unmask)["fields"], strict=True):
        values.setdefault(field.field, row["sent"])
    return values


def _compare(
    space: Opened,
    periods: Sequence[Period],
    source: str | None,
    message_type: str | None,
    status: str | None,
    as_json: bool,
) -> None:
    with space.store.read() as connection:
        fields = [_by_field(ledger.read(connection, source, *period, message_type)) for period in periods]
        totals = [ledger.messages(connection, source, *period, message_type) for period in periods]
    held = [_quarantined(space, period, source, message_type) for period in periods]
    kinds = {(*kind, "") for known in (*totals, *held) for kind in known}
    rows = []
    for key in sorted(fields[0].keys() | fields[1].keys() | kinds):
        before, after = (
            _side(key, found.get(key, ()), total.get(key[:2], 0), kept[key[:2]])
            for found, total, kept in zip(fields, totals, held, strict=True)
        )
        if not _differ(key, before, after) or (status and status not in before["statuses"] | after["statuses"]):
            continue
        came = [side["messages"] + (0 if key[2] else side["quarantined"]) for side in (before, after)]
        change = "appeared" if not came[0] else "vanished" if not came[1] else "changed"
        rows.append((key, change, (before, after)))
    names = _names(space, {(key[0], key[2]) for key, _, _ in rows if key[2]})
    shown = [
        {
            "source": key[0],
            "type": key[1] or None,
            "field": key[2] or None,
            "name": names.get((key[0], key[2])),
            "change": change,
            "before": sides[0],
            "after": sides[1],
        }
        for key, change, sides in rows
    ]
    for period, total, kept in zip(periods, totals, held, strict=True):
        _say_what_is_not_counted(period, bool(total), kept, message_type)
    if as_json:
        show_json(shown)
        return
    show_table(
        ("source", "type", "field", "name", "change", "before", "after"),
        [
            (
                *(row[name] for name in ("source", "type", "field", "name", "change")),
                *(_told(key, one) for one in sides),
            )
            for row, (key, _, sides) in zip(shown, rows, strict=True)
        ],
    )


def _say_what_is_not_counted(period: Period, any_counted: bool, held: Counter[_Kind], message_type: str | None) -> None:
    if not any_counted:
        wanted = f"No message of type {message_type}" if message_type else "No message"
        say(f"{wanted} that arrived {_called(period)} has been translated.")
    if held:
        types = Counter[str]()
        for (_, kind), count in held.items():
            types[kind or "no known type"] += count
        say(
            f"Not counted, since they are in quarantine, of the messages that arrived {_called(period)}: "
            f"{', '.join(f'{count:,} of {kind}' for kind, count in sorted(types.items()))}. List them with: "
            f"hcrm messages list --state quarantined --since {period.since} --until {period.until}"
        )


def _by_field(found: Iterable[CoverageRow]) -> dict[_Key, list[CoverageRow]]:
    fields: dict[_Key, list[CoverageRow]] = {}
    for row in found:
        fields.setdefault(row[:3], []).append(row)
    return fields


def _quarantined(space: Opened, period: Period, source: str | None, message_type: str | None) -> Counter[_Kind]:
    """(source, message type) → how many messages are quarantined; not those of which an older translation counts."""
    since, until = (instant(day, "--diff", space.timezone) if day else None for day in period)
    wanted = Selection("quarantined", source, message_type, since=since, until=until)
    return Counter(
        (row.source, row.outcome.message_type)
        for row in select(space, wanted)
        if row.outcome and row.outcome.shape_id is None
    )


def _side(key: _Key, found: Sequence[CoverageRow], of: int, quarantined: int) -> dict[str, Any]:
    """What a period says of a field: its statuses, the messages that filled it, and all messages of its type.

    Those in quarantine are not among them. Without a field it is said of the type.
    """
    statuses = {row.status: row.messages for row in found}
    return {
        "status": " and ".join(statuses) or None,
        "messages": min(sum(statuses.values()), of) if key[2] else of,
        "of": of,
        "statuses": statuses,
        "quarantined": quarantined,
    }


def _differ(key: _Key, before: dict[str, Any], after: dict[str, Any]) -> bool:
    of = before["of"], after["of"]
    if key[2] == "":
        kept = before["quarantined"], after["quarantined"]
        came = of[0] + kept[0], of[1] + kept[1]
        return (0 in of and any(of)) or (0 in came and any(came)) or _moved(kept, came)
    # Of a type that is new, or comes no more, its own row tells it all.
    if 0 in of:
        return False
    statuses = before["statuses"].keys()
    return (
        statuses != after["statuses"].keys()
        or _moved((before["messages"], after["messages"]), of)
        or any(_moved((before["statuses"][status], after["statuses"][status]), of) for status in statuses)
    )


def _moved(some: tuple[int, int], of: tuple[int, int]) -> bool:
    """Whether the share of some messages has changed by so much that it is to be told."""
    apart = abs(some[0] * of[1] - some[1] * of[0])
    return apart * 100 >= POINTS * of[0] * of[1] > 0 and apart >= FEW * max(of)


def _told(key: _Key, side: dict[str, Any]) -> str:
    if side["statuses"]:
        told = " and ".join(f"{status} in {count:,}" for status, count in side["statuses"].items())
        return f"{told} of {side['of']:,}"
    if key[2]:
        return f"not in {counted(side['of'], 'message')}"
    came = counted(side["of"] + side["quarantined"], "message")
    if side["quarantined"]:
        return f"{came}, {side['quarantined']:,} quarantined"
    return came if side["of"] else "no message of this type accepted"


def _names(space: Opened, found: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
    """What the standard calls each (source, field)."""
    by_source: dict[str, list[str]] = {}
    for source, field in sorted(found):
        by_source.setdefault(source, []).append(field)
    return {
        (source, field): name
        for source, fields in by_source.items()
        for field, name in zip(fields, space.pool.field_names(space.source_of(source), fields), strict=True)
    }


def _period(text: str) -> Period:
    first, _, last = text.partition("..")
    since, end = _day(first, "--diff"), _day(last or first, "--diff")
    if end < since:
        raise UsageError(f"--diff: the period {text} ends before it begins.")
    return Period(since, (date.fromisoformat(end) + timedelta(days=1)).isoformat())


def _called(period: Period) -> str:
    assert period.since and period.until
    last = (date.fromisoformat(period.until) - timedelta(days=1)).isoformat()
    return f"on {last}" if last == period.since else f"from {period.since} to {last}"


def _day(text: str, option: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"{option}: {text} is no day such as 2026-06-01.") from None
