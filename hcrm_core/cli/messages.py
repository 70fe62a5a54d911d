"""`hcrm messages`: what arrived and what became of it."""

from itertools import islice
from typing import Any

import click

from hcrm_core.cli.conformance import conformance
from hcrm_core.cli.context import json_option, opened, show_json, show_table, workspace_option
from hcrm_core.cli.coverage import coverage
from hcrm_core.cli.diff import diff
from hcrm_core.cli.message import show
from hcrm_core.cli.prune import prune
from hcrm_core.cli.replay import replay
from hcrm_core.cli.selection import select, selection, selection_options


@click.group()
def messages() -> None:
    """See, replay, prune and account for messages.

    A message is received (it has landed), claimed (a worker is at it), translated (its records could not be written
    yet), and in the end folded, quarantined or rejected.
    """


messages.add_command(show)
messages.add_command(replay)
messages.add_command(diff)
messages.add_command(coverage)
messages.add_command(conformance)
messages.add_command(prune)


@messages.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many, newest first.")
@selection_options
@json_option
@workspace_option
def list_(limit: int, as_json: bool, workspace: str | None, **options: Any) -> None:
    """List messages, newest first."""
    with opened(workspace) as space:
        rows = [row.shown(space.timezone) for row in islice(select(space, selection(space, options)), limit)]
    if as_json:
        show_json(rows)
        return
    show_table(
        ("id", "source", "control id", "type", "state", "received", "reason"),
        [
            # A row of a table has no control id and is known by its place, which a reason begins with.
            (
                r["id"], r["source"], r["control_id"], r["type"], r["state"], r["received_at"],
                r["reason"] or r["place"] or "",
            )
            for r in rows
        ],
    )  # fmt: skip
