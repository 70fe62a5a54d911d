"""What the mart copies: every fact that is not void, with its customer, now or as of an instant."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, bindparam, select, text

from hcrm_core.model.fold import Event, earliest_stamp, fold, said_at
from hcrm_core.store.packing import unpack
from hcrm_core.store.tables import mart_state

BATCH = 50_000
Basis = Literal["known", "said"]

_decode = msgspec.json.Decoder(dict[str, Any]).decode

_NOW = """
SELECT f.fact_id, f.kind, COALESCE(pc.customer_id, f.patient_id), f.patient_id, c.body, s.stamp, f.known_at
FROM fact AS f JOIN content AS c ON c.id = f.content_id JOIN statement AS s ON s.id = f.statement_id
LEFT JOIN patient_customer AS pc ON pc.patient_id = f.patient_id
WHERE NOT f.void AND f.kind IN :kinds
"""

# The log in the order of facts, so that one fact is folded at a time; complete sets beside their members.
_THEN = """
SELECT f.fact_id, f.kind, COALESCE(pc.customer_id, f.patient_id), f.patient_id, e.stamp, e.known_at, e.body
FROM fact AS f
JOIN (
  SELECT v.fact_number, s.stamp, s.known_at, c.body
  FROM version AS v JOIN statement AS s ON s.id = v.statement_id JOIN content AS c ON c.id = v.content_id
  WHERE {when} AND (s.voided_at IS NULL OR s.voided_at > :until)
  UNION ALL
  SELECT f.number, s.stamp, s.known_at, NULL FROM set_statement AS m
  JOIN statement AS s ON s.id = m.statement_id JOIN fact AS f ON f.set_id = m.set_id
  WHERE {when} AND (s.voided_at IS NULL OR s.voided_at > :until)
) AS e ON e.fact_number = f.number
LEFT JOIN patient_customer AS pc ON pc.patient_id = f.patient_id
WHERE f.kind IN :kinds
ORDER BY f.fact_id, e.stamp
"""


def mart_sequence(connection: Connection) -> int:
    """How often facts or links have changed; 0 in a new store."""
    return int(connection.scalar(select(mart_state.c.sequence).where(mart_state.c.id == 1)) or 0)


def mart_rows(connection: Connection, kinds: Sequence[str], batch: int = BATCH) -> Iterator[Sequence[tuple[Any, ...]]]:
    """All facts of `kinds` that are not void, in batches, as `mart.refresh.FactRow`.

    A patient without a link is a customer alone, under its own id.
    """
    statement = text(_NOW).bindparams(bindparam("kinds", expanding=True))
    options = {"stream_results": True, "max_row_buffer": batch}
    result = connection.execute(statement, {"kinds": list(kinds)}, execution_options=options)
    while rows := result.fetchmany(batch):
        yield [(*row[:4], unpack(row[4]).decode(), said_at(row[5]), row[6]) for row in rows]


def mart_rows_as_of(
    connection: Connection, kinds: Sequence[str], until: int, basis: Basis, batch: int = BATCH
) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The same as it stood at an instant, folded from the log of versions.

    Customers are those of today's links.

    Args:
        connection: Inside a transaction.
        kinds: Of facts.
        until: Microseconds since 1970 UTC; statements at or before it count.
        basis: `known`: by arrival, so that a translation voided since still counts. `said`: by statement time, with
            what is known today.
        batch: Rows a batch.
    """
    when = "s.known_at <= :until" if basis == "known" else "s.stamp < :end"
    query = _THEN.format(when=when)
    values: dict[str, Any] = {"kinds": list(kinds), "until": until if basis == "known" else 2**62}
    if basis == "said":
        values["end"] = earliest_stamp(until + 1)
    statement = text(query).bindparams(bindparam("kinds", expanding=True))
    result = connection.execute(statement, values, execution_options={"stream_results": True})
    found: list[tuple[Any, ...]] = []
    for (fact_id, kind, customer_id, patient_id), rows in groupby(result, key=itemgetter(0, 1, 2, 3)):
        log = list(rows)
        if not any(row[6] is not None for row in log):
            continue  # only a set spoke of it then: it was not known yet
        folded = fold(Event(bytes(row[4]), None if row[6] is None else _decode(unpack(row[6]))) for row in log)
        if folded is None or folded.void:
            continue
        known_at = max(row[5] for row in log)
        body = msgspec.json.encode(folded.fields).decode()
        found.append((fact_id, kind, customer_id, patient_id, body, said_at(folded.stamp), known_at))
        if len(found) == batch:
            yield found
            found = []
    if found:
        yield found
