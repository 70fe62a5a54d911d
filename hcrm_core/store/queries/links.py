"""Who is whom: identifiers of patients, the source's links between them, and the customer each belongs to."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from hcrm_core.store.engine import driver_sql
from hcrm_core.store.tables import patient_customer, patient_identifier, patient_link

_CHUNK = 500


class IdentifierRow(NamedTuple):
    """One number of one patient, as tokens; equal link tokens are one person."""

    patient_id: str
    token: str
    link_token: str | None


class LinkRow(NamedTuple):
    """The source's statement that two of its patients are one."""

    fact_id: str
    patient_id: str
    other_id: str


def identifiers(connection: Connection, patient_ids: Iterable[str]) -> list[IdentifierRow]:
    """The numbers of patients."""
    return [
        IdentifierRow(*row)
        for chunk in _chunks(patient_ids)
        for row in connection.execute(select(patient_identifier).where(patient_identifier.c.patient_id.in_(chunk)))
    ]


def patients_with(connection: Connection, link_tokens: Iterable[str]) -> dict[str, set[str]]:
    """Link token → the patients that carry it."""
    found: dict[str, set[str]] = {}
    for chunk in _chunks(link_tokens):
        query = select(patient_identifier.c.link_token, patient_identifier.c.patient_id).where(
            patient_identifier.c.link_token.in_(chunk)
        )
        for token, patient_id in connection.execute(query):
            found.setdefault(token, set()).add(patient_id)
    return found


def links_of(connection: Connection, patient_ids: Iterable[str]) -> list[LinkRow]:
    """The links at either end of which one of the patients stands."""
    found: set[LinkRow] = set()
    for chunk in _chunks(patient_ids):
        ends = patient_link.c.patient_id.in_(chunk) | patient_link.c.other_id.in_(chunk)
        found.update(LinkRow(*row) for row in connection.execute(select(patient_link).where(ends)))
    return sorted(found)


def stated_by(connection: Connection, fact_ids: Iterable[str]) -> list[LinkRow]:
    """The links these facts state."""
    return [
        LinkRow(*row)
        for chunk in _chunks(fact_ids)
        for row in connection.execute(select(patient_link).where(patient_link.c.fact_id.in_(chunk)))
    ]


def customers_of(connection: Connection, patient_ids: Iterable[str]) -> dict[str, str]:
    """Patient → customer, for those patients that have one."""
    return {
        patient_id: customer_id
        for chunk in _chunks(patient_ids)
        for patient_id, customer_id in connection.execute(
            select(patient_customer).where(patient_customer.c.patient_id.in_(chunk))
        )
    }


def members_of(connection: Connection, customer_ids: Iterable[str]) -> dict[str, str]:
    """Patient → customer, for all patients of the customers."""
    return {
        patient_id: customer_id
        for chunk in _chunks(customer_ids)
        for patient_id, customer_id in connection.execute(
            select(patient_customer).where(patient_customer.c.customer_id.in_(chunk))
        )
    }


def replace_identifiers(connection: Connection, patient_ids: Iterable[str], rows: Sequence[IdentifierRow]) -> None:
    """Make `rows` the numbers of these patients."""
    for chunk in _chunks(patient_ids):
        connection.execute(delete(patient_identifier).where(patient_identifier.c.patient_id.in_(chunk)))
    driver_sql(
        connection, "INSERT INTO patient_identifier (patient_id, token, link_token) VALUES (?, ?, ?)", sorted(rows)
    )


def replace_links(connection: Connection, fact_ids: Iterable[str], rows: Sequence[LinkRow]) -> None:
    """Make `rows` the links these facts state."""
    for chunk in _chunks(fact_ids):
        connection.execute(delete(patient_link).where(patient_link.c.fact_id.in_(chunk)))
    driver_sql(connection, "INSERT INTO patient_link (fact_id, patient_id, other_id) VALUES (?, ?, ?)", sorted(rows))


def assign_customers(connection: Connection, rows: Sequence[tuple[str, str]]) -> None:
    """Set the customer of patients; (patient id, customer id) each."""
    driver_sql(
        connection,
        "INSERT INTO patient_customer (patient_id, customer_id) VALUES (?, ?) "
        "ON CONFLICT (patient_id) DO UPDATE SET customer_id = excluded.customer_id",
        sorted(rows),
    )


def _chunks(values: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
