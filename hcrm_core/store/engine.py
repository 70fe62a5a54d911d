"""Connections and transactions on the two databases of a workspace, SQLite or PostgreSQL."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError

from hcrm_core.config import USUAL_GOLDEN, USUAL_IDENTITY, GoldenSettings, IdentitySettings
from hcrm_core.errors import ConfigurationError
from hcrm_core.store.codec import Codec

BUSY_SECONDS = 30

UNAVAILABLE = (OperationalError, InterfaceError)
"""Errors of the database itself and not of what it was given."""

_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""What libpq is told where the URL says nothing else: a server that was switched off, or is cut off, is given up within
half a minute and not within the hours that TCP would wait for it."""

WRITER_LOCK = 0x4843524D
"""The PostgreSQL advisory lock of the store's writer: "HCRM"."""


_VACUUMED_PAGES = 2_000
"""How many pages are freed in one transaction, so that landing waits milliseconds for it."""


class Store:
    """The store and the inbox of one workspace.

    Attributes:
        codec: Seals identifiers and payloads, makes tokens.
        engine: Of the store.
        inbox: Of the inbox; the same engine when both are one database.
        timezone: Whose days are counted by.
        identity: When its patients are one customer.
        golden: Which of several patients' words about one customer stands.
    """

    def __init__(
        self,
        url: str,
        inbox_url: str,
        codec: Codec,
        timezone: str = "UTC",
        identity: IdentitySettings = USUAL_IDENTITY,
        golden: GoldenSettings = USUAL_GOLDEN,
    ) -> None:
        """Args: url, inbox_url: SQLAlchemy URLs; SQLite paths must be absolute. Nothing is connected yet."""
        self.codec = codec
        self.timezone = timezone
        self.identity = identity
        self.golden = golden
        self.engine = _engine(url)
        self.inbox = self.engine if inbox_url == url else _engine(inbox_url)
        # The same pools; said once here and not at every transaction.
        self._writer = self.engine.execution_options(hcrm_write=True)
        self._inbox_writer = self.inbox.execution_options(hcrm_write=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of the store."""
        with self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction on the store, committed at the end of the block, rolled back by an exception.

        Writers take turns, on PostgreSQL too: a fold rests on the facts it has read.
        """
        with self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
            yield connection

    @contextmanager
    def read_inbox(self) -> Iterator[Connection]:
        """A consistent view of the inbox."""
        with self.inbox.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write_inbox(self) -> Iterator[Connection]:
        """One transaction on the inbox; when the block has ended, what was written is durable."""
        with self._inbox_writer.begin() as connection:
            yield connection

    def give_back(self) -> None:
        """Give the space that pruning the inbox has freed back to the file system, a little at a time."""
        if self.inbox.dialect.name == "postgresql":
            with self.inbox.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM (TRUNCATE) payload")
            return
        before = None
        while True:
            with self.write_inbox() as connection:
                connection.connection.cursor().execute(f"PRAGMA incremental_vacuum({_VACUUMED_PAGES})").fetchall()
                left = connection.exec_driver_sql("PRAGMA freelist_count").scalar()
            if left in (0, before):  # none, or a file that was made without the ability to shrink
                break
            before = left
        with self.inbox.connect() as connection:
            # Landing goes on meanwhile; where it is in the way, SQLite shortens its log some other time.
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()
        self.inbox.dispose()


def driver_sql(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run one statement for many rows on the driver itself; hot inserts are a third faster so.

    Args:
        connection: Inside a transaction.
        statement: With `?` for each value and no other question mark.
        rows: One tuple a row; none is allowed.
    """
    if rows:
        with _cursor(connection, statement) as (cursor, own):
            cursor.executemany(own, rows)


def driver_rows(connection: Connection, statement: str, values: Sequence[Any]) -> list[Any]:
    """Run one statement on the driver itself and give its rows.

    Args:
        connection: Inside a transaction.
        statement: With `?` for each value and no other question mark.
        values: One for each `?`.
    """
    with _cursor(connection, statement) as (cursor, own):
        cursor.execute(own, values)
        return list(cursor.fetchall())


@contextmanager
def _cursor(connection: Connection, statement: str) -> Iterator[tuple[Any, str]]:
    """The driver's cursor and the statement in its parameter style; its errors become SQLAlchemy's."""
    dialect = connection.dialect
    own = statement.replace("?", "%s") if dialect.name == "postgresql" else statement
    cursor = connection.connection.cursor()
    try:
        yield cursor, own
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(
            statement, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
        ) from error
    finally:
        cursor.close()


def driver_select(
    connection: Connection, statement: str, values: Iterable[Any], kind: str = "text"
) -> list[tuple[Any, ...]]:
    """Read the rows that belong to many values by one statement, on the driver itself.

    Args:
        connection: Inside a transaction.
        statement: Begins its FROM with `{wanted}`, a table whose column `w.value` holds the values.
        values: Without order; none gives no rows.
        kind: Their type: `text` or `bigint`.
    """
    wanted = sorted(set(values))
    if not wanted:
        return []
    if connection.dialect.name == "postgresql":
        return driver_rows(connection, statement.format(wanted=f"unnest(?::{kind}[]) AS w(value)"), (wanted,))
    return driver_rows(connection, statement.format(wanted="json_each(?) AS w"), (json.dumps(wanted),))


def _engine(url: str) -> Engine:
    try:
        postgresql = url.startswith("postgresql")
        said = make_url(url).query
        patience = {name: value for name, value in _PATIENCE.items() if postgresql and name not in said}
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=postgresql, connect_args=patience)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        if isinstance(error, ModuleNotFoundError) and url.startswith("postgresql"):
            raise ConfigurationError(
                "The driver for PostgreSQL is not installed. Install it: pip install 'hcrm[postgresql]'."
            ) from None
        raise ConfigurationError(
            "The database URL in [store] cannot be read. Use sqlite:///store.db or "
            "postgresql+psycopg://user@host/database."
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction control begins deferred transactions, whose upgrade fails at once under a writer.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    if not connection.execute("PRAGMA page_count").fetchone()[0]:
        # Can be said only while the file is empty; it lets pruning shrink it.
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA temp_store=MEMORY")
    # A batch of the fold writes some megabytes; checkpointing after every few of them costs more than the space.
    connection.execute("PRAGMA wal_autocheckpoint=8000")
    connection.execute("PRAGMA cache_size=-65536")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("hcrm_write")
    with _cursor(connection, "BEGIN IMMEDIATE" if write else "BEGIN") as (cursor, begin):
        cursor.execute(begin)
