"""Patients who may be one person: their profiles, the keys they are looked up by, and the pairs that were scored."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hcrm_core.store.engine import driver_rows, driver_select, driver_sql


class PairRow(NamedTuple):
    """Two patients whose score reached the threshold of review.

    Attributes:
        low_id, high_id: The patients, the lesser id first.
        verdict: `link` or `review`.
        score: Thousandths of a bit.
        evidence: JSON: field → level and thousandths of a bit. It holds no values.
    """

    low_id: str
    high_id: str
    verdict: str
    score: int
    evidence: str


class BlockRow(NamedTuple):
    """A key of a patient: a keyed token, cut to a number."""

    token: int
    patient_id: str


def profiles(connection: Connection, patient_ids: Iterable[str]) -> dict[str, bytes]:
    """Patient → sealed profile, for those that have one."""
    statement = (
        "SELECT p.patient_id, p.profile FROM {wanted} CROSS JOIN patient_profile AS p WHERE p.patient_id = w.value"
    )
    return dict(driver_select(connection, statement, patient_ids))


def sizes(connection: Connection, tokens: Iterable[int], most: int) -> dict[int, int]:
    """Key → how many patients have it, counted up to `most`."""
    statement = (
        "SELECT w.value, (SELECT count(*) FROM (SELECT 1 FROM patient_block AS b WHERE b.token = w.value "
        f"LIMIT {int(most)}) AS found) FROM {{wanted}}"
    )
    return dict(driver_select(connection, statement, tokens, "bigint"))


def members(connection: Connection, tokens: Iterable[int]) -> dict[int, list[str]]:
    """Key → the patients that have it."""
    statement = "SELECT b.token, b.patient_id FROM {wanted} CROSS JOIN patient_block AS b WHERE b.token = w.value"
    found: dict[int, list[str]] = {}
    for token, patient_id in driver_select(connection, statement, tokens, "bigint"):
        found.setdefault(token, []).append(patient_id)
    return found


def pairs_of(connection: Connection, patient_ids: Iterable[str], verdict: str | None = None) -> set[PairRow]:
    """The pairs one of the patients belongs to; of one verdict, or all."""
    wanted = set(patient_ids)
    found: set[PairRow] = set()
    only = f" AND p.verdict = '{verdict}'" if verdict else ""
    for end in ("low_id", "high_id"):
        statement = (
            "SELECT p.low_id, p.high_id, p.verdict, p.score, p.evidence FROM {wanted} CROSS JOIN patient_pair AS p "
            f"WHERE p.{end} = w.value{only}"
        )
        found.update(PairRow._make(row) for row in driver_select(connection, statement, wanted))
    return found


def put_profiles(connection: Connection, rows: Sequence[tuple[str, bytes]]) -> None:
    """Insert or replace profiles; (patient id, sealed profile) each."""
    driver_sql(
        connection,
        "INSERT INTO patient_profile (patient_id, profile) VALUES (?, ?) "
        "ON CONFLICT (patient_id) DO UPDATE SET profile = excluded.profile",
        sorted(rows),
    )


def drop_profiles(connection: Connection, patient_ids: Iterable[str]) -> None:
    """Remove profiles."""
    driver_sql(connection, "DELETE FROM patient_profile WHERE patient_id = ?", [(one,) for one in patient_ids])


def change_blocks(connection: Connection, gone: Iterable[BlockRow], come: Iterable[BlockRow]) -> None:
    """Remove and add keys of patients."""
    driver_sql(connection, "DELETE FROM patient_block WHERE token = ? AND patient_id = ?", sorted(gone))
    driver_sql(connection, "INSERT INTO patient_block (token, patient_id) VALUES (?, ?)", sorted(come))


def change_pairs(connection: Connection, gone: Iterable[PairRow], come: Iterable[PairRow]) -> None:
    """Remove and add pairs."""
    driver_sql(
        connection,
        "DELETE FROM patient_pair WHERE low_id = ? AND high_id = ?",
        sorted((row.low_id, row.high_id) for row in gone),
    )
    driver_sql(
        connection,
        "INSERT INTO patient_pair (low_id, high_id, verdict, score, evidence) VALUES (?, ?, ?, ?, ?)",
        sorted(come),
    )


def linked_by(connection: Connection) -> str | None:
    """The version of the model the store's pairs were scored by; `None` before the first."""
    rows: list[Any] = driver_rows(connection, "SELECT version FROM linking WHERE id = 1", ())
    return rows[0][0] if rows else None


def set_linked_by(connection: Connection, version: str) -> None:
    """Note the version of the model that pairs are scored by from now on."""
    driver_sql(
        connection,
        "INSERT INTO linking (id, version) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version",
        [(version,)],
    )


def clear(connection: Connection) -> None:
    """Forget all profiles, keys and pairs."""
    for table in ("patient_profile", "patient_block", "patient_pair"):
        driver_sql(connection, f"DELETE FROM {table} WHERE 1 = ?", [(1,)])
