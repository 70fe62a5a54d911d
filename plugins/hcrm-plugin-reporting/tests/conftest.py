"""A mart in memory: the documented tables, empty, or filled with a synthetic hospital."""

import random
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from hcrm_core.api import ReportContext
from hcrm_plugin_reporting.overview import Overview

TODAY = date(2026, 5, 20)
DEPARTMENTS = (
    "心血管内科", "呼吸与危重症医学科", "骨科", "妇产科", "儿科", "神经内科",
    "普通外科", "肿瘤科", "内分泌科", "眼科", "康复医学科", "急诊科",
)  # fmt: skip
SEGMENTS = ("champions", "loyal", "potential_loyalist", "new", "at_risk", "hibernating", "lost")

Rows = dict[str, list[dict[str, Any]]]


HEARD = "said_at known_at"
TABLES: dict[str, dict[str, str]] = {
    "customer": {
        "VARCHAR": "customer_id sex",
        "INTEGER": "birth_year patients",
        "BOOLEAN": "deceased",
        "TIMESTAMP": HEARD,
    },
    "calendar": {"DATE": "day month", "INTEGER": "weekday"},
    "organization": {"VARCHAR": "organization_id code name type", "TIMESTAMP": HEARD},
    "encounter": {
        "VARCHAR": "encounter_id customer_id patient_id status class department_id",
        "DATE": "started_on ended_on",
        "TIMESTAMP": HEARD,
    },
    "appointment": {
        "VARCHAR": "appointment_id customer_id patient_id status department_id",
        "DATE": "start_on",
        "TIMESTAMP": HEARD,
    },
    "charge_item": {
        "VARCHAR": "charge_item_id customer_id patient_id encounter_id status type currency department_id",
        "BIGINT": "amount",
        "DATE": "occurred_on",
        "TIMESTAMP": HEARD,
    },
    "decision_task": {
        "VARCHAR": "task_id strategy customer_id anchor step topic state reason owner",
        "DATE": "due_on window_start window_end",
    },
    "decision_segment": {"VARCHAR": "strategy customer_id segment"},
}
"""What the report may read: of each documented table the columns its queries need, by type."""


class Mart:
    """An in-memory DuckDB with the documented tables."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.columns: dict[str, list[str]] = {}
        for name, described in TABLES.items():
            columns = {column: kind for kind, named in described.items() for column in named.split()}
            self.columns[name] = list(columns)
            listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
            self.connection.execute(f"CREATE TABLE {name} ({listed})")
        day = TODAY - timedelta(days=3653)
        days = (day + timedelta(days=n) for n in range(3653 + 731))
        self.put("calendar", [{"day": d, "weekday": d.isoweekday(), "month": d.replace(day=1)} for d in days])

    def put(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Insert rows; columns left out are NULL, a misspelt one is an error."""
        import pyarrow

        assert all(set(row) <= set(self.columns[table]) for row in rows), table
        named = list(dict.fromkeys(name for row in rows for name in row))
        given = pyarrow.table({name: [row.get(name) for row in rows] for name in named})
        self.connection.register("given", given)
        written = ", ".join(f'"{name}"' for name in named)
        self.connection.execute(f"INSERT INTO {table} ({written}) SELECT {written} FROM given")
        self.connection.unregister("given")

    def rows(self, today: date = TODAY) -> Rows:
        """What every query of the report returns."""
        given = {"today": today, "as_of": datetime(today.year, today.month, today.day, 15, 59)}
        found: Rows = {}
        for name, sql in Overview.queries.items():
            code = re.sub(r"--.*", "", sql)
            used = {key: value for key, value in given.items() if f"${key}" in code}
            # As the core does: through Arrow, where sums of BIGINT become decimals.
            found[name] = self.connection.sql(sql, params=used).to_arrow_table().to_pylist()
        return found


@pytest.fixture
def mart() -> Iterator[Mart]:
    """The tables, with nothing in them but the calendar."""
    made = Mart()
    yield made
    made.connection.close()


@pytest.fixture(scope="session")
def hospital_rows() -> Rows:
    """The report's rows over a synthetic hospital."""
    made = Mart()
    fill(made)
    rows = made.rows()
    made.connection.close()
    return rows


@pytest.fixture(scope="session")
def empty_rows() -> Rows:
    """The report's rows over no data at all."""
    return Mart().rows()


@pytest.fixture(scope="session")
def context() -> Callable[..., ReportContext]:
    """Makes a report context of a language."""

    def make(language: str, title: str = "示范医院", today: date = TODAY) -> ReportContext:
        return ReportContext(language=language, as_of=f"{today}T15:59:00Z", today=str(today), title=title)

    return make


