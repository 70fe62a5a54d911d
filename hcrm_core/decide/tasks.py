"""What becomes of a task when its strategy returns its row, or no longer does. Pure: rows in, rows out.

The states are open, suppressed, withdrawn, superseded, expired and completed. A row that names a reason is suppressed,
any other open; once its window has passed an open task is expired and all others stay as they are.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hcrm_core.decide.plan import Change, Plan, Run
from hcrm_core.store.queries.decisions import EventRow, TaskRow

BASIS_WITHDRAWN = "basis_withdrawn"
MERGED = "merged"
WINDOW_PASSED = "window_passed"


class Wanted(NamedTuple):
    """One row of a task strategy, in the store's types."""

    task_id: str
    anchor: str
    step: str
    occurrence: int
    customer_id: str
    suppressed: str | None
    topic: str
    due_on: str
    window_start: str
    window_end: str
    owner: str
    channel: str
    form: str | None
    detail: str
    evidence: str
    fingerprint: str | None = None


_PAYLOAD = (
    "customer_id",
    "topic",
    "due_on",
    "window_start",
    "window_end",
    "owner",
    "channel",
    "form",
    "detail",
    "evidence",
)


Judged = tuple[str | None, TaskRow]
"""The outcome to count, `None` for none, and the task as it is to stand."""


def plan(known: Mapping[str, TaskRow], wanted: Iterable[Wanted], run: Run) -> Plan[TaskRow]:
    """Compare what a strategy wants with what there is.

    Args:
        known: The strategy's tasks by id: of those it was run for at least the open ones, those whose window has not
            passed, and those wanted.
        wanted: The strategy's rows, each key once.
        run: Who decides, and when.
    """
    changes: list[Change[TaskRow]] = []
    unchanged = 0
    settled: list[tuple[str, str | None]] = []
    seen: set[str] = set()
    for row in wanted:
        seen.add(row.task_id)
        before = known.get(row.task_id)
        outcome, after = _selected(before, row, run)
        after = after._replace(fingerprint=row.fingerprint if _is_settled(after, row) else None)
        if outcome == "unchanged":
            unchanged += 1
            if after != before:
                settled.append((after.task_id, after.fingerprint))
        elif outcome:
            changes.append(Change(outcome, before, after))
    for task_id, task in known.items():
        if task_id not in seen:
            outcome, after = _absent(task, run)
            if outcome:
                changes.append(Change(outcome, task, after._replace(fingerprint=None)))
    return Plan(changes, unchanged, settled)


def events(changes: Iterable[Change[TaskRow]], run: Run) -> list[EventRow]:
    """The history that changes add."""
    return [
        EventRow(after.task_id, run.now, run.strategy, after.state, _why(before, after)) for _, before, after in changes
    ]


def _selected(known: TaskRow | None, row: Wanted, run: Run) -> Judged:
    passed = row.window_end < run.today
    if known is None:
        # Nobody could have done what was first heard of too late, so it is accounted for and does not count as missed.
        reason = row.suppressed or (WINDOW_PASSED if passed else None)
        return "new", _created(row, "suppressed" if reason else "open", reason, run)
    if known.state == "completed":
        # Done stays done; only whose it is follows the links, and a basis that came back needs no review.
        moved = known._replace(customer_id=row.customer_id, basis_gone_at=None)
        return ("unchanged" if moved == known else "changed"), moved
    state, reason = ("suppressed", row.suppressed) if row.suppressed is not None else ("open", None)
    if passed and known.state != "open":
        state, reason = known.state, known.reason
    elif passed and state == "open":
        state, reason = "expired", WINDOW_PASSED
    task = known._replace(**{name: getattr(row, name) for name in _PAYLOAD}, state=state, reason=reason)
    if task == known:
        return "unchanged", known
    task = task._replace(version=run.version)
    if state != known.state:
        task = task._replace(closed_at=None if state == "open" else run.now)
    return _outcome(known.state, state), task


def _is_settled(task: TaskRow, row: Wanted) -> bool:
    """Whether the same row, returned again, leaves the task as it is, on this side of its window's end at least."""
    if task.state == "suppressed":
        return task.reason == (row.suppressed or WINDOW_PASSED)
    return task.state in ("open", "expired") and row.suppressed is None


def _outcome(before: str, after: str) -> str:
    if before == after:
        return "changed"
    if after == "expired":
        return "expired"
    if after == "suppressed":
        return "withdrawn" if before == "open" else "changed"
    return "changed" if before == "suppressed" else "new"


def _absent(known: TaskRow, run: Run) -> Judged:
    passed = known.window_end < run.today
    if known.state in ("open", "suppressed") and known.anchor in run.merged:
        return "withdrawn", known._replace(state="superseded", reason=MERGED, closed_at=run.now)
    if known.state == "open" and passed:
        return "expired", known._replace(state="expired", reason=WINDOW_PASSED, closed_at=run.now)
    if known.state in ("open", "suppressed") and not passed:
        return "withdrawn", known._replace(state="withdrawn", reason=BASIS_WITHDRAWN, closed_at=run.now)
    # A strategy may leave out rows whose window has passed, so only before that does absence say anything.
    if known.state == "completed" and not passed and known.basis_gone_at is None:
        return "changed", known._replace(basis_gone_at=run.now)
    return None, known


def _created(row: Wanted, state: str, reason: str | None, run: Run) -> TaskRow:
    payload = {name: getattr(row, name) for name in _PAYLOAD}
    return TaskRow(
        task_id=row.task_id,
        strategy=run.strategy,
        version=run.version,
        anchor=row.anchor,
        step=row.step,
        occurrence=row.occurrence,
        state=state,
        reason=reason,
        run_id=0,
        created_at=run.now,
        closed_at=None if state == "open" else run.now,
        basis_gone_at=None,
        note=None,
        **payload,
    )


def _why(before: TaskRow | None, after: TaskRow) -> str | None:
    if before is None or before.state != after.state:
        return after.reason
    if before.basis_gone_at != after.basis_gone_at:
        return "basis_gone" if after.basis_gone_at is not None else "basis_back"
    named = [name for name in (*_PAYLOAD, "reason") if getattr(before, name) != getattr(after, name)]
    return "changed: " + ", ".join(named)
