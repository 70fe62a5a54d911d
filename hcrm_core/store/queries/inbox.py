"""The inbox: land once, read in landing order."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, delete, func, select

from hcrm_core.store.engine import driver_rows, driver_sql
from hcrm_core.store.tables import message, payload

_CHUNK = 100
INBOX_LOCK = 0x4843524E
"""The PostgreSQL advisory lock of landing: "HCRN"."""


class Landing(NamedTuple):
    """A message about to be landed; `body` is sealed already, `remarks` is JSON or `None`, `place` for people."""

    source: str
    control_id: str
    content_hash: bytes
    received_at: int
    form: str
    remarks: str | None
    place: str | None
    body: bytes


class Known(NamedTuple):
    """What the inbox holds of a message about to be landed.

    Attributes:
        message_id: The same message, landed before; `None`: it is new.
        received_at: When that one arrived.
        reused: Whether its control id came before with other bytes.
    """

    message_id: int | None
    received_at: int
    reused: bool


class Landed(NamedTuple):
    """A message of the inbox; `payload` is sealed, and `None` once it has been pruned."""

    id: int
    source: str
    control_id: str
    content_hash: bytes
    received_at: int
    form: str
    remarks: str | None
    place: str | None
    payload: bytes | None


def take_turn(connection: Connection) -> None:
    """Wait until no other transaction is landing; the turn ends with the transaction.

    SQLite has one writer anyway. On PostgreSQL two senders that repeat the same messages would lock each other out,
    and numbers would become visible in another order than they were given: who works the inbox off relies on a
    number never appearing behind a higher one.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({INBOX_LOCK})")


def known(connection: Connection, keys: Sequence[tuple[str, str, bytes]]) -> list[Known]:
    """What the inbox holds of each (source, control id, content hash), in their order."""
    found: list[Known] = []
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        values = [value for place, key in enumerate(chunk) for value in (place, *key)]
        rows = sorted(driver_rows(connection, _known_sql(len(chunk)), values))
        # A repetition has at least one row of its control id, itself.
        found += [Known(number, at or 0, number is None and bool(same)) for _, number, at, same in rows]
    return found


@lru_cache(maxsize=_CHUNK)
def _known_sql(count: int) -> str:
    wanted = ", ".join(["(?, ?, ?, ?)"] * count)
    return (
        f"WITH wanted (place, source, control_id, content_hash) AS (VALUES {wanted}) "
        "SELECT w.place, m.id, m.received_at, w.control_id <> '' AND EXISTS (SELECT 1 FROM message o "
        "WHERE o.source = w.source AND o.control_id = w.control_id) FROM wanted w LEFT JOIN message m "
        "ON m.source = w.source AND m.control_id = w.control_id AND m.content_hash = w.content_hash"
    )


def land(connection: Connection, rows: Sequence[Landing]) -> list[int]:
    """Add messages that are not there yet, and give their numbers in order."""
    numbers: list[int] = []
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        made = driver_rows(connection, _land_sql(len(chunk)), [value for row in chunk for value in row[:7]])
        number_of = {(source, control_id, bytes(digest)): number for number, source, control_id, digest in made}
        numbers += [number_of[row[:3]] for row in chunk]
    driver_sql(
        connection,
        "INSERT INTO payload (message_id, body) VALUES (?, ?)",
        [(number, row.body) for number, row in zip(numbers, rows, strict=True)],
    )
    return numbers


@lru_cache(maxsize=_CHUNK)
def _land_sql(count: int) -> str:
    values = ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * count)
    return (
        f"INSERT INTO message (source, control_id, content_hash, received_at, form, remarks, place) VALUES {values} "
        "RETURNING id, source, control_id, content_hash"
    )


def after(inbox: Connection, number: int, limit: int) -> list[Landed]:
    """The next messages behind a number, in landing order; record files are not among them."""
    where = (message.c.id > number, message.c.form != "records")
    return [Landed(*row) for row in inbox.execute(_whole().where(*where).order_by(message.c.id).limit(limit))]


def read_all(inbox: Connection, numbers: Iterable[int]) -> list[Landed]:
    """Messages by number, in landing order."""
    query = _whole().where(message.c.id.in_(bindparam("wanted", expanding=True))).order_by(message.c.id)
    return [Landed(*row) for chunk in _chunks(numbers) for row in inbox.execute(query, {"wanted": chunk})]


