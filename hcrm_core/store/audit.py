"""The audit trail: who saw or changed personal data, each row chained to the one before it.

A row's chain is a keyed hash of the row and of the trail's end before it; the end is a keyed hash of the last chain and
is kept apart. Without the key nobody can change a row, leave one out, or cut rows off the end.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import select, update

from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.tables import audit, audit_end

_encode = msgspec.json.Encoder(order="deterministic").encode


class AuditRow(NamedTuple):
    """One row of the trail; `at` is microseconds UTC, `detail` JSON without personal data."""

    id: int
    at: int
    by: str
    action: str
    subject: str
    detail: str
    chain: str


def begin(connection: Connection, codec: Codec) -> None:
    """Begin the trail of a new store; a trail whose beginning is gone was tampered with."""
    connection.execute(audit_end.insert().values(id=1, token=_end(codec, "")))


def record(
    connection: Connection, codec: Codec, *, at: int, by: str, action: str, subject: str, detail: dict[str, Any]
) -> None:
    """Add a row in the caller's write transaction, so that what it tells of happens with it or not at all.

    Args:
        connection: A write transaction on the store; writers take turns, so the chain has one end.
        codec: Its key makes the chain.
        at: Microseconds UTC.
        by: Who.
        action: What was done, `messages.unmask`.
        subject: To what, `message 17`.
        detail: More, without personal data.
    """
    body = _encode(detail).decode()
    chain = codec.token("audit", _kept_end(connection), str(at), by, action, subject, body)
    connection.execute(audit.insert().values(at=at, by=by, action=action, subject=subject, detail=body, chain=chain))
    connection.execute(update(audit_end).values(token=_end(codec, chain)))


def trail(connection: Connection) -> list[AuditRow]:
    """All rows, oldest first."""
    return [AuditRow(*row) for row in connection.execute(select(audit).order_by(audit.c.id))]


def of_actions(connection: Connection, actions: Iterable[str]) -> list[AuditRow]:
    """The rows of some actions, oldest first."""
    query = select(audit).where(audit.c.action.in_(sorted(actions))).order_by(audit.c.id)
    return [AuditRow(*row) for row in connection.execute(query)]


def first_broken(connection: Connection, codec: Codec) -> int | None:
    """The first row that was changed, left out or cut off; `None`: the trail is whole."""
    end, number = _end(codec, ""), 0
    for row in trail(connection):
        if row.chain != codec.token("audit", end, str(row.at), row.by, row.action, row.subject, row.detail):
            return row.id
        end, number = _end(codec, row.chain), row.id
    return None if _kept_end(connection) == end else number + 1


def _end(codec: Codec, chain: str) -> str:
    return codec.token("audit end", chain)


def _kept_end(connection: Connection) -> str:
    return connection.scalar(select(audit_end.c.token)) or ""
