"""What becomes of points when their strategy returns their row, or no longer does. Pure: rows in, rows out.

The states are granted, refused and countered. What is given is never erased: an entry that takes it back is added, so
that the sum of a row's entries is what it gives now.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from hcrm_core.decide.plan import Change, Plan, Run
from hcrm_core.decide.tasks import BASIS_WITHDRAWN
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
    fingerprint: str | None = None


_PAYLOAD = ("customer_id", "account", "points", "booked_on", "detail", "evidence")


def plan_points(known: Mapping[str, PointsRow], wanted: Iterable[WantedPoints], run: Run) -> Plan[PointsRow]:
    """Compare what a strategy wants with what stands.

    Args:
        known: The strategy's rows by id: all of those it was run for, and those wanted.
        wanted: The strategy's rows, each key once.
        run: Who decides, and when.
    """
    changes: list[Change[PointsRow]] = []
    unchanged = 0
    settled: list[tuple[str, str | None]] = []
    seen: set[str] = set()
    for row in wanted:
        seen.add(row.points_id)
        before = known.get(row.points_id)
        after = _standing(before, row, run)
        if before == after:
            unchanged += 1
            if row.fingerprint != after.fingerprint:
                settled.append((row.points_id, row.fingerprint))
        else:
            after = after._replace(fingerprint=row.fingerprint)
            changes.append(Change("new" if before is None or before.state == "countered" else "changed", before, after))
    for points_id, before in known.items():
        # What was given to a customer who is another one now was given; nobody's mistake is to be taken back.
        if points_id not in seen and before.state != "countered" and before.anchor not in run.merged:
            after = before._replace(state="countered", reason=BASIS_WITHDRAWN, changed_at=run.now, fingerprint=None)
            changes.append(Change("withdrawn", before, after))
    return Plan(changes, unchanged, settled)


def entries(changes: Iterable[Change[PointsRow]], run: Run) -> list[EntryRow]:
    """The entries that changes add; each bears the run of the row that is to stand."""
    return [entry for _, before, after in changes for entry in _entries(before, after, run)]


def _standing(before: PointsRow | None, row: WantedPoints, run: Run) -> PointsRow:
    state = "granted" if row.suppressed is None else "refused"
    payload = {name: getattr(row, name) for name in _PAYLOAD}
    if before is not None:
        after = before._replace(**payload, state=state, reason=row.suppressed)
        return after if after == before else after._replace(version=run.version, changed_at=run.now)
    return PointsRow(
        points_id=row.points_id,
        strategy=run.strategy,
        version=run.version,
        anchor=row.anchor,
        step=row.step,
        occurrence=row.occurrence,
        state=state,
        reason=row.suppressed,
        run_id=0,
        created_at=run.now,
        changed_at=run.now,
        **payload,
    )


def _entries(before: PointsRow | None, after: PointsRow, run: Run) -> Iterator[EntryRow]:
    def entry(row: PointsRow, amount: int) -> EntryRow:
        return EntryRow(row.points_id, run.now, run.strategy, after.run_id, row.account, amount, after.reason)

    if before is not None and before.account != after.account:
        yield from (entry(row, sign * row.worth) for row, sign in ((before, -1), (after, 1)) if row.worth)
    elif difference := after.worth - (before.worth if before else 0):
        yield entry(after, difference)
