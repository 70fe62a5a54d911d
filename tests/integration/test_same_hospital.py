"""One hospital through every door: equal facts, but for a list; equal customers; equal decisions."""

import json
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.same_hospital import DOORS, FHIR, Hospital, Picture, names
from support.same_hospital_differences import DIFFERENCES, table, through

from hcrm_adapter_simulator import Settings

OTHERS = DOORS[1:]
SEED = 234
"""Somebody dies, is registered twice and merged; an admission and a discharge are taken back, results corrected."""
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "same-hospital.md"


@pytest.fixture(scope="module", params=[(80, 12), pytest.param((300, 24), marks=pytest.mark.prove)], ids=str)
def picture(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_workspace: Path,
    new_database: Callable[..., str],
) -> Callable[[str], Picture]:
    """What is known and decided behind a door, read through it when it is first asked for."""
    patients, months = request.param
    settings = Settings(until=date(2026, 6, 29), patients=patients, months=months, seed=SEED)
    hospital = Hospital(settings, tmp_path_factory.mktemp("hospital"), new_workspace)

    @cache
    def of(door: str) -> Picture:
        root = hospital.through(door, new_database)
        if door == DOORS[0]:
            return Picture(root, names(door, Picture(root, lambda kind, key: key).facts))
        return Picture(root, names(door, keys()))

    @cache
    def keys() -> list[tuple[str, str]]:
        of(DOORS[0])
        return list(Picture(hospital.root(DOORS[0]), lambda kind, key: key).facts)

    return of


@pytest.mark.parametrize("door", OTHERS)
def test_facts_are_equal_but_for_the_list(picture: Callable[[str], Picture], door: str) -> None:
    expected, idle = through(door, picture(DOORS[0]).facts)
    found = picture(door).facts
    assert found.keys() == expected.keys()
    for (kind, key), fields in expected.items():
        assert found[kind, key] == fields, (kind, key)
    assert [(one.kind, one.field) for one in idle] == [], "these differences of the list do not occur"


def test_every_kind_of_fact_is_there(picture: Callable[[str], Picture]) -> None:
    kinds = {kind for kind, _ in picture(DOORS[0]).facts}
    assert kinds == {
        "Patient", "PatientLink", "RelatedPerson", "Practitioner", "Organization", "Encounter", "Appointment",
        "Condition", "AllergyIntolerance", "DiagnosticReport", "Observation", "Coverage", "ChargeItem",
    }  # fmt: skip


@pytest.mark.parametrize("door", OTHERS)
def test_the_same_people_are_one_customer(picture: Callable[[str], Picture], door: str) -> None:
    known = picture(DOORS[0]).customers
    assert any(len(patients) > 1 for patients in known)
    assert picture(door).customers == known


@pytest.mark.parametrize("door", OTHERS)
def test_strategies_decide_the_same(picture: Callable[[str], Picture], door: str) -> None:
    expected, found = picture(DOORS[0]).decisions, picture(door).decisions
    assert set(expected) == {"rfm", "pareto", "followup.discharge"}
    assert all(expected.values())
    assert found["followup.discharge"] == expected["followup.discharge"]
    assert _without_which(found["rfm"]) == _without_which(expected["rfm"])
    # Customers with equal revenue share their places: which of them has which is decided by their ids.
    for part in (("place", "cumulative_bp", "in_most", "in_top"), ("subject",)):
        assert _without_which(found["pareto"], part) == _without_which(expected["pareto"], part)
    if door in FHIR:  # keys of tables are those of HL7 v2, mostly, and so are ids
        assert found != expected, "the page says that evidence depends on keys"


def _without_which(rows: list[Any], but: tuple[str, ...] = ()) -> list[Any]:
    """Decisions whose evidence is a column, and not of which of a customer's facts."""
    plain = [{**row, "evidence": sorted({_column(one) for one in row["evidence"]})} for row in rows]
    return sorted(({name: row[name] for name in row if name not in but} for row in plain), key=json.dumps)


def _column(evidence: str) -> str:
    return f"{evidence.partition('/')[0]}#{evidence.rpartition('#')[2]}"


def test_the_page_lists_the_differences() -> None:
    assert table() in PAGE.read_text(encoding="utf-8"), f"put this table into {PAGE.name}:\n{table()}"
    assert len({(one.doors, one.kind, one.field) for one in DIFFERENCES}) == len(DIFFERENCES)
