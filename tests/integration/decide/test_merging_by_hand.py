"""What was decided follows a merge by hand and its being taken back."""

from datetime import datetime
from typing import Any

from hcrm_core.api import Strategy
from hcrm_core.intake.fold import Accepted, Folder
from hcrm_core.model.fold import stamp
from hcrm_core.model.manual import Judgement, Says
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.model.translation import Statement
from hcrm_core.store.engine import Store

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


def judge(hospital: Any, says: Says, pair: tuple[str, str], day: str) -> None:
    """Somebody says in the morning of a day who is whom."""
    now = int(datetime.fromisoformat(f"{day}T01:00:00+00:00").timestamp()) * 10**6
    made = Judgement(id=day, said_at=now, by="desk-3", reason="both cards seen", says=says, pairs=(pair,))
    store: Store = hospital.store
    accepted = Accepted(now % 10**9, MANUAL, stamp(Statement(now), day.encode() * 2), made.links(), ())
    with store.write() as connection:
        Folder(store.codec, store.identity).apply(connection, [accepted], now)


def test_a_merge_by_hand_supersedes_and_its_withdrawal_gives_back(hospital: Any) -> None:
    for patient in ("p1", "p2"):
        hospital.tell("Patient", patient, "2026-03-01", birth_date="1990-06-01")
    hospital.strategies = [BIRTHDAYS]
    assert hospital.counts("2026-03-11", "birthdays")[0] == 2
    judge(hospital, "same", ("p1", "p2"), "2026-03-12")
    hospital.decide("2026-03-12")
    assert hospital.states() == {"p1.greet": "open", "p2.greet": "superseded: merged"}
    judge(hospital, "nothing", ("p1", "p2"), "2026-03-13")
    hospital.decide("2026-03-13")
    assert hospital.states() == {"p1.greet": "open", "p2.greet": "open"}


def test_tasks_about_stays_follow_a_merge_and_a_split_with_their_keys(hospital: Any) -> None:
    for patient in ("q1", "q2"):
        hospital.tell("Patient", patient, "2026-03-01")
        hospital.stay(f"e-{patient}", patient, "2026-03-05", "2026-03-10")
    hospital.decide("2026-03-11")
    before = hospital.tasks()
    for says, day, customers in (
        ("same", "2026-03-12", {"p1", "q1"}),
        ("different", "2026-03-13", {"p1", "q1", "q2"}),
    ):
        judge(hospital, says, ("q1", "q2"), day)
        hospital.decide(day)
        assert hospital.tasks().keys() == before.keys()
        assert {row.customer_id for row in hospital.tasks().values()} == customers
        assert {row.state for row in hospital.tasks().values()} <= {"open", "suppressed"}
