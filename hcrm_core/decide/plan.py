"""What a run would do: every decision it makes otherwise than it stands, with what stood and what is to stand."""

from collections import Counter
from typing import Generic, NamedTuple, TypeVar

Row = TypeVar("Row")


class Run(NamedTuple):
    """The run that decides.

    Attributes:
        strategy, version: Of the strategy.
        today: The day it looks at, ISO.
        now: The instant it takes for now, microseconds since 1970 UTC.
        merged: Customers who are another customer now; what was decided about them by themselves is superseded.
    """

    strategy: str
    version: str
    today: str
    now: int
    merged: frozenset[str] = frozenset()


class Counts(NamedTuple):
    """Decisions of one run by outcome."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    expired: int = 0


class Change(NamedTuple, Generic[Row]):
    """A decision that comes to stand otherwise.

    Attributes:
        outcome: `new`, `changed`, `withdrawn` or `expired`.
        before: The row that stands; `None` for none.
        after: The row that is to stand.
    """

    outcome: str
    before: Row | None
    after: Row


class Plan(NamedTuple, Generic[Row]):
    """What a run would do, and what it would leave as it is.

    Attributes:
        changes: Decisions that come to stand otherwise.
        unchanged: How many others were looked at.
        settled: (id, fingerprint) of those among them that can be told by a fingerprint from now on.
    """

    changes: list[Change[Row]]
    unchanged: int
    settled: list[tuple[str, str | None]]

    def plus(self, other: "Plan[Row]") -> "Plan[Row]":
        """Both, one after the other; the lists of this one grow."""
        self.changes.extend(other.changes)
        self.settled.extend(other.settled)
        return self._replace(unchanged=self.unchanged + other.unchanged)

    @property
    def counts(self) -> Counts:
        """How often each outcome occurs."""
        return Counts(**Counter(change.outcome for change in self.changes), unchanged=self.unchanged)
