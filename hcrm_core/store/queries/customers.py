"""Customers and the patients behind them."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from hcrm_core.store.queries import facts, links
from hcrm_core.store.queries.facts import FactRow
from hcrm_core.store.queries.replaced import replaced
from hcrm_core.store.tables import patient_customer, patient_identifier


def page(connection: Connection, limit: int, after: str = "") -> list[str]:
    """Customer ids in order, those after one id."""
    query = (
        select(patient_customer.c.customer_id)
        .where(patient_customer.c.customer_id > after)
        .distinct()
        .order_by(patient_customer.c.customer_id)
        .limit(limit)
    )
    return list(connection.scalars(query))


def patients_of(connection: Connection, customer_ids: list[str]) -> Iterator[tuple[str, FactRow]]:
    """(customer id, Patient fact) for all patients of the customers, by customer and patient."""
    members = links.members_of(connection, customer_ids)
    found = facts.facts(connection, members)
    merged = replaced(connection, members)
    for customer_id, patient_id in sorted((customer_id, patient_id) for patient_id, customer_id in members.items()):
        if patient_id in found:
            yield customer_id, found[patient_id]._replace(replaced=patient_id in merged)


def find(connection: Connection, wanted: str, tokens: list[str]) -> list[str]:
    """Customers by the id of any member, its beginning, or one of the tokens of a number."""
    members = select(patient_customer.c.customer_id).where(
        patient_customer.c.patient_id.startswith(wanted, autoescape=True)
        | patient_customer.c.customer_id.startswith(wanted, autoescape=True)
    )
    found = set(connection.scalars(members.limit(50)))
    if tokens:
        numbered = (
            select(patient_customer.c.customer_id)
            .join(patient_identifier, patient_identifier.c.patient_id == patient_customer.c.patient_id)
            .where(patient_identifier.c.token.in_(tokens))
        )
        found |= set(connection.scalars(numbered))
    return sorted(found)


def patients_named(connection: Connection, wanted: str, token: str | None) -> set[str]:
    """Patients by the beginning of their id, or by the token of a number; fifty at most of either."""
    begins = select(patient_customer.c.patient_id).where(
        patient_customer.c.patient_id.startswith(wanted, autoescape=True)
    )
    numbered = select(patient_identifier.c.patient_id).where(patient_identifier.c.token == token)
    return {*connection.scalars(begins.limit(50)), *connection.scalars(numbered.limit(50))}


def facts_about(connection: Connection, patient_ids: list[str]) -> list[FactRow]:
    """All facts about patients that are not void, by kind and statement."""
    rows = [row for row in facts.facts_of_patients(connection, patient_ids) if not row.void]
    return sorted(rows, key=lambda row: (row.kind, row.stamp, row.fact_id))
