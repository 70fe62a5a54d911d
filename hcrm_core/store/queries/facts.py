"""Facts, their versions and the statements of complete sets: read by key, written in batches."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, text, update

from hcrm_core.store.engine import driver_select, driver_sql
from hcrm_core.store.tables import fact, mart_state, set_statement, version


class VersionRow(NamedTuple):
    """One statement about a fact."""

    fact_id: str
    message_id: int
    stamp: bytes
    known_at: int
    body: str
    sealed: bytes | None


class SetRow(NamedTuple):
    """One statement of a complete set."""

    set_id: str
    message_id: int
    stamp: bytes
    known_at: int


class FactRow(NamedTuple):
    """A fact as folded."""

    fact_id: str
    kind: str
    source: str
    key: bytes
    patient_id: str | None
    set_id: str | None
    body: str
    sealed: bytes | None
    stamp: bytes
    message_id: int
    said_at: int
    known_at: int
    void: bool


def facts(connection: Connection, fact_ids: Iterable[str]) -> dict[str, FactRow]:
    """The facts among `fact_ids` that exist."""
    return {row[0]: FactRow._make(row) for row in driver_select(connection, _facts_where("fact_id"), fact_ids)}


def facts_of_sets(connection: Connection, set_ids: Iterable[str]) -> dict[str, FactRow]:
    """All facts that belong to one of the sets."""
    return {row[0]: FactRow._make(row) for row in driver_select(connection, _facts_where("set_id"), set_ids)}


def facts_of_patients(connection: Connection, patient_ids: Iterable[str], kind: str) -> list[FactRow]:
    """All facts of a kind about one of the patients, by id."""
    rows = map(FactRow._make, driver_select(connection, _facts_where("patient_id"), patient_ids))
    return sorted(row for row in rows if row.kind == kind)


def learned_at(connection: Connection, known_at: int) -> list[FactRow]:
    """All facts that came to what they are at one instant, by id."""
    columns = [fact.c[name] for name in FactRow._fields]
    query = select(*columns).where(fact.c.known_at == known_at).order_by(fact.c.fact_id)
    return [FactRow(*row) for row in connection.execute(query)]


def versions(connection: Connection, fact_ids: Iterable[str]) -> dict[str, list[VersionRow]]:
    """The live versions of facts, in no particular order."""
    return _by_fact(
        driver_select(
            connection,
            f"SELECT {_VERSION} FROM {{wanted}} CROSS JOIN version AS v "
            "WHERE v.fact_id = w.value AND v.voided_at IS NULL",
            fact_ids,
        )
    )


def newest_versions(connection: Connection, fact_ids: Iterable[str]) -> dict[str, list[VersionRow]]:
    """The live versions that carry the stamp of their fact: what was said of it last."""
    return _by_fact(
        driver_select(
            connection,
            f"SELECT {_VERSION} FROM {{wanted}} CROSS JOIN fact AS f CROSS JOIN version AS v "
            "WHERE f.fact_id = w.value AND v.fact_id = f.fact_id AND v.stamp = f.stamp AND v.voided_at IS NULL",
            fact_ids,
        )
    )


def last_set_stamps(connection: Connection, set_ids: Iterable[str]) -> dict[str, bytes]:
    """The stamp of the last live statement of each complete set that has one."""
    rows = driver_select(
        connection,
        "SELECT w.value, (SELECT s.stamp FROM set_statement AS s WHERE s.set_id = w.value AND s.voided_at IS NULL "
        "ORDER BY s.stamp DESC LIMIT 1) FROM {wanted}",
        set_ids,
    )
    return {set_id: stamp for set_id, stamp in rows if stamp is not None}


def set_stamps(connection: Connection, set_ids: Iterable[str]) -> dict[str, set[bytes]]:
    """The stamps of all live statements of complete sets."""
    found: dict[str, set[bytes]] = {}
    rows = driver_select(
        connection,
        "SELECT s.set_id, s.stamp FROM {wanted} CROSS JOIN set_statement AS s "
        "WHERE s.set_id = w.value AND s.voided_at IS NULL",
        set_ids,
    )
    for set_id, stamp in rows:
        found.setdefault(set_id, set()).add(stamp)
    return found


def add_versions(connection: Connection, rows: Sequence[VersionRow]) -> None:
    """Append to the log of facts."""
    driver_sql(
        connection,
        "INSERT INTO version (fact_id, message_id, stamp, known_at, body, sealed) VALUES (?, ?, ?, ?, ?, ?)",
        rows,
    )


def add_set_statements(connection: Connection, rows: Sequence[SetRow]) -> None:
    """Append to the log of complete sets."""
    driver_sql(connection, "INSERT INTO set_statement (set_id, message_id, stamp, known_at) VALUES (?, ?, ?, ?)", rows)


def put_facts(connection: Connection, rows: Sequence[FactRow]) -> None:
    """Insert or replace folded facts, locked in the order of their ids."""
    driver_sql(
        connection,
        "INSERT INTO fact (fact_id, kind, source, key, patient_id, set_id, body, sealed, stamp, message_id, said_at, "
        "known_at, void) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (fact_id) DO UPDATE SET "
        "patient_id = excluded.patient_id, set_id = excluded.set_id, body = excluded.body, sealed = excluded.sealed, "
        "stamp = excluded.stamp, message_id = excluded.message_id, said_at = excluded.said_at, "
        "known_at = excluded.known_at, void = excluded.void",
        sorted(rows),
    )


def void_translation(connection: Connection, message_id: int, now: int) -> tuple[set[str], set[str]]:
    """Void what a message's translation said; its successor takes its place.

    Returns:
        The facts and the sets it spoke of, which must be folded anew.
    """
    touched = []
    for table, column in ((version, version.c.fact_id), (set_statement, set_statement.c.set_id)):
        live = (table.c.message_id == message_id, table.c.voided_at.is_(None))
        touched.append(set(connection.scalars(select(column).where(*live))))
        connection.execute(update(table).where(*live).values(voided_at=now))
    return touched[0], touched[1]


def count_mart_sequence(connection: Connection) -> None:
    """Note that facts or links changed, so that the mart knows it is behind."""
    changed = connection.execute(text("UPDATE mart_state SET sequence = sequence + 1 WHERE id = 1"))
    if not changed.rowcount:
        connection.execute(mart_state.insert().values(id=1, sequence=1))


def _facts_where(column: str) -> str:
    listed = ", ".join(f"f.{name}" for name in FactRow._fields)
    return f"SELECT {listed} FROM {{wanted}} CROSS JOIN fact AS f WHERE f.{column} = w.value"


def _by_fact(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[VersionRow]]:
    found: dict[str, list[VersionRow]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(VersionRow._make(row))
    return found


_VERSION = ", ".join(f"v.{name}" for name in VersionRow._fields)
