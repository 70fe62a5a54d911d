"""Conditions of analysts, thousands of them hostile: each is refused in a sentence, or is part of one SELECT.

They enter where analysts write them, in rule files, and are judged where strategies are.
"""

import json
import time
from collections.abc import Iterator
from random import Random

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from hcrm_core.errors import ConfigurationError, HcrmError, StrategyError
from hcrm_core.mart.check import allowed
from hcrm_core.mart.contract import check_strategy
from hcrm_core.model.strategies import Strategy
from hcrm_plugin_followup.compiler import compile_rule
from hcrm_plugin_followup.reader import read_rules
from hcrm_plugin_loyalty.compiler import compile_programme
from hcrm_plugin_loyalty.reader import read_programmes
from hcrm_plugin_segmentation.segments import read_segments

SECONDS = 0.1
"""Of the processor, so that a busy machine refuses no slower."""
SINCE = "1999-12-31"
COLUMNS = ("status", "class", "amount", "ended_on", "customer_id", "started_at", "uncertain", "code", "anchor.class",
           "customer.birth_year", "step.due_on", "visits_12m", "revenue_12m", "last_visit_on", "today", "interests",
           "nothing", "\"status\"", "日期", "*")  # fmt: skip
VALUES = ("1", "0", "-1", "'x'", "''", "'急性''心梗'", "'　'", "NULL", "TRUE", "DATE '2024-02-29'", "$today", "$since",
          "$1", "?",
          "9" * 40, "1e308", "0x1F", "1_000", "'", "\"", "$$x$$", "$a$ ' $a$", "E'\\x27'", "X'27'", "U&'\\0027'",
          "'\\'", "`x`",
          ":x", "@x", "[1]", "{'a': 1}", "INTERVAL 1 DAY", "'${env:HOME}'", "x'", "＇", "\u2019", "\x00", "\u202e",
          "😀")  # fmt: skip
OPERATORS = ("=", "<>", "<", ">=", "AND", "OR", "+", "-", "*", "/", "//", "%", "||", "LIKE", "IN", "IS", "::",
             "->", "~", "**", "^",
             "@>", "&", "<<", "GLOB", "SIMILAR TO", "COLLATE", "BETWEEN", "IS DISTINCT FROM", ",", ":=",
             "==")  # fmt: skip
FUNCTIONS = ("lower", "coalesce", "length", "read_csv", "read_text", "read_parquet", "glob", "getenv",
             "pragma_version", "eval",
             "query", "query_table", "current_setting", "pg_read_file", "load_extension", "sleep", "repeat",
             "random", "hash",
             "duckdb_settings", "parquet_scan", "sniff_csv", "regexp_replace", "list_transform", "array_agg",
             "getvariable",
             "nextval", "md5", "unnest", "generate_series", "now", "printf", "chr", "json_extract", "columns",
             "getenv ", "java_method",
             "reflect")  # fmt: skip
BREAKS = (")", "(", "))", ") OR (", "--", "/*", "*/", ";", "; DROP TABLE encounter",
          ") UNION SELECT * FROM customer --",
          "1) UNION ALL (SELECT 1", "; COPY customer TO 'x'", "; ATTACH 'x'", "PRAGMA version", "'; --",
          "\n) --\n(", "\r\n",
          ") AS x, (SELECT * FROM information_schema.tables", "EXISTS (SELECT * FROM customer)",
          "(SELECT max(day) FROM calendar)",
          "(SELECT * FROM 'secrets.csv')", "IN (SELECT customer_id FROM charge_item)",
          "(WITH RECURSIVE r AS (SELECT 1) SELECT 1)",
          "QUALIFY TRUE", "GROUP BY 1", "LIMIT 1", "INTO x", "FOR UPDATE", "WINDOW w AS ()", "TABLE customer",
          "VALUES (1)",
          "(FROM customer)", "(DELETE FROM customer RETURNING 1)", "SET x = 1", "CASE WHEN TRUE THEN 1", "END",
          "\\", "#", "%s",
          "{when}", "{0}", "{{code}}", "__import__('os')", "' || getenv('HOME') || '")  # fmt: skip


def hostile(random: Random, depth: int = 0) -> str:
    """A condition that nobody means well with, or now and then one that somebody does."""
    kind = random.randrange(12)
    if depth > 3 or kind < 4:
        return random.choice((random.choice(COLUMNS), random.choice(VALUES)))
    inside = hostile(random, depth + 1)
    if kind < 7:
        return f"{inside} {random.choice(OPERATORS)} {hostile(random, depth + 1)}"
    if kind < 9:
        return f"{random.choice(FUNCTIONS)}({inside})"
    if kind == 9:
        return f"({inside})"
    if kind == 10:
        return f"{inside} {random.choice(BREAKS)} {hostile(random, depth + 1)}"
    return f"CAST({inside} AS {random.choice(('INT', 'DATE', 'JSON', 'BLOB', 'VARCHAR', 'DOUBLE', 'x.y'))})"


