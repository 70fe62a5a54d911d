"""The second engine: Spark answers a checked SELECT over the mart's tables, and nothing else.

The types of its rows are those that DuckDB would give them, and what follows, contract, comparison and application,
goes on in DuckDB.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb

from hcrm_core.config import SparkSettings
from hcrm_core.errors import StrategyError
from hcrm_core.mart.check import Checked
from hcrm_core.mart.engine import DEFAULT, Limits, Mart, explain_error, identifier
from hcrm_core.mart.profile import MADE_OF, profile_on
from hcrm_core.mart.profile import NAME as PROFILE
from hcrm_core.mart.spark_session import started
from hcrm_core.mart.transpile import spark_type, to_spark

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_PLAIN = re.compile(r"CREATE VIEW \S+ AS SELECT [^()]* FROM (?:\(SELECT \* FROM )?read_parquet\('((?:[^']|'')*)'\)+;?")

_NULL = '"NULL"'
"""How DuckDB names the type of a NULL that nothing gives one."""


class Spark:
    """Spark, local or of a cluster; it is started when it is first asked."""

    def __init__(self, settings: SparkSettings, limits: Limits = DEFAULT) -> None:
        """Args:
        settings: Where it runs.
        limits: Seconds of each SELECT; memory is Spark's to give.
        """
        self._settings = settings
        self._limits = limits

    def show(self, mart: Mart, checked: Checked, values: Mapping[str, object], *, name: str) -> str:
        """Run a checked SELECT and make its rows the view `computed`.

        Args:
            mart: Its tables.
            checked: The SELECT.
            values: Of its parameters.
            name: The strategy or report, for errors.

        Returns:
            The SELECT over `computed` that gives the rows with the types they have on DuckDB.

        Raises:
            StrategyError: Spark cannot run it, it fails, or it takes too long.
            WorkspaceError: Spark does not start.
        """
        kinds = _kinds(mart, checked, values, name)
        with self._frame(mart, checked, values, kinds, name) as frame:
            found = frame.toArrow()
        mart.show_computed(found.rename_columns([f"c{place}" for place in range(len(kinds))]))
        listed = (
            f"{'NULL' if kind == _NULL else f'CAST(c{place} AS {kind})'} AS {identifier(column)}"
            for place, (column, kind) in enumerate(kinds)
        )
        return f"SELECT {', '.join(listed)} FROM computed"

    @contextmanager
    def _frame(
        self, mart: Mart, checked: Checked, values: Mapping[str, object], kinds: list[tuple[str, str]], name: str
    ) -> "Iterator[DataFrame]":
        """The rows of a SELECT, its columns `c0`, `c1`, … with Spark's names of DuckDB's types."""
        from pyspark.errors import AnalysisException, ParseException, PySparkException
        from pyspark.sql.functions import col

        with ExitStack() as stack:
            session = started(self._settings).newSession()
            tag = f"hcrm-{id(stack)}"
            session.addTag(tag)
            over, done = threading.Event(), threading.Event()

            def watch() -> None:
                if not done.wait(self._limits.seconds):
                    over.set()
                    while not done.wait(0.5):  # what is being planned cannot be stopped yet
                        session.interruptTag(tag)

            stack.callback(session.removeTag, tag)
            stack.callback(done.set)
            threading.Thread(target=watch, daemon=True).start()
            too_long = StrategyError(
                f"{name}: it took longer than {self._limits.seconds:g} seconds and was stopped. Let it read fewer "
                "rows, or join on customer_id."
            )
            try:
                for table in sorted(checked.tables):
                    _show_table(session, mart, table, stack)
                plain = session.sql(to_spark(checked.sql), args=dict(values))
                named = plain.toDF(*(f"c{place}" for place in range(len(plain.columns))))
                yield named.select(*(col(f"c{place}").cast(spark_type(kind)) for place, (_, kind) in enumerate(kinds)))
                if over.is_set():
                    raise too_long
            except (AnalysisException, ParseException) as error:
                raise StrategyError(
                    f"{name}: Spark cannot run it ({error.getCondition()}). Write it more plainly, or run it with "
                    "--engine duckdb."
                ) from None
            except PySparkException as error:
                if over.is_set():
                    raise too_long from None
                # Its text may hold values of the data.
                raise StrategyError(
                    f"{name}: it failed on Spark ({error.getCondition() or type(error).__name__}). Look at its casts "
                    "and sums."
                ) from None


def _kinds(mart: Mart, checked: Checked, values: Mapping[str, object], name: str) -> list[tuple[str, str]]:
    """The columns of a SELECT with the types that DuckDB gives them."""
    try:
        rows = mart.execute(f"DESCRIBE {checked.sql}", values).fetchall()
    except duckdb.Error as error:
        raise StrategyError(f"{name}: {explain_error(error)}") from None
    return [(row[0], row[1]) for row in rows]


def _show_table(session: "SparkSession", mart: Mart, table: str, stack: ExitStack) -> None:
    """Make a table of the mart a view of Spark's."""
    described = mart.execute(f"DESCRIBE {identifier(table)}").fetchall()
    if table == PROFILE and _is_the_profile(mart):
        for one in MADE_OF:
            _show_table(session, mart, one, stack)
        typed = (f"CAST(`{column}` AS {spark_type(kind)}) AS `{column}`" for column, kind, *_ in described)
        session.sql(to_spark(profile_on(mart.today))).selectExpr(*typed).createOrReplaceTempView(table)
        return
    schema = ", ".join(f"`{column}` {spark_type(kind)}" for column, kind, *_ in described)
    file = plain_file(mart, table) or _written(mart, table, stack)
    session.read.schema(schema).parquet(str(file)).createOrReplaceTempView(table)


def _is_the_profile(mart: Mart) -> bool:
    """Whether the mart shows the profile that it made; tests lay another in its place."""
    return f"FROM computed_{PROFILE};" in _defined_as(mart, PROFILE)


def plain_file(mart: Mart, table: str) -> Path | None:
    """The Parquet file that a table is nothing but; `None` where it is more than a file."""
    found = _PLAIN.fullmatch(_defined_as(mart, table))
    return Path(found.group(1).replace("''", "'")) if found else None


def _defined_as(mart: Mart, view: str) -> str:
    shown = mart.execute("SELECT sql FROM duckdb_views() WHERE view_name = $view", {"view": view}).fetchall()
    return str(shown[0][0]).strip() if shown else ""


def _written(mart: Mart, table: str, stack: ExitStack) -> Path:
    """What DuckDB shows as a table, as a file below the mart for the time of one SELECT."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="spark-", dir=mart.folder)))
    file = folder / f"{table}.parquet"
    path = str(file).replace("'", "''")
    mart.execute(f"COPY (SELECT * FROM {identifier(table)}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    return file
