"""Marks by which people may be of one family, and the household each patient is in."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from hcrm_core.store.engine import driver_rows, driver_select, driver_sql


class MarkRow(NamedTuple):
    """What of a fact may tie its patient to somebody else; tokens are keyed and cut to a number.

    Attributes:
        patient_id, fact_id: Whose fact.
        token: Of the phone, address, policy or name.
        kind: `phone`, `address`, `policy` or `name`.
        person: Of the name of the patient or the related person; 0 where there is none.
        surname: Of the family name alone, likewise.
        relation: What the related person is to the patient; `None` where the mark is the patient's own.
    """

    patient_id: str
    fact_id: str
    token: int
    kind: str
    person: int
    surname: int
    relation: str | None


_COLUMNS = "m.patient_id, m.fact_id, m.token, m.kind, m.person, m.surname, m.relation"


def marks(connection: Connection, patient_ids: Iterable[str]) -> list[MarkRow]:
    """All marks of patients."""
    query = f"SELECT {_COLUMNS} FROM {{wanted}} CROSS JOIN family_mark AS m WHERE m.patient_id = w.value"
    return [MarkRow._make(row) for row in driver_select(connection, query, patient_ids)]


def holders(connection: Connection, tokens: Iterable[int], most: int) -> dict[int, set[str]]:
    """Token → the patients who have it; of those that more than `most` have, any `most` + 1."""
    wanted = set(tokens)
    query = (
        "SELECT w.value, (SELECT count(*) FROM (SELECT DISTINCT m.patient_id FROM family_mark AS m "
        f"WHERE m.token = w.value LIMIT {int(most) + 1}) AS found) FROM {{wanted}}"
    )
    sizes = dict(driver_select(connection, query, wanted, "bigint"))
    found: dict[int, set[str]] = {}
    query = "SELECT m.token, m.patient_id FROM {wanted} CROSS JOIN family_mark AS m WHERE m.token = w.value"
    few = [token for token in wanted if sizes[token] <= most]
    for token, patient_id in driver_select(connection, query, few, "bigint"):
        found.setdefault(token, set()).add(patient_id)
    many = f"SELECT DISTINCT patient_id FROM family_mark WHERE token = ? LIMIT {int(most) + 1}"
    for token in wanted - set(few):
        found[token] = {row[0] for row in driver_rows(connection, many, (token,))}
    return found


def sizes(connection: Connection, tokens: Iterable[int]) -> dict[int, int]:
    """Token → how many patients have it."""
    query = (
        "SELECT w.value, (SELECT count(DISTINCT m.patient_id) FROM family_mark AS m WHERE m.token = w.value) "
        "FROM {wanted}"
    )
    return dict(driver_select(connection, query, tokens, "bigint"))


def change_marks(connection: Connection, gone: Iterable[MarkRow], come: Iterable[MarkRow]) -> None:
    """Remove and add marks."""
    driver_sql(
        connection,
        "DELETE FROM family_mark WHERE patient_id = ? AND fact_id = ? AND token = ?",
        sorted(row[:3] for row in gone),
    )
    driver_sql(
        connection,
        "INSERT INTO family_mark (patient_id, fact_id, token, kind, person, surname, relation) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        sorted(come, key=lambda row: row[:3]),
    )


def households_of(connection: Connection, patient_ids: Iterable[str]) -> dict[str, str]:
    """Patient → household, for those that are in one."""
    return dict(_members(connection, "patient_id", patient_ids))


def patients_in(connection: Connection, household_ids: Iterable[str]) -> dict[str, str]:
    """Patient → household, for all patients of the households."""
    return dict(_members(connection, "household_id", household_ids))


def page(connection: Connection, limit: int, after: str = "") -> list[str]:
    """Households in the order of their ids, those after one."""
    query = "SELECT DISTINCT household_id FROM patient_household WHERE household_id > ? ORDER BY household_id LIMIT ?"
    return [row[0] for row in driver_rows(connection, query, (after, limit))]


def count(connection: Connection) -> tuple[int, int]:
    """How many households there are, and how many customers are in one."""
    query = (
        "SELECT count(DISTINCT h.household_id), count(DISTINCT c.customer_id) FROM patient_household AS h "
        "JOIN patient_customer AS c ON c.patient_id = h.patient_id"
    )
    households, customers = driver_rows(connection, query, ())[0]
    return households, customers


def move(
    connection: Connection,
    rows: Sequence[tuple[str, str | None]],
    before: dict[str, str],
    new: Collection[str],
    now: int,
) -> None:
    """Set the household of patients from an instant on.

    Args:
        connection: A write transaction.
        rows: (patient, household or `None`) of each whose household changes.
        before: Patient → household until now, for those in one.
        new: Patients nobody knew before that instant; they have no past.
        now: The instant, microseconds UTC.
    """
    driver_sql(
        connection,
        "INSERT INTO past_household (patient_id, until, household_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        sorted((one, now, before.get(one)) for one, _ in rows if one not in new),
    )
    gone = sorted((one,) for one, household in rows if household is None)
    driver_sql(connection, "DELETE FROM patient_household WHERE patient_id = ?", gone)
    driver_sql(
        connection,
        "INSERT INTO patient_household (patient_id, household_id) VALUES (?, ?) "
        "ON CONFLICT (patient_id) DO UPDATE SET household_id = excluded.household_id",
        sorted((one, household) for one, household in rows if household is not None),
    )


def _members(connection: Connection, column: str, values: Iterable[str]) -> Iterable[tuple[str, str]]:
    query = (
        "SELECT h.patient_id, h.household_id FROM {wanted} CROSS JOIN patient_household AS h "
        f"WHERE h.{column} = w.value"
    )
    return ((patient_id, household_id) for patient_id, household_id in driver_select(connection, query, values))
