"""The log: statements, what they said of which fact, and which complete sets they stated.

One writer holds the store, so it numbers statements, contents and facts itself.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hcrm_core.store.engine import driver_rows, driver_select, driver_sql
from hcrm_core.store.packing import unpack
from hcrm_core.store.queries.facts import Content


class StatementRow(NamedTuple):
    """What one translation of a message said at once, at one place in the order of statements."""

    id: int
    message_id: int
    stamp: bytes
    known_at: int


class VersionRow(NamedTuple):
    """What one statement said of one fact."""

    content: Content
    statement: StatementRow

    @property
    def stamp(self) -> bytes:
        """The statement's place in the order."""
        return self.statement.stamp

    @property
    def message_id(self) -> int:
        """The message that made the statement."""
        return self.statement.message_id

    @property
    def known_at(self) -> int:
        """When it arrived, microseconds UTC."""
        return self.statement.known_at

    @property
    def body(self) -> bytes:
        """JSON of what it mentions but direct identifiers; null: said empty."""
        return unpack(self.content.body)

    @property
    def sealed(self) -> bytes | None:
        """The direct identifiers it mentions, for `Codec.open`."""
        return self.content.sealed


class Numbers:
    """Gives out the numbers that follow those in use; for one write transaction."""

    def __init__(self, connection: Connection) -> None:
        """Reads the highest numbers."""
        query = "SELECT (SELECT max(id) FROM statement), (SELECT max(id) FROM content), (SELECT max(number) FROM fact)"
        ((statement, content, fact),) = driver_rows(connection, query, ())
        self._last = {"statement": statement or 0, "content": content or 0, "fact": fact or 0}

    def next(self, table: str) -> int:
        """The next number of a table."""
        self._last[table] += 1
        return self._last[table]


def versions(connection: Connection, fact_ids: Iterable[str]) -> dict[str, list[VersionRow]]:
    """The live versions of facts, in no particular order."""
    return _versions(connection, "f.fact_id", "fact AS f CROSS JOIN", f"{_OF} v.fact_number = f.number", fact_ids)


def newest_versions(connection: Connection, fact_ids: Iterable[str]) -> dict[str, list[VersionRow]]:
    """The live versions by the last statement of their fact, if that is one about the fact."""
    where = f"{_OF} v.fact_number = f.number AND v.statement_id = f.statement_id"
    return _versions(connection, "f.fact_id", "fact AS f CROSS JOIN", where, fact_ids)


def numbered_versions(connection: Connection, fact_numbers: Iterable[int]) -> dict[int, list[VersionRow]]:
    """The live versions of facts that need not be in the store yet, by their numbers."""
    return _versions(connection, "v.fact_number", "", "v.fact_number = w.value", fact_numbers)


_OF = "f.fact_id = w.value AND"


def _versions(connection: Connection, key: str, joined: str, where: str, wanted: Iterable[Any]) -> dict[Any, Any]:
    query = (
        f"SELECT {key}, c.body, c.sealed, s.id, s.message_id, s.stamp, s.known_at FROM {{wanted}} "
        f"CROSS JOIN {joined} version AS v CROSS JOIN statement AS s CROSS JOIN content AS c "
        f"WHERE {where} AND s.id = v.statement_id AND s.voided_at IS NULL AND c.id = v.content_id"
    )
    found: dict[Any, list[VersionRow]] = {}
    for row in driver_select(connection, query, wanted, "text" if joined else "bigint"):
        found.setdefault(row[0], []).append(VersionRow(Content(*row[1:3]), StatementRow(*row[3:])))
    return found


def last_set_stamps(connection: Connection, set_ids: Iterable[str]) -> dict[str, bytes]:
    """The stamp of the last live statement of each complete set that has one."""
    query = (
        "SELECT w.value, (SELECT s.stamp FROM set_statement AS m JOIN statement AS s ON s.id = m.statement_id "
        "WHERE m.set_id = w.value AND s.voided_at IS NULL ORDER BY s.stamp DESC LIMIT 1) FROM {wanted}"
    )
    return {set_id: stamp for set_id, stamp in driver_select(connection, query, set_ids) if stamp is not None}


def set_statements(connection: Connection, set_ids: Iterable[str]) -> dict[str, list[StatementRow]]:
    """All live statements of complete sets."""
    query = (
        "SELECT m.set_id, s.id, s.message_id, s.stamp, s.known_at FROM {wanted} CROSS JOIN set_statement AS m "
        "CROSS JOIN statement AS s WHERE m.set_id = w.value AND s.id = m.statement_id AND s.voided_at IS NULL"
    )
    found: dict[str, list[StatementRow]] = {}
    for set_id, *row in driver_select(connection, query, set_ids):
        found.setdefault(set_id, []).append(StatementRow(*row))
    return found


def add_statements(connection: Connection, rows: Sequence[StatementRow]) -> None:
    """Append statements."""
    driver_sql(connection, "INSERT INTO statement (id, message_id, stamp, known_at) VALUES (?, ?, ?, ?)", rows)


def add_contents(connection: Connection, rows: Iterable[tuple[int, Content]]) -> None:
    """Keep contents; (number, content) each."""
    flat = [(number, *content) for number, content in rows]
    driver_sql(connection, "INSERT INTO content (id, body, sealed) VALUES (?, ?, ?)", flat)


def drop_contents(connection: Connection, numbers: Iterable[int]) -> None:
    """Let go of contents that were a fact's own and are no more."""
    driver_sql(connection, "DELETE FROM content WHERE id = ?", [(number,) for number in numbers])


def add_versions(connection: Connection, rows: Iterable[tuple[int, int, int]]) -> None:
    """Append what statements said of facts; (fact number, statement, content) each."""
    driver_sql(
        connection,
        "INSERT INTO version (fact_number, statement_id, content_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        sorted(rows),
    )


def add_set_statements(connection: Connection, rows: Iterable[tuple[str, int]]) -> None:
    """Append which complete sets were stated; (set, statement) each."""
    driver_sql(
        connection,
        "INSERT INTO set_statement (set_id, statement_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        sorted(rows),
    )


def void_translations(connection: Connection, message_ids: Iterable[int], now: int) -> tuple[set[str], set[str]]:
    """Void what the translations of messages said; their successors take their place.

    Returns:
        The facts and the sets they spoke of, which must be folded anew.
    """
    live = "SELECT s.id FROM {wanted} CROSS JOIN statement AS s WHERE s.message_id = w.value AND s.voided_at IS NULL"
    statements = [row[0] for row in driver_select(connection, live, message_ids, "bigint")]
    driver_sql(connection, "UPDATE statement SET voided_at = ? WHERE id = ?", [(now, number) for number in statements])
    facts = (
        "SELECT f.fact_id FROM {wanted} CROSS JOIN version AS v CROSS JOIN fact AS f "
        "WHERE v.statement_id = w.value AND f.number = v.fact_number"
    )
    sets = "SELECT m.set_id FROM {wanted} CROSS JOIN set_statement AS m WHERE m.statement_id = w.value"
    return _first(driver_select(connection, facts, statements, "bigint")), _first(
        driver_select(connection, sets, statements, "bigint")
    )


def _first(rows: Iterable[tuple[Any, ...]]) -> set[str]:
    return {row[0] for row in rows}
