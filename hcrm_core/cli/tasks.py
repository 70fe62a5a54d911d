"""`hcrm tasks`: the follow-up list."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import msgspec

from hcrm_core import env
from hcrm_core.cli.context import Opened, json_option, opened, say, show_json, show_table, workspace_option
from hcrm_core.cli.customer_named import resolve
from hcrm_core.decide.narrate import plain
from hcrm_core.errors import InputError
from hcrm_core.identity.golden import display_name, golden, values_of
from hcrm_core.store.queries import customers, decisions
from hcrm_core.store.queries.decisions import TaskRow

STATES = ("open", "suppressed", "withdrawn", "superseded", "expired", "completed")
COLUMNS = (
    "id",
    "due_on",
    "window_end",
    "name",
    "phone",
    "topic",
    "step",
    "owner",
    "channel",
    "form",
    "state",
    "reason",
)
_HEADINGS = {
    "en": dict(zip(COLUMNS, COLUMNS, strict=True)),
    "zh": dict(
        zip(
            COLUMNS,
            ("编号", "应办日期", "截止日期", "姓名", "电话", "主题", "步骤", "责任方", "渠道", "表单", "状态", "原因"),
            strict=True,
        )
    ),
}
_FORMULA = tuple("=+-@\t\r＝＋－＠")


@click.group()
def tasks() -> None:
    """See, complete and export follow-up tasks."""


def _day(_ctx: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    try:
        return date.fromisoformat(given).isoformat() if given else None
    except ValueError:
        raise click.BadParameter(f"{given!r} is no day such as 2026-11-21.") from None


def filters(command: Any) -> Any:
    """The options that choose tasks."""
    for option in (
        click.option("--owner", metavar="QUEUE", help="Only tasks of this queue."),
        click.option("--due-before", metavar="DAY", callback=_day, help="Only tasks due before this day (YYYY-MM-DD)."),
        click.option("--customer", metavar="ID", help="Only tasks for this customer, by id or number."),
        click.option("--state", type=click.Choice(STATES), default="open", show_default=True, help="In this state."),
    ):
        command = option(command)
    return command


@tasks.command("list")
@filters
@click.option("--basis-gone", is_flag=True, help="Completed ones whose reason was taken back since: to be looked at.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000_000), help="How many.")
@json_option
@workspace_option
def list_(
    state: str,
    basis_gone: bool,
    owner: str | None,
    due_before: str | None,
    customer: str | None,
    limit: int,
    as_json: bool,
    workspace: str | None,
) -> None:
    """List tasks, the one due first at the top."""
    with opened(workspace) as space:
        rows = list(
            _rows(
                space,
                state="completed" if basis_gone else state,
                owner=owner,
                due_before=due_before,
                customer=customer,
                limit=limit,
                basis_gone=basis_gone,
            )
        )
    if as_json:
        show_json(rows)
        return
    _table(rows)
    if rows:
        click.echo(f"Why: hcrm explain task {rows[0]['id']}")


@tasks.command()
@click.argument("task_id", metavar="ID")
@json_option
@workspace_option
def show(task_id: str, as_json: bool, workspace: str | None) -> None:
    """Show one task and what became of it, by its id or the beginning of it."""
    with opened(workspace) as space:
        with space.store.read() as connection:
            task = decisions.get_task(connection, task_id)
            history = decisions.task_history(connection, task.task_id)
        shown = _person(space, [task]).get(task.customer_id, {}) | _row(task, space.timezone)
        shown["history"] = [
            {"at": env.shown(event.at, space.timezone), "by": event.by, "state": event.state, "reason": event.reason}
            for event in history
        ]
    if as_json:
        show_json(shown)
        return
    for name, value in shown.items():
        if name != "history" and value not in (None, "", {}, []):
            click.echo(f"{name}: {plain(value)}")
    for event in shown["history"]:
        click.echo(f"- {event['at']} {event['state']} by {event['by']} {event['reason'] or ''}".rstrip())


@tasks.command()
@click.argument("task_id", metavar="ID")
@click.option("--note", metavar="TEXT", help="What came of it.")
@click.option("--by", metavar="WHO", help="Who did it.  [default: the system user]")
@workspace_option
def complete(task_id: str, note: str | None, by: str | None, workspace: str | None) -> None:
    """Mark a task as done."""
    with opened(workspace) as space:
        now = env.microseconds(env.now())
        with space.store.write() as connection:
            done = decisions.complete_task(connection, task_id, by=by or env.user(), note=note, now=now)
    say(f"Completed {done.task_id} ({done.topic}, {done.step}, due {done.due_on}).")


@tasks.command()
@filters
@click.option("-o", "--output", "file", required=True, metavar="FILE", help="The CSV file to write.")
@click.option(
    "--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Of headings and channels."
)
@click.option(
    "--encoding",
    type=click.Choice(["utf-8-sig", "gb18030"]),
    default="utf-8-sig",
    show_default=True,
    help="Both open in Excel and WPS.",
)
@workspace_option
def export(
    state: str,
    owner: str | None,
    due_before: str | None,
    customer: str | None,
    file: str,
    lang: str,
    encoding: str,
    workspace: str | None,
) -> None:
    """Write tasks with names and phones as a CSV worklist.

    A cell that a spreadsheet would take for a formula is written with an apostrophe before it.
    """
    with opened(workspace) as space:
        rows = list(_rows(space, state=state, owner=owner, due_before=due_before, customer=customer, limit=None))
        titles = {name: channel.title.get(lang, name) for name, channel in space.registry.channels.items()}
    for row in rows:
        row["channel"] = titles.get(row["channel"], row["channel"])
    try:
        with Path(file).open("w", encoding=encoding, newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([_HEADINGS[lang][column] for column in COLUMNS])
            writer.writerows([[_cell(row.get(column)) for column in COLUMNS] for row in rows])
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}.") from None
    say(f"Wrote {len(rows)} tasks to {file}. It holds names and phone numbers: keep it as you keep a record.")


def show_worklist(space: Opened, found: list[TaskRow]) -> None:
    """Print tasks as a table, with the names of those they are for."""
    people = _person(space, found)
    _table([_row(task, space.timezone) | people.get(task.customer_id, {"name": ""}) for task in found])


def _table(rows: list[dict[str, Any]]) -> None:
    shown = ("id", "due_on", "window_end", "name", "topic", "step", "owner", "state")
    show_table(shown, [[row[column] for column in shown] for row in rows])


def _rows(space: Opened, **chosen: Any) -> Iterator[dict[str, Any]]:
    if chosen.get("customer"):
        chosen["customer"] = resolve(space, chosen["customer"])
    with space.store.read() as connection:
        found = decisions.list_tasks(connection, **chosen)
    people = _person(space, found)
    for task in found:
        yield _row(task, space.timezone) | people.get(task.customer_id, {"name": "", "phone": ""})


def _row(task: TaskRow, timezone: str) -> dict[str, Any]:
    shown = task._asdict()
    del shown["fingerprint"]
    return {
        "id": shown.pop("task_id"),
        **shown,
        "detail": msgspec.json.decode(task.detail),
        "evidence": msgspec.json.decode(task.evidence),
        "created_at": env.shown(task.created_at, timezone),
        "closed_at": env.shown(task.closed_at, timezone) if task.closed_at else None,
        "basis_gone_at": env.shown(task.basis_gone_at, timezone) if task.basis_gone_at else None,
    }


def _person(space: Opened, found: list[TaskRow]) -> dict[str, dict[str, str]]:
    members: dict[str, list[Any]] = {}
    with space.store.read() as connection:
        ids = sorted({task.customer_id for task in found})
        for customer_id, patient in customers.patients_of(connection, ids):
            members.setdefault(customer_id, []).append(patient)
    people = {}
    for customer_id, patients in members.items():
        known = values_of(golden(patients, space.store.codec, space.store.golden))
        phones = [one["value"] for one in known.get("telecom", ()) if one["system"] in ("phone", "sms")]
        people[customer_id] = {"name": display_name(known.get("name")), "phone": " / ".join(phones)}
    return people


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
