"""`hcrm messages replay`: translate stored messages anew, after seeing what that would change."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import click

from hcrm_core import env
from hcrm_core.cli.context import (
    PARTIAL,
    Opened,
    Progress,
    counted,
    json_option,
    opened,
    say,
    show_json,
    workspace_option,
)
from hcrm_core.cli.ingest import work_off
from hcrm_core.cli.preview import tell
from hcrm_core.cli.selection import Row, named, select, selection, selection_options
from hcrm_core.errors import UsageError
from hcrm_core.intake import replay as intake
from hcrm_core.intake.figures import UNFINISHED
from hcrm_core.model.adapters import RECORD_FILES
from hcrm_core.store.queries import inbox

PREVIEWED = 20_000
"""Messages of one preview: some twenty seconds, less than anybody waits for the database."""

_PAGE = 1_000
_UNFIT = {
    "record files": "A record file is not replayed: its rows are in the file. Ingest a corrected one.",
    "rejected": "A rejected message is not replayed: what arrived was no message. Have it sent correctly.",
    "pruned": "A pruned message is not replayed: its bytes are gone. What it said stays as it is.",
    "waiting": "A message that waits is not replayed: it has not been translated yet. Work it off with: hcrm run",
}
"""Why a message is not replayed; a selection leaves it out and says so."""


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
    with opened(workspace) as space:
        chosen = selection(space, options)
        if not wanted and chosen.everything and not everything:
            raise UsageError("Which messages? Name them, select them (--state quarantined, --since 2h), or say --all.")
        if not dry_run:
            work_off(space)
        own = [named(space, one) for one in wanted]
        if unfit := _unfit(space, own):
            raise UsageError(_UNFIT[next(iter(unfit.values()))])
        fit = {row.id: row.source for row in own}
        fit |= replayable(space, select(space, chosen) if not chosen.everything or everything else iter(()))
        for source in sorted(set(fit.values())):
            space.source_of(source)  # a missing one is a sentence before anything is changed
        numbers = sorted(fit)
        arguments = (space.store, space.pool.translate, space.source_of, numbers)
        if dry_run and len(numbers) > PREVIEWED:
            raise UsageError(
                f"A preview holds folding up while it lasts, so it is of {PREVIEWED:,} messages at most; these are "
                f"{len(numbers):,}. Select fewer (--since, --source, --type): they tell the same."
            )
        if dry_run:
            preview = intake.preview(*arguments, env.microseconds(env.now()))
            tell(preview, len(numbers), "Nothing was changed yet; leave out --dry-run to do it.", as_json)
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


def replayable(space: Opened, found: Iterator[Row], most: int | None = None) -> dict[int, str]:
    """Number → source of the messages that can be replayed; what is left out is said.

    Args:
        space: The workspace.
        found: Messages.
        most: So many of them at most, the first.
    """
    fit: dict[int, str] = {}
    left_out: Counter[str] = Counter()
    while (most is None or len(fit) < most) and (rows := list(islice(found, _PAGE))):
        unfit = _unfit(space, rows)
        left_out.update(unfit.values())
        fit |= {row.id: row.source for row in rows if row.id not in unfit}
    for reason, count in sorted(left_out.items()):
        say(f"Left out {counted(count, 'message')}: {reason}.")
    return dict(islice(fit.items(), most))


def _unfit(space: Opened, rows: Sequence[Row]) -> dict[int, str]:
    """The numbers of those that cannot be replayed, each with its reason."""
    with space.store.read_inbox() as landed:
        kept = inbox.kept(landed, [row.id for row in rows])
    found = {}
    for row in rows:
        if row.outcome and row.outcome.adapter == RECORD_FILES:
            found[row.id] = "record files"
        elif row.state == "rejected":
            found[row.id] = "rejected"
        elif row.id not in kept:
            found[row.id] = "pruned"
        elif row.state in UNFINISHED:
            found[row.id] = "waiting"
    return found
