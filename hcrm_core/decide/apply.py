"""Keep what a strategy decided: tasks as rows of the store, segments and scores as snapshots, one run row for each."""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import msgspec

from hcrm_core.decide.points import WantedPoints, plan_points
from hcrm_core.decide.tasks import Counts, Plan, Run, Wanted, plan
from hcrm_core.mart.contract import Decided
from hcrm_core.mart.engine import Mart
from hcrm_core.mart.reviews import REMARKS
from hcrm_core.mart.snapshots import FOLDER, compare, prune, write
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import decisions, points

PREVIEW = "preview"
"""Where snapshots of a dry run lie, below the mart, until it ends."""

_KEPT_SNAPSHOTS = 2
_encode = msgspec.json.Encoder().encode


class Moment(NamedTuple):
    """When a run takes place and what it looks at.

    Attributes:
        now: The clock, microseconds since 1970 UTC.
        as_of: The instant the mart shows, likewise.
        basis: `known` or `said`.
        today: The day of `as_of` in the workspace's zone.
        sequence: The mart's.
    """

    now: int
    as_of: int
    basis: str
    today: date
    sequence: int


class Applied(NamedTuple):
    """The counts of one strategy, its run's id (`None` for a dry run) and its snapshot, where its kind has one."""

    counts: Counts
    run_id: int | None
    snapshot: str | None = None


def apply(store: Store, mart: Mart, decided: Decided, moment: Moment, *, dry_run: bool) -> Applied:
    """Compare `decided` with what stands, and unless it is a dry run, make it so in one transaction."""
    if decided.strategy.kind == "task":
        return _apply_tasks(store, mart, decided.strategy, decided.further, moment, dry_run)
    if decided.strategy.kind == "points":
        return _apply_points(store, mart, decided.strategy, decided.further, moment, dry_run)
    return _apply_snapshot(store, mart, decided, moment, dry_run)


def _apply_tasks(
    store: Store, mart: Mart, strategy: Strategy, further: tuple[str, ...], moment: Moment, dry_run: bool
) -> Applied:
    wanted = list(_wanted(mart, strategy, further, store.codec))
    today = moment.today.isoformat()
    if dry_run:
        with store.read() as connection:
            made = _plan(connection, strategy, wanted, Run(strategy.name, strategy.version, 0, today, moment.now))
        return Applied(Counts(**made.counts), None)
    with store.write() as connection:
        decisions.follow_links(connection)
        run_id = decisions.add_run(connection, **_run_values(strategy, moment))
        run = Run(strategy.name, strategy.version, run_id, today, moment.now)
        made = _plan(connection, strategy, wanted, run)
        decisions.put_tasks(connection, made.rows)
        decisions.add_events(connection, made.events)
        decisions.count_run(connection, run_id, **made.counts)
    return Applied(Counts(**made.counts), run_id)


def _plan(connection: Any, strategy: Strategy, wanted: list[Wanted], run: Run) -> Plan:
    known = decisions.tasks_in_reach(connection, strategy.name, run.today)
    known |= decisions.tasks_by_id(connection, (row.task_id for row in wanted if row.task_id not in known))
    return plan(known, wanted, run)


def _wanted(mart: Mart, strategy: Strategy, further: tuple[str, ...], codec: Codec) -> Iterator[Wanted]:
    rows = mart.query("SELECT * FROM decided ORDER BY anchor, step, occurrence", {}, name=strategy.name)
    for batch in rows.to_batches(10_000):
        for row in batch.to_pylist():
            yield Wanted(
                task_id=codec.token("task", strategy.name, row["anchor"], row["step"], str(row["occurrence"])),
                anchor=row["anchor"],
                step=row["step"],
                occurrence=row["occurrence"],
                customer_id=row["subject"],
                suppressed=row["suppressed"],
                topic=row["topic"],
                due_on=row["due_on"].isoformat(),
                window_start=row["window_start"].isoformat(),
                window_end=row["window_end"].isoformat(),
                owner=row["owner"],
                channel=row["channel"],
                form=row["form"],
                detail=_detail(row, further),
                evidence=_encode(row["evidence"]).decode(),
            )


def _apply_points(
    store: Store, mart: Mart, strategy: Strategy, further: tuple[str, ...], moment: Moment, dry_run: bool
) -> Applied:
    wanted = list(_wanted_points(mart, strategy, further, store.codec))
    today = moment.today.isoformat()
    if dry_run:
        with store.read() as connection:
            known = points.points_of(connection, strategy.name)
        made = plan_points(known, wanted, Run(strategy.name, strategy.version, 0, today, moment.now))
        return Applied(Counts(**made.counts), None)
    with store.write() as connection:
        decisions.follow_links(connection)
        run_id = decisions.add_run(connection, **_run_values(strategy, moment))
        run = Run(strategy.name, strategy.version, run_id, today, moment.now)
        made = plan_points(points.points_of(connection, strategy.name), wanted, run)
        points.put_points(connection, made.rows)
        points.add_entries(connection, made.entries)
        decisions.count_run(connection, run_id, **made.counts)
    return Applied(Counts(**made.counts), run_id)


def _wanted_points(mart: Mart, strategy: Strategy, further: tuple[str, ...], codec: Codec) -> Iterator[WantedPoints]:
    rows = mart.query("SELECT * FROM decided ORDER BY anchor, step, occurrence", {}, name=strategy.name)
    for batch in rows.to_batches(10_000):
        for row in batch.to_pylist():
            yield WantedPoints(
                points_id=codec.token("points", strategy.name, row["anchor"], row["step"], str(row["occurrence"])),
                anchor=row["anchor"],
                step=row["step"],
                occurrence=row["occurrence"],
                customer_id=row["subject"],
                account=row["account"],
                points=row["points"],
                booked_on=row["booked_on"].isoformat(),
                suppressed=row["suppressed"],
                detail=_detail(row, further),
                evidence=_encode(row["evidence"]).decode(),
            )


def _detail(row: dict[str, Any], further: tuple[str, ...]) -> str:
    """The further columns; a remark only where there is one, so that a review that remarks changes nothing else."""
    return _encode({name: row[name] for name in further if name != REMARKS or row[name] is not None}).decode()


def _apply_snapshot(store: Store, mart: Mart, decided: Decided, moment: Moment, dry_run: bool) -> Applied:
    strategy = decided.strategy
    with store.read() as connection:
        last = decisions.last_runs(connection, strategy.kind).get(strategy.name)
    counts = Counts(**compare(mart, decided, last.snapshot if last else None)._asdict())
    number = last.id + 1 if last else 1
    snapshot = write(mart, decided, number, PREVIEW if dry_run else FOLDER)
    if dry_run:
        return Applied(counts, None, snapshot)
    with store.write() as connection:
        run_id = decisions.add_run(connection, **_run_values(strategy, moment), snapshot=snapshot, **counts._asdict())
        kept = decisions.snapshots_of(connection, strategy.name, _KEPT_SNAPSHOTS)
    prune(mart.folder, strategy.name, set(kept))
    return Applied(counts, run_id, snapshot)


def _run_values(strategy: Strategy, moment: Moment) -> dict[str, Any]:
    return {
        "strategy": strategy.name,
        "version": strategy.version,
        "kind": strategy.kind,
        "parameters": msgspec.json.encode(strategy.parameters, order="sorted").decode(),
        "as_of": moment.as_of,
        "basis": moment.basis,
        "mart_sequence": moment.sequence,
        "started_at": moment.now,
    }
