"""What became of each message: its processing row, and the coverage of its fields."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from hcrm_core.store.engine import driver_sql
from hcrm_core.store.tables import coverage, fact, patient_customer, processing


class ProcessingRow(NamedTuple):
    """The outcome of a message's newest translation."""

    message_id: int
    state: str
    message_type: str
    translation: int
    adapter: str
    records: int
    reason: str | None
    problems: str | None
    processed_at: int


class CoverageRow(NamedTuple):
    """In how many messages of a type a field was filled, and what became of it."""

    source: str
    message_type: str
    field: str
    status: str
    messages: int
    first_seen: int
    last_seen: int


def put(connection: Connection, rows: Sequence[ProcessingRow]) -> None:
    """Record outcomes; a later translation of a message replaces the earlier's row."""
    driver_sql(
        connection,
        "INSERT INTO processing (message_id, state, message_type, translation, adapter, records, reason, problems, "
        "processed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id) DO UPDATE SET "
        "state = excluded.state, message_type = excluded.message_type, translation = excluded.translation, "
        "adapter = excluded.adapter, records = excluded.records, reason = excluded.reason, "
        "problems = excluded.problems, processed_at = excluded.processed_at",
        rows,
    )


def outcomes(connection: Connection, message_ids: Iterable[int]) -> dict[int, ProcessingRow]:
    """The outcomes of messages that have one."""
    ids = sorted(set(message_ids))
    found = {}
    for start in range(0, len(ids), 500):
        query = select(processing).where(processing.c.message_id.in_(ids[start : start + 500]))
        found.update({row.message_id: ProcessingRow(*row) for row in connection.execute(query)})
    return found


def messages_in(connection: Connection, state: str, limit: int) -> list[int]:
    """The newest messages in a state, newest first."""
    query = select(processing.c.message_id).where(processing.c.state == state)
    return list(connection.scalars(query.order_by(processing.c.message_id.desc()).limit(limit)))


def count_coverage(connection: Connection, rows: Sequence[CoverageRow]) -> None:
    """Add counts to the coverage ledger."""
    driver_sql(
        connection,
        "INSERT INTO coverage (source, message_type, field, status, count, first_seen, last_seen) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, message_type, field, status) DO UPDATE SET "
        "count = coverage.count + excluded.count, last_seen = excluded.last_seen",
        sorted(rows),
    )


def read_coverage(connection: Connection, source: str | None = None) -> list[CoverageRow]:
    """The coverage ledger, by source, message type and field."""
    query = select(coverage).order_by(coverage.c.source, coverage.c.message_type, coverage.c.field, coverage.c.status)
    if source is not None:
        query = query.where(coverage.c.source == source)
    return [CoverageRow(*row) for row in connection.execute(query)]


def people(connection: Connection) -> tuple[int, int]:
    """How many source patients and how many customers there are."""
    patients = connection.scalar(
        select(func.count()).select_from(fact).where(fact.c.kind == "Patient", fact.c.void.is_(False))
    )
    customers = connection.scalar(select(func.count(func.distinct(patient_customer.c.customer_id))))
    return int(patients or 0), int(customers or 0)


def quarantine_reasons(connection: Connection) -> list[tuple[str, str, int]]:
    """(message type, reason as JSON, count) of quarantined messages, most frequent first."""
    query = (
        select(processing.c.message_type, processing.c.reason, func.count().label("n"))
        .where(processing.c.state == "quarantined")
        .group_by(processing.c.message_type, processing.c.reason)
    )
    rows = [(row.message_type, row.reason or "", int(row.n)) for row in connection.execute(query)]
    return sorted(rows, key=lambda row: (-row[2], row[0], row[1]))
