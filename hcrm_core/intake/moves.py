"""What was said of a stay follows it: to the number it goes on under, and to the patient it turned out to be of.

A source that corrects a stay's number (HL7 A42, A50) or moves it to another patient (A45) does not send its diagnoses,
results and bills again. They are the stay's wherever it is now, and so are those that come late under the old number or
for the former patient. What was stated stays in the log; the fact is what was stated, seen by where its stay is.

Only facts about the patients the stay has or had follow it: what names somebody else's stay is the sender's slip.
"""

from collections.abc import Iterable

import msgspec

from hcrm_core.intake.batch import Batch
from hcrm_core.model.records import REFERENCES
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import facts, moves
from hcrm_core.store.queries.log import Numbers
from hcrm_core.store.queries.moves import MoveRow

MOVES = ("replaced_by", "moved_from", "moved_to")
"""The fields of an Encounter that say it moved."""

OF_A_STAY = frozenset(kind for kind, targets in REFERENCES.items() if "encounter" in targets)
"""Kinds whose facts follow their stay."""


class _Stay(msgspec.Struct):
    replaced_by: str | None = None
    moved_from: str | None = None
    moved_to: str | None = None


class _Follower(msgspec.Struct):
    encounter: str | None = None


_stay = msgspec.json.Decoder(_Stay).decode
_follower = msgspec.json.Decoder(_Follower).decode


class Moves:
    """Where stays are now; those that never moved, which is nearly all, cost nothing."""

    def __init__(self, connection: Connection, encounter_ids: Iterable[str | None] = ()) -> None:
        """Args: connection: a transaction on the store; encounter_ids: that will be asked for."""
        self._connection = connection
        self._known: dict[str, MoveRow | None] = {}
        self.any = moves.any_moves(connection)
        if self.any:
            self._known = dict.fromkeys(filter(None, encounter_ids))
            self._known |= {row.encounter_id: row for row in moves.moves_of(connection, self._known)}

    def follow(self, encounter_id: str, patient_id: str | None) -> tuple[str, str | None]:
        """The stay and the patient that a statement about a stay and a patient is about now."""
        passed: list[str] = []
        at = encounter_id
        while at not in passed:
            row = self._row(at)
            if row is None or patient_id not in (row.owner_id, row.former_id):
                return at, patient_id
            patient_id = row.owner_id
            if row.target_id is None:
                return at, patient_id
            passed.append(at)
            at = row.target_id
        return min(passed[passed.index(at) :]), patient_id  # numbers that replace each other are one stay

    def owner(self, encounter_id: str, patient_id: str | None) -> str | None:
        """The patient whose a stay is that was stated to be a patient's."""
        row = self._row(encounter_id)
        return row.owner_id if row and patient_id and patient_id == row.former_id else patient_id

    def _row(self, encounter_id: str) -> MoveRow | None:
        if encounter_id not in self._known:
            found = moves.moves_of(self._connection, (encounter_id,))
            self._known[encounter_id] = found[0] if found else None
        return self._known[encounter_id]


def moved(connection: Connection, batch: Batch) -> Batch | None:
    """Take up where the stays of a settled batch went.

    Returns:
        A batch that folds anew the facts which this concerns; `None` where no stay moved.
    """
    touched = {fact_id for fact_id, entry in batch.entries.items() if entry.kind == "Encounter"}
    touched |= {fact_id for fact_id, row in batch.before.items() if row.kind == "Encounter"}
    if not batch.moved and not moves.any_moves(connection):
        return None
    before = {row.encounter_id: row for row in moves.moves_of(connection, touched)}
    stays = batch.moved | before.keys()
    after = {}
    for fact_id, fact in facts.facts(connection, stays).items():
        stay = _stay(fact.body)
        if not fact.void and (stay.replaced_by or stay.moved_from):
            after[fact_id] = MoveRow(fact_id, stay.moved_to, stay.replaced_by, stay.moved_from)
    changed = {fact_id for fact_id in stays if before.get(fact_id) != after.get(fact_id)}
    if not changed:
        return None
    chain = _chain(connection, changed) | {before[one] for one in changed & before.keys()}
    moves.replace_moves(connection, changed, [after[one] for one in changed & after.keys()])
    chain |= _chain(connection, changed)
    ids = changed | {one for row in chain for one in (row.encounter_id, row.target_id) if one}
    patients = {one for row in chain for one in (row.owner_id, row.former_id) if one}
    anew = facts.facts(connection, changed)
    for row in facts.facts_of_patients(connection, patients):
        if row.kind in OF_A_STAY and _follower(row.body).encounter in ids:
            anew[row.fact_id] = row
    numbers = {fact_id: row.number for fact_id, row in anew.items()}
    return Batch(batch.now, Numbers(connection), void_facts=set(anew), before=anew, fact_numbers=numbers)


def _chain(connection: Connection, encounter_ids: set[str]) -> set[MoveRow]:
    """The moves of these stays, of those they go on as, and of those that go on as them."""
    found: set[MoveRow] = set()
    known: set[str] = set()
    frontier = set(encounter_ids)
    while frontier:
        known |= frontier
        rows = {*moves.moves_of(connection, frontier), *moves.moves_to(connection, frontier)}
        found |= rows
        frontier = {one for row in rows for one in (row.encounter_id, row.target_id) if one} - known
    return found
