"""`hcrm simulate-people`: people with the mistakes of registration desks, and the truth beside."""

import json
from datetime import datetime
from pathlib import Path

import click

from hcrm_adapter_simulator.command import progress, yesterday


@click.command("simulate-people")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder for the files; made if it is not there.",
)
@click.option(
    "--people",
    default=2000,
    show_default=True,
    type=click.IntRange(1, 9_999_999),
    metavar="N",
    help="How many persons.",
)
@click.option("--seed", default=1, show_default=True, metavar="S", help="Another seed is another population.")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The last day told.  [default: yesterday]"
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["hl7v2", "records"]),
    default="hl7v2",
    show_default=True,
    help="HL7 v2 messages, or canonical records in Parquet.",
)
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes to use.  [default: all processors]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--quiet", is_flag=True, help="Print nothing at the end.")
def simulate_people(
    folder: Path,
    people: int,
    seed: int,
    until: datetime | None,
    form: str,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make people who are registered several times, with the mistakes registration desks make.

    Beside the files, truth.csv says of each patient whose registration it is and what is wrong with it, so that
    linking can be measured. The same options give the same bytes.
    """
    from hcrm_adapter_simulator.people_files import write_people
    from hcrm_adapter_simulator.workers import processors

    last = until.date() if until else yesterday()
    written = write_people(folder, form, people, seed, last, jobs or processors(), progress)
    if as_json:
        document = {
            "folder": str(folder),
            "format": form,
            "files": written.files,
            "registrations": written.items,
            "persons": written.truth["persons"],
            "until": last.isoformat(),
            "truth": {name: written.truth[name] for name in sorted(written.truth)},
        }
        click.echo(json.dumps(document, ensure_ascii=False))
    elif not quiet:
        click.echo(
            f"Wrote {written.items:,} registrations of {written.truth['persons']:,} persons into {written.files} "
            f"files, and the truth into truth.csv. Read them with: hcrm ingest {folder}"
        )
