"""Pairs that a person should look at."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from hcrm_core.store.engine import driver_rows
from hcrm_core.store.queries.pairs import PairRow

_COLUMNS = "p.low_id, p.high_id, p.verdict, p.score, p.evidence, one.customer_id, other.customer_id"
_OPEN = (
    f"SELECT {_COLUMNS} FROM patient_pair AS p "
    "JOIN patient_customer AS one ON one.patient_id = p.low_id "
    "JOIN patient_customer AS other ON other.patient_id = p.high_id "
    "WHERE p.verdict = 'review' AND one.customer_id <> other.customer_id AND NOT EXISTS "
    "(SELECT 1 FROM patient_distinct AS d WHERE d.low_id = p.low_id AND d.high_id = p.high_id) "
)


class OpenPair(NamedTuple):
    """A pair in review whose patients are two customers, and nobody has said that they are two people."""

    pair: PairRow
    customers: tuple[str, str]


def queue(connection: Connection) -> Iterator[OpenPair]:
    """Open pairs, the likeliest first; of two customers only their likeliest pair."""
    seen: set[tuple[str, str]] = set()
    for *pair, one, other in driver_rows(connection, f"{_OPEN} ORDER BY p.score DESC, p.low_id, p.high_id", ()):
        both = (min(one, other), max(one, other))
        if both not in seen:
            seen.add(both)
            yield OpenPair(PairRow._make(pair), (one, other))


def least_likely(connection: Connection, limit: int) -> list[PairRow]:
    """Of the pairs linked by score, and not parted, those nearest to not being linked, the nearest first."""
    query = (
        "SELECT p.low_id, p.high_id, p.verdict, p.score, p.evidence FROM patient_pair AS p "
        "JOIN patient_customer AS one ON one.patient_id = p.low_id "
        "JOIN patient_customer AS other ON other.patient_id = p.high_id "
        "WHERE p.verdict = 'link' AND one.customer_id = other.customer_id "
        "ORDER BY p.score, p.low_id, p.high_id LIMIT ?"
    )
    return [PairRow._make(row) for row in driver_rows(connection, query, (limit,))]


def scored_pairs(connection: Connection, low: str, high: str) -> list[PairRow]:
    """The pairs kept, open or not, whose patients' ids begin so; at most ten. Ids are hexadecimal."""
    query = (
        "SELECT low_id, high_id, verdict, score, evidence FROM patient_pair "
        "WHERE low_id LIKE ? AND high_id LIKE ? ORDER BY low_id, high_id LIMIT 10"
    )
    return [PairRow._make(row) for row in driver_rows(connection, query, (f"{low}%", f"{high}%"))]
