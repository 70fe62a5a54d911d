"""`hcrm bench decide`."""

import math
from pathlib import Path

import click

from hcrm_core.cli.bench import deciding, keeping_up
from hcrm_core.cli.bench.command import show
from hcrm_core.cli.bench.races import Figure, new_folder
from hcrm_core.cli.context import json_option, say
from hcrm_core.errors import InputError


@click.command()
@click.argument("records", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--copies", default=1, show_default=True, type=click.IntRange(1, 1000), help="Let each person stand so often."
)
@click.option("--stored", default=20, show_default=True, type=click.IntRange(1), help="Files folded for T14 and T18.")
@click.option("--results", default=100, show_default=True, type=click.IntRange(1), help="Critical results of T18.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 20), help="How often each side runs.")
@json_option
def decide(records: Path, copies: int, stored: int, results: int, rounds: int, as_json: bool) -> None:
    """Race deciding over the record files in DIR (hcrm simulate --format records).

    Each shipped strategy beside the same SELECT by hand in DuckDB (T12), a night over everybody with its memory (T13),
    the time for as many copies of everybody (T16), a refresh after a thousandth changed (T14), and how soon a critical
    result is somebody's task (T18). Everything happens in a folder of its own and is removed.
    """
    files = sorted(records.glob("*.parquet"))
    if not files:
        raise InputError(f"{records} holds no record files. Make some: hcrm simulate --format records -o DIR")
    figures: list[Figure] = []
    with new_folder() as folder:
        say(f"Loading {len(files)} record files …")
        space = single = deciding.workspace(folder / "single")
        manifest, seconds = deciding.populate(single, files)
        figures.append(Figure("load", "record files → mart", [seconds], [], "seconds", math.nan, 0, 0))
        alone: list[float] = []
        if copies > 1:
            say("Racing T16 …")
            deciding.night(single)
            alone = [deciding.night(single).seconds for _ in range(rounds)]
            space = deciding.workspace(folder / "copied")
            manifest = deciding.populate_by(space, single, manifest, copies)
        rows = {name: table.rows for name, table in manifest.tables.items()}
        say(f"{rows['customer']:,} customers, {rows['encounter']:,} encounters, {sum(rows.values()):,} rows.")
        say("Racing T12 …")
        figures += deciding.by_hand(space, rounds)
        say("Racing T13 …")
        first = deciding.night(space)
        later = [deciding.night(space) for _ in range(rounds)]
        figures += deciding.nights(first, later)
        if copies > 1:
            figures.append(deciding.growth([one.seconds for one in later], alone, copies))
        for opened in {space, single}:
            opened.close()
    with new_folder() as folder:
        say("Racing T14 and T18 …")
        kept, port = keeping_up.new_workspace(folder / "kept")
        keeping_up.fill(kept, files[:stored])
        figures.append(keeping_up.refreshed(kept, files[:stored], rounds))
        figures.append(keeping_up.noticed(kept, port, results))
    show(figures, as_json)
