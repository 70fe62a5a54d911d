"""`hcrm segments`: who is in which segment."""

from typing import Any

import click

from hcrm_core.cli.context import json_option, opened, show_json, show_table, workspace_option
from hcrm_core.decide.shown import segment_sizes


@click.group()
def segments() -> None:
    """See segments and who is in them."""


@segments.command("list")
@json_option
@workspace_option
def list_(as_json: bool, workspace: str | None) -> None:
    """List segments with their sizes, as of each strategy's last run."""
    with opened(workspace) as space:
        rows: list[dict[str, Any]] = segment_sizes(space.store, space.mart)
    if as_json:
        show_json(rows)
    else:
        show_table(("strategy", "segment", "customers"), [tuple(row.values()) for row in rows])
        if not rows:
            click.echo("No strategy has made segments yet. Run them: hcrm decide")
