"""`hcrm bench identity`."""

from pathlib import Path

import click

from hcrm_core.cli.bench import arrivals, linking
from hcrm_core.cli.bench.command import as_shown, show
from hcrm_core.cli.bench.linking import Side
from hcrm_core.cli.bench.races import new_folder
from hcrm_core.cli.context import json_option, say, show_json, show_table


@click.command()
@click.argument("people", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--splink/--no-splink", default=True, show_default=True, help="Whether Splink alone runs, too.")
@click.option("--quality/--no-quality", default=True, show_default=True, help="Whether links are judged at all.")
@click.option("--new", default=500, show_default=True, type=click.IntRange(0), help="New patients of T15; 0: none.")
@json_option
def identity(people: Path, splink: bool, quality: bool, new: int, as_json: bool) -> None:
    """Measure linking over the people in DIR (hcrm simulate-people --format records).

    Ours, numbers alone and Splink alone beside each other: precision and recall of pairs, the review queue, and recall
    by what makes a pair hard; then how long one new patient takes to identify among all others (T15).
    """
    read = linking.read_people(people)
    sides, made, compared = [], {}, None
    if quality:
        made = linking.mix(read)
        say("Linking …")
        sides = linking.race(read, splink)
        compared = linking.agreement(read) if splink else None
    figures = []
    if new:
        say("Racing T15 …")
        with new_folder() as folder:
            figures = arrivals.identified(folder, list(read.fields.items()), new)
    if as_json:
        show_json(
            {
                "mix": made,
                "sides": [side._asdict() for side in sides],
                "agreement": compared and {"pairs": compared[0], "bits": compared[1]},
                "figures": [as_shown(figure) for figure in figures],
            }
        )
        return
    if quality:
        _show_mix(made)
        _show_sides(sides)
    if compared:
        click.echo(f"\nSplink's scores by our model: {compared[0]:,} pairs, at most {compared[1]:.3f} bits apart.\n")
    if figures:
        show(figures, False)


def _show_mix(made: dict[str, float]) -> None:
    show_table(("people", ""), [(what, _number(value)) for what, value in made.items()])
    click.echo()


def _show_sides(sides: list[Side]) -> None:
    show_table(
        ("way", "precision", "recall", "wrong pairs", "review queue", "seconds"),
        [
            (
                side.name,
                f"{side.precision:.5f}",
                f"{side.recall:.4f}",
                f"{side.wrong:,}",
                f"{100 * side.review:.2f} %",
                f"{side.seconds:.1f}",
            )
            for side in sides
        ],
    )
    click.echo()
    classes = sorted({one for side in sides for one in side.classes})
    show_table(
        ("recall where there is", "pairs", *(side.name for side in sides)),
        [
            (
                one,
                f"{next(side.classes[one][1] for side in sides if one in side.classes):,}",
                *(f"{side.classes[one][0]:.3f}" + _wrong(side, one) for side in sides),
            )
            for one in classes
        ],
    )


def _wrong(side: Side, name: str) -> str:
    count = side.wrong_classes.get(name, 0)
    return f" ({count:,} wrong)" if count else ""


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{100 * value:.1f} %"
