"""The contract of a strategy's rows, and snapshots of them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hcrm_core.errors import StrategyError
from hcrm_core.mart.contract import Decided, check_strategy, evaluate
from hcrm_core.mart.engine import Mart, open_mart
from hcrm_core.mart.snapshots import compare, prune, row_of, write
from hcrm_core.model.strategies import Strategy

SCORE = Strategy(
    name="s",
    version="1",
    kind="score",
    scope="subject",
    tables=("customer",),
    sql="SELECT customer_id AS subject, 'age' AS score, $base + 1 AS value, "
    "['customer/' || customer_id || '#birth_year'] AS evidence, sex AS more FROM customer",
    parameters={"base": 1},
)
TASK = replace(
    SCORE,
    kind="task",
    parameters={},
    sql="SELECT customer_id AS subject, customer_id AS anchor, 'x' AS step, 0 AS occurrence, 't' AS topic, "
    "$today AS due_on, $today AS window_start, $today + INTERVAL 1 DAY AS window_end, 'o' AS owner, 'call' AS channel, "
    "NULL AS form, NULL AS suppressed, ['customer/' || customer_id || '#sex'] AS evidence FROM customer",
)


@pytest.fixture
def people(mart: Path, publish: Callable[..., Any]) -> Any:
    publish(("p1", "Patient", "c1", "p1", {"gender": "male"}), ("p2", "Patient", "c2", "p2", {}))
    with open_mart(mart) as opened:
        yield opened


def run(mart: Mart, strategy: Strategy) -> Decided:
    return evaluate(mart, strategy, check_strategy(strategy), as_of_us=1_500_000, today=date(2026, 3, 10))


def decided(mart: Mart) -> list[dict[str, Any]]:
    return mart.query("SELECT * FROM decided ORDER BY subject", {}, name="t").to_pylist()


def test_rows_have_the_declared_columns_first(people: Mart) -> None:
    assert run(people, SCORE) == Decided(SCORE, ("more",), 2)
    assert [list(row.values()) for row in decided(people)] == [
        ["c1", "age", 2, ["customer/c1#birth_year"], "male"],
        ["c2", "age", 2, ["customer/c2#birth_year"], None],
    ]


def test_results_are_cast(people: Mart) -> None:
    run(people, TASK)
    assert decided(people)[0]["window_end"] == date(2026, 3, 11)
    assert decided(people)[0]["suppressed"] is None


WRONG = [
    (SCORE, "'age' AS score", "'age' AS scores", "needs the column score .VARCHAR.. Did you mean 'scores'"),
    (SCORE, "$base + 1 AS value", "'x' AS value", "the column value is VARCHAR. Cast it to BIGINT"),
    (SCORE, "sex AS more", "sex AS more, sex AS more", "two columns are named more"),
    (SCORE, "sex AS more", "sx AS more", "column 'sx' that none of its tables has"),
    (SCORE, "$base", "$bass", r"\$bass is not a declared parameter. Did you mean 'base'"),
    (SCORE, "FROM customer", "FROM encounter", "does not declare"),
    (TASK, "'o' AS owner", "NULL AS owner", "the column owner is .*NULL.*. Cast it to VARCHAR"),
]


@pytest.mark.parametrize(("strategy", "old", "new", "said"), WRONG)
def test_shape_is_checked_before_anything_runs(strategy: Strategy, old: str, new: str, said: str) -> None:
    with pytest.raises(StrategyError, match=f"^s.*{said}"):
        check_strategy(replace(strategy, sql=strategy.sql.replace(old, new)))


BROKEN = [
    (SCORE, "'age' AS score", "sex AS score", r"1 row \(first: subject c2, score None\) without score"),
    (SCORE, "customer_id AS subject", "'c' AS subject", "2 rows have the same key .subject c, score age."),
    (SCORE, "#birth_year", "#birth_yaer", "cites customer#birth_yaer, which is no column. Did you mean 'birth_year'"),
    (SCORE, "'customer/'", "'custmer/'", "Did you mean 'customer'"),
    (SCORE, "['customer/' || customer_id || '#birth_year']", "[sex]", "without evidence|must read table/id#column"),
    (TASK, "$today AS due_on", "$today + 2 AS due_on", "whose due_on lies outside"),
]


@pytest.mark.parametrize(("strategy", "old", "new", "said"), BROKEN)
def test_rows_are_checked(people: Mart, strategy: Strategy, old: str, new: str, said: str) -> None:
    with pytest.raises(StrategyError, match=f"^s: .*{said}"):
        run(people, replace(strategy, sql=strategy.sql.replace(old, new)))


def test_snapshots_are_compared_by_key(people: Mart) -> None:
    first = run(people, SCORE)
    assert compare(people, first, None) == (2, 0, 0, 0)
    one = write(people, first, 1)
    assert compare(people, first, one) == (0, 0, 2, 0)
    second = run(people, replace(SCORE, sql=SCORE.sql + " WHERE customer_id = 'c1' UNION ALL " + SCORE.sql.replace(
        "customer_id AS subject", "'c3' AS subject") + " WHERE customer_id = 'c1'"))  # fmt: skip
    assert compare(people, second, one) == (1, 0, 1, 1)
    third = run(people, replace(SCORE, sql=SCORE.sql.replace("sex AS more", "coalesce(sex, '?') AS more")))
    assert compare(people, third, one) == (0, 1, 1, 0)
    fourth = run(people, replace(SCORE, sql=SCORE.sql.replace("AS more", "AS other")))
    assert compare(people, fourth, one) == (0, 2, 0, 0)


def test_snapshots_of_equal_rows_are_equal_bytes(people: Mart) -> None:
    one = write(people, run(people, SCORE), 1)
    backwards = replace(SCORE, sql=SCORE.sql + " ORDER BY customer_id DESC")
    two = write(people, run(people, backwards), 2)
    assert one != two
    assert (people.folder / one).read_bytes() == (people.folder / two).read_bytes()
    assert row_of(people, two, "c2")[0]["value"] == 2 and row_of(people, two, "nobody") == []
    prune(people.folder, "s", {two})
    assert not (people.folder / one).exists() and (people.folder / two).exists()
