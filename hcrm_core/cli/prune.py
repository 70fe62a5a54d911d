"""`hcrm messages prune`: let go of the bytes of old messages."""

import re
from datetime import timedelta

import click

from hcrm_core import env
from hcrm_core.cli.context import Progress, counted, json_option, opened, say, show_json, workspace_option
from hcrm_core.errors import UsageError
from hcrm_core.intake import prune as intake


@click.command()
@click.option("--older-than", required=True, metavar="DAYS", help="Received so many days ago or earlier: 90d.")
@click.option("--source", metavar="NAME", help="Only this source.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@json_option
@workspace_option
def prune(older_than: str, source: str | None, dry_run: bool, as_json: bool, workspace: str | None) -> None:
    """Delete the bytes of old messages that are folded or rejected, and free the disk they took.

    What they said stays, and that they arrived: a repetition is still recognised. What waits or is quarantined is
    never deleted. A pruned message cannot be replayed or shown field by field.
    """
    days = re.fullmatch(r"(\d{1,5})d?", older_than)
    if not days or not int(days[1]):
        raise UsageError(f"--older-than: {older_than!r} is no number of days from 1 on. Write for example 90d.")
    with opened(workspace) as space:
        until = env.microseconds(env.now() - timedelta(days=int(days[1])))
        progress = Progress("Pruning:", "messages")
        done = intake.prune(space.store, until, source, dry_run=dry_run, progress=progress.add)
        progress.end()
    if as_json:
        show_json(done._asdict())
        return
    verb = "Would prune" if dry_run else "Pruned"
    say(f"{verb} {counted(done.messages, 'message')} ({done.bytes / 1e6:,.1f} MB as stored).")
    if done.kept:
        say(
            f"Kept {counted(done.kept, 'old message')} that wait or are quarantined: hcrm messages list --state "
            "quarantined"
        )
