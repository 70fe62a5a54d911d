"""Where the pulls of sources have got to."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from hcrm_core.store.tables import position


class Reached(NamedTuple):
    """Where a source's pull is.

    Attributes:
        body: The adapter's own text, sealed.
        updated_at: When it got there, microseconds UTC.
        finished_at: When a pull last came to its end; `None`: none has.
        unread: What the last pull asked for and could not read; `None`: nothing.
    """

    body: bytes
    updated_at: int
    finished_at: int | None
    unread: str | None = None


def read(inbox: Connection, source: str) -> Reached | None:
    """Where a source's pull is; `None`: it was never pulled."""
    row = inbox.execute(
        select(position.c.body, position.c.updated_at, position.c.finished_at, position.c.unread).where(
            position.c.source == source
        )
    ).one_or_none()
    return Reached(*row) if row else None


def write(inbox: Connection, source: str, reached: Reached) -> None:
    """Keep where a source's pull is now."""
    values = reached._asdict()
    done = inbox.execute(position.update().where(position.c.source == source).values(values))
    if not done.rowcount:
        inbox.execute(position.insert().values(source=source, **values))


def forget(inbox: Connection, source: str) -> None:
    """Let the next pull of a source begin anew."""
    inbox.execute(delete(position).where(position.c.source == source))
