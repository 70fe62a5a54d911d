"""Databases of others, from which is only read: a hospital's views, one `SELECT` at a time."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from hcrm_core import env
from hcrm_core.errors import ConfigurationError
from hcrm_core.model.pulling import PullSettings, Rows, SqlQuery
from hcrm_core.store.foreign_errors import told
from hcrm_core.store.foreign_postgresql import with_all_times
from hcrm_core.store.foreign_statement import bound
from hcrm_core.store.foreign_values import plain

PIECE_ROWS = 500

_SECRET = re.compile(r"pass(?!file)|pwd|secret|token", re.IGNORECASE)
"""In the name of an option of an address."""

_DRIVERS = {
    "postgresql": "pip install 'hcrm[postgresql]'",
    "mysql": "pip install pymysql",
    "mariadb": "pip install pymysql",
    "oracle": "pip install oracledb",
    "mssql": "pip install pyodbc",
}


class ForeignDatabase:
    """A database that is asked read-only; every question over a connection of its own."""

    def __init__(
        self,
        url: str,
        root: Path,
        password: str | None,
        settings: PullSettings,
        now: Callable[[], datetime] = env.now,
    ) -> None:
        """Nothing is connected yet.

        Args:
            url: As SQLAlchemy writes it, without a password; the path of a SQLite file is relative to `root`.
            root: The workspace.
            password: Of the user in the URL.
            settings: Of the source.
            now: When a question is asked.

        Raises:
            ConfigurationError: The URL cannot be read, holds a password, or its driver is not installed.
        """
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            raise ConfigurationError(
                "the address is neither a web server's (https://…) nor a database's as SQLAlchemy writes it "
                "(postgresql+psycopg://user@host/database)."
            ) from None
        if parsed.password or any(map(_holds_secret, parsed.query.items())):
            raise ConfigurationError(
                "the address holds a password. Put it into a file that only HCRM may read, named by password_file."
            )
        self._now = now
        self._kind = parsed.get_backend_name()
        place = (parsed.username, None, parsed.host, parsed.port, parsed.database)
        self._name = URL.create(parsed.drivername, *place).render_as_string()
        self._engine = self._made(parsed.set(password=password) if password else parsed, root, settings)

    def ask(self, query: SqlQuery) -> Iterator[Rows]:
        """The rows in pieces of 500; at least one piece, and the last is known as such.

        Raises:
            PluginError: The statement is not one `SELECT`, or a parameter is missing.
            FetchError: The database refuses it.
            UnavailableError: The database cannot be reached, or broke off.
        """
        asked_at = env.microseconds(self._now())
        statement, parameters = bound(query, self._kind, self._engine.dialect.paramstyle)
        try:
            with self._engine.connect() as connection:
                self._read_only(connection)
                streaming = connection.execution_options(stream_results=True, max_row_buffer=PIECE_ROWS)
                result = streaming.exec_driver_sql(statement, parameters)
                columns = tuple(result.keys())
                held: list[tuple[Any, ...]] = []
                for part in chain(result.partitions(PIECE_ROWS), [None]):
                    if held or part is None:
                        yield Rows(columns=columns, rows=tuple(held), last=part is None, asked_at=asked_at)
                    held = [tuple(map(plain, row)) for row in part or ()]
        except DBAPIError as error:
            raise told(error, self._name) from None

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _made(self, url: URL, root: Path, settings: PullSettings) -> Engine:
        arguments: dict[str, Any] = {}
        if self._kind == "sqlite":
            file = (root / (url.database or "")).resolve()
            if not file.is_file():
                raise ConfigurationError(f"there is no SQLite file {file}. Check the path.")
            url = url.set(database=f"file:{file.as_uri()[7:]}", query={"mode": "ro", "uri": "true"})
        elif self._kind == "postgresql":
            wait = int(settings.read_seconds * 1000)
            arguments = {
                "connect_timeout": max(int(settings.connect_seconds), 2),
                "options": f"-c default_transaction_read_only=on -c statement_timeout={wait}",
                "application_name": "hcrm",
            }
        try:
            return create_engine(url, hide_parameters=True, poolclass=NullPool, connect_args=arguments)
        except NoSuchModuleError:
            raise ConfigurationError(f"SQLAlchemy knows no database {url.drivername!r}. Check the address.") from None
        except ModuleNotFoundError as error:
            advice = _DRIVERS.get(self._kind, f"pip install {error.name}")
            raise ConfigurationError(f"the driver for {url.drivername} is not installed: {advice}.") from None

    def _read_only(self, connection: Connection) -> None:
        """Begin a transaction that cannot write, where the database has such a thing; elsewhere the account must see
        to it."""
        if self._kind == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only=ON")
        elif self._kind == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            if connection.dialect.driver == "psycopg":
                with_all_times(connection.connection.driver_connection)
        elif self._kind in ("mysql", "mariadb"):
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.commit()
            connection.exec_driver_sql("START TRANSACTION READ ONLY")
        elif self._kind == "oracle":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")


def _holds_secret(option: tuple[str, object]) -> bool:
    """Whether an option of an address is one that only a file may hold, by itself or within a connection string."""
    name, value = option
    return bool(_SECRET.search(name)) or bool(re.search(r"(?:password|pwd)\s*=", str(value), re.IGNORECASE))
