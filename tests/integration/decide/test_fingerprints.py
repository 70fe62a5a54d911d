"""What a fingerprint tells of a decision is what comparing it would tell, and nothing that stands is compared twice."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from hcrm_core.decide import apply as applying
from hcrm_core.decide.plan import Run
from hcrm_core.store.queries.decisions import complete_task

DAYS = [f"2026-{month:02}-{day:02}" for month in (3, 4) for day in range(1, 31, 2)]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many rows each plan compared."""
    kind = applying.KINDS["task"]
    seen: list[int] = []

    def planned(known: Any, wanted: Any, run: Run) -> Any:
        seen.append(len(wanted))
        return kind.plan(known, wanted, run)

    monkeypatch.setitem(applying.KINDS, "task", kind._replace(plan=planned))
    return seen


@pytest.fixture
def ward(hospital: Any) -> Any:
    """Patients whose tasks are open, done, suppressed, withdrawn and expired."""
    for patient, home in (("q1", "03-02"), ("q2", "03-08"), ("q3", "03-10"), ("q4", "03-10"), ("q5", "03-10")):
        hospital.tell("Patient", patient, "2026-03-01")
        hospital.stay(f"e-{patient}", patient, "2026-03-01", f"2026-{home}")
    hospital.counts("2026-03-11")
    with hospital.store.write() as connection:
        complete_task(connection, hospital.tasks()["e-q3.day3"].task_id, by="nurse", note=None, now=1)
    hospital.tell("Encounter", "e-q4", "2026-03-12", discharge_disposition={"code": "20"})
    hospital.tell("Encounter", "e-q5", "2026-03-12", status="entered-in-error")
    hospital.counts("2026-03-14")
    states = {row.state for row in hospital.tasks().values()}
    assert states == {"open", "completed", "suppressed", "withdrawn", "expired"}
    return hospital


def test_fingerprints_tell_what_comparing_tells(ward: Any, compared: list[int]) -> None:
    told = [ward.counts(day, dry_run=True) for day in DAYS]
    few = sum(compared)
    compared.clear()
    with ward.store.write() as connection:
        assert connection.execute(text("UPDATE task SET fingerprint = NULL WHERE fingerprint IS NOT NULL")).rowcount
    assert [ward.counts(day, dry_run=True) for day in DAYS] == told
    assert 0 < few < sum(compared) / 2


def test_nothing_that_stands_is_compared_again(ward: Any, compared: list[int]) -> None:
    ward.counts("2026-03-14")
    assert sum(compared) == 1, "the done one, whose owner may have changed"


def test_a_fingerprint_that_is_lost_is_kept_again(ward: Any, compared: list[int]) -> None:
    with ward.store.write() as connection:
        connection.execute(text("UPDATE task SET fingerprint = 'of another version of the engine'"))
    assert ward.counts("2026-03-14")[:2] == (0, 0)
    assert sum(compared) > 10
    compared.clear()
    ward.counts("2026-03-14")
    assert sum(compared) == 1


def test_who_belongs_to_somebody_else_is_compared(ward: Any) -> None:
    ward.counts("2026-03-15")
    ward.link("q2", "q1")
    assert ward.counts("2026-03-15")[1] > 0
    assert {row.customer_id for key, row in ward.tasks().items() if key.startswith("e-q2")} == {"q1"}
