"""What became of each message: its processing row."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select, update

from hcrm_core.store.engine import driver_rows, driver_select, driver_sql
from hcrm_core.store.tables import fact, intake_state, patient_customer, processing, statement, version


class ProcessingRow(NamedTuple):
    """What is known of a message behind the inbox; the meaning of each state is in `intake/claims.py`.

    Attributes:
        message_id: Its number in the inbox.
        state: `received`, `claimed`, `translated`, `folded`, `quarantined`, `rejected`; `loading` of a record file.
        message_type: Of its newest translation, empty before there is one.
        translation: 1 for the first, counted up by every replay; 0 before the first.
        adapter: Name and version that translated it.
        records: How many records its newest translation gave.
        reason: JSON of the Problem that keeps or kept it from being folded.
        problems: JSON list of Problems.
        processed_at: When this was written, microseconds UTC.
        attempts: How often it was claimed.
        worker: Who has claimed it.
        due_at: When it may be taken again, microseconds UTC; `None`: it is done.
        shape_id: How its accepted translation is counted in the coverage; `None`: it is not counted.
    """

    message_id: int
    state: str
    message_type: str = ""
    translation: int = 0
    adapter: str = ""
    records: int = 0
    reason: str | None = None
    problems: str | None = None
    processed_at: int = 0
    attempts: int = 0
    worker: str | None = None
    due_at: int | None = None
    shape_id: int | None = None


_COLUMNS = ", ".join(ProcessingRow._fields)
_MARKS = ", ".join("?" * len(ProcessingRow._fields))
_REPLACED = ", ".join(f"{name} = excluded.{name}" for name in ProcessingRow._fields[1:])
_THEIR_ROWS = "FROM {wanted} CROSS JOIN processing WHERE message_id = w.value"
_COUNTED = 10_000


def put(connection: Connection, rows: Sequence[ProcessingRow]) -> None:
    """Record what became of messages; a later row of a message replaces the earlier."""
    driver_sql(
        connection,
        f"INSERT INTO processing ({_COLUMNS}) VALUES ({_MARKS}) ON CONFLICT (message_id) DO UPDATE SET {_REPLACED}",
        rows,
    )


def claimed_to(connection: Connection) -> int:
    """The number up to which every message has been claimed once."""
    return int(connection.scalar(select(intake_state.c.claimed_to)) or 0)


def set_claimed_to(connection: Connection, number: int) -> None:
    """Move `claimed_to`."""
    if not connection.execute(update(intake_state).values(claimed_to=number)).rowcount:
        connection.execute(intake_state.insert().values(id=1, claimed_to=number))


def known_between(connection: Connection, low: int, high: int) -> set[int]:
    """Which of the messages behind `low`, up to `high`, have a row."""
    query = "SELECT message_id FROM processing WHERE message_id > ? AND message_id <= ?"
    return {row[0] for row in driver_rows(connection, query, (low, high))}


def due(connection: Connection, now: int, limit: int) -> list[ProcessingRow]:
    """Messages that may be taken again, in landing order."""
    query = select(processing).where(processing.c.due_at <= now).order_by(processing.c.message_id).limit(limit)
    return [ProcessingRow(*row) for row in connection.execute(query)]


def next_due(connection: Connection, state: str) -> int | None:
    """When the first message in a state may be taken again."""
    return connection.scalar(select(func.min(processing.c.due_at)).where(processing.c.state == state))


def claimants(connection: Connection, after: int = 0) -> list[str]:
    """Who holds claims whose lease ends after an instant."""
    query = select(processing.c.worker).where(processing.c.due_at > after, processing.c.worker.is_not(None))
    return sorted(set(connection.scalars(query.distinct())))


def set_due(connection: Connection, due_at: int, *, worker: str | None = None, state: str = "claimed") -> int:
    """Let messages in a state, of one claimant or of all, be taken at another time. Returns how many."""
    query = update(processing).where(processing.c.due_at.is_not(None), processing.c.state == state)
    if worker is not None:
        query = query.where(processing.c.worker == worker)
    return int(connection.execute(query.values(due_at=due_at)).rowcount)


def release(connection: Connection, due_at: int, worker: str) -> None:
    """Give a worker's claims back, as if it had never tried them."""
    mine = (processing.c.state == "claimed", processing.c.worker == worker)
    connection.execute(update(processing).where(*mine).values(due_at=due_at, attempts=processing.c.attempts - 1))


def outcomes(connection: Connection, message_ids: Iterable[int]) -> dict[int, ProcessingRow]:
    """The outcomes of messages that have one."""
    rows = driver_select(connection, f"SELECT {_COLUMNS} {_THEIR_ROWS}", message_ids, "bigint")
    return {row[0]: ProcessingRow._make(row) for row in rows}


