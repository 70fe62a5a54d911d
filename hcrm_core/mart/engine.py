"""DuckDB over one published mart, locked down: it reads the mart's folder and nothing else, for a limited time."""

import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from hcrm_core.errors import StrategyError, WorkspaceError
from hcrm_core.mart.arrow import as_arrow
from hcrm_core.mart.columns import schema
from hcrm_core.mart.made_tables import DECISIONS
from hcrm_core.mart.manifest import hold
from hcrm_core.mart.profile import NAME as PROFILE
from hcrm_core.mart.profile import profile_on, with_made_of
from hcrm_core.mart.relations import quoted
from hcrm_core.mart.views import fact_views
from hcrm_core.model.mart import Position

StoredRow = tuple[Any, ...]
"""The columns of a decision view in order; days as ISO text, instants as microseconds since 1970 UTC."""


class Limits(NamedTuple):
    """What one query may use.

    Attributes:
        memory: As DuckDB writes sizes; beyond it, it spills into the mart's folder.
        threads: How many.
        seconds: After which it is interrupted.
    """

    memory: str = "2GB"
    threads: int = 2
    seconds: float = 300.0


DEFAULT = Limits()


class Mart:
    """One connection over the tables of a mart; use it through `open_mart` or `live.open_live`.

    Attributes:
        folder: The mart's folder.
        position: How far the store had come that it shows.
        today: The day from which its tables count.
    """

    def __init__(
        self,
        folder: Path,
        position: Position,
        today: date,
        limits: Limits,
        show: Callable[[duckdb.DuckDBPyConnection], None],
        tables: Collection[str] | None = None,
    ) -> None:
        """Open, show the tables, and lock.

        Args:
            folder: The only folder that can be read or written.
            position: Of what it shows.
            today: The day from which its tables count.
            limits: For each query.
            show: Makes the tables of facts.
            tables: Those that are wanted; all where `None`.
        """
        self.folder = folder.resolve()
        self.position = position
        self.today = today
        self._limits = limits
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET TimeZone = 'UTC'")
        show(self._connection)
        for name, columns in schema().items():
            if name in DECISIONS and (tables is None or name in tables):
                self._connection.execute(f"CREATE VIEW {name} AS {_empty_select(columns)}")
        self._lock(limits)
        if tables is None or PROFILE in tables:
            self._show_profile()

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> duckdb.DuckDBPyConnection:
        """Run a statement of the core's own, unguarded by time."""
        return self._connection.execute(sql, dict(parameters or {}))

    def query(self, sql: str, parameters: Mapping[str, object], *, name: str) -> pa.Table:
        """Run a checked SELECT and return its rows as an Arrow table.

        Args:
            sql: Parameters written `$name`; it has passed `check`.
            parameters: Exactly those it uses.
            name: The strategy or report, for errors.

        Raises:
            StrategyError: It failed or took too long.
        """
        with self.guarded(name):
            return self._connection.sql(sql, params=dict(parameters)).to_arrow_table()

    def stream(self, sql: str, size: int) -> Iterator[pa.RecordBatch]:
        """Run a SELECT of the core's own and return its rows in batches; nothing else is run until they are read."""
        yield from self._connection.sql(sql).to_arrow_reader(size)

    @contextmanager
    def guarded(self, name: str) -> Iterator[None]:
        """Interrupt what runs in the block after the limit, and say whose fault an error is."""
        timer = threading.Timer(self._limits.seconds, self._connection.interrupt)
        timer.start()
        try:
            yield
        except duckdb.InterruptException:
            raise StrategyError(
                f"{name}: it took longer than {self._limits.seconds:g} seconds and was stopped. Let it read fewer "
                "rows, or join on customer_id."
            ) from None
        except duckdb.Error as error:
            raise StrategyError(f"{name}: {explain_error(error)}") from None
        finally:
            timer.cancel()

    def show_rows(self, view: str, batches: Iterable[Sequence[StoredRow]]) -> None:
        """Make these rows of the store the view `decision_task` or `decision_points`."""
        columns = schema()[view]
        whole = ("TIMESTAMP", "BIGINT")
        arriving = pa.schema([(name, pa.int64() if of in whole else pa.string()) for name, of in columns.items()])
        typed = ", ".join(
            f"make_timestamp({name})" if of == "TIMESTAMP" else f"{name}::{of}" for name, of in columns.items()
        )
        defined = ", ".join(f"{name} {of}" for name, of in columns.items())
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE stored_{view} ({defined})")
        for rows in batches:
            if rows:
                self.append(f"stored_{view}", as_arrow(rows, arriving), typed)
        self._connection.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM stored_{view}")

    def show_subjects(self, subjects: Collection[str]) -> None:
        """Make customers the table `run_for`."""
        self._connection.execute("CREATE OR REPLACE TEMP TABLE run_for (id VARCHAR)")
        if subjects:
            self.append("run_for", as_arrow([(one,) for one in sorted(subjects)], pa.schema([("id", pa.string())])))

    def append(self, table: str, rows: pa.Table, columns: str = "*") -> None:
        """Add rows, or expressions over their columns, to a temporary table."""
        self._connection.register("arriving", rows)
        self._connection.execute(f"INSERT INTO {table} SELECT {columns} FROM arriving")
        self._connection.unregister("arriving")

    def show_computed(self, rows: pa.Table) -> None:
        """Make what a strategy's function returned the view `computed`."""
        self._connection.register("computed", rows)

    def show_snapshots(self, kind: str, files: Mapping[str, str], subjects: Collection[str] | None = None) -> None:
        """Make the last snapshots of all strategies of a kind the view `decision_<kind>`.

        A further column that two strategies give different types is shown as text.

        Args:
            kind: `segment` or `score`.
            files: Strategy → Parquet file relative to the mart.
            subjects: Only the rows about these customers; about everybody where `None`.
        """
        view = f"decision_{kind}"
        documented = schema()[view]
        found = {strategy: self._columns_of(file) for strategy, file in sorted(files.items())}
        further: dict[str, str] = {}
        for columns in found.values():
            for name, column_type in columns.items():
                if name not in documented and name not in ("subject", "evidence"):
                    further[name] = column_type if further.get(name, column_type) == column_type else "VARCHAR"
        some = ""
        if subjects is not None:
            self.show_subjects(subjects)
            some = " WHERE subject IN (SELECT id FROM run_for)"
        selects = [_empty_select(documented | further)]
        for strategy, columns in found.items():
            listed = [f"{_text(strategy)} AS strategy", "subject AS customer_id"]
            listed += [f"{name} AS {name}" for name in documented if name not in ("strategy", "customer_id")]
            listed += [
                f"CAST({identifier(name) if name in columns else 'NULL'} AS {column_type}) AS {identifier(name)}"
                for name, column_type in further.items()
            ]
            source = f"read_parquet({quoted(self.folder / files[strategy])})"
            selects.append(f"SELECT {', '.join(listed)} FROM {source}{some}")
        self._connection.execute(f"CREATE OR REPLACE VIEW {view} AS {' UNION ALL '.join(selects)}")

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()

    def _show_profile(self) -> None:
        """Make the table `customer_profile`, once for all who read it."""
        typed = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in schema()[PROFILE].items())
        self._connection.execute(f"CREATE VIEW {PROFILE} AS SELECT {typed} FROM ({profile_on(self.today)})")
        # Where it takes too long, who reads it fails and nobody else.
        with suppress(StrategyError), self.guarded(PROFILE):
            self._connection.execute(f"CREATE TEMP TABLE computed_{PROFILE} AS SELECT * FROM {PROFILE}")
            self._connection.execute(f"CREATE OR REPLACE VIEW {PROFILE} AS SELECT * FROM computed_{PROFILE}")

    def _columns_of(self, file: str) -> dict[str, str]:
        rows = self.execute(f"DESCRIBE SELECT * FROM read_parquet({quoted(self.folder / file)})").fetchall()
        return {row[0]: row[1] for row in rows}

    def _lock(self, limits: Limits) -> None:
        for setting in (
            f"SET temp_directory = {quoted(self.folder / 'spill')}",
            f"SET allowed_directories = [{quoted(self.folder)}]",
            f"SET memory_limit = '{limits.memory}'",
            f"SET threads = {limits.threads}",
            # Division by zero gives NULL on Spark; a strategy must not fail on one machine only.
            "SET error_on_division_by_zero = false",
            "SET python_enable_replacements = false",
            "SET autoinstall_known_extensions = false",
            "SET autoload_known_extensions = false",
            "SET allow_community_extensions = false",
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        ):
            self._connection.execute(setting)


