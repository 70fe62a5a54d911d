"""The queries of a report, checked like a strategy's and run over one mart."""

from datetime import date
from typing import Protocol

import pyarrow as pa

from hcrm_core.mart.check import Checked, check
from hcrm_core.mart.contract import Engine, bound
from hcrm_core.mart.engine import Mart


class Queries(Protocol):
    """What must be known of a report; see `model.reports.Report`."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def tables(self) -> tuple[str, ...]:
        """What its queries read."""

    @property
    def queries(self) -> dict[str, str]:
        """Name → SELECT."""


def check_report(report: Queries) -> dict[str, Checked]:
    """Check every query of a report.

    Raises:
        StrategyError: Naming report, query and line.
    """
    return {
        name: check(sql, name=f"{report.name}.{name}", tables=report.tables) for name, sql in report.queries.items()
    }


def run_report_queries(
    report: Queries, mart: Mart, *, as_of_us: int, today: date, engine: Engine | None = None
) -> dict[str, pa.Table]:
    """Run the queries of a report.

    Args:
        report: Whose.
        mart: With the decision views shown (`decide.run.show_decisions`).
        as_of_us: `$as_of`, microseconds since 1970 UTC.
        today: `$today`.
        engine: Runs them; DuckDB where `None`.

    Returns:
        Query name → its rows in the query's order.
    """
    found = {}
    for query, checked in check_report(report).items():
        name, sql, values = f"{report.name}.{query}", checked.sql, bound(checked, {}, as_of_us=as_of_us, today=today)
        if engine:
            sql, values = engine.show(mart, checked, values, name=name), {}
        found[query] = mart.query(sql, values, name=name)
    return found
