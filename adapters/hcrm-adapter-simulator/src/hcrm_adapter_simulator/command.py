"""`hcrm simulate`: a synthetic hospital into a folder."""

import json
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import click

from hcrm_core.api import UsageError, now


class Format(NamedTuple):
    """What `--format` offers: what the hospital is written as, and what to do with it."""

    things: str
    writer: str
    next: str


INGEST = "Read them with: hcrm ingest {folder}"
FORMATS = {
    "hl7v2": Format("messages", "write_hl7v2", INGEST),
    "fhir": Format("resources", "write_fhir", INGEST),
    "sql": Format("rows", "write_sql", "Its views are pulled with: hcrm pull; {folder}/mapping.toml reads them."),
    "xlsx": Format("rows", "write_xlsx", INGEST + "; {folder}/mapping.toml says what the headings do not."),
    "records": Format("records", "write_records", INGEST),
}


@click.command()
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder for the files; made if it is not there.",
)
@click.option("--patients", default=2000, show_default=True, metavar="N", help="How many persons.")
@click.option("--months", default=24, show_default=True, metavar="N", help="How many months of life.")
@click.option("--seed", default=1, show_default=True, metavar="S", help="Another seed is another hospital.")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The last day told.  [default: yesterday]"
)
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS]),
    default="hl7v2",
    show_default=True,
    help="HL7 v2 messages; FHIR R4 resources in NDJSON; a database of views; workbooks; canonical records in Parquet.",
)
@click.option(
    "--charset", type=click.Choice(["UTF-8", "GB18030"]), default="UTF-8", show_default=True, help="Of HL7 v2 files."
)
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes to use.  [default: all processors]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--quiet", is_flag=True, help="Print nothing at the end.")
def simulate(
    folder: Path,
    patients: int,
    months: int,
    seed: int,
    until: datetime | None,
    form: str,
    charset: str,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make a synthetic hospital: patients, visits, results and bills of some months, as its systems would send them.

    The same options give the same bytes.
    """
    import hcrm_adapter_simulator as simulator
    from hcrm_adapter_simulator.workers import processors

    last = until.date() if until else yesterday()
    try:
        settings = simulator.Settings(until=last, patients=patients, months=months, seed=seed)
    except ValueError as problem:
        raise UsageError(str(problem)) from problem
    if form != "hl7v2" and charset != "UTF-8":
        raise UsageError("Only HL7 v2 files have a choice of charsets; --charset goes with --format hl7v2.")
    started = time.monotonic()
    jobs = jobs or processors()
    how = FORMATS[form]
    of_messages = (charset,) if form == "hl7v2" else ()
    written = getattr(simulator, how.writer)(settings, folder, *of_messages, jobs=jobs, progress=progress)
    seconds = time.monotonic() - started
    if as_json:
        document = {
            "folder": str(folder),
            "format": form,
            "files": written.files,
            how.things: written.items,
            "patients": written.truth["patients"],
            "seconds": round(seconds, 3),
            "until": last.isoformat(),
            "truth": {name: written.truth[name] for name in sorted(written.truth)},
        }
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    if quiet:
        return
    click.echo(
        f"Wrote {written.items:,} {how.things} of {written.truth['persons']:,} persons up to {last} into "
        f"{written.files} files in {seconds:.1f} seconds. {how.next.format(folder=folder)}"
    )


def yesterday() -> date:
    """The day before today, at the hospital."""
    return now().astimezone(ZoneInfo("Asia/Shanghai")).date() - timedelta(days=1)


def progress(done: int, total: int) -> None:
    """Say on a terminal how far it is."""
    if sys.stderr.isatty():
        click.echo(f"\rSimulating … {100 * done // total} %", nl=done == total, err=True)
