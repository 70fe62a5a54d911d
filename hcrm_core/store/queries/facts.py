"""Facts, read by key and written in batches; what was said of them is in `log.py`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, text, update

from hcrm_core.model.fold import said_at
from hcrm_core.store.engine import driver_rows, driver_select, driver_sql
from hcrm_core.store.packing import unpack
from hcrm_core.store.tables import mart_state


class Content(NamedTuple):
    """What a fact is or was said to be, as it is kept: packed, direct identifiers apart and sealed."""

    body: bytes
    sealed: bytes | None


class FactRow(NamedTuple):
    """A fact as folded.

    Attributes:
        fact_id, kind, source: Of the fact.
        key: Sealed.
        patient_id: Whose fact it is.
        set_id: The complete set it is a member of.
        content: Its fields.
        stamp: Of the last statement folded in.
        known_at: When it came to be so, microseconds UTC: when HCRM last heard of it, or, of what is about nobody and
            said again in every message, when it last changed.
        void: Left out of a complete set, or no statement is left.
        number: Its number in this store.
        content_id: Of the content.
        merged: Whether the content is the fact's own and no single statement's.
        statement_id: The last folded in.
        followed: Whether its stay has another number or patient than was stated.
        replaced: Of a patient: whether its source merged it into another. Only `customers.patients_of` looks.
    """

    fact_id: str
    kind: str
    source: str
    key: bytes
    patient_id: str | None
    set_id: str | None
    content: Content
    stamp: bytes
    known_at: int
    void: bool
    number: int
    content_id: int
    merged: bool
    statement_id: int
    followed: bool = False
    replaced: bool = False

    @property
    def body(self) -> bytes:
        """JSON of the fields that are no direct identifiers."""
        return unpack(self.content.body)

    @property
    def sealed(self) -> bytes | None:
        """The direct identifiers, for `Codec.open`."""
        return self.content.sealed

    @property
    def said_at(self) -> int:
        """When the last statement was made, microseconds UTC."""
        return said_at(self.stamp)


COLUMNS = (
    "f.fact_id, f.kind, f.source, f.key, f.patient_id, f.set_id, c.body, c.sealed, s.stamp, f.known_at, f.void, "
    "f.number, f.content_id, f.merged, f.statement_id, f.followed"
)
"""What `fact_row` takes, of a fact and what `JOINED` joins to it."""

JOINED = "JOIN content AS c ON c.id = f.content_id JOIN statement AS s ON s.id = f.statement_id"


def fact_row(row: Sequence[Any]) -> FactRow:
    """A fact from its columns."""
    return FactRow._make((*row[:6], Content._make(row[6:8]), *row[8:], False))


def facts(connection: Connection, fact_ids: Iterable[str]) -> dict[str, FactRow]:
    """The facts among `fact_ids` that exist."""
    return {row.fact_id: row for row in _where(connection, "fact_id", fact_ids)}


def facts_of_sets(connection: Connection, set_ids: Iterable[str]) -> dict[str, FactRow]:
    """All facts that belong to one of the sets."""
    return {row.fact_id: row for row in _where(connection, "set_id", set_ids)}


def facts_of_patients(connection: Connection, patient_ids: Iterable[str], kind: str | None = None) -> list[FactRow]:
    """All facts about one of the patients, of one kind or all, by id."""
    return sorted(row for row in _where(connection, "patient_id", patient_ids) if kind in (None, row.kind))


def learned_since(connection: Connection, known_at: int) -> list[FactRow]:
    """All facts that came to what they are at an instant or after it, by id."""
    query = f"SELECT {COLUMNS} FROM fact AS f {JOINED} WHERE f.known_at >= ? ORDER BY f.fact_id"
    return [fact_row(row) for row in driver_rows(connection, query, (known_at,))]


def of_kind(connection: Connection, kind: str) -> Iterator[FactRow]:
    """Every fact of a kind, by id."""
    query = f"SELECT {COLUMNS} FROM fact AS f {JOINED} WHERE f.kind = :kind ORDER BY f.fact_id"
    for row in connection.execute(text(query), {"kind": kind}):
        yield fact_row(row)


def all_facts(connection: Connection) -> Iterator[FactRow]:
    """Every fact, by id."""
    for row in connection.execute(text(f"SELECT {COLUMNS} FROM fact AS f {JOINED} ORDER BY f.fact_id")):
        yield fact_row(row)


def put_facts(connection: Connection, rows: Iterable[FactRow]) -> None:
    """Insert or replace folded facts; their contents are `log.add_contents`'s."""
    driver_sql(
        connection,
        "INSERT INTO fact (number, fact_id, kind, source, key, patient_id, set_id, content_id, merged, statement_id, "
        "known_at, void, followed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET "
        "patient_id = excluded.patient_id, set_id = excluded.set_id, content_id = excluded.content_id, "
        "merged = excluded.merged, statement_id = excluded.statement_id, known_at = excluded.known_at, "
        "void = excluded.void, followed = excluded.followed",
        [
            (
                row.number,
                row.fact_id,
                row.kind,
                row.source,
                row.key,
                row.patient_id,
                row.set_id,
                row.content_id,
                row.merged,
                row.statement_id,
                row.known_at,
                row.void,
                row.followed,
            )
            for row in rows
        ],
    )


def say_again(connection: Connection, rows: Iterable[FactRow]) -> None:
    """Move facts that were said again as they are to their new statement."""
    driver_sql(
        connection,
        "UPDATE fact SET statement_id = ?, known_at = ? WHERE number = ?",
        [(row.statement_id, row.known_at, row.number) for row in rows],
    )


def last_known_at(connection: Connection) -> int:
    """When the last batch came to be known, microseconds UTC; 0 in a new store."""
    return int(connection.scalar(select(mart_state.c.known_at).where(mart_state.c.id == 1)) or 0)


def note_batch(connection: Connection, now: int, *, changed: bool = True) -> None:
    """Note when a batch came to be known, and whether facts or links changed, so that the mart knows it is behind."""
    state = mart_state.c
    query = update(mart_state).where(state.id == 1).values(sequence=state.sequence + int(changed), known_at=now)
    if not connection.execute(query).rowcount:
        connection.execute(mart_state.insert().values(id=1, sequence=int(changed), known_at=now))


def _where(connection: Connection, column: str, values: Iterable[str]) -> Iterator[FactRow]:
    query = (
        f"SELECT {COLUMNS} FROM {{wanted}} CROSS JOIN fact AS f CROSS JOIN content AS c CROSS JOIN statement AS s "
        f"WHERE f.{column} = w.value AND c.id = f.content_id AND s.id = f.statement_id"
    )
    return map(fact_row, driver_select(connection, query, values))
