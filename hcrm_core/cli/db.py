"""`hcrm db`: the schema of the databases."""

import click

from hcrm_core.cli.context import json_option, opened, say, show_json, show_table, workspace_option
from hcrm_core.store import schema


@click.group()
def db() -> None:
    """Upgrade and inspect the database."""


@db.command()
@workspace_option
def upgrade(workspace: str | None) -> None:
    """Bring the database to this version's schema; what is in it is kept."""
    with opened(workspace) as space:
        for line in schema.upgrade(space.unchecked_store):
            say(line)


@db.command()
@json_option
@workspace_option
def status(as_json: bool, workspace: str | None) -> None:
    """Show at which revision the database is."""
    with opened(workspace) as space:
        rows = schema.status(space.unchecked_store)
    if as_json:
        show_json([{"schema": name, "revision": found, "wanted": wanted} for name, found, wanted in rows])
    else:
        show_table(("schema", "revision", "this version needs"), [(n, f or "none", w) for n, f, w in rows])
