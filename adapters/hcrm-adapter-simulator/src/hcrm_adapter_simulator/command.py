"""`hcrm simulate`: a synthetic hospital into a folder."""

import json
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from hcrm_core.api import UsageError, now


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
    type=click.Choice(["hl7v2", "records"]),
    default="hl7v2",
    show_default=True,
    help="HL7 v2 messages, or canonical records in Parquet.",
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
    from hcrm_adapter_simulator.settings import Settings
    from hcrm_adapter_simulator.workers import processors

    last = until.date() if until else yesterday()
    try:
        settings = Settings(until=last, patients=patients, months=months, seed=seed)
    except ValueError as problem:
        raise UsageError(str(problem)) from problem
    if form == "records" and charset != "UTF-8":
        raise UsageError("Record files are UTF-8; --charset goes with --format hl7v2.")
    started = time.monotonic()
    jobs = jobs or processors()
    if form == "records":
        from hcrm_adapter_simulator.record_files import write_records

        written = write_records(settings, folder, jobs, progress)
    else:
        from hcrm_adapter_simulator.hl7v2_files import write_hl7v2

        written = write_hl7v2(settings, folder, charset, jobs, progress)
    seconds = time.monotonic() - started
    things = "records" if form == "records" else "messages"
    if as_json:
        document = {
            "folder": str(folder),
            "format": form,
            "files": written.files,
            things: written.items,
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
        f"Wrote {written.items:,} {things} of {written.truth['persons']:,} persons up to {last} into "
        f"{written.files} files in {seconds:.1f} seconds. Read them with: hcrm ingest {folder}"
    )


def yesterday() -> date:
    """The day before today, at the hospital."""
    return now().astimezone(ZoneInfo("Asia/Shanghai")).date() - timedelta(days=1)


def progress(done: int, total: int) -> None:
    """Say on a terminal how far it is."""
    if sys.stderr.isatty():
        click.echo(f"\rSimulating … {100 * done // total} %", nl=done == total, err=True)
