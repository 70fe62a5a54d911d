"""Count what became of the fields of a batch, a message once."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from hcrm_core.model.translation import Translation
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import coverage
from hcrm_core.store.queries.coverage import Count, Shape
from hcrm_core.store.queries.inbox import Landed

_QUARTER = 900
"""Seconds. Every zone's day begins at the beginning of some quarter of an hour."""


class Ledger:
    """The coverage of one batch."""

    def __init__(self, zone: str) -> None:
        """Args: zone: the IANA zone whose days are counted by."""
        self._zone = zone
        self._shapes: set[Shape] = set()
        self._counts: dict[tuple[str, str, int], tuple[int, int]] = {}

    def count(self, message: Landed, translation: Translation, before: int | None) -> int:
        """Count an accepted translation.

        Args:
            message: What it translates.
            translation: The translation.
            before: The shape the message is counted as, `None` where it is not: a new translation takes its place.

        Returns:
            The shape it is counted as from now on.
        """
        shape = coverage.shape(translation.message_type, translation.coverage)
        if shape.id != before:
            day = _day(message.received_at // 1_000_000 // _QUARTER, self._zone)
            self._shapes.add(shape)
            self._add((message.source, day, shape.id), 1, message.id)
            if before is not None:
                self._add((message.source, day, before), -1, 0)
        return shape.id

    def write(self, connection: Connection) -> None:
        """Write down what was counted."""
        counts = [Count(*key, *counted) for key, counted in self._counts.items() if counted[0]]
        coverage.count(connection, self._shapes, counts)

    def _add(self, key: tuple[str, str, int], more: int, number: int) -> None:
        count, last = self._counts.get(key, (0, 0))
        self._counts[key] = (count + more, max(last, number))


@lru_cache(maxsize=1_000)
def _day(quarter: int, zone: str) -> str:
    return datetime.fromtimestamp(quarter * _QUARTER, UTC).astimezone(ZoneInfo(zone)).date().isoformat()
