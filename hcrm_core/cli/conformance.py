"""`hcrm messages conformance`: where messages depart from their standard, or from a message profile."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click

from hcrm_core.cli.context import (
    PARTIAL,
    Opened,
    Progress,
    counted,
    json_option,
    opened,
    say,
    show_json,
    show_table,
    workspace_option,
)
from hcrm_core.cli.replay import replayable
from hcrm_core.cli.selection import Row, Selection, named, select, selection, selection_options
from hcrm_core.errors import ConfigurationError, PluginError
from hcrm_core.model.translation import Problem
from hcrm_core.store.queries import inbox

_LOOKED_THROUGH = 20
"""How many messages are looked through for each one that is sampled, so that rare types are among them."""


@click.command()
@click.argument("wanted", nargs=-1, metavar="[ID|CONTROL_ID...]")
@click.option("--sample", default=100, show_default=True, type=click.IntRange(1, 10_000), help="How many at most.")
@click.option(
    "--profile",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Hold them against this message profile (HL7: XML), not against the standard.",
)
@click.option("--strict", is_flag=True, help="End with exit code 3 if a message has a finding or was not checked.")
@selection_options
@json_option
@workspace_option
def conformance(
    wanted: tuple[str, ...],
    sample: int,
    profile: Path | None,
    strict: bool,
    as_json: bool,
    workspace: str | None,
    **options: Any,
) -> None:
    """Hold messages against the standard of the version they name, or against a message profile.

    Name messages, or select them with the options; without either, quarantined ones and a sample of the others are
    taken. A sample holds as many of each source and type, the newest. Nothing that stands in a message is shown.

    Findings alone are no failure, since sites depart from the standard everywhere. With --strict they end the command
    with exit code 3, and so do messages that could not be held against it.
    """
    stated = _text(profile) if profile else None
    with opened(workspace) as space:
        chosen = selection(space, options)
        rows = {row.id: row for row in _rows(space, wanted, chosen, sample)}
        fit = replayable(space, iter(rows.values()))
        checked, found, silent = _check(space, [rows[number] for number in fit], stated)
    shown = [
        {
            "source": source,
            "type": message_type or None,
            "code": problem.code,
            "where": problem.where or None,
            "text": problem.text,
            "messages": len(numbers),
            "example": numbers[0],
        }
        for (source, message_type, problem), numbers in sorted(
            found.items(), key=lambda one: (one[0][:2], -len(one[1]), one[0][2].where, one[0][2].code, one[0][2].text)
        )
    ]
    if as_json:
        show_json(shown)
    else:
        columns = ("source", "type", "code", "where", "messages", "example", "text")
        show_table(columns, [[row[name] for name in columns] for row in shown])
    for source, count in sorted(silent.items()):
        say(f"Left out {counted(count, 'message')} of {source}: its adapter knows no standard to check by.")
    faulty = len({number for numbers in found.values() for number in numbers})
    say(f"Checked {counted(checked, 'message')}: {checked - faulty:,} without a finding.")
    # A named message that was pruned or still waits has not passed either; a sample takes what there is.
    if strict and (faulty or silent or (wanted and len(fit) < len(rows))):
        raise click.exceptions.Exit(PARTIAL)


def _text(profile: Path) -> str:
    try:
        return profile.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{profile} is not a readable UTF-8 file. Check the path.") from None


def _rows(space: Opened, wanted: Iterable[str], chosen: Selection, most: int) -> list[Row]:
    """The messages to check: those that were named; else a sample of those selected."""
    own = [named(space, one) for one in wanted]
    if own and chosen.everything:
        return own
    rows = _sample(select(space, chosen), most)
    if chosen.everything:
        rows = _sample(select(space, chosen._replace(state="quarantined")), most) + rows
    return own + rows


def _sample(rows: Iterator[Row], most: int) -> list[Row]:
    """The newest of every source and type in turn, so that no type crowds out another."""
    kinds: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in islice(rows, most * _LOOKED_THROUGH):
        kinds[row.source, row.outcome.message_type if row.outcome else ""].append(row)
    # The n-th of each kind comes after every kind's n-1-th.
    turns = sorted((turn, -row.id, row) for same in kinds.values() for turn, row in enumerate(same))
    return [row for _, _, row in turns[:most]]


def _check(
    space: Opened, rows: Iterable[Row], profile: str | None
) -> tuple[int, dict[tuple[str, str, Problem], list[int]], dict[str, int]]:
    """How many were checked, who has which finding, and how many of which sources could not be."""
    progress = Progress("Checking:", "messages")
    checked = 0
    found: dict[tuple[str, str, Problem], list[int]] = defaultdict(list)
    silent: dict[str, int] = defaultdict(int)
    for row in rows:
        with space.store.read_inbox() as landed:
            message = inbox.read(landed, row.id)
        if message is None or message.payload is None:
            continue
        try:
            problems = space.pool.conformance(
                space.source_of(row.source), space.store.codec.open(message.payload), profile
            )
        except PluginError as error:
            problems = [Problem("not-checked", "", str(error))]
        progress.add(1)
        if problems is None:
            silent[row.source] += 1
            continue
        checked += 1
        for problem in dict.fromkeys(problems):
            found[row.source, row.outcome.message_type if row.outcome else "", problem].append(row.id)
    progress.end()
    return checked, found, silent
