"""`hcrm messages`: what arrived and what became of it."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import click

from hcrm_core import env
from hcrm_core.cli.context import Opened, json_option, opened, show_json, show_table, workspace_option
from hcrm_core.cli.diff import diff
from hcrm_core.cli.message import show
from hcrm_core.cli.prune import prune
from hcrm_core.cli.replay import replay
from hcrm_core.cli.selection import select, selection, selection_options
from hcrm_core.errors import NotFoundError
from hcrm_core.store.queries import processing
from hcrm_core.store.queries.processing import CoverageRow


@click.group()
def messages() -> None:
    """See, replay, prune and account for messages.

    A message is received (it has landed), claimed (a worker is at it), translated (its records could not be written
    yet), and in the end folded, quarantined or rejected.
    """


messages.add_command(show)
messages.add_command(replay)
messages.add_command(diff)
messages.add_command(prune)


@messages.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many, newest first.")
@selection_options
@json_option
@workspace_option
def list_(limit: int, as_json: bool, workspace: str | None, **options: Any) -> None:
    """List messages, newest first."""
    with opened(workspace) as space:
        rows = [row.shown() for row in islice(select(space, selection(space, options)), limit)]
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
        found = [row for row in found if status in (None, row.status)]
        names = _names(space, found)
        rows = [
            {
                "source": row.source,
                "type": row.message_type,
                "field": row.field,
                "name": names[row.source, row.field],
                "status": row.status,
                "messages": row.messages,
                "first_seen": env.shown(row.first_seen),
                "last_seen": env.shown(row.last_seen),
            }
            for row in found
        ]
    if as_json:
        show_json(rows)
    else:
        shown = ("source", "type", "field", "name", "status", "messages")
        show_table(shown, [[row[column] for column in shown] for row in rows])


def _names(space: Opened, found: Sequence[CoverageRow]) -> dict[tuple[str, str], str | None]:
    """What the standard calls each (source, field)."""
    names: dict[tuple[str, str], str | None] = {}
    for source in sorted({row.source for row in found}):
        fields = sorted({row.field for row in found if row.source == source})
        for field, name in zip(fields, space.pool.field_names(space.source_of(source), fields), strict=True):
            names[source, field] = name
    return names
