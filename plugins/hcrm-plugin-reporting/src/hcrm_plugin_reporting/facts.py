"""The query rows as the sections read them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from hcrm_core.api import ReportContext, Row

LINES = ("visits", "admissions", "emergencies")
"""What is shown month by month; the columns of `months` that say whether a month has any data."""


class Month(NamedTuple):
    """What one month held."""

    first: date
    partial: bool
    visits: int
    emergencies: int
    admissions: int
    discharges: int
    stays: int
    stay_days: int


class Facts:
    """The rows of every query, with what several sections derive from them."""

    def __init__(self, rows: Mapping[str, Sequence[Row]], context: ReportContext) -> None:
        self.rows = rows
        self.today = date.fromisoformat(context.today)
        self.currency: str | None = next((str(row["currency"]) for row in rows["revenue"]), None)
        """The currency of most charge lines; amounts in others are never added to it."""
        self.months = self._months()

    def number(self, query: str, column: str) -> int:
        """A number of a query that has one row; 0 where it has none."""
        return next((whole(row[column]) for row in self.rows[query]), 0)

    def main(self, query: str) -> list[Row]:
        """The rows of a query that are in the report's currency."""
        return [row for row in self.rows[query] if row["currency"] == self.currency]

    def _months(self) -> list[Month]:
        """The months from the first with data to that of today."""
        months = [
            Month(
                row["month"],
                (self.today + timedelta(days=1)).month == row["month"].month and row is self.rows["months"][-1],
                *(whole(row[name]) for name in Month._fields[2:]),
            )
            for row in self.rows["months"]
        ]
        first = next((place for place, month in enumerate(months) if any(month[2:])), len(months))
        return months[first:]

    @property
    def full_months(self) -> list[Month]:
        """The months that are over."""
        return [month for month in self.months if not month.partial]


def whole(value: object) -> int:
    """An integer, however the engine returned it (sums of BIGINT arrive as decimals from some)."""
    return int(str(value)) if value is not None else 0
