"""What facts were, from the log: by when it was heard, or by when it was said."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from hcrm_core.model.fold import said_at
from hcrm_core.model.mart import MartRow, PastRow
from hcrm_core.model.records import ABOUT_A_PERSON, KINDS, PATIENT_FIELD
from hcrm_core.model.states import Heard, State, states
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import driver_rows, driver_select
from hcrm_core.store.queries.households import households_of
from hcrm_core.store.queries.links import customers_of
from hcrm_core.store.queries.mart_rows import body_of, opened

_LOG = """
SELECT f.number, f.fact_id, f.kind, f.source, s.stamp, s.known_at, s.voided_at, c.body, c.sealed
FROM {wanted} CROSS JOIN fact AS f CROSS JOIN version AS v CROSS JOIN statement AS s CROSS JOIN content AS c
WHERE f.number = w.value AND v.fact_number = f.number AND s.id = v.statement_id AND c.id = v.content_id
"""
_LOG_OF_SETS = """
SELECT f.number, f.fact_id, f.kind, f.source, s.stamp, s.known_at, s.voided_at, NULL, NULL
FROM {wanted} CROSS JOIN fact AS f CROSS JOIN set_statement AS m CROSS JOIN statement AS s
WHERE f.number = w.value AND m.set_id = f.set_id AND s.id = m.statement_id
"""


def past_rows(connection: Connection, codec: Codec, numbers: Collection[int], after: int) -> Iterator[PastRow]:
    """What facts were, as far as was heard, and are no more.

    Args:
        connection: Inside a transaction.
        codec: Of the store.
        numbers: Of the facts.
        after: Only what ended after this instant, microseconds since 1970 UTC.
    """
    histories = list(_histories(connection, codec, numbers))
    owned = _ownership(
        connection,
        {
            owner
            for fact_id, kind, _, found in histories
            for state in found
            if (owner := _owner(fact_id, kind, state.fields))
        },
    )
    housed = _housed(connection, {fact_id for fact_id, kind, *_ in histories if kind == "Patient"})
    for fact_id, kind, source, found in histories:
        for state, end in _with_ends(found):
            patient_id = _owner(fact_id, kind, state.fields)
            bodies: dict[str | None, str] = {}
            for customer_id, begin, stop in _pieces(owned.get(patient_id or "", ()), state.known_at, end):
                for household, since, until in _pieces(housed.get(fact_id, ()), begin, stop):
                    if until is None or until <= after:
                        continue
                    if household not in bodies:
                        bodies[household] = body_of(kind, state.fields or {}, codec, source, household)
                    customer, said = customer_id or patient_id, said_at(state.stamp)
                    body = bodies[household]
                    yield PastRow(fact_id, kind, customer, patient_id, body, said, state.known_at, since, until)


def said_rows(connection: Connection, codec: Codec, numbers: Collection[int]) -> tuple[list[MartRow], list[PastRow]]:
    """What facts are and were by when it was said, with all that is known today and today's customers: history as an
    import tells it. A row holds from when it was said on, as if it had been heard then."""
    present: list[MartRow] = []
    past: list[PastRow] = []
    histories = list(_histories(connection, codec, numbers, said=True))
    owners = {
        owner
        for fact_id, kind, _, found in histories
        for state in found
        if (owner := _owner(fact_id, kind, state.fields))
    }
    customers = customers_of(connection, owners)
    housed = households_of(connection, owners)
    for fact_id, kind, source, found in histories:
        for state, end in _with_ends(found):
            patient_id = _owner(fact_id, kind, state.fields)
            customer = customers.get(patient_id, patient_id) if patient_id else None
            at = state.known_at
            body = body_of(kind, state.fields or {}, codec, source, housed.get(fact_id))
            row = MartRow(fact_id, kind, customer, patient_id, body, said_at(state.stamp), at, at)
            if end is None:
                present.append(row)
            else:
                past.append(PastRow(*row, end))
    return present, past


def _histories(
    connection: Connection, codec: Codec, numbers: Collection[int], *, said: bool = False
) -> Iterator[tuple[str, str, str, list[State]]]:
    """Each fact with its source and its states."""
    log = driver_select(connection, _LOG, numbers, "bigint")
    log += driver_select(connection, _LOG_OF_SETS, numbers, "bigint")
    log.sort(key=itemgetter(0))
    for (_, fact_id, kind, source), rows in groupby(log, key=itemgetter(0, 1, 2, 3)):
        heard = []
        for *_, stamp, known_at, voided_at, body, sealed in rows:
            fields = None if body is None else opened(body, sealed, codec)
            if not said:
                heard.append(Heard(bytes(stamp), fields, known_at, voided_at))
            elif voided_at is None:
                heard.append(Heard(bytes(stamp), fields, said_at(bytes(stamp))))
        yield fact_id, kind, source, states(heard, KINDS[kind].BY_NAMESPACE, restated=kind in ABOUT_A_PERSON)


def _with_ends(found: Sequence[State]) -> Iterator[tuple[State, int | None]]:
    """Each state in which the fact is not void, and when it ended."""
    for place, state in enumerate(found):
        if state.fields is not None:
            yield state, found[place + 1].known_at if place + 1 < len(found) else None


def numbers_of(connection: Connection, kinds: Collection[str], batch: int = 20_000) -> Iterator[list[int]]:
    """The numbers of all facts of some kinds, in batches."""
    wanted = ", ".join("?" * len(kinds))
    last = 0
    query = f"SELECT number FROM fact WHERE number > ? AND kind IN ({wanted}) ORDER BY number LIMIT {int(batch)}"
    while found := [row[0] for row in driver_rows(connection, query, (last, *sorted(kinds)))]:
        yield found
        last = found[-1]


def numbers_with_past(connection: Connection, kinds: Collection[str], batch: int = 20_000) -> Iterator[list[int]]:
    """The numbers of all facts of some kinds that may have been otherwise once, in batches."""
    wanted = ", ".join("?" * len(kinds))
    last = 0
    query = (
        f"SELECT number FROM fact WHERE number > ? AND kind IN ({wanted}) AND (void OR set_id IS NOT NULL OR "
        "patient_id IN (SELECT patient_id FROM past_customer) OR fact_id IN (SELECT patient_id FROM past_household) OR "
        "(SELECT COUNT(*) FROM version AS v WHERE v.fact_number = number) > 1) ORDER BY number "
        f"LIMIT {int(batch)}"
    )
    while found := [row[0] for row in driver_rows(connection, query, (last, *sorted(kinds)))]:
        yield found
        last = found[-1]


Owned = tuple[str | None, int | None]
"""A customer or household, and until when a patient was its; `None` for still."""


def _ownership(connection: Connection, patients: Iterable[str]) -> dict[str, list[Owned]]:
    """Patient → its customers, oldest first."""
    wanted = set(patients)
    past = driver_select(
        connection,
        "SELECT p.patient_id, p.customer_id, p.until FROM {wanted} CROSS JOIN past_customer AS p "
        "WHERE p.patient_id = w.value",
        wanted,
    )
    return _in_turn(past, customers_of(connection, wanted))


def _housed(connection: Connection, patients: Collection[str]) -> dict[str, list[Owned]]:
    """Patient → its households, oldest first."""
    past = driver_select(
        connection,
        "SELECT p.patient_id, p.household_id, p.until FROM {wanted} CROSS JOIN past_household AS p "
        "WHERE p.patient_id = w.value",
        patients,
    )
    return _in_turn(past, households_of(connection, patients))


def _in_turn(past: Iterable[tuple[Any, ...]], now: Mapping[str, str]) -> dict[str, list[Owned]]:
    found: dict[str, list[Owned]] = {}
    for patient_id, one, until in sorted(past, key=itemgetter(0, 2)):
        found.setdefault(patient_id, []).append((one, until))
    for patient_id, one in now.items():
        found.setdefault(patient_id, []).append((one, None))
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


def _owners(histories: Iterable[tuple[str, str, list[State]]]) -> set[str]:
    """Whose all these facts were."""
    owners = (_owner(fact_id, kind, state.fields) for fact_id, kind, found in histories for state in found)
    return {owner for owner in owners if owner}


def _owner(fact_id: str, kind: str, fields: Any) -> str | None:
    if fields is None:
        return None
    if kind == "Patient":
        return fact_id
    owner: str | None = fields.get(PATIENT_FIELD.get(kind, ""))
    return owner
