"""A database: `hospital.db` for SQLite, and the same as statements in `hospital.sql` for PostgreSQL.

Every table has two views, one with English and one with Chinese names, and a column of when a row last changed.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO

from hcrm_adapter_simulator.mapping_file import write_mapping
from hcrm_adapter_simulator.output import Written, empty_of
from hcrm_adapter_simulator.settings import Settings
from hcrm_adapter_simulator.simulation import shards, simulate_shard
from hcrm_adapter_simulator.state import Facts, Knowledge, merged
from hcrm_adapter_simulator.tables import TABLES, Cell, Directory, Kind, Row, Table, rows
from hcrm_adapter_simulator.truth import count
from hcrm_adapter_simulator.workers import Progress, each_shard

AT_ONCE = 500
"""Rows of one INSERT."""
_TYPES: dict[Kind, str] = {
    "text": "VARCHAR(200)", "day": "DATE", "time": "TIMESTAMP", "whole": "INTEGER", "amount": "NUMERIC(12, 2)",
}  # fmt: skip


class _Shard(NamedTuple):
    rows: list[tuple[str, Row]]
    directory: Facts
    truth: Counter[str]


def _rows_of_shard(settings: Settings, shard: int) -> _Shard:
    knowledge = Knowledge()
    truth: Counter[str] = Counter()
    made: list[tuple[str, Row]] = []
    for events in simulate_shard(settings, shard):
        count(events, truth)
        facts = knowledge.of(events)
        made += rows(facts, Directory(knowledge.directory.values()))
    return _Shard(made, knowledge.directory, truth)


def statements(table: Table) -> Iterator[str]:
    """What makes a table and its two views."""
    own = f"his_{table.name}"
    columns = ",\n  ".join(f"{column.name} {_TYPES[column.kind]}" for column in table.columns)
    yield f"CREATE TABLE {own} (\n  {columns},\n  PRIMARY KEY ({table.columns[0].name})\n)"
    yield f"CREATE INDEX {own}_updated ON {own} (updated_at, {table.columns[0].name})"
    yield f"CREATE VIEW {table.name} AS SELECT {', '.join(column.name for column in table.columns)} FROM {own}"
    named = ", ".join(f'{column.name} AS "{column.heading}"' for column in table.columns)
    yield f'CREATE VIEW "{table.title}" AS SELECT {named} FROM {own}'


class _Database:
    """Both files, filled at once."""

    def __init__(self, folder: Path, script: TextIO) -> None:
        self._sqlite = sqlite3.connect(folder / "hospital.db", isolation_level=None)
        self._script = script
        self._numbers: Counter[str] = Counter()
        self._both("BEGIN")
        for table in TABLES.values():
            for statement in statements(table):
                self._both(statement)

    def _both(self, statement: str) -> None:
        self._sqlite.execute(statement)
        self._script.write(f"{statement};\n")

    def add(self, told: Iterable[tuple[str, Row]]) -> None:
        """Add rows, table by table."""
        by_kind: dict[str, list[Row]] = {}
        for kind, row in told:
            self._numbers[kind] += 1
            by_kind.setdefault(kind, []).append((self._numbers[kind], *row))
        for kind, made in by_kind.items():
            own = f"his_{TABLES[kind].name}"
            self._sqlite.executemany(f"INSERT INTO {own} VALUES ({', '.join('?' * len(made[0]))})", made)
            for start in range(0, len(made), AT_ONCE):
                lines = ",\n".join(f"({', '.join(map(_literal, row))})" for row in made[start : start + AT_ONCE])
                self._script.write(f"INSERT INTO {own} VALUES\n{lines};\n")

    def close(self) -> int:
        """End both; how many rows they hold."""
        self._both("COMMIT")
        self._sqlite.close()
        return self._numbers.total()


def _literal(cell: Cell) -> str:
    if cell is None:
        return "NULL"
    return str(cell) if isinstance(cell, int) else "'" + cell.replace("'", "''") + "'"


def write_sql(settings: Settings, folder: Path, jobs: int = 1, progress: Progress | None = None) -> Written:
    """Write the hospital as a database, as statements, and the mapping that reads its views.

    Args:
        settings: Which hospital.
        folder: Where; made if it is not there.
        jobs: How many processes; their number changes no byte.
        progress: Told of each shard done.

    Raises:
        UsageError: The folder holds a database already.
    """
    empty_of(folder, "hospital.*")
    truth: Counter[str] = Counter()
    directories = []
    with (folder / "hospital.sql").open("w", encoding="utf-8", newline="\n") as script:
        database = _Database(folder, script)
        for shard in each_shard(partial(_rows_of_shard, settings), shards(settings), jobs, progress):
            truth.update(shard.truth)
            directories.append(shard.directory)
            database.add(shard.rows)
        house = merged(directories)
        database.add(rows(house, Directory(house)))
        written = database.close()
    write_mapping(folder)
    return Written(folder, 3, written, truth)
