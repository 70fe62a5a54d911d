"""`hcrm decide`: run strategies and apply what they decide."""

from collections.abc import Iterator
from datetime import timedelta

import click

from hcrm_core import env
from hcrm_core.cli.context import (
    Opened,
    counted,
    json_option,
    keep_going_option,
    opened,
    say,
    show_json,
    show_table,
    workspace_option,
)
from hcrm_core.cli.findings import tell_findings, tell_left_out
from hcrm_core.cli.live import live
from hcrm_core.decide.apply import Difference
from hcrm_core.decide.narrate import plain
from hcrm_core.decide.run import decide as run_strategies
from hcrm_core.decide.steps import StrategyOutcome
from hcrm_core.env import parse_instant
from hcrm_core.errors import UsageError
from hcrm_core.model.observing import DecideDone, Load, StrategyDone
from hcrm_core.store.queries.decisions import list_tasks, workload

SHOWN = 20
"""Differences of a strategy that are shown; JSON has all."""

_TOLD = ("state", "reason", "due_on", "owner", "customer_id", "points", "booked_on", "segment", "value")
"""What is said of a decision that comes or goes; of one that changes, whatever changes."""


@click.command()
@click.argument("strategies", nargs=-1, metavar="[STRATEGY...]")
@click.option("--as-of", metavar="INSTANT", help="Look at what was known then, as 2026-11-01T00:00:00+08:00.")
@click.option(
    "--basis",
    type=click.Choice(["known", "said"]),
    default="known",
    show_default=True,
    help="What had arrived by then, or what had been said by then.",
)
@click.option(
    "--engine", type=click.Choice(["duckdb", "spark"]), help="What runs the SQL.  [default: by [mart] in hcrm.toml]"
)
@click.option("--dry-run", is_flag=True, help="Show what would change and apply nothing.")
@click.option("--live", "lively", is_flag=True, help="Look at customers as they change, until signalled.")
@click.option("--attached", is_flag=True, hidden=True, help="Stop when standard input ends.")
@keep_going_option
@json_option
@workspace_option
def decide(
    strategies: tuple[str, ...],
    as_of: str | None,
    basis: str,
    engine: str | None,
    dry_run: bool,
    lively: bool,
    attached: bool,
    keep_going: bool,
    as_json: bool,
    workspace: str | None,
) -> None:
    """Run the enabled strategies, or those named, and apply what they decide.

    A past instant never applies: it goes with --dry-run. With --live only strategies of scope subject run, about
    customers who change; `hcrm run --watch` does the same.
    """
    if lively and (strategies or as_of or basis != "known" or dry_run or as_json):
        raise UsageError("--live runs what is enabled, now, and applies it. It goes with none of the other options.")
    with opened(workspace) as space:
        space.keep_going = keep_going
        if lively:
            live(space, attached)
            return
        began = env.microseconds(env.now())
        outcomes = run(space, strategies, as_of, basis, dry_run, engine)
        gone = 0 if dry_run else _lost_their_basis(space, began)
        tell_left_out(space)
        if not dry_run:
            tell_findings(space, "after_decide", _done(space, outcomes))
    failed = [outcome for outcome in outcomes if outcome.error]
    if as_json:
        show_json(as_document(outcomes))
    else:
        tell(outcomes, dry_run)
    if gone:
        say(f"{counted(gone, 'completed task')} without a basis any more. Look at them: hcrm tasks list --basis-gone")
    for outcome in failed:
        say(f"hcrm: {outcome.name} failed and decided nothing: {outcome.error}")
    if failed:
        raise click.exceptions.Exit(1)


def run(
    space: Opened,
    names: tuple[str, ...] = (),
    as_of: str | None = None,
    basis: str = "known",
    dry_run: bool = False,
    engine: str | None = None,
) -> list[StrategyOutcome]:
    """Run strategies of a workspace."""
    return run_strategies(
        space.store,
        space.mart,
        list(space.registry.strategies.values()),
        now_us=env.microseconds(env.now()),
        timezone=space.timezone,
        as_of_us=env.microseconds(parse_instant(as_of, "--as-of")) if as_of else None,
        basis="said" if basis == "said" else "known",
        names=names or None,
        dry_run=dry_run,
        compute=space.code.compute,
        engine=space.engine(engine),
        reviews=list(space.registry.reviews.values()),
        channels=space.registry.channels.keys(),
    )


def _lost_their_basis(space: Opened, since: int) -> int:
    with space.store.read() as connection:
        found = list_tasks(connection, state="completed", basis_gone=True)
    return sum(task.basis_gone_at is not None and task.basis_gone_at >= since for task in found)


def _done(space: Opened, outcomes: list[StrategyOutcome]) -> DecideDone:
    today = env.local_day(env.now(), space.timezone)
    counts = [StrategyDone(o.name, o.new, o.changed, o.unchanged, o.withdrawn, o.expired, o.error) for o in outcomes]
    with space.store.read() as connection:
        load = workload(connection, today.isoformat(), (today + timedelta(days=7)).isoformat())
    return DecideDone(today.isoformat(), tuple(counts), tuple(Load(*row) for row in load))


def as_document(outcomes: list[StrategyOutcome]) -> dict[str, object]:
    """The JSON document of a run; `run` is the newest of the strategies' run rows."""
    keys = ("name", "new", "changed", "unchanged", "withdrawn", "expired", "seconds", "run", "error")
    rows: list[dict[str, object]] = [
        {key: value for key in keys if (value := getattr(outcome, key)) is not None} for outcome in outcomes
    ]
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome.differences:
            row["differences"] = [difference._asdict() for difference in outcome.differences]
    return {"run": max((outcome.run for outcome in outcomes if outcome.run), default=None), "strategies": rows}


def tell(outcomes: list[StrategyOutcome], dry_run: bool) -> None:
    """The outcomes as a table, and what to do next."""
    show_table(
        ("strategy", "new", "changed", "unchanged", "withdrawn", "expired", "seconds"),
        [(o.name, o.new, o.changed, o.unchanged, o.withdrawn, o.expired, o.seconds) for o in outcomes if not o.error],
    )
    if all(outcome.error for outcome in outcomes):
        return
    for outcome in outcomes:
        _tell_differences(outcome)
    click.echo(
        "Nothing was applied (--dry-run)."
        if dry_run
        else "Next: hcrm tasks list, or hcrm report overview -o report.html"
    )


def _tell_differences(outcome: StrategyOutcome) -> None:
    if not outcome.differences:
        return
    click.echo(f"\n{outcome.name}")
    for difference in outcome.differences[:SHOWN]:
        said = ", ".join(_told(difference))
        click.echo(
            f"  {difference.outcome:<9} {difference.what}, customer {difference.customer_id}"
            + (f": {said}" if said else "")
        )
    if (more := len(outcome.differences) - SHOWN) > 0:
        click.echo(f"  … and {more:,} more. All of them: --json")


def _told(difference: Difference) -> Iterator[str]:
    before, after = difference.before, difference.after
    if before is None or after is None:
        only = after or before or {}
        yield from (f"{name} {plain(only[name])}" for name in only if name in _TOLD and only[name] is not None)
        return
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield f"{name} {plain(before.get(name))} → {plain(after.get(name))}"
