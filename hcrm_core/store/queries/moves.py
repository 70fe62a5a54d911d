"""Stays that go on under another number, or turned out to be another patient's."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from hcrm_core.store.engine import driver_rows, driver_select, driver_sql


class MoveRow(NamedTuple):
    """Where one stay went, as ids.

    Attributes:
        encounter_id: The stay.
        owner_id: Whose it is (`Encounter.moved_to`).
        target_id: The stay it goes on as (`Encounter.replaced_by`).
        former_id: Whose it was before (`Encounter.moved_from`).
    """

    encounter_id: str
    owner_id: str | None
    target_id: str | None
    former_id: str | None


def any_moves(connection: Connection) -> bool:
    """Whether there is any."""
    return bool(driver_rows(connection, "SELECT 1 FROM stay_move LIMIT 1", ()))


def moves_of(connection: Connection, encounter_ids: Iterable[str]) -> list[MoveRow]:
    """Where these stays went."""
    return _where(connection, "encounter_id", encounter_ids)


def moves_to(connection: Connection, encounter_ids: Iterable[str]) -> list[MoveRow]:
    """The stays that go on as one of these."""
    return _where(connection, "target_id", encounter_ids)


def replace_moves(connection: Connection, encounter_ids: Iterable[str], rows: Sequence[MoveRow]) -> None:
    """Make `rows` all that is known of where these stays went."""
    driver_sql(connection, "DELETE FROM stay_move WHERE encounter_id = ?", [(one,) for one in sorted(encounter_ids)])
    driver_sql(
        connection,
        "INSERT INTO stay_move (encounter_id, owner_id, target_id, former_id) VALUES (?, ?, ?, ?)",
        sorted(rows),
    )


def _where(connection: Connection, column: str, values: Iterable[str]) -> list[MoveRow]:
    statement = (
        "SELECT m.encounter_id, m.owner_id, m.target_id, m.former_id FROM {wanted} CROSS JOIN stay_move AS m "
        f"WHERE m.{column} = w.value"
    )
    return [MoveRow._make(row) for row in driver_select(connection, statement, values)]
