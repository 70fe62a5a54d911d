"""What had been heard of facts, and who was whom, by an instant."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hcrm_core.store.engine import driver_rows, driver_select
from hcrm_core.store.packing import unpack
from hcrm_core.store.queries.decisions import RunRow
from hcrm_core.store.queries.mart_changes import position

_ABREAST = 10_000
"""What is heard within so many microseconds of a run's instant is what it saw: a run reads the store a moment after its
instant, and where a clock stands still, each batch is known a microsecond after the one before."""


class HeardRow(NamedTuple):
    """One statement about a fact that counted at the instant.

    Attributes:
        stamp: Its place in the order of statements.
        message_id: The message that made it.
        known_at: When it arrived, microseconds UTC.
        body: JSON of what it mentions but direct identifiers; `None` where a complete set left the fact out.
    """

    stamp: bytes
    message_id: int
    known_at: int
    body: bytes | None


def seen_by(connection: Connection, run: RunRow | None) -> int | None:
    """The instant up to which a run had heard; `None` where it is now: nothing came since, or there was no run."""
    if run is None or position(connection).sequence == run.mart_sequence:
        return None
    return run.as_of + _ABREAST


_COUNTED = "s.known_at <= {instant} AND (s.voided_at IS NULL OR s.voided_at > {instant})"
_VERSIONS = (
    "SELECT f.fact_id, s.stamp, s.message_id, s.known_at, c.body FROM {wanted} CROSS JOIN fact AS f "
    "CROSS JOIN version AS v CROSS JOIN statement AS s CROSS JOIN content AS c WHERE f.fact_id = w.value "
    "AND v.fact_number = f.number AND s.id = v.statement_id AND c.id = v.content_id AND "
)
_SETS = (
    "SELECT f.fact_id, s.stamp, s.message_id, s.known_at, NULL FROM {wanted} CROSS JOIN fact AS f "
    "CROSS JOIN set_statement AS m CROSS JOIN statement AS s WHERE f.fact_id = w.value AND m.set_id = f.set_id "
    "AND s.id = m.statement_id AND "
)


def heard_by(connection: Connection, fact_ids: Iterable[str], instant: int) -> dict[str, list[HeardRow]]:
    """Fact → the statements about it that were known at an instant (microseconds since 1970 UTC) and not void then."""
    wanted = sorted(set(fact_ids))
    found: dict[str, list[HeardRow]] = {}
    counted = _COUNTED.replace("{instant}", str(int(instant)))
    for query in (_VERSIONS, _SETS):
        for fact_id, stamp, message_id, known_at, body in driver_select(connection, query + counted, wanted):
            row = HeardRow(bytes(stamp), message_id, known_at, None if body is None else unpack(body))
            found.setdefault(fact_id, []).append(row)
    return {fact_id: sorted(rows, key=_place) for fact_id, rows in found.items()}


def _place(row: HeardRow) -> Any:
    return row.stamp, row.body is not None


_MEMBERS = """
SELECT pc.patient_id FROM patient_customer AS pc WHERE pc.customer_id = ? AND NOT EXISTS (
  SELECT 1 FROM past_customer AS p WHERE p.patient_id = pc.patient_id AND p.until > ?
)
UNION
SELECT p.patient_id FROM past_customer AS p WHERE p.customer_id = ? AND p.until > ? AND NOT EXISTS (
  SELECT 1 FROM past_customer AS q WHERE q.patient_id = p.patient_id AND q.until > ? AND q.until < p.until
)
ORDER BY 1
"""


def members_at(connection: Connection, customer_id: str, instant: int) -> list[str]:
    """The patients that were a customer's at an instant."""
    values = (customer_id, instant, customer_id, instant, instant)
    return [row[0] for row in driver_rows(connection, _MEMBERS, values)]
