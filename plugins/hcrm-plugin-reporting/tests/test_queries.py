"""The queries: one SELECT each, over documented tables only, right on small numbers done by hand."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from hcrm_core.api import ReportContext
from hcrm_plugin_reporting.facts import Facts
from hcrm_plugin_reporting.overview import Overview
from hcrm_plugin_reporting.sections.concentration import spread

PORTABLE = {"and", "or", "case", "if", "cast", "coalesce", "count", "max", "min", "ntile", "row_number", "sum"}
"""Functions on which engines agree."""


@pytest.mark.parametrize("name", Overview.queries)
def test_is_one_ordered_select_over_documented_tables(name: str, mart: Any) -> None:
    (statement,) = sqlglot.parse(Overview.queries[name], dialect="duckdb")
    assert isinstance(statement, exp.Select)
    assert statement.args.get("order"), "rows must come in one order"
    defined = {cte.alias for cte in statement.find_all(exp.CTE)}
    read = {table.name for table in statement.find_all(exp.Table)} - defined
    assert read <= set(Overview.tables) <= set(mart.columns)
    assert {function.sql_name().lower() for function in statement.find_all(exp.Func)} <= PORTABLE
    assert {p.name for p in statement.find_all(exp.Parameter)} <= {"as_of", "today"}


def test_every_declared_table_is_read() -> None:
    read = {
        t.name
        for sql in Overview.queries.values()
        for t in sqlglot.parse_one(sql, dialect="duckdb").find_all(exp.Table)
    }
    assert set(Overview.tables) <= read


def test_run_on_empty_tables(empty_rows: dict[str, list[Any]]) -> None:
    assert len(empty_rows["figures"]) == len(empty_rows["tasks"]) == len(empty_rows["followup"]) == 1
    assert len(empty_rows["months"]) == 25
    assert not empty_rows["revenue"] and not empty_rows["lorenz"] and not empty_rows["departments"]


def charge(customer: str, amount: int, **more: Any) -> dict[str, Any]:
    line = {"type": "CG", "currency": "CNY", "occurred_on": date(2026, 5, 1)}
    return {"charge_item_id": f"{customer}{amount}{more}", "customer_id": customer, "amount": amount, **line, **more}


def test_concentration_of_the_80_20_fixture_is_exact(mart: Any, context: Callable[..., ReportContext]) -> None:
    mart.put("charge_item", [charge(f"c{n}", 40_000 if n < 2 else 2_500) for n in range(10)])
    measured = spread(Facts(mart.rows(), context("en")))
    assert measured is not None
    assert (measured.customers, measured.revenue) == (10, 100_000)
    assert (measured.top_customers, measured.top_revenue) == (2, 80_000)
    assert measured.most_customers == 2
    assert measured.gini * 10 == 6


def test_an_even_spread_has_no_gini(mart: Any, context: Callable[..., ReportContext]) -> None:
    mart.put("charge_item", [charge(f"c{n}", 700) for n in range(7)])
    measured = spread(Facts(mart.rows(), context("en")))
    assert measured is not None
    assert measured.gini == 0
    assert (measured.top_customers, measured.most_customers) == (2, 6)


def test_revenue_is_charges_less_credits_in_one_currency(mart: Any, context: Callable[..., ReportContext]) -> None:
    mart.put(
        "charge_item",
        [
            charge("a", 10_000),
            charge("a", 1_000, type="CD"),
            charge("a", -500, type="CD"),
            charge("b", 8_500, type="PY"),
            charge("b", 9_999, status="aborted"),
            charge("b", 7_777, occurred_on=date(2025, 5, 20)),
            charge("c", 100, occurred_on=date(2025, 5, 21)),
            charge("d", 4_200, currency="USD"),
        ],
    )
    facts = Facts(mart.rows(), context("en"))
    assert facts.currency == "CNY"
    assert [(row["currency"], int(row["revenue"])) for row in facts.rows["revenue"]] == [("CNY", 8_600), ("USD", 4_200)]


def test_length_of_stay_and_no_shows(mart: Any) -> None:
    stay = {"customer_id": "a", "class": "IMP", "status": "finished", "department_id": "d"}
    mart.put("customer", [{"customer_id": "a"}])
    mart.put(
        "encounter",
        [
            {"encounter_id": "1", **stay, "started_on": date(2026, 2, 27), "ended_on": date(2026, 3, 2)},
            {"encounter_id": "2", **stay, "started_on": date(2026, 3, 5), "ended_on": date(2026, 3, 5)},
            {"encounter_id": "3", **stay, "ended_on": date(2026, 3, 6)},
            {"encounter_id": "4", **stay, "started_on": date(2026, 3, 6), "status": "cancelled"},
            {"encounter_id": "5", **stay, "started_on": date(2026, 3, 7), "class": "AMB"},
        ],
    )
    mart.put(
        "appointment",
        [
            {"appointment_id": str(n), "customer_id": "a", "status": status, "start_on": date(2026, 3, 1)}
            for n, status in enumerate(["noshow", "fulfilled", "arrived", "fulfilled", "booked", "cancelled"])
        ],
    )
    rows = mart.rows()
    (year,) = rows["figures"]
    assert (year["admissions"], year["discharges"], year["stays"], year["stay_days"]) == (2, 3, 2, 3)
    assert (year["visits"], year["active"]) == (1, 1)
    assert (year["noshows"], year["appointments"]) == (1, 4)
    assert year["first_day"] == date(2025, 5, 21)
    march = next(row for row in rows["months"] if row["month"] == date(2026, 3, 1))
    assert (march["admissions"], march["discharges"], march["stay_days"]) == (1, 3, 3)


def test_figures_of_tasks(mart: Any) -> None:
    def task(due: date, state: str = "open", strategy: str = "followup.discharge", **more: Any) -> dict[str, Any]:
        return {"task_id": f"{due}{state}{strategy}", "strategy": strategy, "state": state, "due_on": due, **more}

    mart.put(
        "decision_task",
        [
            task(date(2026, 5, 17)),
            task(date(2026, 5, 18), window_end=date(2026, 5, 22)),
            task(date(2026, 5, 24)),
            task(date(2026, 5, 25), step="3d"),
            task(date(2026, 6, 18), step="7d"),
            task(date(2026, 6, 19)),
            task(date(2026, 5, 21), state="completed"),
            task(date(2026, 5, 21), strategy="warmth"),
        ],
    )
    rows = mart.rows()
    assert rows["tasks"] == [{"tasks": 7, "open": 6, "this_week": 2, "overdue": 1}]
    assert [row["due_on"].day for row in rows["workload"]] == [24, 25, 18]


def test_the_funnel_adds_up(hospital_rows: dict[str, list[Any]]) -> None:
    (row,) = hospital_rows["followup"]
    assert row["discharges"] == row["tasked"] + row["reasoned"] + row["untracked"] > 0
    stages = {stage["stage"] for stage in hospital_rows["followup_stages"]}
    assert stages == {"suppressed", "withdrawn", "completed", "expired", "overdue", "due", "later"}
    tasks = sum(stage["tasks"] for stage in hospital_rows["followup_stages"])
    assert tasks == 3 * (row["discharges"] - row["untracked"])


def test_parts_equal_the_whole(hospital_rows: dict[str, list[Any]]) -> None:
    (revenue,) = hospital_rows["revenue"]
    (measured,) = hospital_rows["concentration"]
    assert sum(row["revenue"] for row in hospital_rows["lorenz"]) == measured["revenue"] == revenue["revenue"]
    assert sum(row["customers"] for row in hospital_rows["lorenz"]) == measured["customers"]
    assert sum(row["revenue"] for row in hospital_rows["department_revenue"]) == revenue["revenue"]
    (year,) = hospital_rows["figures"]
    assert sum(row["visits"] for row in hospital_rows["departments"]) == year["visits"]
    assert sum(row["discharges"] for row in hospital_rows["departments"]) == year["discharges"]


def test_a_month_is_over_on_its_last_day(mart: Any, context: Callable[..., ReportContext]) -> None:
    visit = {"customer_id": "a", "class": "AMB", "status": "finished"}
    days = [date(2026, 3, 9), date(2026, 5, 2)]
    mart.put("encounter", [{"encounter_id": str(day), **visit, "started_on": day} for day in days])
    for today, full in ((date(2026, 5, 30), 2), (date(2026, 5, 31), 3)):
        facts = Facts(mart.rows(today), context("en", today=today))
        assert [month.visits for month in facts.months] == [1, 0, 1], "months before the first with data are left out"
        assert len(facts.full_months) == full
