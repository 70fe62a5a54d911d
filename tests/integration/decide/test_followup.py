"""The discharge rule over a changing hospital: all five outcomes, and each decision once."""

from typing import Any

import pytest

from hcrm_core.errors import UsageError
from hcrm_core.store.queries.decisions import complete_task, get_task, task_history

Hospital = Any

D3, D7, D30 = "e1.day3", "e1.day7", "e1.day30"


def complete(hospital: Hospital, key: str, now: int = 1) -> None:
    with hospital.store.write() as connection:
        complete_task(connection, hospital.tasks()[key].task_id[:12], by="nurse", note="well", now=now)


def test_every_discharge_gets_its_three_calls_once(hospital: Hospital) -> None:
    assert hospital.counts("2026-03-11") == (3, 0, 0, 0, 0)
    tasks = hospital.tasks()
    assert {key: (row.due_on, row.window_start, row.window_end) for key, row in tasks.items()} == {
        D3: ("2026-03-13", "2026-03-12", "2026-03-15"),
        D7: ("2026-03-17", "2026-03-16", "2026-03-20"),
        D30: ("2026-04-09", "2026-04-06", "2026-04-16"),
    }
    assert (tasks[D3].customer_id, tasks[D3].owner, tasks[D3].channel) == ("p1", "ward_nurse", "call")
    assert tasks[D3].form == "early"
    assert tasks[D3].detail == '{"priority":"normal","channels":["call","wechat","sms"]}'
    assert tasks[D3].evidence == '["encounter/e1#ended_on"]'
    assert hospital.counts("2026-03-11") == (0, 0, 3, 0, 0)
    hospital.tell("Patient", "p2", gender="male")  # something else changed: the mart is made anew
    assert hospital.counts("2026-03-12") == (0, 0, 3, 0, 0)


def test_dry_run_counts_and_keeps_nothing(hospital: Hospital) -> None:
    assert hospital.counts("2026-03-11", dry_run=True) == (3, 0, 0, 0, 0)
    assert hospital.tasks() == {}


def test_readmission_suppresses_what_is_due_after_it(hospital: Hospital) -> None:
    hospital.decide("2026-03-11")
    hospital.stay("e2", "p1", "2026-03-16", None)
    assert hospital.counts("2026-03-16") == (0, 0, 0, 2, 1)
    assert hospital.states() == {
        D3: "expired: window_passed",
        D7: "suppressed: readmitted",
        D30: "suppressed: readmitted",
    }
    row = hospital.tasks()[D7]
    assert row.evidence == '["encounter/e1#ended_on","encounter/e2#started_on"]'


def test_a_stay_on_record_before_the_first_run_is_a_reason_from_the_start(hospital: Hospital) -> None:
    hospital.stay("e2", "p1", "2026-03-15", None)
    assert hospital.counts("2026-03-11") == (3, 0, 0, 0, 0)
    assert hospital.states() == {D3: "open", D7: "suppressed: readmitted", D30: "suppressed: readmitted"}
    assert hospital.counts("2026-03-11") == (0, 0, 3, 0, 0)


def test_a_suppression_that_is_lifted_opens_the_task(hospital: Hospital) -> None:
    hospital.stay("e2", "p1", "2026-03-15", None)
    hospital.decide("2026-03-11")
    hospital.tell("Encounter", "e2", "2026-03-16", status="cancelled")
    assert hospital.counts("2026-03-12") == (0, 2, 1, 0, 0)
    assert set(hospital.states().values()) == {"open"}


@pytest.mark.parametrize("code", ["20", "40", "41", "42"])
def test_death_in_hospital_is_recorded_as_the_reason(hospital: Hospital, code: str) -> None:
    hospital.tell("Encounter", "e1", "2026-03-10", discharge_disposition={"code": code})
    assert hospital.counts("2026-03-11") == (3, 0, 0, 0, 0)
    assert set(hospital.states().values()) == {"suppressed: deceased"}


def test_death_told_later_by_another_source_withdraws_the_calls(hospital: Hospital) -> None:
    hospital.decide("2026-03-11")
    hospital.tell("Patient", "q1", "2026-03-12", deceased=True)
    hospital.link("q1", "p1")
    assert hospital.counts("2026-03-12") == (0, 0, 0, 3, 0)
    assert set(hospital.states().values()) == {"suppressed: deceased"}
    assert hospital.counts("2026-03-12") == (0, 0, 3, 0, 0)


def test_transfer_is_recorded_as_the_reason(hospital: Hospital) -> None:
    hospital.tell("Encounter", "e1", "2026-03-10", discharge_disposition={"code": "02"})
    hospital.decide("2026-03-11")
    assert set(hospital.states().values()) == {"suppressed: transferred"}


def test_cancelled_discharge_withdraws_and_a_new_one_reopens(hospital: Hospital) -> None:
    hospital.decide("2026-03-11")
    hospital.tell("Encounter", "e1", "2026-03-11", status="in-progress", period_end=None)  # as A13 says it
    assert hospital.counts("2026-03-12") == (0, 0, 0, 3, 0)
    assert set(hospital.states().values()) == {"withdrawn: basis_withdrawn"}
    assert hospital.counts("2026-03-12") == (0, 0, 0, 0, 0)
    hospital.tell("Encounter", "e1", "2026-03-13", status="finished", period_end="2026-03-12T10:00:00+08:00")
    assert hospital.counts("2026-03-13") == (3, 0, 0, 0, 0)
    row = hospital.tasks()[D3]
    assert (row.state, row.reason, row.due_on, row.closed_at) == ("open", None, "2026-03-15", None)
    with hospital.store.read() as connection:
        history = [(event.state, event.reason) for event in task_history(connection, row.task_id)]
    assert history == [("open", None), ("withdrawn", "basis_withdrawn"), ("open", None)]