def read(inbox: Connection, message_id: int) -> Landed | None:
    """One message, or `None`."""
    return next(iter(read_all(inbox, [message_id])), None)


def highest(inbox: Connection) -> int:
    """The highest number there is, 0 in an empty inbox."""
    return int(inbox.scalar(select(func.max(message.c.id))) or 0)


def landed_since(inbox: Connection, after: int, source: str, received_at: int) -> Sequence[int]:
    """The messages with higher numbers that one landing brought, which may be millions."""
    query = select(message.c.id).where(
        message.c.id > after, message.c.source == source, message.c.received_at == received_at
    )
    return array("q", inbox.scalars(query.order_by(message.c.id)))


def behind(inbox: Connection, number: int) -> tuple[int, int | None]:
    """How many messages stand behind a number, and when the first of them arrived."""
    count, first = inbox.execute(
        select(func.count(), func.min(message.c.received_at)).where(message.c.id > number, message.c.form != "records")
    ).one()
    return int(count), first


def headers(
    inbox: Connection,
    *,
    source: str | None = None,
    control_id: str | None = None,
    since: int | None = None,
    until: int | None = None,
    among: Sequence[int] | None = None,
    limit: int = 50,
    before: int | None = None,
) -> Iterator[tuple[int, str, str, int, str | None]]:
    """(id, source, control id, received at, place) of messages, newest first.

    Args:
        inbox: The inbox.
        source: Only of this source.
        control_id: Only with this control id.
        since: Only received then or later, microseconds UTC.
        until: Only received before, microseconds UTC.
        among: Only these numbers.
        limit: At most so many.
        before: Only below this number.
    """
    query = select(message.c.id, message.c.source, message.c.control_id, message.c.received_at, message.c.place)
    wanted: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
        (source, message.c.source.__eq__),
        (control_id, message.c.control_id.__eq__),
        (since, message.c.received_at.__ge__),
        (until, message.c.received_at.__lt__),
        (before, message.c.id.__lt__),
        (among, message.c.id.in_),
    )
    for given, condition in wanted:
        if given is not None:
            query = query.where(condition(given))
    for row in inbox.execute(query.order_by(message.c.id.desc()).limit(limit)):
        yield row.id, row.source, row.control_id, row.received_at, row.place


def sources(inbox: Connection, low: int, high: int) -> dict[int, str]:
    """Number → source of the messages from `low` to below `high`."""
    return dict(driver_rows(inbox, "SELECT id, source FROM message WHERE id >= ? AND id < ?", (low, high)))


def prunable(inbox: Connection, until: int, source: str | None, after: int, limit: int) -> list[int]:
    """Messages received before an instant whose bytes are still kept, by number, behind the number `after`."""
    query = select(message.c.id).join(payload, payload.c.message_id == message.c.id)
    query = query.where(message.c.received_at < until, message.c.id > after, message.c.form != "records")
    if source is not None:
        query = query.where(message.c.source == source)
    return list(inbox.scalars(query.order_by(message.c.id).limit(limit)))


def kept(inbox: Connection, numbers: Iterable[int]) -> set[int]:
    """Those messages whose bytes have not been pruned."""
    found: set[int] = set()
    for chunk in _chunks(numbers):
        found |= set(inbox.scalars(select(payload.c.message_id).where(payload.c.message_id.in_(chunk))))
    return found


def kept_bytes(inbox: Connection, numbers: Sequence[int]) -> int:
    """How many bytes are stored of messages."""
    size = 0
    for chunk in _chunks(numbers):
        query = select(func.sum(func.length(payload.c.body))).where(payload.c.message_id.in_(chunk))
        size += int(inbox.scalar(query) or 0)
    return size


def prune(inbox: Connection, numbers: Sequence[int]) -> int:
    """Delete the bytes of messages; that they arrived stays known. Returns how many bytes were stored."""
    size = kept_bytes(inbox, numbers)
    for chunk in _chunks(numbers):
        inbox.execute(delete(payload).where(payload.c.message_id.in_(chunk)))
    return size


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(set(numbers))
    for start in range(0, len(ordered), 500):
        yield ordered[start : start + 500]


def _whole() -> Select[Any]:
    return select(message, payload.c.body).outerjoin(payload, payload.c.message_id == message.c.id)
