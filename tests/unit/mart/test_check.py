"""What the checker lets through, and what it says of the rest."""

import pytest

from hcrm_core.errors import StrategyError
from hcrm_core.mart.check import check

TABLES = ("customer", "encounter")

GOOD = [
    "SELECT customer_id FROM customer",
    "WITH a AS (SELECT customer_id AS c FROM customer) SELECT c FROM a UNION ALL SELECT c FROM a",
    "SELECT customer_id, row_number() OVER (ORDER BY customer_id) AS n FROM customer WHERE known_at < $as_of",
    "SELECT encounter_id, started_on + 3, started_on - $days FROM encounter WHERE started_on >= $today",
    "SELECT sum(patients) // nullif(count(*), 0), patients % 7 FROM customer GROUP BY patients",
    "SELECT CAST(patients AS BIGINT), patients::DECIMAL(18, 2), ['a', district] FROM customer",
    "SELECT 1 FROM (VALUES (1, 'x')) AS v(n, t)",
    "SELECT customer_id FROM customer WHERE EXISTS (SELECT 1 FROM encounter AS e WHERE e.customer_id = 'x')",
]


@pytest.mark.parametrize("sql", GOOD)
def test_admitted(sql: str) -> None:
    checked = check(sql, name="s", tables=TABLES, parameters=["days"])
    assert checked.sql == sql
    assert checked.tables <= set(TABLES)


BAD = [
    ("SELECT 1; SELECT 2", "exactly one SELECT, and is 2 statements"),
    ("", "exactly one SELECT, and is 0 statements"),
    ("COPY customer TO 'x'", "exactly one SELECT, and is COPY"),
    ("ATTACH 'x'", "exactly one SELECT"),
    ("INSTALL httpfs", "exactly one SELECT"),
    ("LOAD httpfs", "exactly one SELECT"),
    ("PRAGMA version", "exactly one SELECT"),
    ("SET threads = 1", "exactly one SELECT"),
    ("CALL pragma_version()", "exactly one SELECT"),
    ("EXPLAIN SELECT 1", "exactly one SELECT"),
    ("DELETE FROM customer", "exactly one SELECT"),
    ("WITH x AS (DELETE FROM customer RETURNING *) SELECT * FROM x", "not allowed"),
    ("SELECT 1 INTO y", "not allowed"),
    ("SELECT\n a,\nFROM WHERE", "s, line 3: this is not valid SQL near 'WHERE'"),
    ("SELECT * FROM 'secrets.parquet'", "there is no table 'secrets.parquet'"),
    ("SELECT * FROM read_csv('x')", "is not a table"),
    ("SELECT * FROM range(10)", "is not a table"),
    ("SELECT * FROM custmer", "there is no table 'custmer'. Did you mean 'customer'"),
    ("SELECT * FROM charge_item", "reads charge_item, which it does not declare"),
    ("SELECT * FROM main.customer", "names a schema"),
    ("SELECT * FROM information_schema.tables", "names a schema"),
    ("WITH RECURSIVE r AS (SELECT 1) SELECT * FROM r", "WITH RECURSIVE"),
    ("SELECT\n  $dayz", "line 1: $dayz is not a declared parameter. Did you mean 'days'"),
    ("SELECT ?", "a parameter is written $name"),
    ("SELECT 1,\n  getenv('HOME')", "s, line 2: the function getenv is not allowed"),
    ("SELECT\n$today,\n'a',\ngetenv('HOME')", "s, line 4: the function getenv is not allowed"),
    ("SELECT\n$today,\n$days\nFROM WHERE", "s, line 4: this is not valid SQL near 'WHERE'"),
    ("SELECT uper(district) FROM customer", "Did you mean 'upper'"),
    ("SELECT avg(patients) FROM customer", "Write sum"),
    ("SELECT date_diff('day', known_at, said_at) FROM customer", "the function date_diff is not allowed"),
    ("SELECT isodow(known_at) FROM customer", "Join calendar and use weekday"),
    ("SELECT trim(district) FROM customer", "full-width"),
    ("SELECT now()", "Use $as_of"),
    ("SELECT current_date", "Use $today"),
    ("SELECT random()", "repeatable"),
    ("SELECT array_agg(district) FROM customer", "order inside a list"),
    ("SELECT patients / 2 FROM customer", "Write // for whole numbers"),
    ("SELECT patients // patients FROM customer", "may divide by zero"),
    ("SELECT patients % 0 FROM customer", "may divide by zero"),
    ("SELECT CAST(patients AS DOUBLE) FROM customer", "a cast to DOUBLE is not allowed"),
    ("SELECT CAST('{}' AS JSON)", "a cast to JSON is not allowed"),
    ("SELECT row_number() OVER () FROM customer", "needs OVER"),
    ("SELECT ntile(5) OVER (PARTITION BY sex) FROM customer", "needs OVER"),
    ("SELECT DISTINCT ON (sex) customer_id FROM customer", "Name the columns"),
    ("SELECT * EXCLUDE (sex) FROM customer", "Name the columns"),
    ("SELECT * FROM customer TABLESAMPLE 10%", "not allowed"),
    ("SELECT known_at + INTERVAL 3 WEEK FROM customer", "Write a number and days, months or years"),
    ("SELECT extract(isodow FROM known_at) FROM customer", "not allowed|cannot be extracted"),
    ("SELECT district ~ 'x' FROM customer", "not allowed"),
    ("SELECT {'a': 1}", "not allowed"),
    ("SELECT " + "(" * 3000 + "1" + ")" * 3000, "nested too deeply|not valid SQL"),
    ("SELECT '" + "x" * 300_000 + "'", "longer than"),
]


@pytest.mark.parametrize(("sql", "said"), BAD, ids=[sql[:40] for sql, _ in BAD])
def test_refused(sql: str, said: str) -> None:
    with pytest.raises(StrategyError, match=said.replace("$", r"\$").replace("(", r"\(").replace("+", r"\+")):
        check(sql, name="s", tables=TABLES, parameters=["days"])


def test_a_declared_table_must_exist() -> None:
    with pytest.raises(StrategyError, match="Did you mean 'encounter'"):
        check("SELECT 1", name="s", tables=["encounters"])
