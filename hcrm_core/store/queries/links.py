"""Who is whom: identifiers of patients, the source's links between them, and the customer each belongs to."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from hcrm_core.store.engine import driver_rows, driver_select, driver_sql

LARGEST_GROUP = 20
"""A number that more patients than this carry ties none of them. A person is seldom registered so often, while whatever
stands in many records (a word, the desk's own number, a placeholder nobody thought of) would make one customer of all
whom it was written for. Whoever truly was is still linked by score, as long as no more share the number than are
compared."""


class IdentifierRow(NamedTuple):
    """One number of one patient, as tokens; equal link tokens are one person."""

    patient_id: str
    token: str
    link_token: str | None


class Carriers(NamedTuple):
    """How many patients carry a number, and one of them; `None` where nobody does."""

    number: int
    patient_id: str | None


class LinkRow(NamedTuple):
    """The source's statement that two of its patients are one."""

    fact_id: str
    patient_id: str
    other_id: str


class DistinctRow(NamedTuple):
    """The statement that two patients are different people; the lesser id first."""

    fact_id: str
    low_id: str
    high_id: str


def identifiers(connection: Connection, patient_ids: Iterable[str]) -> list[IdentifierRow]:
    """The numbers of patients."""
    statement = (
        "SELECT i.patient_id, i.token, i.link_token FROM {wanted} CROSS JOIN patient_identifier AS i "
        "WHERE i.patient_id = w.value"
    )
    return [IdentifierRow._make(row) for row in driver_select(connection, statement, patient_ids)]


def patients_with(connection: Connection, link_tokens: Iterable[str]) -> dict[str, set[str]]:
    """Link token → the patients that carry it, for those tokens that tie: no more than `LARGEST_GROUP` do."""
    statement = (
        "SELECT i.link_token, i.patient_id FROM {wanted} CROSS JOIN patient_identifier AS i "
        f"WHERE i.link_token = w.value AND {_count(LARGEST_GROUP + 1)} <= {LARGEST_GROUP}"
    )
    found: dict[str, set[str]] = {}
    for token, patient_id in driver_select(connection, statement, link_tokens):
        found.setdefault(token, set()).add(patient_id)
    return found


def carriers(connection: Connection, link_tokens: Iterable[str], most: int) -> dict[str, Carriers]:
    """Link token → who carries it, counted up to `most`."""
    statement = (
        f"SELECT w.value, {_count(most)}, "
        "(SELECT i.patient_id FROM patient_identifier AS i WHERE i.link_token = w.value LIMIT 1) FROM {wanted}"
    )
    return {token: Carriers(count, one) for token, count, one in driver_select(connection, statement, link_tokens)}


def crowded(connection: Connection) -> list[Carriers]:
    """The numbers that tie nobody since too many carry them: how many, and the least id of those; the most first."""
    statement = (
        "SELECT count(DISTINCT patient_id), min(patient_id) FROM patient_identifier WHERE link_token IS NOT NULL "
        "GROUP BY link_token HAVING count(DISTINCT patient_id) > ? ORDER BY 1 DESC, 2"
    )
    return [Carriers._make(row) for row in driver_rows(connection, statement, (LARGEST_GROUP,))]


def _count(most: int) -> str:
    """How many patients carry the token `w.value`. One may carry it twice, in two namespaces."""
    return (
        "(SELECT count(*) FROM (SELECT DISTINCT o.patient_id FROM patient_identifier AS o "
        f"WHERE o.link_token = w.value LIMIT {int(most)}) AS found)"
    )


def links_of(connection: Connection, patient_ids: Iterable[str]) -> list[LinkRow]:
    """The links at either end of which one of the patients stands."""
    wanted = set(patient_ids)
    found: set[LinkRow] = set()
    for end in ("patient_id", "other_id"):
        statement = (
            "SELECT l.fact_id, l.patient_id, l.other_id FROM {wanted} CROSS JOIN patient_link AS l "
            f"WHERE l.{end} = w.value"
        )
        found.update(LinkRow._make(row) for row in driver_select(connection, statement, wanted))
    return sorted(found)


def stated_by(connection: Connection, fact_ids: Iterable[str]) -> list[LinkRow]:
    """The links these facts state."""
    statement = (
        "SELECT l.fact_id, l.patient_id, l.other_id FROM {wanted} CROSS JOIN patient_link AS l "
        "WHERE l.fact_id = w.value"
    )
    return [LinkRow._make(row) for row in driver_select(connection, statement, fact_ids)]


def distinct_of(connection: Connection, patient_ids: Iterable[str]) -> list[DistinctRow]:
    """The statements that one of the patients is not somebody else."""
    wanted = set(patient_ids)
    found: set[DistinctRow] = set()
    for end in ("low_id", "high_id"):
        statement = (
            "SELECT d.fact_id, d.low_id, d.high_id FROM {wanted} CROSS JOIN patient_distinct AS d "
            f"WHERE d.{end} = w.value"
        )
        found.update(DistinctRow._make(row) for row in driver_select(connection, statement, wanted))
    return sorted(found)


def distinct_by(connection: Connection, fact_ids: Iterable[str]) -> list[DistinctRow]:
    """What these facts state of patients that are different people."""
    statement = (
        "SELECT d.fact_id, d.low_id, d.high_id FROM {wanted} CROSS JOIN patient_distinct AS d WHERE d.fact_id = w.value"
    )
    return [DistinctRow._make(row) for row in driver_select(connection, statement, fact_ids)]


def any_distinct(connection: Connection) -> bool:
    """Whether anybody was ever said to be somebody else; mostly not, and then nothing need be asked of a pair."""
    return bool(driver_rows(connection, "SELECT 1 FROM patient_distinct LIMIT 1", ()))


def customers_of(connection: Connection, patient_ids: Iterable[str]) -> dict[str, str]:
    """Patient → customer, for those patients that have one."""
    return dict(_members(connection, "patient_id", patient_ids))


def everybody(connection: Connection) -> dict[str, str]:
    """Patient → customer, for all patients."""
    return dict(driver_rows(connection, "SELECT patient_id, customer_id FROM patient_customer", ()))


def members_of(connection: Connection, customer_ids: Iterable[str]) -> dict[str, str]:
    """Patient → customer, for all patients of the customers."""
    return dict(_members(connection, "customer_id", customer_ids))


def replace_identifiers(connection: Connection, patient_ids: Iterable[str], rows: Sequence[IdentifierRow]) -> None:
    """Make `rows` the numbers of these patients."""
    driver_sql(connection, "DELETE FROM patient_identifier WHERE patient_id = ?", [(one,) for one in patient_ids])
    driver_sql(
        connection, "INSERT INTO patient_identifier (patient_id, token, link_token) VALUES (?, ?, ?)", sorted(rows)
    )


def replace_links(connection: Connection, fact_ids: Iterable[str], rows: Sequence[LinkRow]) -> None:
    """Make `rows` the links these facts state."""
    driver_sql(connection, "DELETE FROM patient_link WHERE fact_id = ?", [(one,) for one in fact_ids])
    driver_sql(connection, "INSERT INTO patient_link (fact_id, patient_id, other_id) VALUES (?, ?, ?)", sorted(rows))


def replace_distinct(connection: Connection, fact_ids: Iterable[str], rows: Sequence[DistinctRow]) -> None:
    """Make `rows` what these facts state of patients that are different people."""
    driver_sql(connection, "DELETE FROM patient_distinct WHERE fact_id = ?", [(one,) for one in fact_ids])
    driver_sql(connection, "INSERT INTO patient_distinct (fact_id, low_id, high_id) VALUES (?, ?, ?)", sorted(rows))


def assign_customers(connection: Connection, rows: Sequence[tuple[str, str]], now: int) -> None:
    """Set the customer of patients from an instant on; (patient id, customer id) each."""
    driver_sql(
        connection,
        "INSERT INTO past_customer (patient_id, until, customer_id) SELECT patient_id, ?, customer_id "
        "FROM patient_customer WHERE patient_id = ? AND customer_id <> ? ON CONFLICT DO NOTHING",
        [(now, *row) for row in sorted(rows)],
    )
    driver_sql(
        connection,
        "INSERT INTO patient_customer (patient_id, customer_id) VALUES (?, ?) "
        "ON CONFLICT (patient_id) DO UPDATE SET customer_id = excluded.customer_id",
        sorted(rows),
    )


def note_losses(connection: Connection, patient_ids: Iterable[str], now: int) -> None:
    """Note that patients lost a fact to another patient."""
    driver_sql(
        connection,
        "INSERT INTO past_customer (patient_id, until, customer_id) SELECT patient_id, ?, customer_id "
        "FROM patient_customer WHERE patient_id = ? ON CONFLICT DO NOTHING",
        [(now, patient_id) for patient_id in sorted(patient_ids)],
    )


def _members(connection: Connection, column: str, values: Iterable[str]) -> Iterable[tuple[str, str]]:
    statement = (
        "SELECT c.patient_id, c.customer_id FROM {wanted} CROSS JOIN patient_customer AS c "
        f"WHERE c.{column} = w.value"
    )
    return ((patient_id, customer_id) for patient_id, customer_id in driver_select(connection, statement, values))
