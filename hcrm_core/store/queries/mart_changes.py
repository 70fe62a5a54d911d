"""What has changed since the mart was brought up to date, and what a fact was in between."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, text

from hcrm_core.model.fold import said_at
from hcrm_core.model.mart import PastRow, Position
from hcrm_core.model.records import ABOUT_A_PERSON, KINDS, PATIENT_FIELD
from hcrm_core.model.states import Heard, states
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import driver_rows, driver_select
from hcrm_core.store.queries.mart_rows import body_of, opened
from hcrm_core.store.tables import mart_state


class Change(NamedTuple):
    """A fact that changed, or whose customer did.

    Attributes:
        number, fact_id, kind: Of the fact.
        points: The instants at which it may have changed, in order.
        tangled: Whether only the log can tell what it was since: there are several such instants, or it may have been
            another patient's, who came to another customer meanwhile.
    """

    number: int
    fact_id: str
    kind: str
    points: tuple[int, ...]
    tangled: bool


def position(connection: Connection) -> Position:
    """How far the store has come."""
    state = connection.execute(select(mart_state.c.sequence, mart_state.c.known_at)).first()
    last = connection.scalar(text("SELECT MAX(id) FROM statement"))
    return Position(*state, last or 0) if state else Position()


def has_passed(connection: Connection, since: Position) -> bool:
    """Whether this store was at a position once, which one that was restored or exchanged may not have been."""
    rows = driver_rows(
        connection, "SELECT id, known_at FROM statement WHERE id IN (?, ?)", (since.statement, since.statement + 1)
    )
    known = dict(rows)
    before, after = known.get(since.statement), known.get(since.statement + 1)
    if since.statement and before is None:
        return False
    return (before or 0) <= since.known_at and (after is None or after > since.known_at)


_POINTS = """
SELECT v.fact_number, s.known_at FROM statement AS s JOIN version AS v ON v.statement_id = s.id WHERE s.id > ?
UNION
SELECT f.number, s.known_at FROM statement AS s JOIN set_statement AS m ON m.statement_id = s.id
JOIN fact AS f ON f.set_id = m.set_id WHERE s.id > ?
UNION
SELECT v.fact_number, s.voided_at FROM statement AS s JOIN version AS v ON v.statement_id = s.id WHERE s.voided_at > ?
UNION
SELECT f.number, s.voided_at FROM statement AS s JOIN set_statement AS m ON m.statement_id = s.id
JOIN fact AS f ON f.set_id = m.set_id WHERE s.voided_at > ?
UNION
SELECT f.number, p.until FROM past_customer AS p JOIN fact AS f ON f.patient_id = p.patient_id WHERE p.until > ?
ORDER BY 1, 2
"""


def changes(connection: Connection, since: Position) -> list[Change]:
    """The facts that changed after a position, or whose patient came to another customer, in the order of numbers."""
    values = (since.statement, since.statement, *(since.known_at,) * 3)
    points = {
        number: tuple(point for _, point in rows)
        for number, rows in groupby(driver_rows(connection, _POINTS, values), key=itemgetter(0))
    }
    moves = driver_rows(connection, _MOVES, (since.known_at,))
    moved, instants = {patient_id for patient_id, _ in moves}, {until for _, until in moves}
    query = "SELECT f.number, f.fact_id, f.kind, f.patient_id, f.known_at, f.void FROM {wanted} CROSS JOIN fact AS f "
    found = driver_select(connection, query + "WHERE f.number = w.value", points, "bigint")
    return sorted(
        Change(number, fact_id, kind, at, bool(void) or len(at) > 1 or at[0] in instants)
        for number, fact_id, kind, patient_id, known_at, void in found
        if (at := points[number]) and (known_at > since.known_at or patient_id in moved)
    )


_MOVES = "SELECT patient_id, until FROM past_customer WHERE until > ?"
_SUBJECTS = """
SELECT DISTINCT COALESCE(pc.customer_id, f.patient_id)
FROM (
  SELECT v.fact_number AS number FROM statement AS s JOIN version AS v ON v.statement_id = s.id WHERE s.id > ?
  UNION
  SELECT f.number FROM statement AS s JOIN set_statement AS m ON m.statement_id = s.id
  JOIN fact AS f ON f.set_id = m.set_id WHERE s.id > ?
  UNION
  SELECT v.fact_number FROM statement AS s JOIN version AS v ON v.statement_id = s.id WHERE s.voided_at > ?
  UNION
  SELECT f.number FROM statement AS s JOIN set_statement AS m ON m.statement_id = s.id
  JOIN fact AS f ON f.set_id = m.set_id WHERE s.voided_at > ?
) AS c JOIN fact AS f ON f.number = c.number
LEFT JOIN patient_customer AS pc ON pc.patient_id = f.patient_id
WHERE f.known_at > ? AND f.patient_id IS NOT NULL
UNION
SELECT customer_id FROM past_customer WHERE until > ?
UNION
SELECT pc.customer_id FROM past_customer AS p JOIN patient_customer AS pc ON pc.patient_id = p.patient_id
WHERE p.until > ?
"""


def changed_subjects(connection: Connection, since: Position) -> list[str]:
    """The customers about whom something changed after a position, both sides of a changed link, in order."""
    values = (since.statement, since.statement, *(since.known_at,) * 5)
    return sorted(row[0] for row in driver_rows(connection, _SUBJECTS, values))


LINKS = "links"


def changed_kinds(connection: Connection, since: Position) -> set[str]:
    """The kinds of which a fact changed after a position, and `LINKS` where a patient came to another customer."""
    found = {change.kind for change in changes(connection, since)}
    return found | ({LINKS} if driver_rows(connection, _MOVES, (since.known_at,)) else set())


_LOG = """
SELECT f.number, f.fact_id, f.kind, f.patient_id, s.stamp, s.known_at, s.voided_at, c.body, c.sealed
FROM {wanted} CROSS JOIN fact AS f CROSS JOIN version AS v CROSS JOIN statement AS s CROSS JOIN content AS c
WHERE f.number = w.value AND v.fact_number = f.number AND s.id = v.statement_id AND c.id = v.content_id
"""
_LOG_OF_SETS = """
SELECT f.number, f.fact_id, f.kind, f.patient_id, s.stamp, s.known_at, s.voided_at, NULL, NULL
FROM {wanted} CROSS JOIN fact AS f CROSS JOIN set_statement AS m CROSS JOIN statement AS s
WHERE f.number = w.value AND m.set_id = f.set_id AND s.id = m.statement_id
"""


def past_rows(connection: Connection, codec: Codec, numbers: Collection[int], after: int) -> Iterator[PastRow]:
    """What facts were and are no more, from the log.

    Args:
        connection: Inside a transaction.
        codec: Of the store.
        numbers: Of the facts.
        after: Only what ended after this instant, microseconds since 1970 UTC.
    """
    log = driver_select(connection, _LOG, numbers, "bigint") + driver_select(
        connection, _LOG_OF_SETS, numbers, "bigint"
    )
    log.sort(key=itemgetter(0))
    histories = []
    patients: set[str] = set()
    for (_, fact_id, kind, _), rows in groupby(log, key=itemgetter(0, 1, 2, 3)):
        heard = [
            Heard(bytes(row[4]), None if row[7] is None else opened(row[7], row[8], codec), row[5], row[6])
            for row in rows
        ]
        found = states(heard, KINDS[kind].BY_NAMESPACE, restated=kind in ABOUT_A_PERSON)
        histories.append((fact_id, kind, found))
        patients |= {owner for state in found if (owner := _owner(fact_id, kind, state.fields))}
    owned = _ownership(connection, patients)
    for fact_id, kind, found in histories:
        ends = [state.known_at for state in found[1:]] + [None]
        for state, end in zip(found, ends, strict=False):
            if state.fields is None:
                continue
            patient_id = _owner(fact_id, kind, state.fields)
            body = None
            for customer_id, since, until in _pieces(owned.get(patient_id or "", ()), state.known_at, end):
                if until is None or until <= after:
                    continue
                body = body or body_of(kind, state.fields, codec)
                customer = customer_id or patient_id
                said = said_at(state.stamp)
                yield PastRow(fact_id, kind, customer, patient_id, body, said, state.known_at, since, until)


def all_numbers(connection: Connection, kinds: Collection[str], batch: int = 20_000) -> Iterator[list[int]]:
    """The numbers of all facts of some kinds of which more than one statement was ever made, in batches."""
    wanted = ", ".join("?" * len(kinds))
    last = 0
    query = (
        f"SELECT number FROM fact WHERE number > ? AND kind IN ({wanted}) AND (void OR set_id IS NOT NULL OR "
        "patient_id IN (SELECT patient_id FROM past_customer) OR "
        "(SELECT COUNT(*) FROM version AS v WHERE v.fact_number = number) > 1) ORDER BY number "
        f"LIMIT {int(batch)}"
    )
    while found := [row[0] for row in driver_rows(connection, query, (last, *sorted(kinds)))]:
        yield found
        last = found[-1]


Owned = tuple[str | None, int | None]
"""A customer, and until when a patient was its; `None` for still."""


def _ownership(connection: Connection, patients: Iterable[str]) -> dict[str, list[Owned]]:
    """Patient → its customers, oldest first."""
    wanted = set(patients)
    past = driver_select(
        connection,
        "SELECT p.patient_id, p.customer_id, p.until FROM {wanted} CROSS JOIN past_customer AS p "
        "WHERE p.patient_id = w.value",
        wanted,
    )
    now = driver_select(
        connection,
        "SELECT pc.patient_id, pc.customer_id FROM {wanted} CROSS JOIN patient_customer AS pc "
        "WHERE pc.patient_id = w.value",
        wanted,
    )
    found: dict[str, list[Owned]] = {}
    for patient_id, customer_id, until in sorted(past, key=itemgetter(0, 2)):
        found.setdefault(patient_id, []).append((customer_id, until))
    for patient_id, customer_id in now:
        found.setdefault(patient_id, []).append((customer_id, None))
    return found


def _pieces(owned: Sequence[Owned], since: int, until: int | None) -> Iterator[tuple[str | None, int, int | None]]:
    """The time from `since` to `until`, cut where the patient came to another customer."""
    for customer_id, end in owned or ((None, None),):
        if end is not None and end <= since:
            continue
        if end is None or (until is not None and until <= end):
            yield customer_id, since, until
            return
        yield customer_id, since, end
        since = end
    yield None, since, until  # a patient nobody knows any more is a customer alone


def _owner(fact_id: str, kind: str, fields: Any) -> str | None:
    if fields is None:
        return None
    if kind == "Patient":
        return fact_id
    owner: str | None = fields.get(PATIENT_FIELD.get(kind, ""))
    return owner
