"""`hcrm messages coverage`: what was understood of the messages, what was not, and what is otherwise since."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import click

from hcrm_core import env
from hcrm_core.cli.context import Opened, counted, json_option, opened, say, show_json, show_table, workspace_option
from hcrm_core.cli.message import content, note
from hcrm_core.cli.selection import typed
from hcrm_core.errors import HcrmError, NotFoundError, UsageError
from hcrm_core.store.queries import coverage as ledger
from hcrm_core.store.queries import inbox
from hcrm_core.store.queries.coverage import STATUSES, CoverageRow

_Key = tuple[str, str, str]


class Period(NamedTuple):
    """Days of arrival; `until` is the day after the last. `None`: without end."""

    since: str | None = None
    until: str | None = None


@click.command()
@click.option("--source", metavar="NAME", help="Only this source.")
@click.option("--type", "message_type", metavar="TYPE", callback=typed, help="Only of this type: ADT^A08.")
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
            found = ledger.read(connection, source, *days)
        found = [row for row in found if status in (None, row.status) and message_type in (None, row.message_type)]
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
        fields = [_by_field(ledger.read(connection, source, *period)) for period in periods]
        totals = [ledger.messages(connection, source, *period) for period in periods]
    rows = []
    for key in sorted(fields[0].keys() | fields[1].keys() | {(*kind, "") for total in totals for kind in total}):
        both = [total.get(key[:2], 0) for total in totals]
        sides = [_side(key, found.get(key), of) for found, of in zip(fields, both, strict=True)]
        # Of a type that is new, or comes no more, one row tells it all.
        if (key[2] == "") != (0 in both) or (key[2] and sides[0]["status"] == sides[1]["status"]):
            continue
        if message_type not in (None, key[1]) or (status and status not in str([side["status"] for side in sides])):
            continue
        before, after = (side["messages"] for side in sides)
        change = "appeared" if not before else "vanished" if not after else "changed"
        rows.append((key, change, sides))
    names = _names(space, {(key[0], key[2]) for key, _, _ in rows if key[2]})
    shown = [
        {
            "source": key[0],
            "type": key[1],
            "field": key[2] or None,
            "name": names.get((key[0], key[2])),
            "change": change,
            "before": sides[0],
            "after": sides[1],
        }
        for key, change, sides in rows
    ]
    for period, total in zip(periods, totals, strict=True):
        if not total:
            say(f"No message that arrived {_called(period)} has been translated.")
    if as_json:
        show_json(shown)
        return
    show_table(
        ("source", "type", "field", "name", "change", "before", "after"),
        [
            (*(row[name] for name in ("source", "type", "field", "name", "change")), *(_told(one) for one in sides))
            for row, (_, _, sides) in zip(shown, rows, strict=True)
        ],
    )


def _by_field(found: Iterable[CoverageRow]) -> dict[_Key, list[CoverageRow]]:
    fields: dict[_Key, list[CoverageRow]] = {}
    for row in found:
        fields.setdefault(row[:3], []).append(row)
    return fields


def _side(key: _Key, found: Sequence[CoverageRow] | None, of: int) -> dict[str, Any]:
    """What a period says of a field: its statuses, the messages that filled it, and all messages of its type."""
    if key[2] == "":
        return {"status": None, "messages": of, "of": of}
    return {
        "status": " and ".join(row.status for row in found) if found else None,
        "messages": min(sum(row.messages for row in found), of) if found else 0,
        "of": of,
    }


def _told(side: dict[str, Any]) -> str:
    if side["status"] is None:
        told = counted(side["messages"] or side["of"], "message")
        return told if side["messages"] else f"not in {told}" if side["of"] else "no message of this type"
    return f"{side['status']} in {side['messages']:,} of {side['of']:,}"


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
