"""`hcrm demo`: a synthetic hospital, the whole road once, a report."""

import shutil
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from hcrm_core import env
from hcrm_core.cli import customer_review, families, ingest, report, review_pairs
from hcrm_core.cli import decide as deciding
from hcrm_core.cli.context import Opened, contributed, say
from hcrm_core.cli.init import create
from hcrm_core.cli.tasks import show_worklist
from hcrm_core.decide.segments import segment_sizes
from hcrm_core.errors import PluginError, WorkspaceError
from hcrm_core.identity.family import largest_of
from hcrm_core.store.queries import decisions, households, review

T = TypeVar("T")

HOSPITAL = "清河人民医院 (demo)"
_SHOWN = 3
"""Pairs of each sort."""
_LOOKED_AT = 50
"""Households among which the one to be shown is sought."""


@click.command()
@click.option("--dir", "directory", default="hcrm-demo", show_default=True, metavar="DIR", help="Where to make it.")
@click.option("--patients", default=2_000, show_default=True, metavar="N", help="How many persons live there.")
@click.option("--seed", default=1, show_default=True, metavar="S", help="Another seed is another hospital.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Of the report.")
@click.option("--fresh", is_flag=True, help="Remove an earlier demo in DIR first.")
def demo(directory: str, patients: int, seed: int, lang: str, fresh: bool) -> None:
    """A synthetic hospital, the whole road once, a report.

    Everything stays in DIR, a workspace like any other.
    """
    began = time.perf_counter()
    root = Path(directory)
    _make_room(root, fresh)
    say(f"A synthetic hospital of {patients:,} persons, seed {seed}, in {root}")
    space = _step(1, "Make a workspace", lambda: create(root, HOSPITAL, "Asia/Shanghai"))
    try:
        incoming = root / "incoming"
        last = env.local_day(env.now(), space.timezone) - timedelta(days=1)
        _step(
            2, f"Simulate 24 months of messages up to {last}", lambda: simulate(space, incoming, patients, seed, last)
        )
        summary = _step(
            3,
            "Land, translate, identify and fold them",
            lambda: ingest.run(space, ingest.choose(space, None, None), (str(incoming),)),
        )
        outcomes = _step(4, "Copy into the mart and run the strategies", lambda: deciding.run(space))
        path = _step(
            5, "Render the report", lambda: report.write(space, "overview", str(root / "report.html"), None, lang)
        )
        _conclude(space, summary, outcomes, path, time.perf_counter() - began)
    finally:
        space.unchecked_store.close()
        if "store" in space.__dict__:
            space.store.close()


def simulate(space: Opened, folder: Path, patients: int, seed: int, until: date) -> None:
    """Write the synthetic hospital's HL7 v2 messages with the simulator's own command.

    Raises:
        PluginError: The simulator is not installed.
    """
    if "simulate" not in space.registry.commands:
        raise PluginError("The demo needs the simulator. Install it: pip install hcrm-adapter-simulator")
    command = contributed(space.registry, "simulate")
    arguments = ["-o", str(folder), "--patients", str(patients), "--seed", str(seed), "--until", until.isoformat()]
    command.main([*arguments, "--quiet"], standalone_mode=False)


def _make_room(root: Path, fresh: bool) -> None:
    if not (root / env.CONFIGURATION).exists():
        return
    if not fresh:
        raise WorkspaceError(
            f"{root} is a workspace already. Begin anew with: hcrm demo --dir {root} --fresh, or look at it with: "
            f"hcrm --workspace {root} customers list"
        )
    if HOSPITAL not in (root / env.CONFIGURATION).read_text(encoding="utf-8"):
        raise WorkspaceError(f"{root} is no demo; it was not touched. Name another folder with --dir.")
    shutil.rmtree(root)


def _step(number: int, label: str, work: Callable[[], T]) -> T:
    say(f"[{number}/5] {label} …")
    began = time.perf_counter()
    result = work()
    say(f"      {time.perf_counter() - began:.1f} s")
    return result


def _conclude(space: Opened, summary: ingest.Summary, outcomes: list[Any], path: Path, seconds: float) -> None:
    today = env.local_day(env.now(), space.timezone)
    with space.store.read() as connection:
        tasks = decisions.list_tasks(connection, state="open")
        homes, housed = households.count(connection)
        shown_home = largest_of(connection, households.page(connection, _LOOKED_AT))
    failed = [outcome for outcome in outcomes if outcome.error]
    overdue = sum(task.due_on < today.isoformat() for task in tasks)
    week = sum(task.due_on <= (today + timedelta(days=7)).isoformat() for task in tasks)
    sizes = [row for row in segment_sizes(space.store, space.mart) if row["strategy"] == "rfm"]
    largest = max(sizes, key=lambda row: row["customers"], default=None)
    at = path.parent
    click.echo()
    click.echo(
        f"In {seconds:.0f} seconds {summary.messages:,} messages became {summary.records:,} statements about "
        f"{summary.patients:,} patients, who are {summary.customers:,} customers: "
        f"{summary.patients - summary.customers:,} had been registered twice."
    )
    click.echo(
        f"{summary.duplicates:,} messages had come twice and counted once; {summary.quarantined:,} were not understood."
    )
    waiting = _show_pairs(space, at)
    if shown_home:
        click.echo(f"{housed:,} customers live in {homes:,} households. One of them, with what says so:")
        families.tell(families.shown(space, shown_home[-1]))
        click.echo()
    if largest:
        members = sum(row["customers"] for row in sizes)
        click.echo(
            f"{members:,} customers fall into {len(sizes)} segments; the largest is {largest['segment']} with "
            f"{largest['customers']:,}."
        )
    click.echo(
        f"{len(tasks):,} follow-up calls are open: {week:,} due within 7 days, {overdue:,} of them late but still "
        "within their window."
    )
    show_worklist(space, tasks[:5])
    click.echo()
    click.echo(f"The report: {path}")
    click.echo("Try next:")
    click.echo(f"  hcrm --workspace {at} tasks list")
    click.echo(f"  hcrm --workspace {at} explain task {tasks[0].task_id if tasks else 'ID'}")
    click.echo(f"  hcrm --workspace {at} customers list --linked")
    click.echo(f"  hcrm --workspace {at} customers families")
    if waiting:
        click.echo(f"  hcrm --workspace {at} customers review")
    for outcome in failed:
        say(f"hcrm: {outcome.name} failed: {outcome.error}")
    if failed:
        raise click.exceptions.Exit(1)


def _show_pairs(space: Opened, at: Path) -> int:
    """The likeliest pairs that a person has to decide, and those that were linked by the least; how many wait."""
    waiting, total = customer_review.queue(space, _SHOWN)
    with space.store.read() as connection:
        linked = review_pairs.shown(connection, space, review.least_likely(connection, _SHOWN))
    if waiting:
        wait = f"{total:,} pairs more may" if total != 1 else "1 pair more may"
        click.echo(f"{wait} be one person and wait for somebody to say. The likeliest:")
        customer_review.tell_queue(waiting)
        click.echo()
    if linked:
        click.echo("Two records that agree enough are linked, even where no number says so. Those linked by the least:")
        customer_review.tell_queue(linked)
        name = customer_review.short_name(linked[0])
        click.echo(f"Why, field by field: hcrm --workspace {at} customers review show {name}")
        click.echo()
    return total
