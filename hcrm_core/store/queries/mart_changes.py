"""What has changed since the mart was brought up to date, or since anybody looked."""

from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import Connection, select, text

from hcrm_core.model.mart import Position
from hcrm_core.store.engine import driver_rows, driver_select
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


# CROSS JOIN keeps SQLite to the order written: left to itself it walks through all facts to find the few.
_POINTS = """
SELECT v.fact_number, s.known_at FROM statement AS s CROSS JOIN version AS v
WHERE s.id > ? AND v.statement_id = s.id
UNION
SELECT f.number, s.known_at FROM statement AS s CROSS JOIN set_statement AS m CROSS JOIN fact AS f
WHERE s.id > ? AND m.statement_id = s.id AND f.set_id = m.set_id
UNION
SELECT v.fact_number, s.voided_at FROM statement AS s CROSS JOIN version AS v
WHERE s.voided_at > ? AND v.statement_id = s.id
UNION
SELECT f.number, s.voided_at FROM statement AS s CROSS JOIN set_statement AS m CROSS JOIN fact AS f
WHERE s.voided_at > ? AND m.statement_id = s.id AND f.set_id = m.set_id
UNION
SELECT f.number, p.until FROM past_customer AS p CROSS JOIN fact AS f
WHERE p.until > ? AND f.patient_id = p.patient_id
UNION
SELECT f.number, p.until FROM past_household AS p CROSS JOIN fact AS f
WHERE p.until > ? AND f.fact_id = p.patient_id
UNION
SELECT f.number, p.until FROM past_replaced AS p CROSS JOIN fact AS f
WHERE p.until > ? AND f.fact_id = p.patient_id
ORDER BY 1, 2
"""


def changes(connection: Connection, since: Position) -> list[Change]:
    """The facts that changed after a position, or whose patient came to another customer, in the order of numbers."""
    values = (since.statement, since.statement, *(since.known_at,) * 5)
    points = {
        number: tuple(point for _, point in rows)
        for number, rows in groupby(driver_rows(connection, _POINTS, values), key=itemgetter(0))
    }
    moves = driver_rows(connection, _MOVES, (since.known_at,))
    moved, instants = {patient_id for patient_id, _ in moves}, {until for _, until in moves}
    housed = {row[0] for row in driver_rows(connection, _HOUSED, (since.known_at, since.known_at))}
    query = "SELECT f.number, f.fact_id, f.kind, f.patient_id, f.known_at, f.void FROM {wanted} CROSS JOIN fact AS f "
    found = driver_select(connection, query + "WHERE f.number = w.value", points, "bigint")
    return sorted(
        Change(number, fact_id, kind, at, bool(void) or len(at) > 1 or at[0] in instants or fact_id in housed)
        for number, fact_id, kind, patient_id, known_at, void in found
        if (at := points[number]) and (known_at > since.known_at or patient_id in moved or fact_id in housed)
    )


_MOVES = "SELECT patient_id, until FROM past_customer WHERE until > ?"
_HOUSED = (
    "SELECT patient_id FROM past_household WHERE until > ? UNION SELECT patient_id FROM past_replaced WHERE until > ?"
)
_SUBJECTS = """
SELECT DISTINCT COALESCE(pc.customer_id, f.patient_id)
FROM (
  SELECT v.fact_number AS number FROM statement AS s CROSS JOIN version AS v
  WHERE s.id > ? AND v.statement_id = s.id
  UNION
  SELECT f.number FROM statement AS s CROSS JOIN set_statement AS m CROSS JOIN fact AS f
  WHERE s.id > ? AND m.statement_id = s.id AND f.set_id = m.set_id
  UNION
  SELECT v.fact_number FROM statement AS s CROSS JOIN version AS v
  WHERE s.voided_at > ? AND v.statement_id = s.id
  UNION
  SELECT f.number FROM statement AS s CROSS JOIN set_statement AS m CROSS JOIN fact AS f
  WHERE s.voided_at > ? AND m.statement_id = s.id AND f.set_id = m.set_id
) AS c CROSS JOIN fact AS f
LEFT JOIN patient_customer AS pc ON pc.patient_id = f.patient_id
WHERE f.number = c.number AND f.known_at > ? AND f.patient_id IS NOT NULL
UNION
SELECT customer_id FROM past_customer WHERE until > ?
UNION
SELECT pc.customer_id FROM past_customer AS p CROSS JOIN patient_customer AS pc
WHERE p.until > ? AND pc.patient_id = p.patient_id
UNION
SELECT pc.customer_id FROM past_household AS p CROSS JOIN patient_customer AS pc
WHERE p.until > ? AND pc.patient_id = p.patient_id
UNION
SELECT pc.customer_id FROM past_replaced AS p CROSS JOIN patient_customer AS pc
WHERE p.until > ? AND pc.patient_id = p.patient_id
"""


def changed_subjects(connection: Connection, since: Position) -> list[str]:
    """The customers about whom something changed after a position, both sides of a changed link, in order."""
    values = (since.statement, since.statement, *(since.known_at,) * 7)
    return sorted(row[0] for row in driver_rows(connection, _SUBJECTS, values))


LINKS = "links"


def changed_kinds(connection: Connection, since: Position) -> set[str]:
    """The kinds of which a fact changed after a position, and `LINKS` where a patient came to another customer."""
    found = {change.kind for change in changes(connection, since)}
    return found | ({LINKS} if driver_rows(connection, _MOVES, (since.known_at,)) else set())
