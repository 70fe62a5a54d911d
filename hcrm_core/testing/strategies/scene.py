"""A mart to evaluate strategies on, whose tables can be laid out otherwise: reordered, cut, emptied, moved in time."""

from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from datetime import date, datetime, timedelta

from hcrm_core.mart.columns import schema
from hcrm_core.mart.engine import Limits, identifier, open_mart
from hcrm_core.mart.made_tables import DECISIONS
from hcrm_core.mart.tables import PERSONAL, TABLES
from hcrm_core.testing.strategies.wards import Ward

YEARS = 28
"""After so many years every date falls on the same day of the week again, and leap years return."""

Change = Callable[[str, str], str]
"""Table and the name under which its rows are kept → the SELECT that is to stand for it."""

_NEVER_EMPTY = ("said_at", "known_at", "patients")
_TEXTS = {(table.name, column.name): column.read for table in TABLES for column in table.columns}
_IDS = {table.name: table.id for table in TABLES} | {
    "customer": "customer_id",
    "customer_profile": "customer_id",
    "calendar": "day",
}
_PERSONAL = PERSONAL | set(DECISIONS)


class Scene:
    """One connection over one ward's mart."""

    def __init__(self, ward: Ward, *, threads: int = 1, as_of_us: int | None = None, today: date | None = None) -> None:
        """Args:
        ward: Whose mart.
        threads: For DuckDB.
        as_of_us: A past instant to show, microseconds since 1970 UTC; now where `None`.
        today: The day of that.
        """
        self.ward = ward
        self._stack = ExitStack()
        opened = open_mart(ward.mart, as_of_us=as_of_us, today=today, limits=Limits(threads=threads))
        self.mart = self._stack.enter_context(opened)
        self._kept: set[str] = set()

    def close(self) -> None:
        """Close the connection."""
        self._stack.close()

    def lay(self, tables: Iterable[str], change: Change) -> None:
        """Let other rows stand for those of some tables; each call begins from the mart's own."""
        for table in sorted(set(tables) - set(DECISIONS)):
            if table not in self._kept:
                self.mart.execute(f"CREATE TEMP TABLE kept_{table} AS SELECT * FROM {table}")
                self._kept.add(table)
            self.mart.execute(f"CREATE OR REPLACE TEMP TABLE laid_{table} AS {change(table, f'kept_{table}')}")
            self.mart.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM laid_{table}")

    def cut_decisions(self, tables: Iterable[str], customers: Collection[str]) -> None:
        """Show the decisions about some customers only."""
        for table in sorted(set(tables) & set(DECISIONS)):
            self.mart.execute(f"CREATE OR REPLACE TEMP TABLE cut_{table} AS {only(customers)(table, table)}")
            self.mart.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM cut_{table}")


def reordered(salt: str) -> Change:
    """The same rows in another physical order."""
    return lambda table, kept: f"SELECT * FROM {kept} ORDER BY md5(CAST({_IDS[table]} AS VARCHAR) || '{salt}')"


def only(customers: Collection[str]) -> Change:
    """The rows about some customers, and what is about nobody."""
    listed = ", ".join(f"'{customer}'" for customer in sorted(customers)) or "NULL"

    def change(table: str, kept: str) -> str:
        return f"SELECT * FROM {kept}" + (f" WHERE customer_id IN ({listed})" if table in _PERSONAL else "")

    return change


def moved(table: str, kept: str) -> str:
    """Everything so many years later."""

    def later(column: str, kind: str) -> str:
        if column == "birth_year":
            return f"{column} + {YEARS}"
        return f"CAST({column} + INTERVAL {YEARS} YEAR AS {kind})" if kind in ("DATE", "TIMESTAMP") else column

    return _each(table, kept, later)


def moved_instant(instant: int) -> int:
    """An instant so many years later."""
    return instant + int(timedelta(days=YEARS * 1461 // 4) / timedelta(microseconds=1))


def moved_back(day: date | datetime) -> date | datetime:
    """A day or instant so many years before."""
    return day.replace(year=day.year - YEARS)


def emptied(share: int) -> Change:
    """Values that nobody said.

    Args:
        share: Of sixteen values this many; ids stay, and times of the row.
    """

    def change(table: str, kept: str) -> str:
        def empty(column: str, kind: str) -> str:
            if table == "calendar" or column in (_IDS[table], "customer_id", "patient_id", *_NEVER_EMPTY):
                return column
            return f"CASE WHEN {_chance(table, column)} < {share} THEN NULL ELSE {column} END"

        return _each(table, kept, empty)

    return change


def nobodys(table: str, kept: str) -> str:
    """A quarter of the rows is about nobody: a source may speak of a fact before it says whose it is."""

    def nobody(column: str, kind: str) -> str:
        if table in ("customer", "customer_profile") or column not in ("customer_id", "patient_id"):
            return column
        return f"CASE WHEN {_chance(table, 'customer_id')} < 4 THEN NULL ELSE {column} END"

    return _each(table, kept, nobody)


def extreme(table: str, kept: str) -> str:
    """Values at the edges: ends of months, zero, negative and large numbers, Chinese and quotes in codes."""

    def edge(column: str, kind: str) -> str:
        if table == "calendar" or column in (_IDS[table], "customer_id", "patient_id", *_NEVER_EMPTY):
            return column
        chance, value = _chance(table, column), column
        if kind == "DATE":
            value = f"last_day({column})"
        elif kind == "TIMESTAMP":
            value = f"CAST(last_day({column}) AS TIMESTAMP) + INTERVAL 86399 SECOND"
        elif kind in ("BIGINT", "DECIMAL(18,6)"):
            value = f"CASE {chance} % 3 WHEN 0 THEN 0 WHEN 1 THEN -abs({column}) ELSE 10000000000 END"
        elif kind == "VARCHAR[]":
            value = f"CASE {chance} % 2 WHEN 0 THEN [] ELSE ['危急', NULL] END"
        elif _TEXTS.get((table, column)) in ("code", "system", "display", "text") and not column.endswith("_id"):
            value = f"CASE {chance} % 3 WHEN 0 THEN '' WHEN 1 THEN '急性''心梗（疑似）' ELSE '　Ü7' END"
        return f"CASE WHEN {chance} < 8 THEN {value} ELSE {column} END"

    return _each(table, kept, edge)


def _each(table: str, kept: str, say: Callable[[str, str], str]) -> str:
    columns = schema()[table].items()
    listed = ", ".join(f"CAST({say(name, kind)} AS {kind}) AS {identifier(name)}" for name, kind in columns)
    return f"SELECT {listed} FROM {kept}"


def _chance(table: str, column: str) -> str:
    """A number from 0 to 15 that is the same for a row and column whenever it is asked for."""
    return f"(hash({_IDS[table]} || '{column}') % 16)"
