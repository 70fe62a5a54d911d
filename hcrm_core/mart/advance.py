"""Bring a mart up to date in proportion to what changed, and give it the history it lacks.

A refresh adds what changed to each table's delta, and what rows were until then to its history. Where a delta has grown
large or a history is in many files, the table is written whole again, from its own files and without the store.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from hcrm_core.mart.columns import is_personal, table_query
from hcrm_core.mart.manifest import Manifest, TableFiles, building, publish, read_manifest
from hcrm_core.mart.people import golden_of
from hcrm_core.mart.refresh import DEFAULT, FACTS, BuildLimits, builder, load_rows, write_file
from hcrm_core.mart.relations import IDS, parquet, present
from hcrm_core.mart.tables import PATIENT, TABLES, Table
from hcrm_core.model.mart import ChangedFact, MartRow, PastRow, Position

LARGEST_DELTA = 0.05
"""Of a table's rows; reading a larger one beside them costs more than writing the table whole now and then."""

MOST_HISTORIES = 32

_PERSONAL = frozenset(table.name for table in (PATIENT, *TABLES) if is_personal(table))
_CHANGED = pa.schema([("fact_id", pa.string()), ("kind", pa.string()), ("until", pa.int64())])
_PAST = FACTS.append(pa.field("superseded_at", pa.int64()))


def advance(
    mart: Path,
    before: Manifest,
    changed: Sequence[ChangedFact],
    rows: Sequence[MartRow],
    past: Sequence[PastRow],
    *,
    position: Position,
    as_of_us: int,
    today: date,
    limits: BuildLimits = DEFAULT,
) -> Manifest | None:
    """Publish what changed since a manifest; `None` where another one has been published meanwhile.

    Args:
        mart: The mart's folder.
        before: The manifest that is published.
        changed: The facts whose rows do not hold any more.
        rows: Those of them that are not void, as they are now.
        past: What those were that changed more than once.
        position: The store's, read in the transaction that reads the facts.
        as_of_us: Now, microseconds since 1970 UTC.
        today: The day of that in the workspace's zone.
        limits: Memory and threads.
    """
    tables = dict(before.tables)
    with building(mart) as folder, builder(folder, limits) as connection:
        if read_manifest(mart) != before:
            return None
        load_rows(connection, "changed", _CHANGED, [changed])
        load_rows(connection, "fact", FACTS, [rows])
        load_rows(connection, "past", _PAST, [past])
        kinds = {one.kind for one in changed}
        made = _Made(connection, mart, folder)
        for table in (PATIENT, *TABLES):
            if table.kind in kinds:
                tables[table.name] = made.table(table, before.tables[table.name])
        if "Patient" in kinds:
            tables["customer"] = made.customers(before, tables["patient"])
        tables = {name: made.compacted(name, files) for name, files in tables.items()}
        manifest = msgspec.structs.replace(
            before,
            generation=before.generation + 1,
            sequence=position.sequence,
            known_at=position.known_at,
            statement=position.statement,
            as_of=as_of_us,
            today=today.isoformat(),
            tables=tables,
        )
        publish(mart, manifest)
    return manifest


def complete(
    mart: Path, before: Manifest, past: Iterable[Sequence[PastRow]], *, limits: BuildLimits = DEFAULT
) -> Manifest | None:
    """Publish the same mart with all of its history; `None` where another one has been published meanwhile.

    Args:
        mart: The mart's folder.
        before: The manifest that is published.
        past: What facts were until `before.complete_from` or before, in batches.
        limits: Memory and threads.
    """
    tables = dict(before.tables)
    with building(mart) as folder, builder(folder, limits) as connection:
        if read_manifest(mart) != before:
            return None
        load_rows(connection, "past", _PAST, past)
        for table in (PATIENT, *TABLES):
            query = table_query(table, "past", ("superseded_at",))
            file, rows = write_file(connection, folder, f"{table.name}-history", query)
            if rows:
                files = tables[table.name]
                tables[table.name] = msgspec.structs.replace(files, history=(*files.history, file))
        manifest = msgspec.structs.replace(before, generation=before.generation + 1, complete_from=0, tables=tables)
        publish(mart, manifest)
    return manifest


