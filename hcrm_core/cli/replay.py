"""`hcrm messages replay`: translate stored messages anew, after seeing what that would change."""

from typing import Any

import click
import msgspec

from hcrm_core import env
from hcrm_core.cli.context import (
    PARTIAL,
    Progress,
    counted,
    json_option,
    opened,
    say,
    show_json,
    show_table,
    workspace_option,
)
from hcrm_core.cli.ingest import work_off
from hcrm_core.cli.selection import Row, named, select, selection, selection_options
from hcrm_core.errors import UsageError
from hcrm_core.intake import replay as intake
from hcrm_core.intake.bulk import ADAPTER as RECORDS
from hcrm_core.intake.pool import WorkerPool
from hcrm_core.intake.replay import Preview

_SHOWN = 20


@click.command()
@click.argument("wanted", nargs=-1, metavar="[ID|CONTROL_ID...]")
@click.option("--all", "everything", is_flag=True, help="All messages there are.")
@click.option("--dry-run", is_flag=True, help="Only tell which facts would change.")
@selection_options
@json_option
@workspace_option
def replay(
    wanted: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    as_json: bool,
    workspace: str | None,
    **options: Any,
) -> None:
    """Translate stored messages anew; the new translation takes the place of the old one.

    Name messages, or select them with the options, or take --all. Whatever was decided on the facts keeps its key, so
    nothing that went out is repeated.
    """
    with opened(workspace) as space, WorkerPool(space.root) as pool:
        chosen = selection(space, options)
        if not wanted and chosen.everything and not everything:
            raise UsageError("Which messages? Name them, select them (--state quarantined, --since 2h), or say --all.")
        work_off(space, pool)
        rows = [named(space, one) for one in wanted]
        if not chosen.everything or everything:
            rows += select(space, chosen)
        numbers = _replayable(rows, named_all=bool(wanted))
        arguments = (space.store, pool.translate, space.adapter_of, numbers)
        if dry_run:
            preview = intake.preview(*arguments, env.microseconds(env.now()))
            _tell_preview(preview, len(numbers), as_json)
            return
        progress = Progress("Replaying:", "messages")
        done = intake.replay(*arguments, lambda: env.microseconds(env.now()), progress.add)
        progress.end()
    if as_json:
        show_json({"messages": len(numbers)} | done._asdict())
    else:
        say(
            f"Replayed {counted(len(numbers), 'message')}: {done.translated:,} translated, {done.quarantined:,} "
            "quarantined."
        )
    if done.quarantined:
        raise click.exceptions.Exit(PARTIAL)


def _replayable(rows: list[Row], *, named_all: bool) -> list[int]:
    """The numbers of those that can be translated at all."""
    files = {row.id for row in rows if row.outcome and row.outcome.adapter == RECORDS}
    refused = {row.id for row in rows if row.state == "rejected"}
    if named_all and files:
        raise UsageError("A record file is not replayed: its rows are in the file. Ingest a corrected one.")
    if named_all and refused:
        raise UsageError("A rejected message is not replayed: what arrived was no message. Have it sent correctly.")
    return sorted({row.id for row in rows} - files - refused)


def _tell_preview(preview: Preview, messages: int, as_json: bool) -> None:
    if as_json:
        changes = [msgspec.to_builtins(change._asdict()) for change in preview.changes]
        show_json({"messages": messages} | preview.processed._asdict() | {"changes": changes})
        return
    say(
        f"Replaying {counted(messages, 'message')} would translate {preview.processed.translated:,} and quarantine "
        f"{preview.processed.quarantined:,}."
    )
    if not preview.changes:
        say("No fact would change.")
        return
    facts = len({change.fact_id for change in preview.changes})
    say(f"{counted(facts, 'fact')} would change. Nothing was changed yet; leave out --dry-run to do it.")
    show_table(
        ("kind", "field", "facts"),
        [(kind, field or "(as a whole)", count) for kind, field, count in intake.summary(preview.changes)],
    )
    click.echo()
    show_table(
        ("kind", "fact", "field", "now", "then"),
        [
            (one.kind, one.fact_id, one.field or "(as a whole)", _text(one.before), _text(one.after))
            for one in preview.changes[:_SHOWN]
        ],
    )
    if len(preview.changes) > _SHOWN:
        click.echo(f"… and {len(preview.changes) - _SHOWN:,} more; --json shows all.")


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
