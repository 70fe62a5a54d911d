"""Segments and scores through real runs: outcomes, snapshots, dry runs, dependents, failures, reports."""

from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from hcrm_core.decide.run import run_report_queries
from hcrm_core.errors import StrategyError, UsageError
from hcrm_core.model.reports import Report
from hcrm_core.model.strategies import Strategy

Hospital = Any


def visit(hospital: Hospital, fact_id: str, patient: str, day: str, amount: int) -> None:
    start = f"{day}T09:00:00+08:00"
    hospital.tell("Encounter", fact_id, day, subject=patient, status="finished", period_start=start, **{"class": "AMB"})
    hospital.tell(
        "ChargeItem", f"c-{fact_id}", day, subject=patient, type="CG", occurrence=start,
        price={"amount": amount, "currency": "CNY"},
    )  # fmt: skip


@pytest.fixture
def clinic(hospital: Hospital) -> Hospital:
    for number in range(5):
        hospital.tell("Patient", f"x{number}", gender="male")
        visit(hospital, f"v{number}", f"x{number}", f"2026-01-0{number + 1}", 100 * (number + 1))
    return hospital


def test_runs_are_compared_with_the_run_before(clinic: Hospital) -> None:
    assert clinic.counts("2026-03-11", "pareto") == (5, 0, 0, 0, 0)
    assert clinic.counts("2026-03-11", "pareto") == (0, 0, 5, 0, 0)
    visit(clinic, "v9", "x0", "2026-03-11", 5_000)
    assert clinic.counts("2026-03-12", "pareto", dry_run=True) == (0, 5, 0, 0, 0)
    assert clinic.counts("2026-03-12", "pareto") == (0, 5, 0, 0, 0)
    clinic.tell("ChargeItem", "c-v4", "2026-03-12", status="entered-in-error")
    assert clinic.counts("2026-03-12", "pareto")[3] == 1
    snapshots = sorted(path.name for path in (clinic.mart / "decisions" / "pareto").iterdir())
    assert len(snapshots) == 2
    assert not (clinic.mart / "preview").exists()


def reader(name: str, sql: str, **more: Any) -> Strategy:
    return Strategy(name=name, version="1", kind="score", scope="all", tables=("decision_segment",), sql=sql, **more)


READER = reader(
    "reader",
    "SELECT customer_id AS subject, segment AS score, recency_days AS value, "
    "['customer/' || customer_id || '#sex'] AS evidence FROM decision_segment WHERE strategy = 'rfm'",
    reads=("rfm",),
)


def test_a_strategy_reads_what_another_decided_in_the_same_run(clinic: Hospital) -> None:
    clinic.strategies.insert(0, READER)
    assert clinic.decide("2026-03-11", dry_run=True)["reader"].new == 6
    outcomes = clinic.decide("2026-03-11")
    assert list(outcomes)[-2:] == ["followup.discharge", "reader"] or list(outcomes).index("rfm") < list(
        outcomes
    ).index("reader")
    assert outcomes["reader"].new == outcomes["rfm"].new == 6


def test_one_failure_is_reported_and_spares_the_rest(clinic: Hospital) -> None:
    broken = replace(clinic.strategies[0], sql="SELECT customer_id FROM encounter")
    clinic.strategies = [READER, broken, *clinic.strategies[1:]]
    outcomes = clinic.decide("2026-03-11")
    assert "rfm: a segment needs the column subject" in outcomes["rfm"].error
    assert outcomes["reader"].error == "reader was not run, since it reads rfm, which failed."
    assert outcomes["pareto"].error is None and outcomes["pareto"].new == 5
    with pytest.raises(StrategyError, match="rfm"):
        clinic.decide("2026-03-11", stop_on_error=True)
    with pytest.raises(UsageError, match="Did you mean 'rfm'"):
        clinic.decide("2026-03-11", "rmf")


def test_a_strategy_that_is_not_run_loses_nothing(clinic: Hospital) -> None:
    clinic.decide("2026-03-11")
    clinic.strategies = [strategy for strategy in clinic.strategies if strategy.name == "pareto"]
    assert clinic.decide("2026-03-11")["pareto"].unchanged == 5
    assert {row.state for row in clinic.tasks().values()} == {"open"}
    assert (clinic.mart / "decisions" / "rfm").exists()


class Members(Report):
    """How many members each segment has, and how many tasks there are."""

    name: ClassVar[str] = "members"
    tables: ClassVar[tuple[str, ...]] = ("decision_segment", "decision_task", "customer")
    queries: ClassVar[dict[str, str]] = {
        "segments": "SELECT strategy, count(*) AS members FROM decision_segment GROUP BY strategy ORDER BY strategy",
        "tasks": "SELECT state, count(*) AS tasks, $today AS today FROM decision_task GROUP BY state ORDER BY state",
    }

    def render(self, rows: Any, context: Any) -> bytes:
        return b""


def test_report_queries(clinic: Hospital) -> None:
    import datetime

    clinic.decide("2026-03-11")
    now = 1773230400 * 10**6
    tables = run_report_queries(clinic.store, clinic.mart, Members, now_us=now, timezone="Asia/Shanghai")
    found = {name: table.to_pylist() for name, table in tables.items()}
    assert found == {
        "segments": [{"strategy": "rfm", "members": 6}],
        "tasks": [{"state": "open", "tasks": 3, "today": datetime.date(2026, 3, 11)}],
    }
