"""What was said of a stay follows it: to the number it goes on under, and to the patient it turned out to be of.

A source that corrects a stay's number (HL7 A42, A50) or moves it to another patient (A45) does not send its diagnoses,
results and bills again. They are the stay's wherever it is now, and so are those that come late under the old number or
for the former patient. What was stated stays in the log; the fact is what was stated, seen by where its stay is.

A move is stated of a number and a patient together, and only what was stated of both follows it: what names somebody
else's stay is the sender's slip.
"""

from collections.abc import Iterable

import msgspec

from hcrm_core.intake.batch import Batch
from hcrm_core.model.moves import FOLLOWERS, Move, follow
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import facts, moves
from hcrm_core.store.queries.log import Numbers


class _Move(msgspec.Struct):
    patient: str | None = None
    to_encounter: str | None = None
    from_patient: str | None = None
    from_encounter: str | None = None


class _Follower(msgspec.Struct):
    encounter: str | None = None


_move = msgspec.json.Decoder(_Move).decode
_follower = msgspec.json.Decoder(_Follower).decode


class Moves:
    """Where stays are now."""

    def __init__(self, connection: Connection, encounter_ids: Iterable[str | None] = ()) -> None:
        """Args: connection: a transaction on the store; encounter_ids: that will be asked for."""
        self._connection = connection
        self._known: dict[str, dict[str, Move]] = {}
        self.any = moves.any_moves(connection)
        if self.any:
            self._learn(filter(None, encounter_ids))

    def follow(self, encounter_id: str, patient_id: str) -> tuple[str, str]:
        """The stay and the patient that a statement about a stay and a patient is about now."""
        return follow(encounter_id, patient_id, self._onward)

    def _onward(self, encounter_id: str, patient_id: str) -> Move | None:
        if encounter_id not in self._known:
            self._learn((encounter_id,))
        return self._known[encounter_id].get(patient_id)

    def _learn(self, encounter_ids: Iterable[str]) -> None:
        wanted = set(encounter_ids)
        self._known |= {encounter_id: {} for encounter_id in wanted}
        rows = moves.moves_from(self._connection, wanted)
        for row in sorted(rows, key=lambda move: move.place):
            self._known[row.encounter_id][row.patient_id] = row


def moved(connection: Connection, batch: Batch) -> Batch | None:
    """Take up where stays went, by what a settled batch says of it.

    Returns:
        A batch that folds anew the facts which this concerns; `None` where no stay moved.
    """
    stated = batch.moves | {fact_id for fact_id, row in batch.before.items() if row.kind == "EncounterMove"}
    if not stated:
        return None
    before = {row.fact_id: row for row in moves.moves_stated_by(connection, stated)}
    after = {}
    for fact_id, fact in facts.facts(connection, stated).items():
        move = _move(fact.body)
        start, end = (move.from_encounter, move.from_patient), (move.to_encounter, move.patient)
        if not fact.void and all(start + end) and start != end:
            after[fact_id] = Move(fact_id, *start, *end, fact.stamp)  # type: ignore[arg-type]
    changed = {fact_id for fact_id in stated if before.get(fact_id) != after.get(fact_id)}
    if not changed:
        return None
    known = {before[one] for one in changed & before.keys()}
    concerned = known | _chain(connection, known)
    moves.replace_moves(connection, changed, [after[one] for one in changed & after.keys()], batch.now)
    concerned |= _chain(connection, {after[one] for one in changed & after.keys()} | concerned)
    stays = {one for row in concerned for one in (row.encounter_id, row.target_id)}
    patients = {one for row in concerned for one in (row.patient_id, row.owner_id)}
    anew = facts.facts(connection, stays)
    for row in facts.facts_of_patients(connection, patients):
        if row.kind in FOLLOWERS and _follower(row.body).encounter in stays:
            anew[row.fact_id] = row
    numbers = {fact_id: row.number for fact_id, row in anew.items()}
    return Batch(batch.now, Numbers(connection), void_facts=set(anew), before=anew, fact_numbers=numbers)


def _chain(connection: Connection, rows: set[Move]) -> set[Move]:
    """These moves and all that lead to or from their stays."""
    found = set(rows)
    known: set[str] = set()
    frontier = {one for row in rows for one in (row.encounter_id, row.target_id)}
    while frontier:
        known |= frontier
        more = {*moves.moves_from(connection, frontier), *moves.moves_to(connection, frontier)}
        found |= more
        frontier = {one for row in more for one in (row.encounter_id, row.target_id)} - known
    return found
