"""What must not get lost: customers of a look that failed, members of a snapshot, tasks of a rule that is off."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from typing import Any

import msgspec
import pytest

from hcrm_core.api import Strategy
from hcrm_core.decide.backtest import backtest, instants
from hcrm_core.decide.live import Live
from hcrm_core.decide.steps import Means
from hcrm_core.mart.manifest import deciding

ZONE = "Asia/Shanghai"
CALLS = Strategy(
    name="calls",
    version="1",
    kind="task",
    scope="subject",
    tables=("encounter",),
    sql="""
        SELECT customer_id AS subject, encounter_id AS anchor, 'call' AS step, 0 AS occurrence, 'call' AS topic,
          ended_on AS due_on, ended_on AS window_start, CAST(ended_on + INTERVAL 30 DAY AS DATE) AS window_end,
          'ward' AS owner, 'call' AS channel, NULL AS form, NULL AS suppressed, 1 AS priority,
          ['encounter/' || encounter_id || '#ended_on'] AS evidence
        FROM encounter WHERE ended_on IS NOT NULL""",
)
FAILS = msgspec.structs.replace(CALLS, sql=CALLS.sql.replace("1 AS priority", "CAST(class AS INTEGER) AS priority"))
FREQUENT = Strategy(
    name="frequent",
    version="1",
    kind="segment",
    scope="subject",
    tables=("encounter",),
    sql="""
        SELECT customer_id AS subject, 'seen' AS segment, ['encounter/' || min(encounter_id) || '#status'] AS evidence
        FROM encounter GROUP BY customer_id""",
)


def micros(day: str) -> int:
    return instants(date.fromisoformat(day), date.fromisoformat(day), time(12), ZONE)[0]


def lively(hospital: Any, *strategies: Strategy) -> Live:
    made = Live(hospital.store, hospital.mart, strategies, timezone=ZONE, means=Means())
    made.begin()
    return made


def stay(hospital: Any, patient: str, end: str) -> None:
    hospital.tell("Patient", patient, end)
    hospital.stay(f"e-{patient}", patient, "2026-03-05", end)


@contextmanager
def held(hospital: Any, strategy: str | None) -> Iterator[None]:
    """As if another process ran it."""
    with deciding(hospital.mart, strategy):
        yield


def test_who_changed_while_a_strategy_failed_is_looked_at_by_the_next_process(hospital: Any) -> None:
    hospital.strategies = [CALLS]
    hospital.decide("2026-03-11")
    broken = lively(hospital, FAILS)
    for patient, end in (("q1", "2026-03-12"), ("q2", "2026-03-13")):
        stay(hospital, patient, end)
        (outcome,) = broken.run(micros(end))
        assert outcome.error
    assert "e-q1.call" not in hospital.tasks()
    mended = lively(hospital, CALLS)
    mended.run(micros("2026-03-14"))
    assert {"e-q1.call", "e-q2.call"} <= set(hospital.tasks())
    assert mended.run(micros("2026-03-14")) == []


def test_a_run_over_everybody_makes_up_for_looks_that_failed(hospital: Any) -> None:
    hospital.strategies = [CALLS]
    hospital.decide("2026-03-11")
    broken = lively(hospital, FAILS)
    stay(hospital, "q1", "2026-03-12")
    broken.run(micros("2026-03-12"))
    hospital.decide("2026-03-13")
    stay(hospital, "q2", "2026-03-14")
    healthy = lively(hospital, CALLS)
    assert [outcome.new for outcome in healthy.run(micros("2026-03-14"))] == [1], "q2 alone"


def test_a_look_at_some_never_makes_the_first_snapshot_nor_one_in_place_of_what_is_lost(hospital: Any) -> None:
    hospital.strategies = [FREQUENT]
    live = lively(hospital, FREQUENT)
    stay(hospital, "q1", "2026-03-12")
    assert [outcome.run for outcome in live.run(micros("2026-03-12"))] == [None]
    assert hospital.counts("2026-03-13", "frequent")[0] == 2
    shutil.rmtree(hospital.mart / "decisions")
    stay(hospital, "q2", "2026-03-14")
    (outcome,) = live.run(micros("2026-03-14"))
    assert outcome.error is not None and outcome.error.endswith("Run: hcrm decide")
    assert hospital.counts("2026-03-15", "frequent")[0] == 3


def test_an_open_task_of_a_rule_that_is_off_follows_its_patient(hospital: Any) -> None:
    stay(hospital, "q1", "2026-03-11")
    hospital.strategies = [CALLS]
    hospital.decide("2026-03-12")
    hospital.strategies = [FREQUENT]
    hospital.link("q1", "p1")
    hospital.decide("2026-03-13")
    task = hospital.tasks()["e-q1.call"]
    assert (task.state, task.customer_id) == ("open", "p1")


def test_an_empty_reason_is_no_reason_and_refused(hospital: Any) -> None:
    hospital.strategies = [
        msgspec.structs.replace(CALLS, sql=CALLS.sql.replace("NULL AS suppressed", "'' AS suppressed"))
    ]
    error = hospital.decide("2026-03-12")["calls"].error
    assert "with an empty reason in suppressed. Return NULL where nothing stands against a row." in error


def test_a_detail_that_changes_its_type_alone_changes(hospital: Any) -> None:
    hospital.strategies = [CALLS]
    hospital.counts("2026-03-12", "calls")
    hospital.strategies = [msgspec.structs.replace(CALLS, sql=CALLS.sql.replace("1 AS priority", "'1' AS priority"))]
    assert hospital.counts("2026-03-12", "calls") == (0, 1, 0, 0, 0)


def test_a_reason_that_goes_after_the_window_comes_back_to_light_within_it(hospital: Any) -> None:
    died = msgspec.structs.replace(CALLS, sql=CALLS.sql.replace("NULL AS suppressed", "'died' AS suppressed"))
    hospital.strategies = [died]
    hospital.counts("2026-03-12", "calls")
    hospital.strategies = [CALLS]
    assert hospital.counts("2026-06-01", "calls") == (0, 0, 1, 0, 0)
    assert hospital.counts("2026-03-12", "calls", dry_run=True) == (0, 1, 0, 0, 0)


@pytest.mark.parametrize("by", [None, "calls"])
def test_a_back_test_waits_for_nobody(hospital: Any, by: str | None) -> None:
    days = instants(date(2026, 3, 9), date(2026, 3, 12), time(23, 59), ZONE)
    with held(hospital, by):
        found = backtest(hospital.store, hospital.mart, [CALLS], "calls", days, timezone=ZONE, means=Means())
    assert [day.counts.new for day in found.days] == [0, 1, 0, 0]
    assert [folder.name for folder in hospital.mart.glob("backtest-*")] == []


def test_what_falls_due_is_what_is_open_when_its_day_comes(hospital: Any) -> None:
    later = CALLS.sql.replace("ended_on AS due_on", "CAST(ended_on + INTERVAL 5 DAY AS DATE) AS due_on")
    for patient, end in (("q1", "2026-03-11"), ("q2", "2026-03-11")):
        stay(hospital, patient, end)
    hospital.tell("Encounter", "e-q2", "2026-03-13", status="entered-in-error")
    days = instants(date(2026, 3, 9), date(2026, 3, 20), time(23, 59), ZONE)
    strategy = msgspec.structs.replace(CALLS, sql=later)
    found = backtest(hospital.store, hospital.mart, [strategy], "calls", days, timezone=ZONE, means=Means())
    assert found.workload == {(date(2026, 3, 15), "ward"): 1, (date(2026, 3, 16), "ward"): 1}


def test_a_live_look_waits_for_no_run_of_another_strategy(hospital: Any) -> None:
    hospital.strategies = [CALLS]
    hospital.decide("2026-03-11")
    live = lively(hospital, CALLS)
    stay(hospital, "q1", "2026-03-12")
    with held(hospital, None), held(hospital, "rfm"):
        assert [outcome.new for outcome in live.run(micros("2026-03-12"))] == [1]


def test_a_back_test_supersedes_what_is_about_a_customer_who_is_another_one_now(hospital: Any) -> None:
    birthdays = msgspec.structs.replace(
        CALLS,
        name="birthdays",
        tables=("customer",),
        sql="""
            SELECT customer_id AS subject, customer_id AS anchor, 'greet' AS step, 0 AS occurrence, 'birthday' AS topic,
              next_birthday AS due_on, next_birthday AS window_start, next_birthday AS window_end, 'centre' AS owner,
              'call' AS channel, NULL AS form, NULL AS suppressed,
              ['customer/' || customer_id || '#next_birthday'] AS evidence
            FROM customer WHERE next_birthday IS NOT NULL""",
    )
    for patient in ("p1", "p2"):
        hospital.tell("Patient", patient, "2026-03-11", birth_date="1990-06-01")
    hospital.tell("Patient", "p1", "2026-03-15", gender="male")
    hospital.link("p2", "p1")
    days = instants(date(2026, 3, 14), date(2026, 3, 16), time(23, 59), ZONE)
    found = backtest(hospital.store, hospital.mart, [birthdays], "birthdays", days, timezone=ZONE, means=Means())
    assert [(day.counts.new, day.counts.withdrawn) for day in found.days] == [(2, 0), (0, 1), (0, 0)]
    (gone,) = [one for one in found.days[1].differences if one.outcome == "withdrawn"]
    assert gone.after is not None and gone.after["state"] == "superseded"
