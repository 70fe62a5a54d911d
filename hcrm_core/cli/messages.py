"""`hcrm messages`: what arrived and what became of it."""

from datetime import UTC
from typing import Any

import click
import msgspec

from hcrm_core import env
from hcrm_core.cli.context import PARTIAL, Opened, json_option, opened, say, show_json, show_table, workspace_option
from hcrm_core.cli.ingest import work_off
from hcrm_core.errors import NotFoundError
from hcrm_core.intake.fold import Folder
from hcrm_core.intake.pool import WorkerPool
from hcrm_core.intake.process import accept
from hcrm_core.model.adapters import Adapter
from hcrm_core.model.translation import Problem
from hcrm_core.store.queries import inbox, processing

STATES = ("received", "translated", "quarantined")


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
@click.argument("message_id", type=int, metavar="ID")
@json_option
@workspace_option
def show(message_id: int, as_json: bool, workspace: str | None) -> None:
    """Show what became of one message: its state, its problems and how many records it gave."""
    with opened(workspace) as space:
        with space.store.read_inbox() as landed:
            message = inbox.read(landed, message_id)
        if message is None:
            raise NotFoundError(f"There is no message {message_id}. List them with: hcrm messages list")
        with space.store.read() as connection:
            outcome = processing.outcomes(connection, [message_id]).get(message_id)
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
        if name != "problems":
            click.echo(f"{name}: {'' if value is None else value}")
    for problem in shown.get("problems", ()):
        click.echo(f"- {problem['code']} {problem['where']}: {problem['text']}")


@messages.command()
@click.argument("message_ids", type=int, nargs=-1, metavar="[ID...]")
@click.option("--state", type=click.Choice(("translated", "quarantined")), help="All messages in this state.")
@workspace_option
def replay(message_ids: tuple[int, ...], state: str | None, workspace: str | None) -> None:
    """Translate stored messages anew; the new translation takes the place of the old one."""
    with opened(workspace) as space, WorkerPool(space.root) as pool:
        work_off(space, pool)
        with space.store.read() as connection:
            ids = sorted({*message_ids, *(processing.messages_in(connection, state, 1_000_000) if state else ())})
        folder = Folder(space.store.codec)
        translated = quarantined = 0
        for message_id in ids:
            with space.store.read_inbox() as landed:
                message = inbox.read(landed, message_id)
            if message is None:
                raise NotFoundError(f"There is no message {message_id}. List them with: hcrm messages list")
            adapter = _adapter(space, message.source)
            payload = space.store.codec.open(message.payload)
            answer = pool.translate(adapter.source, adapter.name, [payload]).result()
            done = accept(space.store, folder, adapter, [message], answer, env.microseconds(env.now()))
            translated, quarantined = translated + done.translated, quarantined + done.quarantined
    say(f"Replayed {len(ids)} messages: {translated} translated, {quarantined} quarantined.")
    if quarantined:
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
        rows = [
            {
                "source": row.source,
                "type": row.message_type,
                "field": row.field,
                "name": _adapter(space, row.source).field_name(row.field),
                "status": row.status,
                "messages": row.messages,
                "first_seen": _instant(row.first_seen),
                "last_seen": _instant(row.last_seen),
            }
            for row in found
            if status in (None, row.status)
        ]
    if as_json:
        show_json(rows)
    else:
        shown = ("source", "type", "field", "name", "status", "messages")
        show_table(shown, [[row[column] for column in shown] for row in rows])


def _adapter(space: Opened, source: str) -> Adapter:
    known = source in space.configuration.settings.sources
    return space.registry.adapter(source, None if known else source)


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
        "received_at": _instant(received_at),
        "reason": f"{reason.where}: {reason.text}".removeprefix(": ") if reason else None,
    }


def _instant(value: int) -> str:
    return env.from_microseconds(value).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
