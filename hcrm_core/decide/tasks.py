"""What becomes of a task when its strategy returns its row, or no longer does. Pure: rows in, rows out.

The states are open, suppressed, withdrawn, expired and completed. A row that names a reason is suppressed, any other
open; once its window has passed an open task is expired and all others stay as they are.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hcrm_core.store.queries.decisions import EventRow, TaskRow

BASIS_WITHDRAWN = "basis_withdrawn"
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


class Run(NamedTuple):
    """The run that decides: its strategy and version, its id, the day and the instant it takes for now."""

    strategy: str
    version: str
    run_id: int
    today: str
    now: int


class Plan(NamedTuple):
    """What is to be written, and how often each outcome occurred."""

    rows: list[TaskRow]
    events: list[EventRow]
    counts: dict[str, int]


class Counts(NamedTuple):
    """Decisions of one run by outcome."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    expired: int = 0


Judged = tuple[str | None, TaskRow]
"""The outcome to count, `None` for none, and the task as it is to stand."""


def plan(known: Mapping[str, TaskRow], wanted: Iterable[Wanted], run: Run) -> Plan:
    """Compare what a strategy wants with what there is.

    Args:
        known: The strategy's tasks by id: at least those open, those whose window has not passed, and those wanted.
        wanted: The strategy's rows, each key once.
        run: Who decides, and when.
    """
    made = Plan([], [], dict.fromkeys(Counts._fields, 0))
    seen: set[str] = set()
    for row in wanted:
        seen.add(row.task_id)
        _note(made, known.get(row.task_id), _selected(known.get(row.task_id), row, run), run)
    for task_id, task in known.items():
        if task_id not in seen:
            _note(made, task, _absent(task, run), run)
    return made


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
    task = task._replace(version=run.version, run_id=run.run_id)
    if state != known.state:
        task = task._replace(closed_at=None if state == "open" else run.now)
    return _outcome(known.state, state), task


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
    if known.state == "open" and passed:
        return "expired", known._replace(state="expired", reason=WINDOW_PASSED, closed_at=run.now, run_id=run.run_id)
    if known.state in ("open", "suppressed") and not passed:
        return "withdrawn", known._replace(
            state="withdrawn", reason=BASIS_WITHDRAWN, closed_at=run.now, run_id=run.run_id
        )
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
        run_id=run.run_id,
        created_at=run.now,
        closed_at=None if state == "open" else run.now,
        basis_gone_at=None,
        note=None,
        **payload,
    )


def _note(made: Plan, before: TaskRow | None, judged: Judged, run: Run) -> None:
    outcome, after = judged
    if outcome is None:
        return
    made.counts[outcome] += 1
    if outcome == "unchanged":
        return
    made.rows.append(after)
    made.events.append(EventRow(after.task_id, run.now, run.strategy, after.state, _why(before, after)))


def _why(before: TaskRow | None, after: TaskRow) -> str | None:
    if before is None or before.state != after.state:
        return after.reason
    if before.basis_gone_at != after.basis_gone_at:
        return "basis_gone" if after.basis_gone_at is not None else "basis_back"
    named = [name for name in (*_PAYLOAD, "reason") if getattr(before, name) != getattr(after, name)]
    return "changed: " + ", ".join(named)
