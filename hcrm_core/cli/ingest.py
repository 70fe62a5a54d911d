"""`hcrm ingest`: files, folders, archives, standard input."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import click

from hcrm_core import env
from hcrm_core.cli.context import (
    PARTIAL,
    Opened,
    Progress,
    counted,
    json_option,
    keep_going_option,
    opened,
    say,
    show_json,
    workspace_option,
)
from hcrm_core.cli.findings import tell_findings, tell_left_out
from hcrm_core.config import nearest
from hcrm_core.errors import InputError, UsageError
from hcrm_core.intake.accept import Processed
from hcrm_core.intake.beginnings import Beginnings
from hcrm_core.intake.files import Suffixes, inputs, named_files
from hcrm_core.intake.land import LandedCount, land_all
from hcrm_core.intake.process import Intake
from hcrm_core.model.adapters import RECORD_FILES
from hcrm_core.model.observing import IntakeDone
from hcrm_core.registry.offers import Source
from hcrm_core.store.queries import inbox, processing
from hcrm_core.store.queries.processing import people


@dataclass
class Counts:
    """What came of what was landed; `messages = landed + duplicates`, `landed = translated + quarantined`."""

    messages: int = 0
    landed: int = 0
    duplicates: int = 0
    translated: int = 0
    quarantined: int = 0
    records: int = 0
    patients: int = 0
    customers: int = 0
    resumed: int = 0
    resumed_quarantined: int = 0
    stuck: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def partial(self) -> bool:
        """Whether something waits for a person."""
        return bool(self.quarantined or self.resumed_quarantined or self.stuck)


@dataclass(kw_only=True)
class Summary(Counts):
    """What `hcrm ingest` did."""

    source: str
    adapter: str
    files: int = 0
    skipped: int = 0
    rejected: list[str] = field(default_factory=list)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--adapter", "adapter_name", metavar="NAME", help="The adapter that reads the files.")
@click.option("--source", metavar="NAME", help="The source they come from, a name under [sources].")
@keep_going_option
@json_option
@workspace_option
def ingest(
    paths: tuple[str, ...],
    adapter_name: str | None,
    source: str | None,
    keep_going: bool,
    as_json: bool,
    workspace: str | None,
) -> None:
    """Read files, folders, archives (zip, tar, gz) or standard input (-).

    A folder is read with all below it; files of other types are counted and passed over. What was read before is
    recognised and lands once. `--adapter records` reads canonical record files (Parquet).
    """
    with opened(workspace) as space:
        space.keep_going = keep_going
        if adapter_name == RECORD_FILES:
            summary = run_records(space, source, paths)
        else:
            summary = run(space, choose(space, adapter_name, source), paths)
            tell_left_out(space)
    if as_json:
        show_json(asdict(summary))
    else:
        tell(summary)
    if summary.partial or summary.rejected:
        raise click.exceptions.Exit(PARTIAL)


def choose(space: Opened, adapter_name: str | None, source: str | None) -> Source:
    """The source that was named, or that the configuration leaves no doubt about."""
    sources = space.configuration.settings.sources
    if source is None:
        fitting = [name for name, table in sources.items() if adapter_name in (None, table.get("adapter"))]
        if len(fitting) > 1:
            raise UsageError(f"Which source? Several fit: {', '.join(fitting)}. Name one with --source.")
        if not fitting and adapter_name is None:
            raise UsageError("hcrm.toml has no [sources] table; name the adapter with --adapter.")
        source = fitting[0] if fitting else adapter_name
    elif source not in sources and source != adapter_name:
        # Without its table nobody could tell later by which adapter, and with which settings, to read it again.
        raise UsageError(
            f"There is no source {source!r} in hcrm.toml. {nearest(source, list(sources))} A new one needs a table "
            f"[sources.{source}] with its adapter."
        )
    assert source is not None
    chosen = space.registry.source(source, adapter_name)
    if not chosen.adapter.file_suffixes:
        raise UsageError(f"The adapter {chosen.name} reads no files.")
    return chosen


def run(space: Opened, source: Source, paths: tuple[str, ...]) -> Summary:
    """Land what the paths hold and work it off."""
    began = time.perf_counter()
    summary = Summary(source=source.source, adapter=source.name)
    now = env.microseconds(env.now())
    with space.store.read_inbox() as landed:
        before = inbox.highest(landed)
    try:
        _land(space, source, paths, summary, now)
        worked, summary.stuck = work_off(space)
    except KeyboardInterrupt:
        say("hcrm: interrupted. What has landed is kept; run the same command again to go on.")
        raise
    with space.store.read_inbox() as landed:
        own = inbox.landed_since(landed, before, source.source, now)
    account(space, summary, own, worked)
    summary.seconds = round(time.perf_counter() - began, 3)
    return summary


def account(space: Opened, counts: Counts, own: Sequence[int], worked: Processed) -> None:
    """Tell what became of the messages a run has landed, by number, from what it worked off besides."""
    with space.store.read() as connection:
        own_outcomes = processing.tally(connection, own)
        counts.quarantined = own_outcomes.quarantined
        counts.translated = own_outcomes.messages - counts.quarantined
        counts.records = own_outcomes.records
        # What an interrupted run left waiting was worked off too, and is not this run's.
        counts.resumed = max(worked.translated + worked.quarantined - own_outcomes.messages, 0)
        counts.resumed_quarantined = max(worked.quarantined - counts.quarantined, 0)
        counts.patients, counts.customers = people(connection)


def run_records(space: Opened, source: str | None, paths: tuple[str, ...]) -> Summary:
    """Fold record files; each file counts as one message."""
    from hcrm_core.intake.bulk import load
    from hcrm_core.mart.record_files import SUFFIX

    began = time.perf_counter()
    sources = list(space.configuration.settings.sources)
    if source is None and len(sources) != 1:
        raise UsageError(
            f"Whose records are these? Name the source with --source ({', '.join(sources) or 'any name'})."
        )
    summary = Summary(source=source or sources[0], adapter=RECORD_FILES)
    progress = Progress("Folding:", "records")
    for path in named_files(paths, SUFFIX):
        done = load(space.store, summary.source, path, env.microseconds(env.now()), progress.add)
        summary.files += 1
        summary.records += done.records
        _add(summary, LandedCount(1, int(done.landed), int(not done.landed)))
        summary.translated += int(done.landed)
    progress.end()
    with space.store.read() as connection:
        summary.patients, summary.customers = people(connection)
    summary.seconds = round(time.perf_counter() - began, 3)
    return summary


def work_off(space: Opened) -> tuple[Processed, list[str]]:
    """Translate and fold what waits, with progress; sources whose adapter is missing are named and passed over."""
    progress = Progress("Translating and folding:", "messages")
    intake = Intake(space.store, space.pool.translate, space.source_of, lambda: env.microseconds(env.now()))
    intake.begin()
    began = time.perf_counter()
    done = intake.settle(progress.add)
    progress.end()
    if counts := intake.counts():
        tell_findings(space, "after_intake", IntakeDone(counts, round(time.perf_counter() - began, 3)))
    for sentence in intake.stuck.values():
        say(f"hcrm: {sentence}")
    return done, list(intake.stuck.values())


def _land(space: Opened, source: Source, paths: tuple[str, ...], summary: Summary, now: int) -> None:
    progress = Progress("Landing:", "messages")
    offer = source.adapter
    beginnings = Beginnings(space.pool, source)
    refused = ""
    for item in inputs(paths, Suffixes(offer.file_suffixes, offer.line_suffixes, offer.table_suffixes)):
        if item.data is None:
            if item.problem:
                summary.rejected.append(item.problem)
                say(f"hcrm: {item.problem}")
            else:
                summary.skipped += 1
            continue
        if item.before and item.name == refused:
            continue
        try:
            messages = space.pool.split(source, beginnings.completed(item), item.own_name)
            count = land_all(space.store, source.source, messages, now, item.place)
        except InputError as error:
            refused = item.name if item.table else ""
            left = "These lines were" if item.before else "The file was"
            text = f"{item.name}: no message: {error}. {left} left out; check it or name another adapter."
            summary.rejected.append(text)
            say(f"hcrm: {text}")
            continue
        summary.files += not item.before
        _add(summary, count)
        progress.add(count.messages)
    progress.end()
    if not summary.files and not summary.rejected:
        raise InputError(
            f"There is nothing to read for the adapter {source.name} in {', '.join(paths)}: no file ends in "
            f"{', '.join(source.adapter.file_suffixes)} ({summary.skipped} other files passed over). Check the path, "
            "or name the file itself."
        )


def _add(summary: Summary, count: LandedCount) -> None:
    summary.messages += count.messages
    summary.landed += count.landed
    summary.duplicates += count.duplicates


def tell(summary: Summary) -> None:
    """The summary in sentences, and what to do next."""
    click.echo(
        f"Read {counted(summary.files, 'file')}: {counted(summary.messages, 'message')}, {summary.landed:,} new, "
        f"{summary.duplicates:,} known already ({summary.seconds:.1f} s)."
    )
    if summary.skipped:
        click.echo(f"Passed over {counted(summary.skipped, 'file')} of other types.")
    if summary.rejected:
        click.echo(f"Rejected {counted(len(summary.rejected), 'file')}; each is named above.")
    tell_counts(summary)


def tell_counts(counts: Counts) -> None:
    """What came of what was landed, in sentences."""
    click.echo(
        f"Translated {counts.translated:,} into {counted(counts.records, 'record')}; quarantined "
        f"{counts.quarantined:,}. The store now knows {counted(counts.patients, 'patient')}, as "
        f"{counted(counts.customers, 'customer')}."
    )
    if counts.resumed:
        click.echo(
            f"Finished what an interrupted run had left: {counted(counts.resumed, 'message')}, "
            f"{counts.resumed_quarantined:,} quarantined."
        )
    if counts.quarantined:
        click.echo("Why: hcrm messages list --state quarantined")
    if counts.translated or counts.resumed:
        click.echo("Next: hcrm decide")
