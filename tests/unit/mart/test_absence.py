"""A SELECT taken apart, and the place in it where a customer's rows end."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hcrm_core.mart.absence import Absence
from hcrm_core.mart.anatomy import anatomy
from hcrm_core.mart.engine import open_mart
from hcrm_core.model.absence import Cause

SOURCES = """
WITH visit AS (SELECT customer_id AS whose, encounter_id, started_on FROM encounter),
numbered AS (SELECT day, row_number() OVER (ORDER BY day) AS number FROM calendar),
latest(person, at) AS (SELECT whose, max(started_on) FROM visit GROUP BY whose),
dated AS (
  SELECT latest.*, place.number FROM latest JOIN numbered AS place ON place.day = latest.at
  LEFT JOIN (SELECT customer_id FROM coverage) AS covered ON covered.customer_id = latest.person
)
SELECT person AS subject FROM dated
UNION ALL
SELECT * FROM (WITH inner_one AS (SELECT customer_id AS subject FROM charge_item) SELECT subject FROM inner_one)
"""


def test_steps_sources_and_owners() -> None:
    steps = {step.name: step for step in anatomy(SOURCES).walk()}
    assert {name: step.owner for name, step in steps.items()} == {
        "visit": "whose", "numbered": None, "latest": "person", "covered in dated": "customer_id", "dated": "person",
        "part 1": "subject", "inner_one of part 2": "subject", "part 2": "subject",
        "the result": "subject",
    }  # fmt: skip
    assert [(one.name, one.needed) for one in steps["dated"].sources] == [
        ("latest", True), ("numbered", True), ("covered in dated", False),
    ]  # fmt: skip
    assert [name for name, step in steps.items() if step.named] == [
        "visit", "numbered", "latest", "dated", "inner_one of part 2",
    ]  # fmt: skip


@pytest.fixture
def why(mart: Path, publish: Callable[..., Any]) -> Callable[..., list[Cause]]:
    """SQL and parameters → why it has no row about the customer c1."""
    publish(
        ("p1", "Patient", "c1", "p1", {"gender": "female"}),
        ("e1", "Encounter", "c1", "p1", {"class": "AMB", "status": "finished", "period_start": "2026-03-01"}),
        ("e2", "Encounter", "c1", "p1", {"class": "AMB", "status": "planned", "period_start": "2026-03-02"}),
        ("e3", "Encounter", "c1", "p1", {"class": "急诊", "status": "finished", "period_start": "1950-03-02"}),
        ("i1", "ChargeItem", "c1", "p1", {"encounter": "e1", "price": {"amount": 500, "currency": "CNY"}}),
        ("p2", "Patient", "c2", "p2", {"gender": "male"}),
        ("e4", "Encounter", "c2", "p2", {"class": "IMP", "status": "finished", "period_start": "2026-03-01"}),
        ("v2", "Coverage", "c2", "p2", {"plan": {"code": "SELF"}}),
    )

    def ask(sql: str, **values: object) -> list[Cause]:
        with open_mart(mart) as opened:
            absence = Absence(opened, "s", sql, values, "c1")
            assert absence.rows(absence.result) == 0
            return absence.causes()

    return ask


def test_predicates_are_counted_one_by_one(why: Callable[..., list[Cause]]) -> None:
    (cause,) = why(
        "WITH stay AS (SELECT * FROM encounter WHERE customer_id IS NOT NULL AND (class = $class AND "
        "status = 'finished')) SELECT customer_id AS subject FROM stay",
        **{"class": "IMP"},
    )
    assert (cause.step, cause.at, cause.of, cause.rows) == ("stay", "where", "encounter", 3)
    assert [(one.predicate, one.fulfilled) for one in cause.checks] == [
        ("customer_id IS NOT NULL", 3), ("class = $class", 0), ("status = 'finished'", 2),
    ]  # fmt: skip
    assert cause.checks[1].parameters == {"class": "IMP"}
    assert [(one.values, one.rows) for one in cause.checks[1].failed] == [({"class": "AMB"}, 2), ({"class": "急诊"}, 1)]
    assert [(one.values, one.rows) for one in cause.checks[2].failed] == [({"status": "planned"}, 1)]
    assert cause.nearest == ()


def test_the_rows_that_come_nearest(why: Callable[..., list[Cause]]) -> None:
    (cause,) = why(
        "SELECT customer_id AS subject FROM encounter WHERE class = '急诊' AND status = 'finished' "
        "AND started_on > DATE '2000-01-01'"
    )
    assert cause.step == "the result" and all(check.fulfilled for check in cause.checks)
    assert {near.fails: near.values for near in cause.nearest} == {
        ("class = '急诊'",): {"class": "AMB"},
        ("started_on > CAST('2000-01-01' AS DATE)",): {"started_on": date(1950, 3, 2)},
    }


def test_a_table_without_the_customer_and_one_without_anybody(why: Callable[..., list[Cause]]) -> None:
    (cause,) = why("WITH plan AS (SELECT * FROM coverage) SELECT customer_id AS subject FROM plan")
    assert (cause.step, cause.at, cause.of) == ("plan", "table", "coverage")
    (cause,) = why("SELECT e.customer_id AS subject FROM encounter AS e CROSS JOIN organization AS o")
    assert (cause.at, cause.of) == ("empty", "organization")


def test_a_join_without_partner(why: Callable[..., list[Cause]]) -> None:
    (cause,) = why(
        "WITH item AS (SELECT customer_id, encounter_id FROM charge_item), "
        "stay AS (SELECT customer_id, encounter_id AS id, status FROM encounter) "
        "SELECT item.customer_id AS subject FROM item "
        "JOIN stay ON stay.id = item.encounter_id AND stay.status = 'cancelled'"
    )
    assert (cause.at, cause.of, cause.rows) == ("join", "stay", 1)
    assert [(one.predicate, one.fulfilled) for one in cause.checks] == [
        ("stay.id = item.encounter_id", 1), ("stay.status = 'cancelled'", 0),
    ]  # fmt: skip
    assert [(look.step, look.rows) for look in cause.after] == [("item", 1), ("stay", 3)]


def test_a_join_whose_first_side_is_nobodys(why: Callable[..., list[Cause]]) -> None:
    sql = "SELECT i.customer_id AS subject FROM calendar AS d JOIN charge_item AS i ON d.day = i.occurred_on"
    (cause,) = why(sql)
    assert (cause.at, cause.of, cause.rows) == ("join", "d (calendar)", 1)
    assert [(one.values, one.rows) for one in cause.checks[0].failed] == [({"i.occurred_on": None}, 1)]
    (cause,) = why("SELECT customer_id AS subject FROM encounter JOIN calendar USING (day)".replace(
        "encounter", "(SELECT customer_id, ended_on AS day FROM encounter) AS e"
    ))  # fmt: skip
    assert (cause.at, cause.of) == ("join", "calendar") and cause.checks[0].fulfilled == 0


def test_groups_and_windows_see_everybody(why: Callable[..., list[Cause]]) -> None:
    (cause,) = why(
        "SELECT customer_id AS subject FROM encounter GROUP BY customer_id HAVING count(*) > $least", least=3
    )
    assert (cause.at, cause.rows) == ("having", 1)
    assert [(one.values, one.rows) for one in cause.checks[0].failed] == [({"COUNT(*)": 3}, 1)]
    (cause,) = why(
        "SELECT customer_id AS subject, row_number() OVER (ORDER BY encounter_id DESC) AS place FROM encounter "
        "QUALIFY place = 1"
    )
    assert (cause.at, cause.rows) == ("qualify", 3) and cause.checks[0].failed[0].values == {"place": 2}
    (cause,) = why("SELECT customer_id AS subject FROM encounter ORDER BY encounter_id DESC LIMIT 1")
    assert (cause.at, cause.rows) == ("limit", 3)
    (cause,) = why(
        "WITH placed AS (SELECT customer_id, row_number() OVER (ORDER BY encounter_id DESC) AS place FROM encounter) "
        "SELECT customer_id AS subject FROM placed WHERE place = 1"
    )
    assert [one.values for one in cause.checks[0].failed] == [{"place": 2}, {"place": 3}, {"place": 4}]


def test_each_part_of_a_union_and_what_others_take_away(why: Callable[..., list[Cause]]) -> None:
    parts = why(
        "SELECT customer_id AS subject FROM coverage UNION ALL "
        "SELECT * FROM (WITH a AS (SELECT customer_id AS subject FROM charge_item WHERE amount > 500) SELECT * FROM a)"
    )
    assert [(cause.step, cause.at) for cause in parts] == [("part 1", "table"), ("a of part 2", "where")]
    (cause,) = why("SELECT customer_id AS subject FROM encounter EXCEPT SELECT customer_id FROM charge_item")
    assert (cause.at, cause.of, cause.rows) == ("except", "part 2", 3)
    (cause,) = why("SELECT customer_id AS subject FROM encounter INTERSECT SELECT customer_id FROM coverage")
    assert (cause.step, cause.at, cause.of) == ("part 2", "table", "coverage")


def test_parts_are_called_by_what_they_decide(why: Callable[..., list[Cause]]) -> None:
    one = "SELECT * FROM (WITH a AS (SELECT * FROM coverage) SELECT customer_id AS subject, '体检' AS step FROM a)"
    other = "SELECT customer_id, 'other' AS step FROM coverage"
    assert [cause.step for cause in why(f"{one} UNION ALL {other}")] == ["a of '体检'", "'other'"]


def test_rows_that_are_found_by_a_facts_id(why: Callable[..., list[Cause]]) -> None:
    (cause,) = why(
        "WITH chosen AS (SELECT charge_item_id FROM charge_item WHERE amount > 500) "
        "SELECT charge_item.customer_id AS subject FROM charge_item "
        "JOIN chosen ON chosen.charge_item_id = charge_item.charge_item_id"
    )
    assert (cause.step, cause.at, cause.rows) == ("chosen", "where", 1)
    assert cause.checks[0].failed[0].values == {"amount": 500}


def test_what_nobody_can_tell_is_said(why: Callable[..., list[Cause]]) -> None:
    (cause,) = why("SELECT 'c' || sex AS subject FROM customer")
    assert (cause.step, cause.at) == ("the result", "unknown")
    (cause,) = why(
        "SELECT customer_id AS subject FROM encounter WHERE customer_id IN (SELECT customer_id FROM coverage)"
    )
    assert cause.checks[0].fulfilled == 0 and cause.checks[0].failed[0].values == {"customer_id": "c1"}


def test_a_predicate_that_names_a_column_of_the_list(why: Callable[..., list[Cause]]) -> None:
    (cause,) = why("SELECT customer_id AS subject, amount // 100 AS yuan FROM charge_item WHERE yuan > 5")
    assert cause.checks[0].failed[0].values == {"yuan": 5}
