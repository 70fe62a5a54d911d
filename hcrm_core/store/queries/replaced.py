"""Patients whom their source merged into another: those who are now, and since when somebody was or was not."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from hcrm_core.store.engine import driver_select, driver_sql


def replaced(connection: Connection, patient_ids: Iterable[str]) -> set[str]:
    """Those of the patients who are merged into another."""
    statement = (
        "SELECT DISTINCT r.patient_id FROM {wanted} CROSS JOIN patient_replaced AS r WHERE r.patient_id = w.value"
    )
    return {row[0] for row in driver_select(connection, statement, patient_ids)}


def restate(connection: Connection, statements: Mapping[str, str | None], now: int) -> set[str]:
    """Note whom statements say to be merged into another.

    Args:
        connection: A write transaction.
        statements: PatientLink fact id → the patient it says so of; `None` where it says so of nobody.
        now: Since when, microseconds UTC.

    Returns:
        The patients of whom it came to be so, or to be so no more.
    """
    said = "SELECT r.fact_id, r.patient_id FROM {wanted} CROSS JOIN patient_replaced AS r WHERE r.fact_id = w.value"
    former = dict(driver_select(connection, said, statements))
    if former == {fact_id: one for fact_id, one in statements.items() if one}:
        return set()
    touched = {*former.values(), *filter(None, statements.values())}
    before = replaced(connection, touched)
    driver_sql(connection, "DELETE FROM patient_replaced WHERE fact_id = ?", [(one,) for one in sorted(former)])
    driver_sql(
        connection,
        "INSERT INTO patient_replaced (fact_id, patient_id) VALUES (?, ?)",
        sorted((fact_id, one) for fact_id, one in statements.items() if one),
    )
    changed = before ^ replaced(connection, touched)
    _note(connection, sorted((one, now, one in before) for one in changed))
    return changed


def past(connection: Connection, patient_ids: Iterable[str]) -> Sequence[tuple[str, bool, int]]:
    """(patient, whether it was merged into another, until when) of each change."""
    statement = (
        "SELECT p.patient_id, p.replaced, p.until FROM {wanted} CROSS JOIN past_replaced AS p "
        "WHERE p.patient_id = w.value"
    )
    return [(one, bool(was), until) for one, was, until in driver_select(connection, statement, patient_ids)]


def _note(connection: Connection, rows: Sequence[tuple[str, int, bool]]) -> None:
    driver_sql(
        connection,
        "INSERT INTO past_replaced (patient_id, until, replaced) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        rows,
    )
