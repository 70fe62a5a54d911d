"""DuckDB locked down: inside the mart and in time, nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hcrm_core.errors import StrategyError
from hcrm_core.mart.engine import Limits, open_mart

REFUSED = [
    "SELECT * FROM read_csv('{outside}')",
    "SELECT * FROM read_text('{outside}')",
    "SELECT * FROM glob('/*')",
    "COPY customer TO '{outside}.csv'",
    "ATTACH '{outside}.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET threads = 8",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SELECT * FROM read_csv('http://localhost/x.csv')",
    "EXPORT DATABASE '{outside}'",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_nothing_outside_the_mart(mart: Path, publish: Callable[..., Any], tmp_path: Path, sql: str) -> None:
    publish()
    outside = tmp_path / "outside"
    outside.write_text("secret\n")
    with open_mart(mart) as opened, pytest.raises(duckdb.Error):
        opened.execute(sql.format(outside=outside)).fetchall()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mart", "outside"]


def test_python_variables_are_not_tables(mart: Path, publish: Callable[..., Any]) -> None:
    publish()
    secret = duckdb.sql("SELECT 1 AS a").to_arrow_table()
    with open_mart(mart) as opened, pytest.raises(StrategyError, match="secret"):
        opened.query("SELECT * FROM secret", {}, name="s")
    assert secret.num_rows == 1


def test_long_queries_are_stopped(mart: Path, publish: Callable[..., Any]) -> None:
    publish()
    with open_mart(mart, limits=Limits(seconds=0.2)) as opened:
        with pytest.raises(StrategyError, match=r"slow: it took longer than 0.2 seconds"):
            opened.query("SELECT count(*) FROM calendar a, calendar b, calendar c, calendar d", {}, name="slow")
        assert opened.query("SELECT 1 AS a", {}, name="s").to_pylist() == [{"a": 1}]


def test_errors_hold_no_values(mart: Path, publish: Callable[..., Any]) -> None:
    publish(("p1", "Patient", "c1", "p1", {"district": "西城"}))
    with open_mart(mart) as opened, pytest.raises(StrategyError) as caught:
        opened.query("SELECT CAST(district AS INTEGER) FROM customer", {}, name="s")
    assert "西城" not in str(caught.value) and "s: it failed while running" in str(caught.value)


def test_decision_views(mart: Path, publish: Callable[..., Any]) -> None:
    publish()
    task = ("t", "s", "c", "a", "st", "to", "open", None, "2026-01-02", "2026-01-01", "2026-01-03", "o", 1, None)
    with open_mart(mart) as opened:
        for name, columns in {"a": "'x' AS further, 1 AS same", "b": "7 AS same, 5 AS further"}.items():
            opened.execute(f"COPY (SELECT 'c' AS subject, 'seg' AS segment, ['e'] AS evidence, {columns}) "
                           f"TO '{mart}/{name}.parquet' (FORMAT parquet)")  # fmt: skip
        opened.show_snapshots("segment", {"one": "a.parquet", "two": "b.parquet"})
        found = opened.query("SELECT * FROM decision_segment ORDER BY strategy", {}, name="s").to_pylist()
        assert found == [
            {"strategy": "one", "customer_id": "c", "segment": "seg", "further": "x", "same": 1},
            {"strategy": "two", "customer_id": "c", "segment": "seg", "further": "5", "same": 7},
        ]
        opened.show_rows("decision_task", [[task], [], [task]])
        assert opened.query("SELECT count(*) AS n FROM decision_task", {}, name="s").to_pylist() == [{"n": 2}]
        opened.show_rows("decision_task", [])
        assert opened.query("SELECT count(*) AS n FROM decision_task", {}, name="s").to_pylist() == [{"n": 0}]
