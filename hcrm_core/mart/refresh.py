"""Copy facts into the mart: Arrow batches in, one sorted Parquet file a table out, one manifest for all.

This is a full refresh. What it takes, facts as rows and the sequence they belong to, is also what an incremental one
takes: then the rows are those that changed, and the manifest names older files beside the new ones.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from hcrm_core.mart.arrow import as_arrow
from hcrm_core.mart.columns import day, table_query
from hcrm_core.mart.manifest import Manifest, TableFiles, building, publish, read_manifest
from hcrm_core.mart.tables import CALENDAR, CUSTOMER, TABLES

FactRow = tuple[str, str, str | None, str | None, str, int, int]
"""`(fact_id, kind, customer_id, patient_id, body, said_at, known_at)`: JSON text and microseconds since 1970 UTC."""

KINDS = ("Patient", *(table.kind for table in TABLES))
"""The kinds of facts a refresh takes."""

_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("fact_id", "kind", "customer_id", "patient_id", "body")]
    + [("said_at", pa.int64()), ("known_at", pa.int64())]
)

_MEMBERS = ("gender", "birth_date", "deceased", "deceased_date_time", "district")

_CUSTOMER_QUERY = f"""
WITH patient AS (
  SELECT customer_id, said_at, known_at, (said_at, fact_id) AS place,
    v[1] AS sex, v[2] AS birth_date,
    -- A date of death is a statement that the person died.
    CASE WHEN v[4] IS NOT NULL THEN true ELSE TRY_CAST(v[3] AS BOOLEAN) END AS deceased,
    v[4] AS deceased_at, v[5] AS district
  FROM (
    SELECT *, json_extract_string(body, [{", ".join(f"'$.{member}'" for member in _MEMBERS)}]) AS v
    FROM fact WHERE kind = 'Patient'
  )
),
golden AS (
  SELECT customer_id,
    arg_max(sex, place) FILTER (WHERE sex IS NOT NULL) AS sex,
    arg_max(birth_date, place) FILTER (WHERE birth_date IS NOT NULL) AS birth_date,
    arg_max(district, place) FILTER (WHERE district IS NOT NULL) AS district,
    -- One source that knows of a death outweighs another that repeats an older "no": nobody calls the dead.
    bool_or(deceased) AS deceased,
    arg_max(deceased_at, place) FILTER (WHERE deceased_at IS NOT NULL) AS deceased_at,
    count(*)::INTEGER AS patients, max(said_at) AS said_at, max(known_at) AS known_at
  FROM patient GROUP BY customer_id
),
dated AS (SELECT *, {day("birth_date")} AS born FROM golden),
birthday AS (
  SELECT *, (born + to_years((year($today) - year(born))::INTEGER))::DATE AS this_year,
    (born + to_years((year($today) - year(born) + 1)::INTEGER))::DATE AS next_year
  FROM dated
)
SELECT customer_id, sex, TRY_CAST(left(birth_date, 4) AS INTEGER) AS birth_year,
  CASE WHEN this_year >= $today THEN this_year ELSE next_year END AS next_birthday,
  district, deceased, {day("deceased_at")} AS deceased_on, patients,
  make_timestamp(said_at) AS said_at, make_timestamp(known_at) AS known_at
FROM birthday ORDER BY customer_id
"""

_CALENDAR_QUERY = """
SELECT day::DATE AS day, isodow(day)::INTEGER AS weekday, date_trunc('month', day)::DATE AS month
FROM unnest(generate_series($today - INTERVAL 10 YEAR, $today + INTERVAL 2 YEAR, INTERVAL 1 DAY)) AS days(day)
ORDER BY day
"""


class BuildLimits(NamedTuple):
    """What a refresh may use of the machine; beyond the memory it spills into the mart's folder."""

    memory: str = "2GB"
    threads: int = 2


DEFAULT = BuildLimits()


def is_current(mart: Path, *, sequence: int, today: date) -> bool:
    """Whether the published mart already shows this sequence of the store, on this day."""
    manifest = read_manifest(mart)
    return manifest is not None and (manifest.sequence, manifest.today, manifest.basis) == (
        sequence,
        today.isoformat(),
        "known",
    )


