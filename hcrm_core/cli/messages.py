"""`hcrm messages`: what arrived and what became of it."""

from typing import Any

import click
import msgspec

from hcrm_core import env
from hcrm_core.cli.context import (
    PARTIAL,
    Opened,
    counted,
    json_option,
    opened,
    say,
    show_json,
    show_table,
    workspace_option,
)
from hcrm_core.cli.ingest import work_off
from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.intake.bulk import ADAPTER as RECORDS
from hcrm_core.intake.pool import WorkerPool
from hcrm_core.intake.replay import replay as replay_
from hcrm_core.model.translation import Problem
from hcrm_core.store.queries import inbox, processing

STATES = ("received", "claimed", "translated", "folded", "quarantined", "rejected")


@click.group()
def messages() -> None:
    """See, replay and account for messages."""


@messages.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many, newest first.")
@click.option("--state", type=click.Choice(STATES), help="Only messages in this state.")
@click.option("--source", metavar="NAME", help="Only messages of this source.")
@click.option("--control-id", metavar="ID", help="Only messages with this control id.")
@json_option
@workspace_option
def list_(
    limit: int, state: str | None, source: str | None, control_id: str | None, as_json: bool, workspace: str | None
) -> None:
    """List messages, newest first."""
    with opened(workspace) as space:
        rows = _rows(space, limit, state, source, control_id)
    if as_json:
        show_json(rows)
        return
    show_table(
        ("id", "source", "control id", "type", "state", "received", "reason"),
        [
            (r["id"], r["source"], r["control_id"], r["type"], r["state"], r["received_at"], r["reason"] or "")
            for r in rows
        ],
    )


@messages.command()
@click.argument("wanted", metavar="ID|CONTROL_ID")
@json_option
@workspace_option
def show(wanted: str, as_json: bool, workspace: str | None) -> None:
    """Show what became of one message: its state, its problems and how many records it gave."""
    with opened(workspace) as space:
        message = _find(space, wanted)
        with space.store.read() as connection:
            outcome = processing.outcomes(connection, [message.id]).get(message.id)
    shown: dict[str, Any] = _row(message.id, message.source, message.control_id, message.received_at, outcome)
    if outcome:
        shown |= {
            "adapter": outcome.adapter,
            "translation": outcome.translation,
            "records": outcome.records,
            "problems": msgspec.json.decode(outcome.problems) if outcome.problems else [],
        }
    if as_json:
        show_json(shown)
        return
    for name, value in shown.items():
        if name != "problems" and value is not None:
            click.echo(f"{name}: {value}")
    for problem in shown.get("problems", ()):
        click.echo(f"- {' '.join(filter(None, (problem['code'], problem['where'])))}: {problem['text']}")


@messages.command()
@click.argument("wanted", nargs=-1, metavar="[ID|CONTROL_ID...]")
@click.option("--state", type=click.Choice(("folded", "quarantined")), help="All messages in this state.")
@workspace_option
def replay(wanted: tuple[str, ...], state: str | None, workspace: str | None) -> None:
    """Translate stored messages anew; the new translation takes the place of the old one."""
    if not wanted and state is None:
        raise UsageError("Which messages? Name them, or choose all in a state with --state.")
    with opened(workspace) as space, WorkerPool(space.root) as pool:
        work_off(space, pool)
        named = {_find(space, one).id for one in wanted}
        with space.store.read() as connection:
            chosen = named | set(processing.find(connection, states=[state], limit=1_000_000) if state else ())
            outcomes = processing.outcomes(connection, chosen)
        files = {number for number, outcome in outcomes.items() if outcome.adapter == RECORDS}
        if named & files:
            raise UsageError("A record file is not replayed: its rows are in the file. Ingest a corrected one.")
        ids = sorted(chosen - files)
        done = replay_(space.store, pool.translate, space.adapter_of, ids, lambda: env.microseconds(env.now()))
    say(f"Replayed {counted(len(ids), 'message')}: {done.translated} translated, {done.quarantined} quarantined.")
    if done.quarantined:
        raise click.exceptions.Exit(PARTIAL)


@messages.command()
@click.option("--source", metavar="NAME", help="Only this source.")
@click.option(
    "--status", type=click.Choice(("mapped", "ignored", "unknown")), help="Only fields of which this is true."
)
@json_option
@workspace_option
def coverage(source: str | None, status: str | None, as_json: bool, workspace: str | None) -> None:
    """Account for every field: in how many messages it was filled, and whether it was mapped, ignored or unknown."""
    with opened(workspace) as space:
        with space.store.read() as connection:
            found = processing.read_coverage(connection, source)
        if source is not None and not found:
            raise NotFoundError(f"No message of a source {source!r} has been translated yet.")
        rows = [
            {
                "source": row.source,
                "type": row.message_type,
                "field": row.field,
                "name": space.adapter_of(row.source).field_name(row.field),
                "status": row.status,
                "messages": row.messages,
                "first_seen": env.shown(row.first_seen),
                "last_seen": env.shown(row.last_seen),
            }
            for row in found
            if status in (None, row.status)
        ]
    if as_json:
        show_json(rows)
    else:
        shown = ("source", "type", "field", "name", "status", "messages")
        show_table(shown, [[row[column] for column in shown] for row in rows])


def _find(space: Opened, wanted: str) -> inbox.Landed:
    """A message by its number, else by its control id."""
    with space.store.read_inbox() as landed:
        number = wanted.removeprefix("#")
        row = inbox.read(landed, int(number)) if number.isdecimal() and len(number) < 19 else None
        if row and wanted.startswith("#"):
            return row
        same = [
            header for header in inbox.headers(landed, control_id=wanted, limit=10) if not row or header[0] != row.id
        ]
        if row and not same:
            return row
        if not row and len(same) == 1 and (found := inbox.read(landed, same[0][0])):
            return found
    if row:
        raise UsageError(
            f"{wanted} is the number of one message and the control id of another. Say '#{wanted}' for the first, or "
            f"'#{same[0][0]}' for the second."
        )
    if same:
        numbers = ", ".join(str(header[0]) for header in same)
        raise UsageError(f"Several messages have the control id {wanted}. Name one by its number: {numbers}.")
    raise NotFoundError(f"There is no message {wanted}. List them with: hcrm messages list")


def _rows(
    space: Opened, limit: int, state: str | None, source: str | None, control_id: str | None
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    before: int | None = None
    with space.store.read_inbox() as landed, space.store.read() as connection:
        while len(found) < limit:
            page = list(inbox.headers(landed, source=source, control_id=control_id, limit=1_000, before=before))
            if not page:
                break
            before = page[-1][0]
            outcomes = processing.outcomes(connection, [row[0] for row in page])
            rows = [_row(*row, outcomes.get(row[0])) for row in page]
            found += [row for row in rows if state in (None, row["state"])]
    return found[:limit]


def _row(
    message_id: int, source: str, control_id: str, received_at: int, outcome: processing.ProcessingRow | None
) -> dict[str, Any]:
    reason = msgspec.json.decode(outcome.reason, type=Problem) if outcome and outcome.reason else None
    return {
        "id": message_id,
        "source": source,
        "control_id": control_id,
        "type": outcome.message_type if outcome else None,
        "state": outcome.state if outcome else "received",
        "received_at": env.shown(received_at),
        "reason": f"{reason.where}: {reason.text}".removeprefix(": ") if reason else None,
    }
