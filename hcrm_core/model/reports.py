"""The contract of a report: query results in, one finished file out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

Row = Mapping[str, Any]


class ReportContext(Struct, frozen=True, kw_only=True):
    """What a report may know besides its rows.

    Attributes:
        language: `zh` or `en`.
        as_of: UTC instant the mart shows, ISO 8601.
        today: The same as a day in the workspace's zone, ISO 8601.
        title: The workspace's display name.
    """

    language: str
    as_of: str
    today: str
    title: str


class Report(ABC):
    """Base class of reports. The core runs `queries` over the mart and hands the rows to `render`, which is pure.

    Class attributes:
        name: What `hcrm report NAME` is called with.
        title: By language.
        suffix: File suffix of what `render` returns, with the dot.
        tables: The mart and decision tables the queries read.
        queries: Name → one SELECT, checked like a strategy's; `$as_of` and `$today` are given.
    """

    name: ClassVar[str]
    title: ClassVar[dict[str, str]]
    suffix: ClassVar[str] = ".html"
    tables: ClassVar[tuple[str, ...]] = ()
    queries: ClassVar[dict[str, str]] = {}

    @abstractmethod
    def render(self, rows: Mapping[str, Sequence[Row]], context: ReportContext) -> bytes:
        """Render the file.

        Args:
            rows: Query name → rows as mappings, in the query's order; dates are `datetime.date`, money is minor units.
            context: Language and dates.
        """
