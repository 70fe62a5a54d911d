"""More people than were loaded: each stands in the mart several times, for measuring."""

from pathlib import Path

import duckdb
import msgspec

from hcrm_core.mart.manifest import Manifest, TableFiles, building, folder_name, publish
from hcrm_core.mart.refresh import BuildLimits, builder, write_file
from hcrm_core.mart.relations import IDS, parquet

_OWN = ("customer_id", "patient_id", "encounter_id", "diagnostic_report_id")
"""Ids that are another's in every copy; those of the directory are shared."""

_SHARED = ("organization",)


def multiply(mart: Path, before: Manifest, copies: int) -> Manifest:
    """Let every person stand in the mart so many times, with ids of their own."""
    with building(mart) as folder, builder(folder, BuildLimits(memory="4GB")) as connection:
        tables = {
            name: files if name in _SHARED else _copied(connection, mart, folder, name, files, copies)
            for name, files in before.tables.items()
        }
        manifest = msgspec.structs.replace(before, generation=before.generation + 1, tables=tables)
        assert folder.name == folder_name(manifest.generation)
        publish(mart, manifest)
    return manifest


def _copied(
    connection: duckdb.DuckDBPyConnection, mart: Path, folder: Path, name: str, files: TableFiles, copies: int
) -> TableFiles:
    source = parquet(mart, files.base)
    columns = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
    own = {IDS[name], *_OWN}
    listed = ", ".join(f"{column} || '-' || copy AS {column}" if column in own else column for column in columns)
    order = f"customer_id, {IDS[name]}" if "customer_id" in columns else IDS[name]
    query = f"SELECT {listed} FROM {source}, (SELECT unnest(range({int(copies)}))::VARCHAR AS copy) ORDER BY {order}"
    file, rows = write_file(connection, folder, name, query)
    return TableFiles(file, rows)
