"""`hcrm messages diff`: what another mapping would change of what stored messages have said."""

from typing import Any

import click

from hcrm_core import env
from hcrm_core.cli.context import counted, json_option, opened, say, workspace_option
from hcrm_core.cli.preview import tell
from hcrm_core.cli.rehearsal import rehearsed
from hcrm_core.cli.replay import PREVIEWED, replayable
from hcrm_core.cli.selection import select, selection, selection_options
from hcrm_core.intake import replay as intake
from hcrm_core.store import audit


@click.command()
@click.option(
    "--mapping", required=True, metavar="FILE", type=click.Path(exists=True, dir_okay=False), help="The other mapping."
)
@click.option("--unmask", is_flag=True, help="Show who it is about too; that you did is written to the audit trail.")
@click.option("--by", metavar="NAME", help="Who looks; your login name by default.")
@selection_options
@json_option
@workspace_option
def diff(
    mapping: str, unmask: bool, by: str | None, as_json: bool, workspace: str | None, source: str | None, **options: Any
) -> None:
    """Tell which facts would change if a source were read by another mapping.

    Stored messages are translated by it and folded in a transaction that is rolled back: what is told is what `hcrm
    messages replay` will do once the mapping is in its place. Of more than 20,000 messages the newest are looked at.
    """
    with opened(workspace) as space, rehearsed(space, mapping, source) as (pool, read):
        chosen = selection(space, options | {"source": read.source})
        numbers = replayable(space, select(space, chosen), PREVIEWED)
        if len(numbers) == PREVIEWED:
            say(f"Looked at the newest {counted(PREVIEWED, 'message')}; select others with --until.")
        now = env.microseconds(env.now())
        preview = intake.preview(space.store, pool.translate, lambda _: read, numbers, now, masked=not unmask)
        if unmask:
            with space.store.write() as connection:
                audit.record(
                    connection,
                    space.store.codec,
                    at=now,
                    by=by or env.user(),
                    action="messages.unmask",
                    subject=f"source {read.source}",
                    detail={"messages": len(numbers), "diff": True},
                )
    then = (
        f"Nothing was changed yet. To do it: name the mapping in [sources.{read.source}] of hcrm.toml, then hcrm "
        f"messages replay --source {read.source}"
    )
    tell(preview, len(numbers), then, as_json)
