"""The inbox: land once, read in landing order."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select, text, tuple_

from hcrm_core.store.engine import driver_sql
from hcrm_core.store.tables import message, processing

_CHUNK = 300


class Landing(NamedTuple):
    """A message about to be landed; `payload` is sealed already, `repairs` is JSON or `None`."""

    source: str
    control_id: str
    content_hash: bytes
    received_at: int
    payload: bytes
    repairs: str | None


class Landed(NamedTuple):
    """A message of the inbox; `payload` is sealed."""

    id: int
    source: str
    control_id: str
    content_hash: bytes
    received_at: int
    payload: bytes
    repairs: str | None


def already_landed(connection: Connection, keys: Sequence[tuple[str, str, bytes]]) -> set[tuple[str, str, bytes]]:
    """Those of the (source, control id, content hash) triples that the inbox holds."""
    columns = (message.c.source, message.c.control_id, message.c.content_hash)
    found: set[tuple[str, str, bytes]] = set()
    for start in range(0, len(keys), _CHUNK):
        wanted = keys[start : start + _CHUNK]
        rows = connection.execute(select(*columns).where(tuple_(*columns).in_(wanted)))
        found.update((source, control_id, bytes(content)) for source, control_id, content in rows)
    return found


def take_turn(connection: Connection, source: str) -> None:
    """Wait until no other transaction is landing messages of this source; the turn ends with the transaction.

    SQLite has one writer anyway. On PostgreSQL two senders that repeat the same messages in different orders would
    lock each other out, and each would count as new what the other landed.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:source, 0))"), {"source": source})


def land(connection: Connection, rows: Sequence[Landing]) -> None:
    """Add messages that are not there yet, in order."""
    driver_sql(
        connection,
        "INSERT INTO message (source, control_id, content_hash, received_at, payload, repairs) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        rows,
    )


def waiting(inbox: Connection, store: Connection, limit: int, without: Collection[str] = ()) -> list[Landed]:
    """The next messages that have no processing row, in landing order.

    Both are read since the inbox may be a file of its own. On PostgreSQL a message may become visible after one with a
    higher id was processed; the counts then differ, and the search begins at the first message.
    """
    floor = _processed_run(inbox, store)
    found: list[Landed] = []
    while len(found) < limit:
        rows = inbox.execute(select(message).where(message.c.id > floor).order_by(message.c.id).limit(limit)).all()
        if not rows:
            break
        ids = [row.id for row in rows]
        done = set(
            store.scalars(select(processing.c.message_id).where(processing.c.message_id.between(ids[0], ids[-1])))
        )
        found += [Landed(*row) for row in rows if row.id not in done and row.source not in without]
        floor = ids[-1]
    return found[:limit]


def _processed_run(inbox: Connection, store: Connection) -> int:
    count, highest = store.execute(select(func.count(), func.max(processing.c.message_id))).one()
    if not count:
        return 0
    landed = inbox.scalar(select(func.count()).select_from(message).where(message.c.id <= highest))
    return int(highest) if landed == count else 0


def read(inbox: Connection, message_id: int) -> Landed | None:
    """One message, or `None`."""
    row = inbox.execute(select(message).where(message.c.id == message_id)).first()
    return Landed(*row) if row else None


def highest(inbox: Connection) -> int:
    """The highest id there is, 0 in an empty inbox."""
    return int(inbox.scalar(select(func.max(message.c.id))) or 0)


def landed_since(inbox: Connection, after: int, source: str, received_at: int) -> list[int]:
    """The messages with higher ids that one landing brought."""
    query = select(message.c.id).where(
        message.c.id > after, message.c.source == source, message.c.received_at == received_at
    )
    return list(inbox.scalars(query.order_by(message.c.id)))


def find(inbox: Connection, source: str, control_id: str, content_hash: bytes) -> int:
    """The id of a message that has landed."""
    key = (message.c.source == source, message.c.control_id == control_id, message.c.content_hash == content_hash)
    return int(inbox.execute(select(message.c.id).where(*key)).scalar_one())


def headers(
    inbox: Connection,
    *,
    source: str | None = None,
    control_id: str | None = None,
    limit: int = 50,
    before: int | None = None,
) -> Iterator[tuple[int, str, str, int]]:
    """(id, source, control id, received at) of messages, newest first."""
    query = select(message.c.id, message.c.source, message.c.control_id, message.c.received_at)
    if source is not None:
        query = query.where(message.c.source == source)
    if control_id is not None:
        query = query.where(message.c.control_id == control_id)
    if before is not None:
        query = query.where(message.c.id < before)
    for row in inbox.execute(query.order_by(message.c.id.desc()).limit(limit)):
        yield row.id, row.source, row.control_id, row.received_at
