"""Keep what a strategy decided: tasks and points as rows of the store, segments and scores as snapshots.

What would change is planned first, beside everything else that goes on. Then one transaction writes it and the run row
that makes it seen, and leaves out whoever changed since the mart was read, and whatever people did meanwhile: those
subjects are looked at again.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from hcrm_core.decide.kinds import KINDS, Kind
from hcrm_core.decide.plan import Change, Counts, Plan, Run
from hcrm_core.errors import StrategyError
from hcrm_core.garbage import uncollected
from hcrm_core.mart.contract import Decided
from hcrm_core.mart.engine import Mart
from hcrm_core.mart.snapshots import FOLDER, compare, differing, prune, write
from hcrm_core.mart.standing import batches, compare_standing
from hcrm_core.model.mart import Position
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection, Store
from hcrm_core.store.queries import decisions, mart_changes
from hcrm_core.store.queries.standing import keep_fingerprints

PREVIEW = "preview-"
"""How the folders begin, below the mart, where snapshots of dry runs lie until they end."""

_KEPT_SNAPSHOTS = 2


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


def apply(store: Store, mart: Mart, decided: Decided, moment: Moment, *, preview: str | None = None) -> Applied:
    """Compare `decided` with what stands, and unless it is a dry run, make it so in one transaction.

    Args:
        store: The workspace's.
        mart: Holds `decided`.
        decided: A strategy's rows.
        moment: Of the run.
        preview: Of a dry run: the folder below the mart for its snapshot.

    Raises:
        StrategyError: A run for some customers lacks the snapshot that holds the others.
    """
    if decided.strategy.kind in KINDS:
        with uncollected():
            return _apply_rows(store, mart, decided, moment, KINDS[decided.strategy.kind], preview is not None)
    return _apply_snapshot(store, mart, decided, moment, preview)


def _apply_rows(store: Store, mart: Mart, decided: Decided, moment: Moment, kind: Kind, dry_run: bool) -> Applied:
    strategy, today = decided.strategy, moment.today.isoformat()
    with store.read() as connection:
        mark = kind.mark(connection)
        run = Run(strategy.name, strategy.version, today, moment.now)
        same, left = compare_standing(mart, decided, kind.standing(connection, mart, run, moment.subjects))
        plan = _plan(connection, mart, decided, left, run, kind, store.codec)
    plan = plan._replace(unchanged=plan.unchanged + same)
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
        keep_fingerprints(connection, kind.table, [one for one in plan.settled if one[0] not in touched])
    return Applied(plan.counts, run_id)


def _plan(
    connection: Connection, mart: Mart, decided: Decided, left: set[str], run: Run, kind: Kind, codec: Codec
) -> Plan[Any]:
    """The plan for the rows in `differing`, and for what stands and has no row there."""
    whole: Plan[Any] = Plan([], 0, [])
    for rows in batches(mart, decided, "differing"):
        wanted = [kind.wanted(row, run.strategy, codec, decided.further) for row in rows]
        ids = [row[0] for row in wanted]
        whole = whole.plus(kind.plan(kind.by_id(connection, ids), wanted, run))
        left.difference_update(ids)
    known = kind.by_id(connection, left)
    merged = decisions.merged_customers(connection, (row.anchor for row in known.values()))
    return whole.plus(kind.plan(known, [], run._replace(merged=merged)))


def _is_stale(change: Change[Any], passed: set[str], touched: set[str]) -> bool:
    rows = [row for row in (change.before, change.after) if row is not None]
    return rows[0][0] in touched or any(row.customer_id in passed for row in rows)


def _of_run(change: Change[Any], run_id: int) -> Change[Any]:
    """What is done stays explained by the run that asked for it."""
    done = change.after.state == "completed"
    return change if done else change._replace(after=change.after._replace(run_id=run_id))


def difference(change: Change[Any]) -> Difference:
    """A change for people: the columns that differ."""
    before, after = change.before, change.after
    names = [
        name for name in after._fields if name not in ("run_id", "created_at", "closed_at", "changed_at", "fingerprint")
    ]
    differing_ = [name for name in names if before is None or getattr(before, name) != getattr(after, name)]
    shown = [{name: getattr(row, name) for name in differing_} if row else None for row in (before, after)]
    return Difference(change.outcome, after.customer_id, f"{after.anchor} {after.step}", *shown)


def _apply_snapshot(store: Store, mart: Mart, decided: Decided, moment: Moment, preview: str | None) -> Applied:
    strategy = decided.strategy
    with store.read() as connection:
        last = decisions.last_runs(connection, strategy.kind).get(strategy.name)
    before = last.snapshot if last else None
    if moment.subjects is not None and before is None:
        return Applied(Counts(), None)  # the first is made by a run over everybody
    if moment.subjects is not None and before and not (mart.folder / before).exists():
        raise StrategyError(
            f"{strategy.name}: the snapshot of its last run is gone, and with it what is known of everybody else. Run: "
            "hcrm decide"
        )
    counts = Counts(**compare(mart, decided, before, moment.subjects)._asdict())
    if moment.subjects is not None and counts == Counts(unchanged=counts.unchanged):
        return Applied(counts, None)
    number = last.id + 1 if last else 1
    snapshot = write(mart, decided, number, preview or FOLDER, before, moment.subjects)
    if preview:
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