class Tally(NamedTuple):
    """How many of some messages have an outcome, how many of those are quarantined, and how many records they gave."""

    messages: int
    quarantined: int
    records: int


def tally(connection: Connection, message_ids: Sequence[int]) -> Tally:
    """Count the outcomes of messages, which may be millions."""
    query = f"SELECT state, count(*), sum(records) {_THEIR_ROWS} GROUP BY state"
    counted, given = Counter[str](), 0
    for start in range(0, len(message_ids), _COUNTED):
        for state, count, records in driver_select(connection, query, message_ids[start : start + _COUNTED], "bigint"):
            counted[state] += count
            given += records
    return Tally(counted.total(), counted["quarantined"], given)


def of_type(column: ColumnElement[str], wanted: str) -> ColumnElement[bool]:
    """That a message type is the one wanted (`ADT^A01`), or begins so where what is wanted ends in `*`."""
    return column.startswith(wanted[:-1], autoescape=True) if wanted.endswith("*") else column == wanted


def find(
    connection: Connection,
    *,
    states: Collection[str] = (),
    message_type: str | None = None,
    about: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[int]:
    """Numbers of messages that have been claimed at least once, newest first.

    Args:
        connection: The store.
        states: Only in one of these states.
        message_type: Only of this type (`ADT^A01`), or of all that begin so where it ends in `*`.
        about: Only what speaks of this customer, by id.
        before: Only below this number.
        limit: At most so many.
    """
    query = select(processing.c.message_id)
    if states:
        query = query.where(processing.c.state.in_(sorted(states)))
    if message_type is not None:
        query = query.where(of_type(processing.c.message_type, message_type))
    if about is not None:
        patients = select(patient_customer.c.patient_id).where(patient_customer.c.customer_id == about)
        spoken = (
            select(statement.c.message_id)
            .join(version, version.c.statement_id == statement.c.id)
            .join(fact, fact.c.number == version.c.fact_number)
            .where(fact.c.patient_id.in_(patients))
        )
        query = query.where(processing.c.message_id.in_(spoken))
    if before is not None:
        query = query.where(processing.c.message_id < before)
    return list(connection.scalars(query.order_by(processing.c.message_id.desc()).limit(limit)))


def readers(connection: Connection, low: int, high: int) -> dict[int, str]:
    """Number → what translated it (adapter, version, mapping) from `low` to below `high`, where that is done."""
    statement = (
        "SELECT message_id, adapter FROM processing WHERE message_id >= ? AND message_id < ? "
        "AND state IN ('folded', 'quarantined')"
    )
    return dict(driver_rows(connection, statement, (low, high)))


def first_in(connection: Connection, states: Collection[str]) -> list[int]:
    """The lowest number in each of these states."""
    query = select(func.min(processing.c.message_id)).where(processing.c.state.in_(sorted(states)))
    return sorted(connection.scalars(query.group_by(processing.c.state)))


def counts(connection: Connection) -> dict[str, int]:
    """How many messages are in each state."""
    query = select(processing.c.state, func.count()).group_by(processing.c.state).order_by(processing.c.state)
    return {state: int(count) for state, count in connection.execute(query)}


def people(connection: Connection) -> tuple[int, int]:
    """How many source patients and how many customers there are."""
    patients = connection.scalar(
        select(func.count()).select_from(fact).where(fact.c.kind == "Patient", fact.c.void.is_(False))
    )
    customers = connection.scalar(select(func.count(func.distinct(patient_customer.c.customer_id))))
    return int(patients or 0), int(customers or 0)


def with_problems(connection: Connection, newest: int, since: int) -> list[tuple[int, str]]:
    """(number, JSON list of problems) of the folded messages that have some, newest first.

    Args:
        connection: The store.
        newest: Of how many messages at most.
        since: Translated at this instant or later, microseconds UTC.
    """
    query = (
        "SELECT message_id, problems FROM (SELECT message_id, problems, state, processed_at FROM processing "
        "ORDER BY message_id DESC LIMIT ?) AS newest WHERE state = 'folded' AND problems IS NOT NULL "
        "AND processed_at >= ? ORDER BY message_id DESC"
    )
    return [(row[0], row[1]) for row in driver_rows(connection, query, (newest, since))]


def reasons(connection: Connection, states: Collection[str]) -> list[tuple[str, str, int]]:
    """(message type, reason as JSON, count) of messages in some states that have one, most frequent first."""
    query = (
        select(processing.c.message_type, processing.c.reason, func.count().label("n"))
        .where(processing.c.state.in_(sorted(states)), processing.c.reason.is_not(None))
        .group_by(processing.c.message_type, processing.c.reason)
    )
    rows = [(row.message_type, row.reason, int(row.n)) for row in connection.execute(query)]
    return sorted(rows, key=lambda row: (-row[2], row[0], row[1]))