def enter(condition: str, door: int) -> Iterator[Strategy]:
    """The strategies of a rule file that holds a condition, at one of the places where conditions stand."""
    rule = {"id": "r", "topic": "t", "title": {"en": "R", "zh": "规"}, "via": ["call"],
            "trigger": {"table": "encounter", "when": "class = 'IMP'", "at": "ended_on"},
            "steps": [{"id": "call", "at": "1d", "owner": "ward"}]}  # fmt: skip
    earn = {"id": "spend", "per": 1000, "points": 1, "when": condition}
    if door == 0:
        rule["trigger"] = {"table": "encounter", "when": condition, "at": "ended_on"}
    elif door == 1:
        rule["suppress"] = [{"reason": "no", "when": condition, "because": ["anchor.class"]}]
    if door == 3:
        one = {"id": "s", "title": {"en": "S", "zh": "段"}, "when": condition}
        yield from read_segments(json.dumps({"segments": [one]}, ensure_ascii=False), "s.yaml")
    elif door < 2:
        yield from map(compile_rule, read_rules(json.dumps({"rules": [rule]}, ensure_ascii=False), "r.yaml"))
    else:
        card = {"id": "card", "title": {"en": "C", "zh": "卡"}, "since": SINCE, "currency": "ZZZ", "earn": [earn]}
        text = json.dumps({"programmes": [card]}, ensure_ascii=False).replace(f'"{SINCE}"', SINCE)
        yield from (one for made in read_programmes(text, "p.yaml") for one in compile_programme(made))


def shape(sql: str) -> tuple[list[str], list[str]]:
    """Columns and CTEs of a SELECT: what a condition must not add to or take from."""
    (root,) = sqlglot.parse(sql, dialect="duckdb")
    assert isinstance(root, exp.Query)
    return root.named_selects, [cte.alias for cte in root.ctes]


def examine(condition: str, door: int) -> bool:
    """Whether a condition is let in, having looked at what it became."""
    began = time.process_time()
    try:
        made = list(enter(condition, door))
        checked = [check_strategy(one) for one in made]
    except (StrategyError, ConfigurationError) as refused:
        assert str(refused).endswith((".", "?")) and "Traceback" not in str(refused)
        return False
    finally:
        assert time.process_time() - began < 20 * SECONDS, condition
    for one, found, plain in zip(made, checked, enter("TRUE", door), strict=True):
        (statement,) = duckdb.extract_statements(found.sql)
        assert statement.type == duckdb.StatementType.SELECT, condition
        assert shape(found.sql) == shape(plain.sql), condition
        assert found.tables <= set(one.tables) == set(plain.tables)
        root = sqlglot.parse_one(found.sql, dialect="duckdb")
        assert {node.sql_name() for node in root.find_all(exp.Func)} <= allowed().functions, condition
        ctes = {cte.alias for cte in root.find_all(exp.CTE)}
        assert {table.name for table in root.find_all(exp.Table)} <= set(one.tables) | ctes
        for value in (SINCE, "ZZZ"):
            assert value not in found.sql or value in condition
    return True


PROOF = [pytest.param(seed, 2_500, marks=pytest.mark.prove) for seed in range(1, 5)]


@pytest.mark.parametrize(("seed", "many"), [(0, 250), *PROOF])
def test_hostile_conditions_are_refused_or_one_select(seed: int, many: int, tally) -> None:
    random, counts = Random(seed), {True: 0, False: 0}
    for door in range(4):
        list(map(check_strategy, enter("TRUE", door)))  # what is made once is not timed
    for place in range(many):
        counts[examine(hostile(random), place % 4)] += 1
    assert counts[True] > many // 50, "nothing is shown where all is refused"
    tally("conditions of rules", admitted=counts[True], refused=counts[False], escaped=0)


NESTED = {
    "parentheses": "(" * 900 + "TRUE" + ")" * 900,
    "NOT": "NOT " * 450 + "TRUE",
    "minus": "- " * 900 + "1 = 1",
    "CASE": "CASE WHEN TRUE THEN " * 60 + "1" + " END" * 60 + " = 1",
    "SELECT": "(SELECT " * 180 + "1" + ")" * 180 + "= 1",
    "AND": "TRUE AND " * 220 + "TRUE",
    "functions": "coalesce(" * 180 + "1" + ")" * 180 + " = 1",
    "lists": "[" * 900 + "]" * 900,
    "casts": "CAST(" * 100 + "1" + " AS INT)" * 100 + " = 1",
    "sums": "1" + "+1" * 900 + " = 1",
    "powers": "9**9**9 = 1",
    "IN": "1 IN (" * 250 + "1" + ")" * 250,
    "subscripts": "code" + "[1]" * 500 + " = 1",
    "dots": "a" + ".b" * 800 + " = 1",
    "digits": "9" * 1900 + " = 1",
    "texts": "'x' || " * 280 + "'x' = 'x'",
    "LIKE": "code" + " LIKE code" * 180,
    "EXISTS": "EXISTS (SELECT 1 WHERE " * 70 + "TRUE" + ")" * 70,
    "colons": "1" + "::INT" * 350 + " = 1",
    "too long": "code = '" + "长" * 700 + "'",
}


@pytest.mark.parametrize("name", NESTED)
def test_what_is_nested_deeply_is_refused_at_once(name: str) -> None:
    examine("TRUE", 0)
    fastest = 9.0
    for _ in range(3):
        began = time.process_time()
        with pytest.raises(HcrmError):
            for strategy in enter(NESTED[name], 0):
                check_strategy(strategy)
        fastest = min(fastest, time.process_time() - began)
    assert fastest <= SECONDS
