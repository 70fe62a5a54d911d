"""What the files of a table say it is now, and what it was: relations for DuckDB."""

from pathlib import Path

from hcrm_core.mart.manifest import TableFiles
from hcrm_core.mart.tables import PATIENT, TABLES

IDS = {table.name: table.id for table in (PATIENT, *TABLES)} | {"customer": "customer_id"}
"""Table kept in files → its id column."""


def present(mart: Path, name: str, files: TableFiles) -> str:
    """The rows of a table now, with the columns they are kept with."""
    base = f"SELECT * FROM {parquet(mart, files.base)}"
    if files.delta is None:
        return base
    delta = parquet(mart, files.delta)
    # The delta is small, so that it is the side of the join that is held in memory.
    return (
        f"{base} AS b WHERE NOT EXISTS (SELECT 1 FROM {delta} AS d WHERE d.{IDS[name]} = b.{IDS[name]}) "
        f"UNION ALL BY NAME SELECT * EXCLUDE gone FROM {delta} WHERE NOT gone"
    )


def past(mart: Path, name: str, files: TableFiles, as_of_us: int) -> str:
    """The rows of a table as they were at an instant (microseconds since 1970 UTC), likewise."""
    now = f"SELECT * FROM ({present(mart, name, files)}) WHERE valid_from <= {int(as_of_us)}"
    if not files.history:
        return now
    return (
        f"{now} UNION ALL BY NAME SELECT * EXCLUDE superseded_at FROM {parquet(mart, *files.history)} "
        f"WHERE valid_from <= {int(as_of_us)} AND superseded_at > {int(as_of_us)}"
    )


def parquet(mart: Path, *names: str) -> str:
    """Files of the mart as a relation."""
    listed = ", ".join(quoted(mart.resolve() / name) for name in names)
    return f"read_parquet([{listed}], union_by_name = true)" if len(names) > 1 else f"read_parquet({listed})"


def quoted(path: Path) -> str:
    """A path as a SQL text."""
    return "'" + str(path).replace("'", "''") + "'"
