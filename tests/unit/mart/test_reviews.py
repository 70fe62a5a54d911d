"""Reviews: what they refuse and remark upon, and how they fail."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hcrm_core.errors import StrategyError
from hcrm_core.mart.contract import check_strategy, evaluate
from hcrm_core.mart.engine import Mart, open_mart
from hcrm_core.mart.reviews import apply_review, check_review, looks_at
from hcrm_core.model.reviews import Review
from hcrm_core.model.strategies import Strategy

TASKS = Strategy(
    name="tasks",
    version="1",
    kind="task",
    scope="subject",
    tables=("customer",),
    sql="SELECT customer_id AS subject, customer_id AS anchor, 'x' AS step, 0 AS occurrence, 't' AS topic, "
    "$today AS due_on, $today AS window_start, $today AS window_end, 'o' AS owner, 'call' AS channel, "
    "NULL AS form, NULL AS suppressed, ['customer/' || customer_id || '#sex'] AS evidence FROM customer",
)
SEGMENTS = replace(
    TASKS,
    name="segments",
    kind="segment",
    sql="SELECT customer_id AS subject, 's' AS segment, ['customer/' || customer_id || '#sex'] AS evidence "
    "FROM customer",
)
MEN = Review(
    name="men",
    version="1",
    kind="task",
    tables=("customer",),
    sql="SELECT d.anchor, d.step, d.occurrence, $verdict AS verdict, 'a man' AS reason FROM decided AS d "
    "JOIN customer ON customer.customer_id = d.subject WHERE customer.sex = 'male'",
    parameters={"verdict": "refuse"},
)


@pytest.fixture
def people(mart: Path, publish: Callable[..., Any]) -> Iterator[Mart]:
    publish(("p1", "Patient", "c1", "p1", {"gender": "male"}), ("p2", "Patient", "c2", "p2", {"gender": "female"}))
    with open_mart(mart) as opened:
        yield opened


def reviewed(mart: Mart, strategy: Strategy, *reviews: Review) -> list[dict[str, Any]]:
    today = date(2026, 3, 10)
    decided = evaluate(mart, strategy, check_strategy(strategy), as_of_us=1, today=today)
    for review in reviews:
        decided = apply_review(mart, decided, review, check_review(review), as_of_us=1, today=today)
    rows: list[dict[str, Any]] = mart.query("SELECT * FROM decided ORDER BY subject", {}, name="t").to_pylist()
    assert len(rows) == decided.rows
    return rows


def test_a_refused_task_is_suppressed_with_the_review_s_reason(people: Mart) -> None:
    assert [row["suppressed"] for row in reviewed(people, TASKS, MEN)] == ["men: a man", None]


def test_the_first_refusal_is_kept_and_a_reason_of_the_strategy_s_own_stays(people: Mart) -> None:
    again = replace(MEN, name="again", sql=MEN.sql.partition(" JOIN")[0])
    assert [row["suppressed"] for row in reviewed(people, TASKS, MEN, again)] == ["men: a man", "again: a man"]
    own = replace(TASKS, sql=TASKS.sql.replace("NULL AS suppressed", "'own' AS suppressed"))
    assert [row["suppressed"] for row in reviewed(people, own, MEN)] == ["own", "own"]


def test_a_refused_segment_is_left_out(people: Mart) -> None:
    sql = MEN.sql.replace("d.anchor, d.step, d.occurrence", "d.subject, d.segment")
    assert [row["subject"] for row in reviewed(people, SEGMENTS, replace(MEN, kind="segment", sql=sql))] == ["c2"]


def test_remarks_are_kept_and_refuse_nothing(people: Mart) -> None:
    remark = replace(MEN, parameters={"verdict": "remark"})
    rows = reviewed(people, TASKS, remark, replace(remark, name="too"))
    assert [(row["suppressed"], row["remarks"]) for row in rows] == [(None, "men: a man; too: a man"), (None, None)]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sql": "SELECT anchor, step, occurrence, 'refuse' AS verdict FROM decided"}, "needs the column reason"),
        ({"sql": "SELECT anchor, 'refuse' AS verdict, 'r' AS reason FROM decided"}, "needs the column step"),
        ({"tables": ()}, "it reads customer, which it does not declare"),
        ({"sql": "DELETE FROM decided"}, "must be exactly one SELECT"),
        ({"sql": MEN.sql.replace("d.anchor,", "1 AS anchor,")}, "the column anchor is INTEGER. Cast it to VARCHAR."),
        ({"sql": MEN.sql + " AND d.more = 1"}, "more"),
    ],
)
def test_a_review_that_breaks_the_contract_is_named(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(StrategyError, match=r"^men") as raised:
        check_review(replace(MEN, **changed))
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (MEN.sql.replace("$verdict", "'veto'"), "neither refuse nor remark"),
        (MEN.sql.replace("'a man'", "CAST(NULL AS VARCHAR)"), "no reason"),
        (MEN.sql.replace("d.step", "'y' AS step"), "are about no row of decided"),
    ],
)
def test_a_review_that_answers_amiss_fails(people: Mart, sql: str, said: str) -> None:
    with pytest.raises(StrategyError, match=said):
        reviewed(people, TASKS, replace(MEN, sql=sql, parameters={"verdict": "refuse"} if "$verdict" in sql else {}))


def test_a_review_sees_its_kind_and_its_strategies_only() -> None:
    assert looks_at(MEN, TASKS) and not looks_at(MEN, SEGMENTS)
    assert not looks_at(replace(MEN, strategies=("other",)), TASKS)
    assert looks_at(replace(MEN, strategies=("other", "tasks")), TASKS)