class _Made:
    """The new files of one refresh."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, mart: Path, folder: Path) -> None:
        self._connection = connection
        self._mart = mart
        self._folder = folder

    def table(self, table: Table, files: TableFiles) -> TableFiles:
        """A table of facts of which some changed."""
        name, id_ = table.name, table.id
        history = (
            f"SELECT t.*, c.until AS superseded_at FROM ({present(self._mart, name, files)}) AS t JOIN changed AS c "
            f"ON c.fact_id = t.{id_} AND c.kind = '{table.kind}' AND c.until IS NOT NULL "
            f"UNION ALL BY NAME SELECT * FROM ({table_query(table, 'past', ('superseded_at',))})"
        )
        file, rows = write_file(self._connection, self._folder, f"{name}-history", f"{history} ORDER BY ALL")
        if rows:
            files = msgspec.structs.replace(files, history=(*files.history, file))
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE made AS {table_query(table)}")
        ids = f"SELECT fact_id AS {id_} FROM changed WHERE kind = '{table.kind}'"
        return self._delta(name, files, ids)

    def customers(self, before: Manifest, patients: TableFiles) -> TableFiles:
        """The golden rows of those to whom a changed patient belongs or belonged."""
        was = present(self._mart, "patient", before.tables["patient"])
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT customer_id FROM ("
            f"SELECT customer_id FROM fact WHERE kind = 'Patient' UNION ALL SELECT customer_id FROM ({was}) AS p "
            "WHERE EXISTS (SELECT 1 FROM changed AS c WHERE c.kind = 'Patient' AND c.fact_id = p.patient_id))"
        )
        members = (
            f"(SELECT * FROM ({present(self._mart, 'patient', patients)}) AS p "
            "WHERE EXISTS (SELECT 1 FROM touched AS t WHERE t.customer_id = p.customer_id))"
        )
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE made AS {golden_of(members, before.golden)}")
        return self._delta("customer", before.tables["customer"], "SELECT customer_id FROM touched")

    def _delta(self, name: str, files: TableFiles, ids: str) -> TableFiles:
        """The delta with the rows in `made` for these ids; those without a row are gone."""
        id_ = IDS[name]
        query = (
            f"SELECT *, false AS gone FROM made UNION ALL BY NAME SELECT i.{id_}, true AS gone FROM ({ids}) AS i "
            f"WHERE NOT EXISTS (SELECT 1 FROM made AS m WHERE m.{id_} = i.{id_})"
        )
        if files.delta:
            query += (
                f" UNION ALL BY NAME SELECT * FROM {parquet(self._mart, files.delta)} AS d "
                f"WHERE NOT EXISTS (SELECT 1 FROM ({ids}) AS i WHERE i.{id_} = d.{id_})"
            )
        file, rows = write_file(self._connection, self._folder, f"{name}-delta", f"{query} ORDER BY ALL")
        return msgspec.structs.replace(files, delta=file, delta_rows=rows)

    def compacted(self, name: str, files: TableFiles) -> TableFiles:
        """The table in fewer files, where it is worth it."""
        if files.delta and files.delta_rows > LARGEST_DELTA * files.rows:
            order = f"customer_id, {IDS[name]}" if name in _PERSONAL else IDS[name]
            query = f"SELECT * FROM ({present(self._mart, name, files)}) ORDER BY {order}"
            base, rows = write_file(self._connection, self._folder, name, query)
            files = TableFiles(base, rows, history=files.history)
        if len(files.history) > MOST_HISTORIES:
            query = f"SELECT * FROM {parquet(self._mart, *files.history)} ORDER BY ALL"
            history, _ = write_file(self._connection, self._folder, f"{name}-histories", query)
            files = msgspec.structs.replace(files, history=(history,))
        return files