def fill(mart: Mart, people: int = 500, seed: int = 7) -> None:
    """Five hundred customers over 24 months, with the unevenness of a real hospital."""
    dice = random.Random(seed)
    stamp = {"said_at": datetime(2026, 5, 20, 1, 30), "known_at": datetime(2026, 5, 20, 1, 31)}
    mart.put(
        "organization",
        [{"organization_id": f"d{n}", "name": name, "type": "dept", **stamp} for n, name in enumerate(DEPARTMENTS)],
    )
    customers, encounters, appointments, charges, tasks, segments = [], [], [], [], [], []
    for number in range(people):
        customer = f"c{number:04}"
        who = {"customer_id": customer, "patient_id": customer}
        age = min(96, max(0, int(dice.gauss(48, 22))))
        eager = dice.paretovariate(1.3)
        customers.append(
            {
                "customer_id": customer,
                "sex": dice.choice(["female", "female", "male", "male", "unknown"][: 4 + (number % 40 == 0)]),
                "birth_year": 2026 - age if number % 60 else None,
                "deceased": number % 83 == 0,
                "patients": 1,
                **stamp,
            }
        )
        if number % 9:
            segments.append({"strategy": "rfm", "customer_id": customer, "segment": segment_of(eager, dice)})
        for visit in range(min(40, int(3 + 3 * eager))):
            day = TODAY - timedelta(days=int(760 * dice.random() ** 1.15))
            kind = dice.choices(["AMB", "EMER", "IMP"], [78, 10, 12])[0]
            department = f"d{min(int(dice.expovariate(0.28)), 11)}"
            key = f"{customer}-{visit}"
            stay = int(dice.gammavariate(3, 2.6)) + 1 if kind == "IMP" else 0
            ended = day + timedelta(days=stay)
            encounters.append(
                {
                    **who,
                    "encounter_id": key,
                    "status": "finished" if ended <= TODAY else "in-progress",
                    "class": kind,
                    "started_on": day,
                    "ended_on": ended if ended <= TODAY else None,
                    "department_id": department,
                    **stamp,
                }
            )
            charges.append(
                {
                    **who,
                    "charge_item_id": key,
                    "encounter_id": key,
                    "status": "billed",
                    "type": "CG",
                    "amount": int(dice.lognormvariate(10.2 if kind != "IMP" else 13.2, 0.8)),
                    "currency": "CNY",
                    "occurred_on": day,
                    "department_id": department,
                    **stamp,
                }
            )
            if kind == "AMB" and dice.random() < 0.6:
                status = "noshow" if dice.random() < 0.09 else "fulfilled"
                booked = {"appointment_id": key, "status": status, "start_on": day, "department_id": department}
                appointments.append({**who, **booked, **stamp})
            if kind == "IMP" and ended <= TODAY and dice.random() < 0.97:
                tasks += followups(who["customer_id"], key, ended, dice)
    for table, rows in (
        ("customer", customers),
        ("encounter", encounters),
        ("appointment", appointments),
        ("charge_item", charges),
        ("decision_task", tasks),
        ("decision_segment", segments),
    ):
        mart.put(table, rows)


def segment_of(eager: float, dice: random.Random) -> str:
    """Eager customers are champions; the others fall where they may."""
    return "champions" if eager > 4 else "loyal" if eager > 2.4 else dice.choice(SEGMENTS[2:])


def followups(customer: str, anchor: str, ended: date, dice: random.Random) -> list[dict[str, Any]]:
    """The three calls after a discharge."""
    reason = dice.choice(["deceased", "transferred", "readmitted", "no_consent"]) if dice.random() < 0.12 else None
    made = []
    for step, after in (("day3", 3), ("day7", 7), ("day30", 30)):
        due = ended + timedelta(days=after)
        state = "open"
        if reason:
            state = "suppressed"
        elif due < TODAY:
            state = dice.choices(["completed", "expired", "open", "withdrawn"], [80, 9, 7, 4])[0]
        made.append(
            {
                "task_id": f"{anchor}-{step}",
                "strategy": "followup.discharge",
                "customer_id": customer,
                "anchor": anchor,
                "step": step,
                "topic": "discharge",
                "state": state,
                "reason": reason,
                "due_on": due,
                "window_start": due - timedelta(days=1),
                "window_end": due + timedelta(days=2),
                "owner": "ward",
            }
        )
    return made
