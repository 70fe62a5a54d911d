"""A hospital's own segments through real runs: living and frozen ones, live deciding, merges."""

from collections.abc import Iterator
from typing import Any

import pytest

from hcrm_core.decide.live import Live
from hcrm_core.decide.segments import segment_sizes
from hcrm_core.decide.steps import Means
from hcrm_core.mart.engine import open_mart
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.queries.decisions import last_runs
from hcrm_plugin_segmentation.segments import read_segments

Hospital = Any
ZONE = "Asia/Shanghai"

FILE = """
segments:
  - {id: seen, title: {en: Seen this year, zh: 一年内就诊}, when: visits_12m > 0}
  - {id: stayed, title: {en: Stayed this year, zh: 一年内住院}, when: admissions_12m > 0, frozen: 2026-03-15}
"""


def own(text: str = FILE) -> list[Strategy]:
    return read_segments(text, "own.yaml")


@pytest.fixture
def clinic(hospital: Hospital) -> Iterator[Hospital]:
    """p1 was discharged on 10 March, p2 comes later."""
    hospital.strategies = own()
    hospital.tell("Patient", "p2", "2026-03-01", gender="male")
    yield hospital


def members(hospital: Hospital, name: str) -> list[str]:
    with hospital.store.read() as connection:
        run = last_runs(connection, "segment").get(f"segments.{name}")
    if run is None:
        return []
    with open_mart(hospital.mart, tables=()) as mart:
        rows = mart.execute(f"SELECT subject FROM read_parquet('{mart.folder / run.snapshot}') ORDER BY 1").fetchall()
    return [subject for (subject,) in rows]


def test_a_living_segment_follows_the_facts(clinic: Hospital) -> None:
    assert clinic.counts("2026-03-11", "segments.seen") == (1, 0, 0, 0, 0)
    clinic.stay("e2", "p2", "2026-03-12", "2026-03-14")
    assert clinic.counts("2026-03-15", "segments.seen") == (1, 0, 1, 0, 0)
    assert clinic.counts("2027-03-05", "segments.seen") == (0, 0, 1, 1, 0)
    assert members(clinic, "seen") == ["p2"]


def test_a_frozen_segment_is_decided_once_its_day_is_over(clinic: Hospital) -> None:
    assert clinic.counts("2026-03-15", "segments.stayed") == (0, 0, 0, 0, 0)
    assert members(clinic, "stayed") == []
    clinic.stay("e2", "p2", "2026-03-16", "2026-03-17")
    assert clinic.counts("2026-03-18", "segments.stayed") == (1, 0, 0, 0, 0)
    assert members(clinic, "stayed") == ["p1"]
    with clinic.store.read() as connection:
        run = last_runs(connection, "segment")["segments.stayed"]
    assert run.as_of == 1773590400 * 10**6 - 1  # the last microsecond of 15 March in Shanghai


def test_what_is_learnt_later_changes_nothing(clinic: Hospital) -> None:
    clinic.decide("2026-03-16")
    clinic.tell("Encounter", "e1", "2026-03-17", status="entered-in-error")
    clinic.stay("e3", "p2", "2026-03-08", "2026-03-09", status="finished")
    assert members(clinic, "stayed") == ["p1"]
    assert clinic.counts("2027-06-01", "segments.stayed") == (0, 0, 1, 0, 0)
    assert members(clinic, "stayed") == ["p1"]


def test_it_is_the_same_whenever_it_is_decided_first(clinic: Hospital) -> None:
    clinic.stay("e3", "p2", "2026-03-08", "2026-03-09")
    clinic.tell("Encounter", "e1", "2026-03-17", status="entered-in-error")
    clinic.stay("e4", "p3", "2026-03-08", "2026-03-09", known="2026-03-16")
    assert clinic.counts("2026-05-01", "segments.stayed") == (2, 0, 0, 0, 0)
    assert members(clinic, "stayed") == ["p1", "p2"]


def test_another_predicate_or_day_is_another_segment(clinic: Hospital) -> None:
    clinic.decide("2026-03-18")
    clinic.strategies = own(FILE.replace("admissions_12m > 0", "visits_12m = 0"))
    assert clinic.counts("2026-03-19", "segments.stayed") == (1, 0, 0, 1, 0)
    assert members(clinic, "stayed") == ["p2"]


def test_a_member_stays_one_when_it_turns_out_to_be_somebody_else(clinic: Hospital) -> None:
    clinic.tell("Patient", "a0", "2026-03-01", gender="female")
    clinic.decide("2026-03-18")
    clinic.link("p1", "a0")
    clinic.link("a0", "a0")
    assert clinic.counts("2026-03-19", "segments.stayed")[0] == 1
    assert members(clinic, "stayed") == ["a0"]
    assert clinic.counts("2026-03-20", "segments.stayed") == (0, 0, 1, 0, 0)


def test_a_dry_run_keeps_nothing(clinic: Hospital) -> None:
    assert clinic.counts("2026-03-18", "segments.stayed", dry_run=True) == (1, 0, 0, 0, 0)
    assert members(clinic, "stayed") == []


def test_live_deciding_reads_the_profile_and_leaves_frozen_ones(clinic: Hospital) -> None:
    clinic.decide("2026-03-18")
    live = Live(clinic.store, clinic.mart, own(), timezone=ZONE, means=Means())
    clinic.tell(
        "Encounter", "e5", "2026-03-18", subject="p2", status="finished", period_start="2026-03-18T09:00:00+08:00",
        **{"class": "IMP"},
    )  # fmt: skip
    (outcome,) = live.run(1773900000 * 10**6)
    assert (outcome.name, outcome.new, outcome.error) == ("segments.seen", 1, None)
    assert members(clinic, "seen") == ["p1", "p2"] and members(clinic, "stayed") == ["p1"]
    assert clinic.counts("2026-03-20", "segments.seen") == (0, 0, 2, 0, 0)


def test_sizes_and_changes(clinic: Hospital) -> None:
    clinic.decide("2026-03-18")
    clinic.stay("e2", "p2", "2026-03-18", "2026-03-19")
    clinic.decide("2026-03-20")
    found = {row["segment"]: (row["customers"], row["change"]) for row in segment_sizes(clinic.store, clinic.mart)}
    assert found == {"seen": (2, 1), "stayed": (1, 0)}
