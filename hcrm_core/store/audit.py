"""The audit trail: who saw or changed personal data, each row chained to the one before it."""

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import select

from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.tables import audit

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


def record(
    connection: Connection, codec: Codec, *, at: int, by: str, action: str, subject: str, detail: dict[str, Any]
) -> None:
    """Add a row in the caller's write transaction, so that what it tells of happens with it or not at all.

    Args:
        connection: A write transaction on the store; writers take turns, so the chain has one end.
        codec: Its key makes the chain: nobody without it can forge a row or leave one out.
        at: Microseconds UTC.
        by: Who.
        action: What was done, `messages.unmask`.
        subject: To what, `message 17`.
        detail: More, without personal data.
    """
    last = connection.scalar(select(audit.c.chain).order_by(audit.c.id.desc()).limit(1)) or ""
    body = _encode(detail).decode()
    chain = codec.token("audit", last, str(at), by, action, subject, body)
    connection.execute(audit.insert().values(at=at, by=by, action=action, subject=subject, detail=body, chain=chain))


def trail(connection: Connection) -> list[AuditRow]:
    """All rows, oldest first."""
    return [AuditRow(*row) for row in connection.execute(select(audit).order_by(audit.c.id))]


def first_broken(connection: Connection, codec: Codec) -> int | None:
    """The first row that was changed, or before which one was left out; `None`: the chain holds."""
    last = ""
    for row in trail(connection):
        if row.chain != codec.token("audit", last, str(row.at), row.by, row.action, row.subject, row.detail):
            return row.id
        last = row.chain
    return None
