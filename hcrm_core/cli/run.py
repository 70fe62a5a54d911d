"""`hcrm run`: translate and fold what has landed; with `--watch` listen and go on until signalled."""

import click

from hcrm_core.cli.context import PARTIAL, counted, keep_going_option, opened, say, workspace_option
from hcrm_core.cli.findings import tell_left_out
from hcrm_core.cli.ingest import work_off
from hcrm_core.cli.watch import watch


@click.command()
@click.option("--watch", "watching", is_flag=True, help="Listen, translate and fold until signalled.")
@click.option("--workers", type=click.IntRange(1, 64), help="Translation processes; by default one a processor, to 4.")
@keep_going_option
@workspace_option
def run(watching: bool, workers: int | None, keep_going: bool, workspace: str | None) -> None:
    """Translate and fold what has landed.

    With --watch: one warm daemon that listens for every source that has `listen`, acknowledges what is stored, and
    translates and folds it at once. Several may run beside one PostgreSQL database.
    """
    with opened(workspace) as space:
        space.workers = workers
        space.keep_going = keep_going
        if watching:
            watch(space)
            return
        done, stuck = work_off(space)
        tell_left_out(space)
        say(
            f"Worked off {counted(done.translated + done.quarantined, 'message')}: {done.translated:,} translated into "
            f"{counted(done.records, 'record')}, {done.quarantined:,} quarantined."
        )
    if done.quarantined or stuck:
        raise click.exceptions.Exit(PARTIAL)
