"""The table `customer_profile`: figures computed by hand, the check it passes like any other SELECT, and edges."""

from datetime import date
from typing import Any

import duckdb
import pytest

from hcrm_core.mart.check import check
from hcrm_core.mart.columns import schema
from hcrm_core.mart.contract import described
from hcrm_core.mart.profile import MADE_OF, NAME, profile_on, profile_sql

TODAY = date(2026, 3, 1)


class Tables:
    """The tables it is made of, filled by hand."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(":memory:")
        for name in MADE_OF:
            listed = ", ".join(f'"{column}" {kind}' for column, kind in schema()[name].items())
            self.connection.execute(f"CREATE TABLE {name} ({listed})")
        self._rows = 0

    def add(self, table: str, **values: Any) -> None:
        self._rows += 1
        if table != "customer":
            values = {f"{table}_id": f"{table[0]}{self._rows:03d}", "customer_id": "c"} | values
        if table == "organization":
            values.pop("customer_id")
        named = ", ".join(f'"{name}"' for name in values)
        self.connection.execute(
            f"INSERT INTO {table} ({named}) VALUES ({', '.join('?' * len(values))})", list(values.values())
        )

    def visit(self, day: str, kind: str = "AMB", **more: Any) -> None:
        self.add("encounter", **({"class": kind, "status": "finished", "started_on": day} | more))

    def charge(self, day: str, amount: int, **more: Any) -> None:
        self.add("charge_item", **({"occurred_on": day, "amount": amount, "currency": "CNY", "type": "CG"} | more))

    def profile(self, today: date = TODAY) -> dict[str, dict[str, Any]]:
        rows = self.connection.sql(profile_on(today)).to_arrow_table().to_pylist()
        found = {row["customer_id"]: row for row in rows}
        assert len(found) == len(rows)
        return found


@pytest.fixture
def tables() -> Tables:
    made = Tables()
    made.add("customer", customer_id="c", sex="female", birth_year=1960)
    return made


def test_it_is_one_select_of_allowed_parts() -> None:
    checked = check(profile_sql(), name=NAME, tables=MADE_OF)
    assert checked.tables == set(MADE_OF) and checked.parameters == {"today"}
    found = described(NAME, checked.sql, {"today": TODAY})
    assert list(found) == list(schema()[NAME])
    wide = {kind: {kind} for kind in ("VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN", "VARCHAR[]")}
    wide |= {"INTEGER": {"INTEGER", "BIGINT"}, "BIGINT": {"INTEGER", "BIGINT", "HUGEINT"}}
    assert {name: found[name] for name, kind in schema()[NAME].items() if found[name] not in wide[kind]} == {}


def test_who_never_came_has_a_row(tables: Tables) -> None:
    row = tables.profile()["c"]
    assert (row["age"], row["today"], row["sex"]) == (66, TODAY, "female")
    counted = ("visits", "visits_12m", "admissions_12m", "emergencies_12m", "no_shows_12m", "revenue_12m")
    assert [row[name] for name in (*counted, "chronic_conditions")] == [0] * 7
    assert (row["in_hospital"], row["hypertension"], row["diabetes"]) == (False, False, False)
    assert row["last_visit_on"] is row["days_since_last_visit"] is row["last_visit_id"] is row["currency"] is None


def test_visits(tables: Tables) -> None:
    tables.add("organization", organization_id="ward", code="W1", name="儿科")
    tables.visit("2025-03-01", encounter_id="old")
    tables.visit("2025-03-02", "EMER", department_id="ward", payer_class="self")
    tables.visit("2026-02-26", "IMP", ended_on="2026-02-28", encounter_id="stay", payer_class="basic")
    tables.visit("2026-02-27", status="cancelled")
    tables.visit("2026-03-02", status="planned")
    tables.visit("2026-03-02")
    tables.visit("2026-02-01", customer_id=None)
    row = tables.profile()["c"]
    assert (row["visits"], row["visits_12m"], row["admissions_12m"], row["emergencies_12m"]) == (3, 2, 1, 1)
    assert (row["first_visit_on"], row["first_visit_id"]) == (date(2025, 3, 1), "old")
    assert (row["last_visit_on"], row["last_visit_id"], row["days_since_last_visit"]) == (date(2026, 2, 26), "stay", 3)
    assert (row["last_admission_on"], row["last_discharge_on"]) == (date(2026, 2, 26), date(2026, 2, 28))
    assert (row["last_department_id"], row["last_department"], row["payer_class"]) == ("ward", "儿科", "basic")
    assert not row["in_hospital"]
    tables.visit("2026-03-01", "IMP", status="in-progress", ended_on="2026-03-09")
    row = tables.profile()["c"]
    assert row["in_hospital"] and row["last_discharge_on"] == date(2026, 2, 28)


def test_of_two_visits_of_a_day_the_later_is_the_last(tables: Tables) -> None:
    tables.visit("2026-02-01", encounter_id="a", started_at="2026-02-01 09:30:00", department_id="ward")
    tables.visit("2026-02-01", encounter_id="b", started_at="2026-02-01 02:30:00.5", department_id="clinic")
    tables.visit("2026-02-01", encounter_id="z")
    row = tables.profile()["c"]
    assert (row["first_visit_id"], row["last_visit_id"], row["last_department_id"]) == ("z", "a", "ward")


@pytest.mark.parametrize("last", ["2026-02-28", "2024-02-29", "2024-03-01", "1999-12-31", "1900-01-01", "2026-03-01"])
@pytest.mark.parametrize("today", ["2026-03-01", "2028-02-29", "2100-03-01"])
def test_days_are_counted_exactly(tables: Tables, last: str, today: str) -> None:
    tables.visit(last)
    found = tables.profile(date.fromisoformat(today))["c"]["days_since_last_visit"]
    assert found == (date.fromisoformat(today) - date.fromisoformat(last)).days


def test_revenue_is_of_one_currency(tables: Tables) -> None:
    tables.charge("2025-03-01", 9_000)
    tables.charge("2025-03-02", 100, charge_item_id="first")
    tables.charge("2026-02-01", 500, charge_item_id="last")
    tables.charge("2026-01-01", 50, type="CD")
    tables.charge("2026-01-01", -20, type="CD")
    tables.charge("2026-01-01", 700, type="PY")
    tables.charge("2026-01-01", 700, status="aborted")
    tables.charge("2026-02-02", 1_000_000, currency="USD")
    row = tables.profile()["c"]
    assert (row["revenue_12m"], row["currency"], row["last_charge_id"]) == (530, "CNY", "last")


def test_bookings_and_diagnoses(tables: Tables) -> None:
    tables.add("appointment", status="noshow", start_on="2025-12-01", appointment_id="missed")
    tables.add("appointment", status="noshow", start_on="2025-01-01")
    tables.add("appointment", status="booked", start_on="2026-03-20")
    tables.add("appointment", status="booked", start_on="2026-03-01", appointment_id="next")
    tables.add("appointment", status="cancelled", start_on="2026-03-01")
    for code, day in {"I10.x00": "2020-01-01", "E11.9": None, "I25": "2021-01-01", "I16": None, "J06.9": None}.items():
        tables.add("condition", code=code, recorded_on=day, condition_id=code)
    row = tables.profile()["c"]
    assert (row["no_shows_12m"], row["last_no_show_id"]) == (1, "missed")
    assert (row["next_appointment_on"], row["next_appointment_id"]) == (date(2026, 3, 1), "next")
    assert (row["hypertension"], row["diabetes"], row["chronic_conditions"]) == (True, True, 3)
    assert row["last_chronic_id"] == "I25"
