"""Reviews in a run: they see what was decided before, what they refuse keeps its reason, one that fails is a veto."""

from typing import Any

from msgspec.structs import replace

from hcrm_core.model.reviews import Review

Hospital = Any

KNOWN = Review(
    name="known",
    version="1",
    kind="task",
    tables=("decision_task",),
    sql="SELECT d.anchor, d.step, d.occurrence, 'refuse' AS verdict, 'known already' AS reason FROM decided AS d "
    "JOIN decision_task AS t ON t.anchor = d.anchor AND t.step = d.step WHERE t.state = 'open'",
)


def test_a_review_sees_what_was_decided_before(hospital: Hospital) -> None:
    first = hospital.decide("2026-03-11", "followup.discharge", reviews=[KNOWN])
    assert first["followup.discharge"].new == 3
    assert set(hospital.states().values()) == {"open"}
    hospital.decide("2026-03-11", "followup.discharge", reviews=[KNOWN])
    assert set(hospital.states().values()) == {"suppressed: known: known already"}


def test_one_that_fails_is_a_veto(hospital: Hospital) -> None:
    broken = replace(KNOWN, sql=KNOWN.sql.replace("'refuse'", "'veto'").partition(" JOIN")[0])
    outcome = hospital.decide("2026-03-11", "followup.discharge", reviews=[broken])["followup.discharge"]
    assert outcome.error.endswith("A review that fails is a veto: nothing was decided.")
    assert hospital.states() == {}


def test_one_of_other_strategies_does_not_look(hospital: Hospital) -> None:
    other = replace(KNOWN, strategies=("another",), sql="SELECT no_such_column FROM decided")
    assert hospital.decide("2026-03-11", "followup.discharge", reviews=[other])["followup.discharge"].error is None
