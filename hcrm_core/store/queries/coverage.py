"""The coverage ledger: how many messages of each shape arrived on a day, and what became of their fields.

A shape is a message type with the fields that were filled, each mapped, ignored, unknown or left out. Most messages of
a sender are alike in it, so that a batch counts a few shapes and not thousands of fields; a message's processing row
names its shape, so that a new translation takes the place of the old one here too.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Select, func, select

from hcrm_core.model.translation import Coverage
from hcrm_core.store.engine import driver_sql
from hcrm_core.store.packing import pack, unpack
from hcrm_core.store.queries.processing import of_type
from hcrm_core.store.tables import coverage, coverage_shape

REMEMBERED = 10_000
"""Shapes kept."""
STATUSES = ("mapped", "ignored", "unknown", "left_out")

_decode = msgspec.json.Decoder(Coverage).decode


class Shape(NamedTuple):
    """A row of `coverage_shape`; its id is a digest of the rest."""

    id: int
    message_type: str
    fields: bytes


class Count(NamedTuple):
    """How many messages of a shape are to be counted more, or less, on a day.

    Attributes:
        source: Of the messages.
        day: Of their arrival: `2026-06-01`.
        shape_id: The shape.
        messages: How many; below zero where a new translation has taken the place of what was counted.
        last_message: The highest number among those counted.
    """

    source: str
    day: str
    shape_id: int
    messages: int
    last_message: int


class CoverageRow(NamedTuple):
    """In how many messages of a type a field was filled, and what became of it.

    Attributes:
        source, message_type, field: Of what.
        status: `mapped`, `ignored`, `unknown` or `left_out`.
        messages: In how many.
        first_seen: The first day of arrival: `2026-06-01`.
        last_seen: The last.
        examples: Numbers of some messages that hold it, newest first.
    """

    source: str
    message_type: str
    field: str
    status: str
    messages: int
    first_seen: str
    last_seen: str
    examples: tuple[int, ...]


@lru_cache(maxsize=REMEMBERED)
def shape(message_type: str, fields: Coverage) -> Shape:
    """The shape of a message; the order of its fields makes no difference."""
    ordered = Coverage(*(tuple(sorted(set(getattr(fields, status)))) for status in STATUSES))
    plain = msgspec.json.encode(ordered)
    digest = hashlib.blake2b(message_type.encode() + b"\0" + plain, digest_size=8).digest()
    return Shape(int.from_bytes(digest, signed=True), message_type, pack(plain))


def count(connection: Connection, shapes: Iterable[Shape], counts: Sequence[Count]) -> None:
    """Add to the ledger.

    Args:
        connection: A write transaction on the store.
        shapes: At least those counted that may be new.
        counts: What to add; of each source, day and shape at most one.
    """
    driver_sql(
        connection,
        "INSERT INTO coverage_shape (id, message_type, fields) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
        sorted(set(shapes)),
    )
    driver_sql(
        connection,
        "INSERT INTO coverage (source, day, shape_id, count, last_message) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (source, day, shape_id) DO UPDATE SET count = coverage.count + excluded.count, last_message = "
        "CASE WHEN excluded.last_message > coverage.last_message THEN excluded.last_message "
        "ELSE coverage.last_message END",
        sorted(counts),
    )
    driver_sql(
        connection,
        "DELETE FROM coverage WHERE source = ? AND day = ? AND shape_id = ? AND count <= 0",
        sorted(row[:3] for row in counts if row.messages < 0),
    )


def read(
    connection: Connection,
    source: str | None = None,
    since: str | None = None,
    until: str | None = None,
    message_type: str | None = None,
) -> list[CoverageRow]:
    """What became of every field, by source, message type, field and status.

    Args:
        connection: The store.
        source: Only of this source.
        since: Only what arrived on this day or later.
        until: Only what arrived before this day.
        message_type: Only of this type (`ADT^A01`), or of all that begin so where it ends in `*`.
    """
    asked = (source, since, until, message_type)
    chosen = _chosen(
        select(
            coverage.c.source,
            coverage.c.shape_id,
            func.sum(coverage.c.count),
            func.min(coverage.c.day),
            func.max(coverage.c.day),
            func.max(coverage.c.last_message),
        ).group_by(coverage.c.source, coverage.c.shape_id),
        *asked,
    )
    shapes = _shapes(connection, _chosen(select(coverage.c.shape_id), *asked))
    found: dict[tuple[str, str, str, str], CoverageRow] = {}
    for name, shape_id, messages, first, last, example in connection.execute(chosen):
        kind, fields = shapes[shape_id]
        for status in STATUSES:
            for field in getattr(fields, status):
                key = (name, kind, field, status)
                known = found.get(key)
                found[key] = CoverageRow(
                    *key,
                    int(messages) + (known.messages if known else 0),
                    min(first, known.first_seen) if known else first,
                    max(last, known.last_seen) if known else last,
                    tuple(sorted((example, *known.examples), reverse=True)[:3]) if known else (example,),
                )
    return [found[key] for key in sorted(found)]


def messages(
    connection: Connection,
    source: str | None = None,
    since: str | None = None,
    until: str | None = None,
    message_type: str | None = None,
) -> dict[tuple[str, str], int]:
    """(source, message type) → how many messages are counted; the arguments are those of `read`."""
    query = (
        _chosen(
            select(coverage.c.source, coverage_shape.c.message_type, func.sum(coverage.c.count)),
            source,
            since,
            until,
            message_type,
        )
        .join(coverage_shape, coverage_shape.c.id == coverage.c.shape_id)
        .group_by(coverage.c.source, coverage_shape.c.message_type)
    )
    return {(name, kind): int(total) for name, kind, total in connection.execute(query)}


def _shapes(connection: Connection, ids: Select[tuple[int]]) -> dict[int, tuple[str, Coverage]]:
    query = select(coverage_shape).where(coverage_shape.c.id.in_(ids))
    return {row.id: (row.message_type, _decode(unpack(bytes(row.fields)))) for row in connection.execute(query)}


def _chosen(
    query: Select, source: str | None, since: str | None, until: str | None, message_type: str | None
) -> Select:
    if source is not None:
        query = query.where(coverage.c.source == source)
    if since is not None:
        query = query.where(coverage.c.day >= since)
    if until is not None:
        query = query.where(coverage.c.day < until)
    if message_type is not None:
        of_it = select(coverage_shape.c.id).where(of_type(coverage_shape.c.message_type, message_type))
        query = query.where(coverage.c.shape_id.in_(of_it))
    return query
