"""The canonical dump: everything the store concluded, as lines that depend on what was said and never on arrival."""

from collections.abc import Iterator

import msgspec
from sqlalchemy import select

from hcrm_core.store.engine import Store
from hcrm_core.store.queries.facts import all_facts
from hcrm_core.store.tables import patient_customer, patient_distinct, patient_household, patient_link, patient_pair

_encode = msgspec.json.Encoder(order="deterministic").encode


def dump(store: Store) -> Iterator[bytes]:
    """One JSON line for each fact, link, scored pair and customer, in the order of their ids.

    Left out is what depends on arrival: message numbers, `known_at`, and who computed it when.
    """
    with store.read() as connection:
        for row in all_facts(connection):
            fields = msgspec.json.decode(row.body)
            if row.sealed is not None:
                fields |= msgspec.json.decode(store.codec.open(row.sealed))
            yield _encode(
                {
                    "fact": row.fact_id,
                    "kind": row.kind,
                    "source": row.source,
                    "key": store.codec.open(row.key).decode(),
                    "patient": row.patient_id,
                    "set": row.set_id,
                    "void": bool(row.void),
                    "stamp": row.stamp.hex(),
                    "fields": fields,
                }
            )
        for link in connection.execute(select(patient_link).order_by(patient_link.c.fact_id)):
            yield _encode({"link": link.fact_id, "patient": link.patient_id, "other": link.other_id})
        for apart in connection.execute(select(patient_distinct).order_by(patient_distinct.c.fact_id)):
            yield _encode({"distinct": apart.fact_id, "patients": [apart.low_id, apart.high_id]})
        for pair in connection.execute(select(patient_pair).order_by(patient_pair.c.low_id, patient_pair.c.high_id)):
            yield _encode({"pair": [pair.low_id, pair.high_id], "verdict": pair.verdict, "evidence": pair.evidence})
        for member in connection.execute(select(patient_customer).order_by(patient_customer.c.patient_id)):
            yield _encode({"patient": member.patient_id, "customer": member.customer_id})
        for home in connection.execute(select(patient_household).order_by(patient_household.c.patient_id)):
            yield _encode({"patient": home.patient_id, "household": home.household_id})
