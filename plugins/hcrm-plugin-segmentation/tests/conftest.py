"""A DuckDB with the tables the strategies read, filled by hand. The core's own engine is tested in the core."""

from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from hcrm_plugin_segmentation import register_strategies

TODAY = date(2026, 3, 31)


class Bare:
    """A workspace without settings."""

    def settings(self, table: str) -> dict[str, object]:
        return {}

    def read_text(self, path: str) -> str:
        raise AssertionError(path)


class Tables:
    """Visits and charges, and the strategies over them."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(":memory:")
        self.connection.execute(
            "CREATE TABLE encounter (encounter_id VARCHAR, customer_id VARCHAR, started_on DATE, status VARCHAR)"
        )
        self.connection.execute(
            "CREATE TABLE charge_item (charge_item_id VARCHAR, customer_id VARCHAR, occurred_on DATE, type VARCHAR, "
            "status VARCHAR, amount BIGINT, currency VARCHAR)"
        )
        self.connection.execute(
            "CREATE TABLE calendar AS SELECT CAST(day AS DATE) AS day FROM "
            "generate_series(DATE '2016-03-31', DATE '2028-03-31', INTERVAL 1 DAY) AS days(day)"
        )

    def visit(self, customer: str, days_ago: int, status: str | None = "finished", name: str | None = None) -> None:
        """One visit so many days before today."""
        identity = name or f"e-{customer}-{days_ago}"
        self.connection.execute(
            "INSERT INTO encounter VALUES (?, ?, ?, ?)", [identity, customer, TODAY - timedelta(days_ago), status]
        )

    def charge(self, customer: str, amount: int | None, days_ago: int = 1, **more: Any) -> None:
        """One line of a bill."""
        given = {"type": "CG", "status": "billable", "currency": "CNY"} | more
        (count,) = self.connection.execute("SELECT count(*) FROM charge_item").fetchall()[0]
        self.connection.execute(
            "INSERT INTO charge_item VALUES (?, ?, ?, ?, ?, ?, ?)",
            [f"c{count:04d}", customer, TODAY - timedelta(days_ago), given["type"], given["status"], amount,
             given["currency"]],
        )  # fmt: skip

    def run(self, name: str, **parameters: Any) -> dict[str, dict[str, Any]]:
        """The rows of a strategy by customer."""
        (strategy,) = [one for one in register_strategies(Bare()) if one.name == name]
        given = strategy.parameters | parameters | {"today": TODAY}
        used = {key: value for key, value in given.items() if f"${key}" in strategy.sql}
        table = self.connection.sql(strategy.sql, params=used).to_arrow_table().to_pylist()
        found = {row["subject"]: row for row in table}
        assert len(found) == len(table)
        return found


@pytest.fixture
def tables() -> Tables:
    return Tables()
