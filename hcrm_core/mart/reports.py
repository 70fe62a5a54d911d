"""The queries of a report, checked like a strategy's and run over one mart."""

from datetime import date
from typing import Any

from hcrm_core.mart.check import Checked, check
from hcrm_core.mart.contract import bound
from hcrm_core.mart.engine import Mart
from hcrm_core.model.reports import Report


def check_report(report: type[Report] | Report) -> dict[str, Checked]:
    """Check every query of a report.

    Raises:
        StrategyError: Naming report, query and line.
    """
    return {
        name: check(sql, name=f"{report.name}.{name}", tables=report.tables) for name, sql in report.queries.items()
    }


def run_report_queries(
    report: type[Report] | Report, mart: Mart, *, as_of_us: int, today: date
) -> dict[str, list[dict[str, Any]]]:
    """Run the queries of a report.

    Args:
        report: Whose.
        mart: With the decision views shown (`decide.run.show_decisions`).
        as_of_us: `$as_of`, microseconds since 1970 UTC.
        today: `$today`.

    Returns:
        Query name → rows, in the query's order.
    """
    return {
        name: mart.query(
            checked.sql, bound(checked, {}, as_of_us=as_of_us, today=today), name=f"{report.name}.{name}"
        ).to_pylist()
        for name, checked in check_report(report).items()
    }
