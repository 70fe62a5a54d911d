"""Customers and the patients behind them."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from hcrm_core.store.queries.facts import FactRow
from hcrm_core.store.tables import fact, patient_customer, patient_identifier


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
    columns = [fact.c[name] for name in FactRow._fields]
    for start in range(0, len(customer_ids), 500):
        query = (
            select(patient_customer.c.customer_id, *columns)
            .join(fact, fact.c.fact_id == patient_customer.c.patient_id)
            .where(patient_customer.c.customer_id.in_(customer_ids[start : start + 500]))
            .order_by(patient_customer.c.customer_id, fact.c.fact_id)
        )
        for row in connection.execute(query):
            yield row[0], FactRow(*row[1:])


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


def facts_about(connection: Connection, patient_ids: list[str]) -> list[FactRow]:
    """All facts about patients that are not void, by kind and statement."""
    columns = [fact.c[name] for name in FactRow._fields]
    query = (
        select(*columns)
        .where(fact.c.patient_id.in_(patient_ids), fact.c.void.is_(False))
        .order_by(fact.c.kind, fact.c.stamp, fact.c.fact_id)
    )
    return [FactRow(*row) for row in connection.execute(query)]
