"""What a run leaves alone: whoever changed since it looked, and whatever people did meanwhile."""

from collections.abc import Callable
from typing import Any

import pytest

from hcrm_core.api import Strategy
from hcrm_core.decide import apply as applying
from hcrm_core.decide.plan import Run
from hcrm_core.store.queries.decisions import complete_task, last_runs


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Let something happen after a run has planned and before it writes."""

    def happen(deed: Callable[[], None]) -> None:
        kind = applying.KINDS["task"]
        plan = kind.plan
        left = [deed]

        def planned(known: Any, wanted: Any, run: Run) -> Any:
            made = plan(known, wanted, run)
            if left:
                left.pop()()
            return made

        monkeypatch.setitem(applying.KINDS, "task", kind._replace(plan=planned))

    return happen


def discharged(hospital: Any) -> None:
    """Two patients more, each home since 10 March."""
    for patient in ("q1", "q2"):
        hospital.tell("Patient", patient, "2026-03-01")
        hospital.stay(f"e-{patient}", patient, "2026-03-05", "2026-03-10")


def test_who_changed_since_is_left_for_the_next_run(hospital: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    discharged(hospital)
    with monkeypatch.context() as patched:
        kind = applying.KINDS["task"]
        plan = kind.plan

        def planned(known: Any, wanted: Any, run: Run) -> Any:
            made = plan(known, wanted, run)
            hospital.tell("Encounter", "e-q1", "2026-03-11", discharge_disposition={"code": "20"})
            return made

        patched.setitem(applying.KINDS, "task", kind._replace(plan=planned))
        assert hospital.counts("2026-03-12") == (6, 0, 0, 0, 0), "only the others'"
    assert {row.customer_id for row in hospital.tasks().values()} == {"p1", "q2"}
    assert hospital.counts("2026-03-12") == (3, 0, 6, 0, 0)
    assert hospital.states()["e-q1.day3"] == "suppressed: deceased"


def test_what_somebody_completes_while_a_run_is_planned_stays_done(
    hospital: Any, meanwhile: Callable[[Callable[[], None]], None]
) -> None:
    discharged(hospital)
    hospital.counts("2026-03-11")
    task = hospital.tasks()["e-q1.day3"]

    def done() -> None:
        with hospital.store.write() as connection:
            complete_task(connection, task.task_id, by="nurse", note="well", now=1)

    meanwhile(done)
    hospital.counts("2026-03-20")
    after = hospital.tasks()["e-q1.day3"]
    assert (after.state, after.note) == ("completed", "well")
    assert hospital.tasks()["e-q2.day3"].state == "expired"


def test_a_run_that_breaks_off_leaves_nothing_to_be_seen(hospital: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    discharged(hospital)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(applying.decisions, "add_events", broken)
        with pytest.raises(ZeroDivisionError):
            hospital.counts("2026-03-11")
    assert hospital.tasks() == {}
    with hospital.store.read() as connection:
        assert last_runs(connection, "task") == {}
    assert hospital.counts("2026-03-11")[0] == 9


def test_a_strategy_that_is_not_run_any_more_withdraws_nothing(hospital: Any) -> None:
    discharged(hospital)
    hospital.counts("2026-03-11")
    hospital.strategies = [one for one in hospital.strategies if not one.name.startswith("followup")]
    hospital.decide("2026-03-12")
    assert {row.state for row in hospital.tasks().values()} == {"open"}


BIRTHDAYS = Strategy(
    name="birthdays",
    version="1",
    kind="task",
    scope="subject",
    tables=("customer",),
    sql="""
        SELECT customer_id AS subject, customer_id AS anchor, 'greet' AS step, year(next_birthday) AS occurrence,
          'birthday' AS topic, next_birthday AS due_on, next_birthday AS window_start, next_birthday AS window_end,
          'centre' AS owner, 'call' AS channel, NULL AS form, NULL AS suppressed,
          ['customer/' || customer_id || '#next_birthday'] AS evidence
        FROM customer WHERE next_birthday IS NOT NULL""",
)


def test_what_is_about_a_customer_is_superseded_by_a_merge_and_comes_back(hospital: Any) -> None:
    for patient in ("p1", "p2"):
        hospital.tell("Patient", patient, "2026-03-01", birth_date="1990-06-01")
    hospital.strategies = [BIRTHDAYS]
    assert hospital.counts("2026-03-11", "birthdays")[0] == 2
    hospital.link("p2", "p1")
    assert hospital.counts("2026-03-12", "birthdays") == (0, 0, 1, 1, 0)
    assert hospital.states() == {"p1.greet": "open", "p2.greet": "superseded: merged"}
    hospital.link("p2", "p2")
    assert hospital.counts("2026-03-13", "birthdays") == (1, 0, 1, 0, 0)
    assert hospital.states() == {"p1.greet": "open", "p2.greet": "open"}
