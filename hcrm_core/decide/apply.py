"""Keep what a strategy decided: tasks and points as rows of the store, segments and scores as snapshots.

What would change is planned first, beside everything else that goes on. Then one transaction writes it and the run row
that makes it seen, and leaves out whoever changed since the mart was read, and whatever people did meanwhile: those
subjects are looked at again.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from hcrm_core.decide import points as points_rules
from hcrm_core.decide import tasks as task_rules
from hcrm_core.decide.plan import Change, Counts, Plan, Run
from hcrm_core.decide.points import WantedPoints
from hcrm_core.decide.tasks import Wanted
from hcrm_core.mart.contract import Decided
from hcrm_core.mart.engine import Mart
from hcrm_core.mart.reviews import REMARKS
from hcrm_core.mart.snapshots import FOLDER, compare, differing, prune, write
from hcrm_core.model.mart import Position
from hcrm_core.model.strategies import Strategy
from hcrm_core.store import tables
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection, Store
from hcrm_core.store.queries import decisions, mart_changes, points

PREVIEW = "preview"
"""Where snapshots of a dry run lie, below the mart, until it ends."""

_KEPT_SNAPSHOTS = 2
_encode = msgspec.json.Encoder().encode


class Moment(NamedTuple):
    """When a run takes place, what it looks at, and whom.

    Attributes:
        now: The clock, microseconds since 1970 UTC.
        as_of: The instant the mart shows, likewise.
        basis: `known` or `said`.
        today: The day of `as_of` in the workspace's zone.
        position: How far the store had come that the mart shows.
        subjects: The customers it is for; everybody where `None`.
    """

    now: int
    as_of: int
    basis: str
    today: date
    position: Position
    subjects: frozenset[str] | None = None


class Difference(NamedTuple):
    """A decision that comes to stand otherwise.

    Attributes:
        outcome: `new`, `changed`, `withdrawn` or `expired`.
        customer_id: Whom it is about.
        what: Anchor and step of a task or points, or the name of a segment or score.
        before, after: What differs, by column; `before` is `None` for what was not there, `after` for what goes.
    """

    outcome: str
    customer_id: str
    what: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class Applied(NamedTuple):
    """What became of what a strategy decided.

    Attributes:
        counts: By outcome.
        run_id: Of its run; `None` where nothing was applied.
        snapshot: Where its kind has one.
        differences: Of a dry run.
    """

    counts: Counts
    run_id: int | None
    snapshot: str | None = None
    differences: Sequence[Difference] = ()


class _Kind(NamedTuple):
    """How decisions of one kind are kept as rows of the store."""

    table: Any
    wanted: Callable[[Mapping[str, Any], str, Codec, tuple[str, ...]], Any]
    standing: Callable[[Connection, str, str, Collection[str] | None], dict[str, Any]]
    by_id: Callable[[Connection, Collection[str]], dict[str, Any]]
    plan: Callable[[Mapping[str, Any], Sequence[Any], Run], Plan[Any]]
    write: Callable[[Connection, Sequence[Change[Any]], Run], None]
    mark: Callable[[Connection], int]
    touched: Callable[[Connection, int], set[str]]


def apply(store: Store, mart: Mart, decided: Decided, moment: Moment, *, dry_run: bool) -> Applied:
    """Compare `decided` with what stands, and unless it is a dry run, make it so in one transaction."""
    if decided.strategy.kind in KINDS:
        return _apply_rows(store, mart, decided, moment, KINDS[decided.strategy.kind], dry_run)
    return _apply_snapshot(store, mart, decided, moment, dry_run)


def _apply_rows(store: Store, mart: Mart, decided: Decided, moment: Moment, kind: _Kind, dry_run: bool) -> Applied:
    strategy, today = decided.strategy, moment.today.isoformat()
    wanted = list(wanted_rows(mart, decided, store.codec))
    with store.read() as connection:
        mark = kind.mark(connection)
        known = kind.standing(connection, strategy.name, today, moment.subjects)
        known |= kind.by_id(connection, [row[0] for row in wanted if row[0] not in known])
        merged = decisions.merged_customers(connection, kind.table, strategy.name)
    run = Run(strategy.name, strategy.version, today, moment.now, merged)
    plan = kind.plan(known, wanted, run)
    if dry_run:
        return Applied(plan.counts, None, differences=[difference(change) for change in plan.changes])
    if not plan.changes and moment.subjects is not None:
        return Applied(plan.counts, None)  # nothing to be seen of a look at some customers
    with store.write() as connection:
        passed = set(mart_changes.changed_subjects(connection, moment.position))
        touched = kind.touched(connection, mark)
        plan = plan._replace(changes=[one for one in plan.changes if not _is_stale(one, passed, touched)])
        run_id = decisions.add_run(connection, **_run_values(strategy, moment), **plan.counts._asdict())
        kind.write(connection, [_of_run(change, run_id) for change in plan.changes], run)
    return Applied(plan.counts, run_id)


def _is_stale(change: Change[Any], passed: set[str], touched: set[str]) -> bool:
    rows = [row for row in (change.before, change.after) if row is not None]
    return rows[0][0] in touched or any(row.customer_id in passed for row in rows)


def _of_run(change: Change[Any], run_id: int) -> Change[Any]:
    """What is done stays explained by the run that asked for it."""
    done = change.after.state == "completed"
    return change if done else change._replace(after=change.after._replace(run_id=run_id))


def wanted_rows(mart: Mart, decided: Decided, codec: Codec) -> Iterator[Any]:
    """The rows in `decided` of tasks or points, in the store's types."""
    kind = KINDS[decided.strategy.kind]
    rows = mart.query("SELECT * FROM decided ORDER BY anchor, step, occurrence", {}, name=decided.strategy.name)
    for batch in rows.to_batches(10_000):
        for row in batch.to_pylist():
            yield kind.wanted(row, decided.strategy.name, codec, decided.further)


