"""What becomes of points when their strategy returns their row, or no longer does. Pure: rows in, rows out.

The states are granted, refused and countered. What is given is never erased: an entry that takes it back is added, so
that the sum of a row's entries is what it gives now.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hcrm_core.decide.tasks import BASIS_WITHDRAWN, Counts, Run
from hcrm_core.store.queries.points import EntryRow, PointsRow


class WantedPoints(NamedTuple):
    """One row of a points strategy, in the store's types."""

    points_id: str
    anchor: str
    step: str
    occurrence: int
    customer_id: str
    account: str
    points: int
    booked_on: str
    suppressed: str | None
    detail: str
    evidence: str


class PointsPlan(NamedTuple):
    """What is to be written, and how often each outcome occurred."""

    rows: list[PointsRow]
    entries: list[EntryRow]
    counts: dict[str, int]


_PAYLOAD = ("customer_id", "account", "points", "booked_on", "detail", "evidence")


def plan_points(known: Mapping[str, PointsRow], wanted: Iterable[WantedPoints], run: Run) -> PointsPlan:
    """Compare what a strategy wants with what stands.

    Args:
        known: All rows of the strategy, by id.
        wanted: The strategy's rows, each key once.
        run: Who decides, and when.
    """
    made = PointsPlan([], [], dict.fromkeys(Counts._fields, 0))
    seen: set[str] = set()
    for row in wanted:
        seen.add(row.points_id)
        before = known.get(row.points_id)
        after = _standing(before, row, run)
        if before == after:
            made.counts["unchanged"] += 1
        else:
            made.counts["new" if before is None or before.state == "countered" else "changed"] += 1
            _write(made, before, after, run)
    for points_id, before in known.items():
        if points_id not in seen and before.state != "countered":
            after = before._replace(state="countered", reason=BASIS_WITHDRAWN, run_id=run.run_id, changed_at=run.now)
            made.counts["withdrawn"] += 1
            _write(made, before, after, run)
    return made


def _standing(before: PointsRow | None, row: WantedPoints, run: Run) -> PointsRow:
    state = "granted" if row.suppressed is None else "refused"
    payload = {name: getattr(row, name) for name in _PAYLOAD}
    if before is not None:
        after = before._replace(**payload, state=state, reason=row.suppressed)
        return after if after == before else after._replace(version=run.version, run_id=run.run_id, changed_at=run.now)
    return PointsRow(
        points_id=row.points_id,
        strategy=run.strategy,
        version=run.version,
        anchor=row.anchor,
        step=row.step,
        occurrence=row.occurrence,
        state=state,
        reason=row.suppressed,
        run_id=run.run_id,
        created_at=run.now,
        changed_at=run.now,
        **payload,
    )


def _write(made: PointsPlan, before: PointsRow | None, after: PointsRow, run: Run) -> None:
    made.rows.append(after)

    def entry(row: PointsRow, amount: int) -> EntryRow:
        return EntryRow(row.points_id, run.now, run.strategy, run.run_id, row.account, amount, after.reason)

    if before is not None and before.account != after.account:
        made.entries.extend(entry(row, sign * row.worth) for row, sign in ((before, -1), (after, 1)) if row.worth)
    elif difference := after.worth - (before.worth if before else 0):
        made.entries.append(entry(after, difference))
