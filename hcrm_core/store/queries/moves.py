"""Stays that go on under another number, or turned out to be another patient's."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from hcrm_core.store.engine import driver_rows, driver_select, driver_sql


class MoveRow(NamedTuple):
    """Where one stay went, as ids.

    Attributes:
        fact_id: The `EncounterMove` that states it.
        encounter_id, patient_id: The stay as it was named, and whose it was thought to be.
        target_id, owner_id: The stay as it is named, and whose it is.
        stamp: Of the statement.
    """

    fact_id: str
    encounter_id: str
    patient_id: str
    target_id: str
    owner_id: str
    stamp: bytes


def any_moves(connection: Connection) -> bool:
    """Whether there is any."""
    return bool(driver_rows(connection, "SELECT 1 FROM stay_move LIMIT 1", ()))


def moves_stated_by(connection: Connection, fact_ids: Iterable[str]) -> list[MoveRow]:
    """The moves these facts state."""
    return _where(connection, "fact_id", fact_ids)


def moves_from(connection: Connection, encounter_ids: Iterable[str]) -> list[MoveRow]:
    """Where these stays went."""
    return _where(connection, "encounter_id", encounter_ids)


def moves_to(connection: Connection, encounter_ids: Iterable[str]) -> list[MoveRow]:
    """The moves that end at one of these stays."""
    return _where(connection, "target_id", encounter_ids)


def replace_moves(connection: Connection, fact_ids: Iterable[str], rows: Sequence[MoveRow]) -> None:
    """Make `rows` the moves these facts state."""
    driver_sql(connection, "DELETE FROM stay_move WHERE fact_id = ?", [(one,) for one in sorted(fact_ids)])
    driver_sql(
        connection,
        "INSERT INTO stay_move (fact_id, encounter_id, patient_id, target_id, owner_id, stamp) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        sorted(rows),
    )


def _where(connection: Connection, column: str, values: Iterable[str]) -> list[MoveRow]:
    statement = (
        "SELECT m.fact_id, m.encounter_id, m.patient_id, m.target_id, m.owner_id, m.stamp "
        f"FROM {{wanted}} CROSS JOIN stay_move AS m WHERE m.{column} = w.value"
    )
    return [MoveRow._make(row) for row in driver_select(connection, statement, values)]
