"""What facts were, from the log: by when it was heard, or by when it was said."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hcrm_core.model.fold import Fields, said_at
from hcrm_core.model.mart import MartRow, PastRow
from hcrm_core.model.moves import FOLLOWERS
from hcrm_core.model.records import ABOUT_A_PERSON, KINDS, PATIENT_FIELD
from hcrm_core.model.states import Heard, State, states
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import driver_rows, driver_select
from hcrm_core.store.queries.households import households_of
from hcrm_core.store.queries.links import customers_of
from hcrm_core.store.queries.mart_rows import body_of, opened
from hcrm_core.store.queries.moves import PastMoves
from hcrm_core.store.queries.replaced import past as replaced_until
from hcrm_core.store.queries.replaced import replaced as replaced_now

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

TODAY = 2**62
"""An instant after all that is known, microseconds since 1970 UTC."""


def past_rows(connection: Connection, codec: Codec, numbers: Collection[int], after: int) -> Iterator[PastRow]:
    """What facts were, as far as was heard, and are no more.

    Args:
        connection: Inside a transaction.
        codec: Of the store.
        numbers: Of the facts.
        after: Only what ended after this instant, microseconds since 1970 UTC.
    """
    histories = list(_histories(connection, codec, numbers))
    owned = _ownership(connection, {owner for history in histories for owner in history.owners})
    patients = {history.fact_id for history in histories if history.kind == "Patient"}
    housed = _housed(connection, patients)
    merged = _merged(connection, patients)
    for fact_id, kind, source, stretches in histories:
        for fields, stamp, known_at, end in stretches:
            patient_id = _owner(fact_id, kind, fields)
            bodies: dict[tuple[str | None, bool], str] = {}
            owners, homes, merges = owned.get(patient_id or "", ()), housed.get(fact_id, ()), merged.get(fact_id, ())
            for customer_id, begin, stop in _pieces(owners, known_at, end):
                for household, moved_in, moved_out in _pieces(homes, begin, stop):
                    for replaced, since, until in _pieces(merges, moved_in, moved_out):
                        if until is None or until <= after:
                            continue
                        of = household, replaced is not None
                        if of not in bodies:
                            bodies[of] = body_of(kind, fields, codec, source, *of)
                        customer, said = customer_id or patient_id, said_at(stamp)
                        yield PastRow(fact_id, kind, customer, patient_id, bodies[of], said, known_at, since, until)


def said_rows(connection: Connection, codec: Codec, numbers: Collection[int]) -> tuple[list[MartRow], list[PastRow]]:
    """What facts are and were by when it was said, with all that is known today and today's customers: history as an
    import tells it. A row holds from when it was said on, as if it had been heard then."""
    present: list[MartRow] = []
    past: list[PastRow] = []
    histories = list(_histories(connection, codec, numbers, said=True))
    owners = {owner for history in histories for owner in history.owners}
    customers = customers_of(connection, owners)
    housed = households_of(connection, owners)
    merged = replaced_now(connection, owners)
    for fact_id, kind, source, stretches in histories:
        for fields, stamp, at, end in stretches:
            patient_id = _owner(fact_id, kind, fields)
            customer = customers.get(patient_id, patient_id) if patient_id else None
            body = body_of(kind, fields, codec, source, housed.get(fact_id), fact_id in merged)
            row = MartRow(fact_id, kind, customer, patient_id, body, said_at(stamp), at, at)
            if end is None:
                present.append(row)
            else:
                past.append(PastRow(*row, end))
    return present, past


class _Stretch(NamedTuple):
    """What a fact was from one instant to another; `None` for still."""

    fields: Fields
    stamp: bytes
    known_at: int
    until: int | None


class _History(NamedTuple):
    fact_id: str
    kind: str
    source: str
    stretches: list[_Stretch]

    @property
    def owners(self) -> set[str]:
        """Whose it ever was."""
        found = (_owner(self.fact_id, self.kind, stretch.fields) for stretch in self.stretches)
        return {owner for owner in found if owner}


def _histories(
    connection: Connection, codec: Codec, numbers: Collection[int], *, said: bool = False
) -> Iterator[_History]:
    """What each fact was while it was not void, seen by where its stay was."""
    log = driver_select(connection, _LOG, numbers, "bigint")
    log += driver_select(connection, _LOG_OF_SETS, numbers, "bigint")
    log.sort(key=itemgetter(0))
    stated = []
    for (_, fact_id, kind, source), rows in groupby(log, key=itemgetter(0, 1, 2, 3)):
        heard = []
        for *_, stamp, known_at, voided_at, body, sealed in rows:
            fields = None if body is None else opened(body, sealed, codec)
            if not said:
                heard.append(Heard(bytes(stamp), fields, known_at, voided_at))
            elif voided_at is None:
                heard.append(Heard(bytes(stamp), fields, said_at(bytes(stamp))))
        found = states(heard, KINDS[kind].BY_NAMESPACE, restated=kind in ABOUT_A_PERSON)
        stated.append(_History(fact_id, kind, source, list(_stretches(found))))
    followers = [one for one in stated if one.kind in FOLLOWERS]
    stays = {stay for one in followers for stretch in one.stretches if (stay := _stay(one, stretch))}
    moves = PastMoves(connection, stays)
    for one in stated:
        yield one._replace(stretches=_followed(one, moves, said)) if moves.any and one.kind in FOLLOWERS else one


def _stretches(found: Sequence[State]) -> Iterator[_Stretch]:
    """Each state in which the fact is not void, with its end."""
    for place, state in enumerate(found):
        if state.fields is not None:
            end = found[place + 1].known_at if place + 1 < len(found) else None
            yield _Stretch(state.fields, state.stamp, state.known_at, end)


def _stay(history: _History, stretch: _Stretch) -> str | None:
    stay: str | None = history.fact_id if history.kind == "Encounter" else stretch.fields.get("encounter")
    return stay


def _followed(history: _History, moves: PastMoves, said: bool) -> list[_Stretch]:
    """A history, cut where the stay went to another number or patient; where it was `said`, as the stay is today."""
    found: list[_Stretch] = []
    for stretch in history.stretches:
        stay, patient_id = _stay(history, stretch), _owner(history.fact_id, history.kind, stretch.fields)
        cut = [stretch]
        if stay and patient_id:
            since, until = (TODAY, None) if said else (stretch.known_at, stretch.until)
            cut = []
            for (encounter_id, owner), begin, end in moves.pieces(stay, patient_id, since, until):
                fields = dict(stretch.fields) | {PATIENT_FIELD[history.kind]: owner}
                if history.kind != "Encounter":
                    fields["encounter"] = encounter_id
                when = (stretch.known_at, stretch.until) if said else (begin, end)
                cut.append(_Stretch(fields, stretch.stamp, *when))
        for one in cut:
            last = found[-1] if found else None
            if last and (last.fields, last.stamp, last.until) == (one.fields, one.stamp, one.known_at):
                found[-1] = last._replace(until=one.until)
            else:
                found.append(one)
    return found


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
        "fact_id IN (SELECT patient_id FROM past_replaced) OR "
        "followed OR patient_id IN (SELECT patient_id FROM past_stay_move) OR "
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


def _merged(connection: Connection, patients: Collection[str]) -> dict[str, list[Owned]]:
    """Patient → itself while it was merged into another, `None` while it was not, oldest first."""
    past = [(one, one if was else None, until) for one, was, until in replaced_until(connection, patients)]
    return _in_turn(past, {one: one for one in replaced_now(connection, patients)})


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


def _owner(fact_id: str, kind: str, fields: Fields) -> str | None:
    if kind == "Patient":
        return fact_id
    owner: str | None = fields.get(PATIENT_FIELD.get(kind, ""))
    return owner