@contextmanager
def open_mart(
    folder: Path,
    *,
    facts: Path | None = None,
    as_of_us: int | None = None,
    today: date | None = None,
    limits: Limits = DEFAULT,
    tables: Collection[str] | None = None,
) -> Iterator[Mart]:
    """Open the published mart for reading.

    Args:
        folder: The mart's folder.
        facts: A folder below it that holds another manifest (what had been said by an instant); `folder` itself by
            default.
        as_of_us: Show what was known at this instant, microseconds since 1970 UTC; now where `None`.
        today: The day from which `customer` and `calendar` count; that of the refresh where `None`.
        limits: Memory, threads and seconds of a query.
        tables: Those that will be read, which saves opening the others; all where `None`.

    Raises:
        WorkspaceError: There is no mart, or its history does not reach back to `as_of_us`.
    """
    with hold(facts or folder) as manifest:
        if as_of_us is not None and as_of_us < manifest.complete_from:
            raise WorkspaceError(f"The history of the mart in {folder} does not reach back so far. Run: hcrm decide")
        day = today or date.fromisoformat(manifest.today)
        views = fact_views(facts or folder, manifest, day, as_of_us)
        shown_too = None if tables is None else with_made_of(tables)

        def show(connection: duckdb.DuckDBPyConnection) -> None:
            for name, view in views.items():
                if shown_too is None or name in shown_too:
                    if view.computed:
                        connection.execute(f"CREATE TEMP TABLE computed_{name} AS {view.query}")
                    shown = f"SELECT * FROM computed_{name}" if view.computed else view.query
                    connection.execute(f"CREATE VIEW {name} AS {shown}")

        position = Position(manifest.sequence, manifest.known_at, manifest.statement)
        mart = Mart(folder, position, day, limits, show, tables)
        try:
            yield mart
        finally:
            mart.close()


def explain_error(error: duckdb.Error) -> str:
    """What DuckDB objects to, without values of the data, which only errors of running queries hold."""
    if missing := re.search(r'Referenced column "(.*?)" not found', str(error)):
        return f"it reads a column {missing.group(1)!r} that none of its tables has."
    if isinstance(error, duckdb.BinderException | duckdb.ParserException | duckdb.CatalogException):
        said = re.split(r"\n\s*(?:LINE \d|Candidate (?:functions|bindings))", str(error))[0]
        return " ".join(said.split()).rstrip(".?!") + "."
    if isinstance(error, duckdb.PermissionException):
        return "it tried to reach something outside the mart. Read the documented tables only."
    if isinstance(error, duckdb.OutOfMemoryException):
        return "it needs more memory than it may use. Let it read fewer rows."
    return (
        f"it failed while running ({type(error).__name__}): a value does not fit the type it is cast to, or a number "
        "is too large. Look at its casts and sums."
    )


def identifier(name: str) -> str:
    """A column's name as SQL, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _empty_select(columns: Mapping[str, str]) -> str:
    listed = ", ".join(f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in columns.items())
    return f"SELECT {listed} WHERE false"
