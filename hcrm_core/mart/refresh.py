"""Write the mart anew: Arrow batches in, one sorted Parquet file a table out, one manifest for all.

`advance.py` brings a mart up to date that is there already.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from hcrm_core.config import USUAL_GOLDEN, GoldenSettings
from hcrm_core.mart.arrow import as_arrow
from hcrm_core.mart.columns import table_query
from hcrm_core.mart.manifest import Manifest, TableFiles, building, folder_name, publish, read_manifest
from hcrm_core.mart.people import golden_of
from hcrm_core.mart.relations import quoted
from hcrm_core.mart.tables import PATIENT, TABLES
from hcrm_core.model.mart import MartRow, Position

KINDS = ("Patient", *(table.kind for table in TABLES))
"""The kinds of facts a refresh takes."""

_TEXTS = ("fact_id", "kind", "customer_id", "patient_id", "body")
_INSTANTS = ("said_at", "known_at", "valid_from")
FACTS = pa.schema([(name, pa.string()) for name in _TEXTS] + [(name, pa.int64()) for name in _INSTANTS])
"""The columns of `MartRow`."""


class BuildLimits(NamedTuple):
    """What a refresh may use of the machine; beyond the memory it spills into the mart's folder."""

    memory: str = "2GB"
    threads: int = 2


DEFAULT = BuildLimits()


def is_current(mart: Path, *, sequence: int, golden: GoldenSettings = USUAL_GOLDEN) -> bool:
    """Whether the published mart already shows this sequence of the store, its customers by these settings."""
    manifest = read_manifest(mart)
    return manifest is not None and (manifest.sequence, manifest.basis, manifest.golden) == (sequence, "known", golden)


def refresh(
    mart: Path,
    batches: Iterable[Sequence[MartRow]],
    *,
    position: Position,
    as_of_us: int,
    basis: str = "known",
    today: date,
    golden: GoldenSettings = USUAL_GOLDEN,
    limits: BuildLimits = DEFAULT,
) -> Manifest:
    """Write all tables anew and publish them. History begins with them.

    Args:
        mart: The mart's folder; made if absent.
        batches: All facts of `KINDS` that are not void, in any order.
        position: The store's, read in the transaction that reads the facts.
        as_of_us: The instant the facts show, microseconds since 1970 UTC.
        basis: `known` or `said`.
        today: The day of `as_of_us` in the workspace's zone.
        golden: How a customer is made of patients.
        limits: Memory and threads.
    """

    def load(connection: duckdb.DuckDBPyConnection) -> None:
        load_rows(connection, "fact", FACTS, batches)

    return build(
        mart, load, position=position, as_of_us=as_of_us, basis=basis, today=today, golden=golden, limits=limits
    )


def build(
    mart: Path,
    load: Callable[[duckdb.DuckDBPyConnection], None],
    *,
    position: Position,
    as_of_us: int,
    basis: str = "known",
    today: date,
    golden: GoldenSettings = USUAL_GOLDEN,
    limits: BuildLimits = DEFAULT,
) -> Manifest:
    """Write all tables from what `load` puts into the temporary table `fact`, and publish them.

    Args:
        mart: The mart's folder; made if absent.
        load: Creates `fact` with the columns of `MartRow`.
        position, as_of_us, basis, today, golden, limits: As for `refresh`.
    """
    with building(mart) as folder:
        before = read_manifest(mart)
        with builder(folder, limits) as connection:
            load(connection)
            tables = {
                table.name: write(connection, folder, table.name, table_query(table)) for table in (PATIENT, *TABLES)
            }
            patients = f"read_parquet({quoted(mart.resolve() / tables['patient'].base)})"
            customers = f"{golden_of(patients, golden)} ORDER BY customer_id"
            tables["customer"] = write(connection, folder, "customer", customers)
        manifest = Manifest(
            generation=before.generation + 1 if before else 1,
            sequence=position.sequence,
            known_at=position.known_at,
            statement=position.statement,
            complete_from=max(position.known_at, 0),
            as_of=as_of_us,
            basis=basis,
            today=today.isoformat(),
            tables=tables,
            golden=golden,
        )
        assert folder.name == folder_name(manifest.generation)
        publish(mart, manifest)
    return manifest


def write(connection: duckdb.DuckDBPyConnection, folder: Path, name: str, query: str) -> TableFiles:
    """Write a table whole; `query` gives its rows in order."""
    file, rows = write_file(connection, folder, name, query)
    return TableFiles(file, rows)


def write_file(connection: duckdb.DuckDBPyConnection, folder: Path, name: str, query: str) -> tuple[str, int]:
    """Write rows to a Parquet file; returns its path relative to the mart, and how many there are."""
    file = folder / f"{name}.parquet"
    copied = connection.execute(f"COPY ({query}) TO {quoted(file.resolve())} (FORMAT parquet, COMPRESSION zstd)")
    (rows,) = copied.fetchone() or (0,)
    return f"{folder.name}/{file.name}", rows


def load_rows(
    connection: duckdb.DuckDBPyConnection, table: str, schema: pa.Schema, batches: Iterable[Sequence[Any]]
) -> None:
    """Create a temporary table and fill it with rows of the store."""
    columns = ", ".join(f"{field.name} {'BIGINT' if field.type == pa.int64() else 'VARCHAR'}" for field in schema)
    connection.execute(f"CREATE TEMP TABLE {table} ({columns})")
    # Batches are drawn here and not by DuckDB: its threads must not touch the store's cursor.
    for rows in batches:
        if rows:
            connection.register("arriving", as_arrow(rows, schema))
            connection.execute(f"INSERT INTO {table} SELECT * FROM arriving")
            connection.unregister("arriving")


@contextmanager
def builder(folder: Path, limits: BuildLimits) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that may write; it runs the queries of this package and nothing else."""
    spill = folder / "spill"
    connection = duckdb.connect(":memory:")
    try:
        for setting in (
            f"SET temp_directory = {quoted(spill.resolve())}",
            f"SET memory_limit = '{limits.memory}'",
            f"SET threads = {limits.threads}",
            "SET TimeZone = 'UTC'",
        ):
            connection.execute(setting)
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)