def refresh(
    mart: Path,
    batches: Iterable[Sequence[FactRow]],
    *,
    sequence: int,
    as_of_us: int,
    basis: str = "known",
    today: date,
    limits: BuildLimits = DEFAULT,
) -> Manifest:
    """Write all tables anew and publish them.

    Args:
        mart: The mart's folder; made if absent.
        batches: All facts of `KINDS` that are not void, in any order.
        sequence: The store's `mart_state.sequence`, read in the transaction that reads the facts.
        as_of_us: The instant the facts show, microseconds since 1970 UTC.
        basis: `known` or `said`.
        today: The day of `as_of_us` in the workspace's zone.
        limits: Memory and threads.
    """
    return build(
        mart,
        lambda connection: _load(connection, batches),
        sequence=sequence,
        as_of_us=as_of_us,
        basis=basis,
        today=today,
        limits=limits,
    )


def build(
    mart: Path,
    load: Callable[[duckdb.DuckDBPyConnection], None],
    *,
    sequence: int,
    as_of_us: int,
    basis: str = "known",
    today: date,
    limits: BuildLimits = DEFAULT,
) -> Manifest:
    """Write all tables from what `load` puts into the temporary table `fact`, and publish them.

    Args:
        mart: The mart's folder; made if absent.
        load: Creates `fact` with the columns of `FactRow`.
        sequence, as_of_us, basis, today, limits: As for `refresh`.
    """
    with building(mart) as folder:
        before = read_manifest(mart)
        tables = {}
        with _builder(folder, limits) as connection:
            load(connection)
            for name, query in _queries().items():
                file = folder / f"{name}.parquet"
                values = {"today": today} if "$today" in query else {}
                rows = connection.execute(
                    f"COPY ({query}) TO '{_quoted(file)}' (FORMAT parquet, COMPRESSION zstd)", values
                ).fetchone()
                tables[name] = TableFiles((f"{folder.name}/{file.name}",), rows[0] if rows else 0)
        manifest = Manifest(
            generation=before.generation + 1 if before else 1,
            sequence=sequence,
            as_of=as_of_us,
            basis=basis,
            today=today.isoformat(),
            folder=folder.name,
            tables=tables,
        )
        publish(mart, manifest)
    return manifest


def _queries() -> dict[str, str]:
    return {table.name: table_query(table) for table in TABLES} | {
        "customer": _checked(_CUSTOMER_QUERY, CUSTOMER),
        "calendar": _checked(_CALENDAR_QUERY, CALENDAR),
    }


def _checked(query: str, columns: Sequence[tuple[str, str, str]]) -> str:
    """The query with exactly the documented columns and types."""
    listed = ", ".join(f"{name}::{kind} AS {name}" for name, kind, _ in columns)
    return f"SELECT {listed} FROM ({query})"


def _load(connection: duckdb.DuckDBPyConnection, batches: Iterable[Sequence[FactRow]]) -> None:
    columns = ", ".join(f"{field.name} {'BIGINT' if field.type == pa.int64() else 'VARCHAR'}" for field in _SCHEMA)
    connection.execute(f"CREATE TEMP TABLE fact ({columns})")
    # Batches are drawn here and not by DuckDB: its threads must not touch the store's cursor.
    for rows in batches:
        if rows:
            connection.register("arriving", as_arrow(rows, _SCHEMA))
            connection.execute("INSERT INTO fact SELECT * FROM arriving")
            connection.unregister("arriving")


@contextmanager
def _builder(folder: Path, limits: BuildLimits) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that may write; it runs the queries of this package and nothing else."""
    spill = folder / "spill"
    connection = duckdb.connect(":memory:")
    try:
        for setting in (
            f"SET temp_directory = '{_quoted(spill)}'",
            f"SET memory_limit = '{limits.memory}'",
            f"SET threads = {limits.threads}",
            "SET TimeZone = 'UTC'",
        ):
            connection.execute(setting)
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


def _quoted(path: Path) -> str:
    return str(path.resolve()).replace("'", "''")