def _wanted_task(row: Mapping[str, Any], strategy: str, codec: Codec, further: tuple[str, ...]) -> Wanted:
    return Wanted(
        task_id=codec.token("task", strategy, row["anchor"], row["step"], str(row["occurrence"])),
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


def _wanted_points(row: Mapping[str, Any], strategy: str, codec: Codec, further: tuple[str, ...]) -> WantedPoints:
    return WantedPoints(
        points_id=codec.token("points", strategy, row["anchor"], row["step"], str(row["occurrence"])),
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


def _detail(row: Mapping[str, Any], further: tuple[str, ...]) -> str:
    """The further columns; a remark only where there is one, so that a review that remarks changes nothing else."""
    return _encode({name: row[name] for name in further if name != REMARKS or row[name] is not None}).decode()


def _write_tasks(connection: Connection, changes: Sequence[Change[Any]], run: Run) -> None:
    decisions.put_tasks(connection, [change.after for change in changes])
    decisions.add_events(connection, task_rules.events(changes, run))


def _write_points(connection: Connection, changes: Sequence[Change[Any]], run: Run) -> None:
    points.put_points(connection, [change.after for change in changes])
    points.add_entries(connection, points_rules.entries(changes, run))


KINDS: dict[str, _Kind] = {
    "task": _Kind(
        tables.task,
        _wanted_task,
        decisions.tasks_in_reach,
        decisions.tasks_by_id,
        task_rules.plan,
        _write_tasks,
        decisions.last_event,
        decisions.touched_since,
    ),
    "points": _Kind(
        tables.points,
        _wanted_points,
        lambda connection, strategy, today, subjects: points.points_of(connection, strategy, subjects),
        points.points_by_id,
        points_rules.plan_points,
        _write_points,
        points.last_entry,
        points.entered_since,
    ),
}


def difference(change: Change[Any]) -> Difference:
    """A change for people: the columns that differ."""
    before, after = change.before, change.after
    names = [name for name in after._fields if name not in ("run_id", "created_at", "closed_at", "changed_at")]
    differing_ = [name for name in names if before is None or getattr(before, name) != getattr(after, name)]
    shown = [{name: getattr(row, name) for name in differing_} if row else None for row in (before, after)]
    return Difference(change.outcome, after.customer_id, f"{after.anchor} {after.step}", *shown)


def _apply_snapshot(store: Store, mart: Mart, decided: Decided, moment: Moment, dry_run: bool) -> Applied:
    strategy = decided.strategy
    with store.read() as connection:
        last = decisions.last_runs(connection, strategy.kind).get(strategy.name)
    before = last.snapshot if last else None
    counts = Counts(**compare(mart, decided, before, moment.subjects)._asdict())
    if moment.subjects is not None and counts == Counts(unchanged=counts.unchanged):
        return Applied(counts, None)
    number = last.id + 1 if last else 1
    snapshot = write(mart, decided, number, PREVIEW if dry_run else FOLDER, before, moment.subjects)
    if dry_run:
        found = [Difference(*row) for row in differing(mart, decided, before, moment.subjects)]
        return Applied(counts, None, snapshot, found)
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
        "mart_sequence": moment.position.sequence,
        "started_at": moment.now,
        "subjects": None if moment.subjects is None else len(moment.subjects),
    }
