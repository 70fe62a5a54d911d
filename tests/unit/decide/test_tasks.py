"""What becomes of a task: every state met with every kind of row, and with none."""

import pytest

from hcrm_core.decide.plan import Counts, Run
from hcrm_core.decide.tasks import Wanted, events, plan
from hcrm_core.store.queries.decisions import TaskRow

TODAY = "2026-03-10"
RUN = Run("calls", "2", TODAY, 1_000)
OPEN_WINDOW, PASSED_WINDOW = "2026-03-10", "2026-03-09"
LATE = "window_passed"


def wanted(suppressed: str | None = None, end: str = OPEN_WINDOW, **fields: str) -> Wanted:
    given = {"task_id": "t1", "anchor": "e1", "step": "day3", "occurrence": 0, "customer_id": "p1", "owner": "ward"}
    given |= {"suppressed": suppressed, "topic": "discharge", "due_on": "2026-03-08", "window_start": "2026-03-07"}
    given |= {"window_end": end, "channel": "call", "form": None, "detail": "{}", "evidence": "[]"}
    return Wanted(**(given | fields))  # type: ignore[arg-type]


def task(state: str, reason: str | None = None, end: str = OPEN_WINDOW, gone: int | None = None) -> TaskRow:
    row = wanted(end=end)._asdict()
    del row["suppressed"]
    return TaskRow(**row, strategy="calls", version="1", state=state, reason=reason, run_id=1, created_at=1,
                   closed_at=None if state == "open" else 5, basis_gone_at=gone, note=None)  # fmt: skip


SELECTED = [
    (None, wanted(), "new", "open", None),
    (None, wanted("died"), "new", "suppressed", "died"),
    (None, wanted(end=PASSED_WINDOW), "new", "suppressed", LATE),
    (task("open"), wanted(), "unchanged", "open", None),
    (task("open"), wanted(owner="centre"), "changed", "open", None),
    (task("open"), wanted("died"), "withdrawn", "suppressed", "died"),
    (task("open", end=PASSED_WINDOW), wanted(end=PASSED_WINDOW), "expired", "expired", LATE),
    (task("suppressed", "died"), wanted("died"), "unchanged", "suppressed", "died"),
    (task("suppressed", "died"), wanted("moved"), "changed", "suppressed", "moved"),
    (task("suppressed", "died"), wanted(), "changed", "open", None),
    (task("suppressed", "died", PASSED_WINDOW), wanted(end=PASSED_WINDOW), "unchanged", "suppressed", "died"),
    (task("withdrawn", "basis_withdrawn"), wanted(), "new", "open", None),
    (task("withdrawn", "basis_withdrawn"), wanted("died"), "changed", "suppressed", "died"),
    (task("withdrawn", "x", PASSED_WINDOW), wanted(end=PASSED_WINDOW), "unchanged", "withdrawn", "x"),
    (
        task("expired", LATE, PASSED_WINDOW),
        wanted(end=PASSED_WINDOW),
        "unchanged",
        "expired",
        LATE,
    ),
    (task("expired", LATE, PASSED_WINDOW), wanted(), "new", "open", None),
    (task("completed", "done"), wanted(), "unchanged", "completed", "done"),
    (task("completed", "done"), wanted("died"), "unchanged", "completed", "done"),
    (task("completed", "done"), wanted(due_on="2026-03-09"), "unchanged", "completed", "done"),
    (task("completed", "done"), wanted(customer_id="p0"), "changed", "completed", "done"),
    (task("completed", "done", gone=3), wanted(), "changed", "completed", "done"),
]


@pytest.mark.parametrize(("known", "row", "outcome", "state", "reason"), SELECTED)
def test_selected(known: TaskRow | None, row: Wanted, outcome: str, state: str, reason: str | None) -> None:
    made = plan({known.task_id: known} if known else {}, [row], RUN)
    assert made.counts == Counts(**{outcome: 1})
    if outcome == "unchanged":
        assert made.changes == []
        assert known is not None and (known.state, known.reason) == (state, reason)
        return
    (after,) = [change.after for change in made.changes]
    assert (after.state, after.reason) == (state, reason)
    assert [event.state for event in events(made.changes, RUN)] == [state]
    assert plan({after.task_id: after}, [row], RUN).counts == Counts(unchanged=1), "a second run"


ABSENT = [
    (task("open"), "withdrawn", "withdrawn", "basis_withdrawn"),
    (task("open", end=PASSED_WINDOW), "expired", "expired", LATE),
    (task("suppressed", "died"), "withdrawn", "withdrawn", "basis_withdrawn"),
    (task("suppressed", "died", PASSED_WINDOW), None, "suppressed", "died"),
    (task("withdrawn", "x"), None, "withdrawn", "x"),
    (task("expired", LATE, PASSED_WINDOW), None, "expired", LATE),
    (task("completed", "done"), "changed", "completed", "done"),
    (task("completed", "done", PASSED_WINDOW), None, "completed", "done"),
    (task("completed", "done", gone=3), None, "completed", "done"),
]


@pytest.mark.parametrize(("known", "outcome", "state", "reason"), ABSENT)
def test_absent(known: TaskRow, outcome: str | None, state: str, reason: str | None) -> None:
    made = plan({known.task_id: known}, [], RUN)
    assert made.counts == (Counts(**{outcome: 1}) if outcome else Counts())
    after = made.changes[0].after if made.changes else known
    assert (after.state, after.reason) == (state, reason)
    assert plan({after.task_id: after}, [], RUN).counts == Counts(), "a second run"


def test_history_names_what_changed() -> None:
    made = plan({"t1": task("open")}, [wanted(owner="centre", due_on="2026-03-09")], RUN)
    assert events(made.changes, RUN)[0].reason == "changed: due_on, owner"
    assert (made.changes[0].after.version, made.changes[0].after.created_at) == ("2", 1)


@pytest.mark.parametrize("state", ["open", "suppressed"])
def test_what_is_about_a_customer_who_is_another_one_now_is_superseded(state: str) -> None:
    known = task(state, "died" if state == "suppressed" else None)._replace(anchor="p1")
    merged = RUN._replace(merged=frozenset({"p1"}))
    (change,) = plan({known.task_id: known}, [], merged).changes
    assert (change.outcome, change.after.state, change.after.reason) == ("withdrawn", "superseded", "merged")
    again = plan({known.task_id: change.after}, [wanted()], RUN)
    assert again.changes[0].after.state == "open", "taken apart again"
