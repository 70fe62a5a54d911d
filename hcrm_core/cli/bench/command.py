"""`hcrm bench intake`."""

import math
from collections.abc import Callable
from statistics import median
from typing import Any

import click

from hcrm_core.cli.bench import races
from hcrm_core.cli.bench.races import Figure, Plan
from hcrm_core.cli.context import json_option, say, show_json, show_table
from hcrm_core.errors import UsageError

RACES: dict[str, Callable[[Plan], Figure]] = {
    "T1": lambda plan: races.acknowledged(plan, "T1", 8, "adt"),
    "T2": lambda plan: races.acknowledged(plan, "T2", 1, "adt"),
    "T3": lambda plan: races.acknowledged(plan, "T3", 8, "oru"),
    "T4": lambda plan: races.acknowledged(plan, "T4", 64, "adt"),
    "T5": races.delayed,
    "T6": lambda plan: races.sustained(plan, 10_000),
    "T7": races.file_to_facts,
    "T16": lambda plan: races.growth(plan, 1_000),
    "T19": lambda plan: races.size(5_000),
}


@click.command()
@click.option("--only", metavar="RACES", help=f"Some of {', '.join(RACES)}, parted by commas.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 100), help="How often each side runs.")
@click.option("--seconds", default=3.0, show_default=True, type=click.FloatRange(0.5), help="How long a side sends.")
@click.option("--peer", metavar="COMMAND", help="The peer: a program that takes PORT, FULL and a batch size.")
@json_option
def intake(only: str | None, rounds: int, seconds: float, peer: str | None, as_json: bool) -> None:
    """Race intake: MLLP to acknowledgment, to facts, files to facts, growth and size.

    Both sides run in turn in the same minutes; a figure is the ratio of medians. Without --peer the ratios that need
    one are left out. Everything happens in folders of its own and is removed.
    """
    chosen = [name.strip().upper() for name in only.split(",")] if only else [n for n in RACES if peer or n != "T7"]
    for name in chosen:
        if name not in RACES:
            raise UsageError(f"There is no race {name!r}; there are {', '.join(RACES)}.")
    figures = []
    for name in chosen:
        say(f"Racing {name} …")
        figures.append(RACES[name](Plan(rounds, seconds, peer)))
    show(figures, as_json)


def show(figures: list[Figure], as_json: bool) -> None:
    """The figures as a table, or as JSON."""
    if as_json:
        show_json([as_shown(figure) for figure in figures])
        return
    show_table(
        ("race", "what", "ours", "other", "unit", "ratio", "wanted", "note"),
        [
            (f.race, f.what, _span(f.ours), _span(f.other), f.unit, _number(f.ratio), _wanted(f), f.note)
            for f in figures
        ],
    )


def as_shown(figure: Figure) -> dict[str, Any]:
    """A figure as JSON."""
    shown = figure._asdict()
    shown["ratio"] = None if math.isnan(figure.ratio) else round(figure.ratio, 4)
    shown["reached"] = None if math.isnan(figure.ratio) else _reached(figure, figure.must)
    return shown


def _wanted(figure: Figure) -> str:
    if math.isnan(figure.ratio):
        return ""
    sign = "≤" if figure.lower else "≥"
    word = "best" if _reached(figure, figure.stretch) else "yes" if _reached(figure, figure.must) else "NO"
    return f"{sign}{figure.must:g} ({sign}{figure.stretch:g}): {word}"


def _reached(figure: Figure, limit: float) -> bool:
    return figure.ratio <= limit if figure.lower else figure.ratio >= limit


def _span(values: list[float]) -> str:
    """Median, and least and greatest where there are several."""
    if not values:
        return ""
    text = _number(median(values))
    return text if len(values) == 1 else f"{text} ({_number(min(values))}–{_number(max(values))})"


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