def test_done_stays_done_and_a_basis_that_goes_is_noted_once(hospital: Hospital) -> None:
    hospital.decide("2026-03-11")
    complete(hospital, D3)
    hospital.tell("Encounter", "e1", "2026-03-12", status="in-progress", period_end=None)
    assert hospital.counts("2026-03-12") == (0, 1, 0, 2, 0)
    row = hospital.tasks()[D3]
    assert row.state == "completed" and row.basis_gone_at is not None
    assert hospital.counts("2026-03-12") == (0, 0, 0, 0, 0)
    hospital.tell("Encounter", "e1", "2026-03-13", status="finished", period_end="2026-03-11T10:00:00+08:00")
    assert hospital.counts("2026-03-13") == (2, 1, 0, 0, 0)
    row = hospital.tasks()[D3]
    assert (row.state, row.due_on, row.basis_gone_at, row.note) == ("completed", "2026-03-13", None, "well")


def test_windows_that_pass_expire(hospital: Hospital) -> None:
    hospital.decide("2026-03-11")
    assert hospital.counts("2026-03-15") == (0, 0, 3, 0, 0)
    assert hospital.counts("2026-03-16") == (0, 0, 2, 0, 1)
    assert hospital.counts("2026-03-16") == (0, 0, 3, 0, 0)
    assert hospital.counts("2026-07-30") == (0, 0, 0, 0, 2)  # long beyond the lookback
    assert set(hospital.states().values()) == {"expired: window_passed"}
    assert hospital.counts("2026-07-30") == (0, 0, 0, 0, 0)


def test_what_is_heard_of_too_late_is_accounted_for_without_a_task(hospital: Hospital) -> None:
    assert hospital.counts("2026-03-21") == (3, 0, 0, 0, 0)
    assert hospital.states() == {
        D3: "suppressed: window_passed",
        D7: "suppressed: window_passed",
        D30: "open",
    }
    assert hospital.counts("2026-03-21") == (0, 0, 3, 0, 0)


def test_an_expired_task_opens_when_the_discharge_moves(hospital: Hospital) -> None:
    hospital.decide("2026-03-11")
    hospital.decide("2026-03-16")
    hospital.tell("Encounter", "e1", "2026-03-16", period_end="2026-03-14T10:00:00+08:00")
    assert hospital.counts("2026-03-16") == (1, 2, 0, 0, 0)
    assert set(hospital.states().values()) == {"open"}


def test_a_merge_moves_tasks_and_keeps_their_keys(hospital: Hospital) -> None:
    hospital.decide("2026-03-11")
    before = {row.task_id for row in hospital.tasks().values()}
    complete(hospital, D3)
    hospital.tell("Patient", "a0", "2026-03-11")
    hospital.link("p1", "a0")
    assert hospital.counts("2026-03-12")[1] == 2  # the open ones; the finished one follows the link by itself
    assert {row.customer_id for row in hospital.tasks().values()} == {"a0"}
    assert {row.task_id for row in hospital.tasks().values()} == before
    assert hospital.counts("2026-03-12") == (0, 0, 3, 0, 0)


def test_a_past_instant_is_a_dry_run_only(hospital: Hospital) -> None:
    past = 1_773_200_000_000_000
    with pytest.raises(UsageError, match="Add --dry-run"):
        hospital.decide("2026-04-20", as_of_us=past)
    with pytest.raises(UsageError, match="in the future"):
        hospital.decide("2026-03-01", as_of_us=past)


def test_as_of_shows_what_was_known_then(hospital: Hospital) -> None:
    hospital.tell(
        "Encounter",
        "e9",
        "2026-03-10",
        known="2026-03-20",
        subject="p1",
        **{"class": "IMP"},
        status="finished",
        period_start="2026-03-08T09:00:00+08:00",
        period_end="2026-03-10T11:00:00+08:00",
    )
    noon_12 = 1773316800 * 10**6
    known = hospital.counts("2026-03-21", as_of_us=noon_12, dry_run=True)
    said = hospital.counts("2026-03-21", as_of_us=noon_12, basis="said", dry_run=True)
    assert (known, said) == ((3, 0, 0, 0, 0), (6, 0, 0, 0, 0))
    early = hospital.counts("2026-03-21", as_of_us=1772712000 * 10**6, dry_run=True)
    assert early == (0, 0, 0, 0, 0)
    assert hospital.tasks() == {}
    assert not (hospital.mart / "past").exists() or not list((hospital.mart / "past").iterdir())


def test_tasks_are_found_by_the_beginning_of_their_id(hospital: Hospital) -> None:
    hospital.decide("2026-03-11")
    task = hospital.tasks()[D7]
    with hospital.store.read() as connection:
        assert get_task(connection, task.task_id[:10]) == task
    assert set(hospital.tasks(due_before="2026-03-17")) == {D3}
    assert set(hospital.tasks(owner="centre")) == {D30}
    assert set(hospital.tasks(limit=1)) == {D3}
    assert hospital.tasks(customer="nobody") == {}
    complete(hospital, D7)
    with pytest.raises(UsageError, match="is completed"):
        complete(hospital, D7)
