"""What becomes of points: whatever a strategy returns from run to run, the entries add up to what stands."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcrm_core.decide import points as rules
from hcrm_core.decide.plan import Plan, Run
from hcrm_core.decide.points import WantedPoints, plan_points
from hcrm_core.store.queries.points import EntryRow, PointsRow


def wanted(points: int = 10, suppressed: str | None = None, key: str = "a", **other: object) -> WantedPoints:
    row = WantedPoints(f"id-{key}", key, "spend", 1, "c1", "card", points, "2026-03-01", suppressed, "{}", "[]")
    return row._replace(**other)


def run(number: int) -> Run:
    return Run("loyalty", "1", "2026-03-10", number * 1_000)


def after(*runs: list[WantedPoints]) -> tuple[dict[str, PointsRow], list[EntryRow], Plan[PointsRow]]:
    """What stands after some runs, the entries they made, and the last plan."""
    known: dict[str, PointsRow] = {}
    entries: list[EntryRow] = []
    for number, rows in enumerate(runs, 1):
        made = plan_points(known, rows, run(number))
        known |= {change.after.points_id: change.after for change in made.changes}
        entries += rules.entries(made.changes, run(number))
    return known, entries, made


def test_points_are_granted_once() -> None:
    known, entries, last = after([wanted()], [wanted()], [wanted()])
    assert [entry.amount for entry in entries] == [10]
    assert known["id-a"].state == "granted" and last.counts.unchanged == 1 and not last.changes


def test_what_is_refused_gives_nothing_and_says_why() -> None:
    known, entries, _ = after([wanted(suppressed="insured line")])
    assert (known["id-a"].state, known["id-a"].reason, known["id-a"].worth) == ("refused", "insured line", 0)
    assert entries == []


def test_what_is_refused_later_is_taken_back() -> None:
    _, entries, last = after([wanted()], [wanted(suppressed="insured line")])
    assert [(entry.amount, entry.reason) for entry in entries] == [(10, None), (-10, "insured line")]
    assert last.counts.changed == 1


def test_a_row_that_is_gone_is_countered_once_and_may_come_back() -> None:
    known, entries, last = after([wanted()], [], [])
    assert [(entry.amount, entry.reason) for entry in entries] == [(10, None), (-10, "basis_withdrawn")]
    assert known["id-a"].state == "countered" and not any(last.counts)
    known, entries, last = after([wanted()], [], [wanted(12)])
    assert [entry.amount for entry in entries] == [10, -10, 12]
    assert last.counts.new == 1 and known["id-a"].state == "granted"


def test_a_refund_takes_back_the_difference() -> None:
    assert [entry.amount for entry in after([wanted(30)], [wanted(20)])[1]] == [30, -10]


def test_points_move_with_their_customer_without_an_entry() -> None:
    known, entries, last = after([wanted()], [wanted(customer_id="c2")])
    assert known["id-a"].customer_id == "c2" and len(entries) == 1 and last.counts.changed == 1


def test_another_account_is_another_booking() -> None:
    entries = after([wanted()], [wanted(account="gold-card")])[1]
    assert [(entry.account, entry.amount) for entry in entries] == [("card", 10), ("card", -10), ("gold-card", 10)]


rows = st.builds(
    wanted,
    points=st.integers(1, 50),
    suppressed=st.sampled_from([None, None, "insured line"]),
    key=st.sampled_from("abc"),
    account=st.sampled_from(["card", "gold-card"]),
    customer_id=st.sampled_from(["c1", "c2"]),
)
runs = st.lists(st.lists(rows, max_size=4, unique_by=lambda row: row.points_id), min_size=1, max_size=6)


@given(runs)
def test_entries_add_up_to_what_stands(history: list[list[WantedPoints]]) -> None:
    known, entries, last = after(*history)
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        assert entry.amount
        sums[entry.points_id, entry.account] += entry.amount
        assert sums[entry.points_id, entry.account] >= 0
    for row in known.values():
        for account in ("card", "gold-card"):
            assert sums[row.points_id, account] == (row.worth if account == row.account else 0)
    standing = {row.points_id: row.suppressed for row in history[-1]}
    assert {row.points_id for row in known.values() if row.state != "countered"} == standing.keys()
    assert sum(last.counts) >= len(standing)


@given(runs)
def test_the_same_run_again_changes_nothing(history: list[list[WantedPoints]]) -> None:
    once, twice = after(*history), after(*history, history[-1])
    assert once[0] == twice[0] and once[1] == twice[1] and twice[2].counts.unchanged == len(history[-1])


@pytest.mark.parametrize("field", ["version", "changed_at"])
def test_what_did_not_change_keeps_its_run(field: str) -> None:
    known = after([wanted()], [wanted()])[0]
    assert getattr(known["id-a"], field) == {"version": "1", "changed_at": 1_000}[field]
