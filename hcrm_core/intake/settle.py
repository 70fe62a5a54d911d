"""What a batch makes of each fact it touches.

Most facts are carried forward: they are new, are said again, or are said anew after all that was said before. A
statement that is late leaves its fact as it is where every field of it has its value already or is said by the fact's
newest statement; so the directory's facts, which every message repeats, never need their log. Only what remains is
folded anew from the log.
"""

from typing import Any

import msgspec

from hcrm_core.identity.link import Changed
from hcrm_core.identity.marks import KINDS as OF_A_FAMILY
from hcrm_core.identity.marks import Told
from hcrm_core.intake.batch import Batch, one_set
from hcrm_core.intake.moves import Moves
from hcrm_core.model.fold import Event, Folded, fold, leaves_as_it_is
from hcrm_core.model.moves import FOLLOWERS
from hcrm_core.model.records import ABOUT_A_PERSON, KINDS, PATIENT_FIELD, REFERENCES
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.packing import pack, unpack
from hcrm_core.store.queries import facts as store
from hcrm_core.store.queries import links, log
from hcrm_core.store.queries.facts import Content, FactRow
from hcrm_core.store.queries.log import StatementRow, VersionRow

Fields = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Fields).decode


def settle(connection: Connection, batch: Batch, codec: Codec, moves: Moves) -> tuple[int, Changed]:
    """Bring every touched fact up to date, seen by where its stay is; what the batch says is in the log already.

    Returns:
        How many facts were written, and what of it bears on identity.
    """
    before = batch.before
    members = {entry.set_id for fact_id, entry in batch.entries.items() if entry.set_id and fact_id not in before}
    work = _Settling(batch, log.last_set_stamps(connection, members), codec, moves)
    anew, late = [], []
    for fact_id in sorted(before.keys() | batch.said.keys()):
        if work.is_in_question(fact_id):
            anew.append(fact_id)
        elif work.is_late(fact_id):
            late.append(fact_id)
        else:
            work.carry(fact_id)
    if late:
        newest = log.newest_versions(connection, late)
        for fact_id in late:
            if work.stays(fact_id, newest.get(fact_id, [])):
                work.carry(fact_id)
            else:
                anew.append(fact_id)
    if anew:
        versions = log.numbered_versions(connection, [batch.fact_numbers[fact_id] for fact_id in anew])
        sets = log.set_statements(connection, {set_id for fact_id in anew if (set_id := work.set_of(fact_id))})
        for fact_id in anew:
            said = versions.get(batch.fact_numbers[fact_id], [])
            work.fold_anew(fact_id, said, sets.get(work.set_of(fact_id) or "", []))
    return work.write(connection), work.changed


class _Settling:
    """The facts of one batch, one after the other."""

    def __init__(self, batch: Batch, last_sets: dict[str, bytes], codec: Codec, moves: Moves) -> None:
        self._patients: dict[str, Fields] = {}
        self._statements: dict[str, Fields] = {}
        self._mentioned: set[str] = set()
        self._lost: set[str] = set()
        self._told: dict[str, Told] = {}
        self._by_hand: set[str] = set()
        self.changed = Changed(self._patients, self._statements, self._mentioned, self._told, self._by_hand)
        self._batch = batch
        self._before = batch.before
        self._last_sets = last_sets
        self._codec = codec
        self._moves = moves
        self._rows: list[FactRow] = []
        self._again: list[FactRow] = []
        self._contents: list[tuple[int, Content]] = []
        self._dropped: list[int] = []
        self._set_ids: dict[str, str | None] = {}

    def write(self, connection: Connection) -> int:
        """Write what was settled; returns how many facts that is."""
        log.add_contents(connection, self._contents)
        store.put_facts(connection, self._rows)
        store.say_again(connection, self._again)
        log.drop_contents(connection, self._dropped)
        links.note_losses(connection, self._lost, self._batch.now)
        return len(self._rows) + len(self._again)

    def set_of(self, fact_id: str) -> str | None:
        """The set a fact is a member of."""
        if fact_id not in self._set_ids:
            self._set_ids[fact_id] = self._set_of(fact_id)
        return self._set_ids[fact_id]

    def _set_of(self, fact_id: str) -> str | None:
        entry, before = self._batch.entries.get(fact_id), self._before.get(fact_id)
        if entry is None:
            return before.set_id if before else None
        return one_set(entry.set_id, before.set_id) if before else entry.set_id

    def is_in_question(self, fact_id: str) -> bool:
        """Whether only the log can tell: a statement went, or its set was stated after a fact that is new."""
        batch, before, set_id = self._batch, self._before.get(fact_id), self.set_of(fact_id)
        if before is None:
            last = self._last_sets.get(set_id) if set_id else None
            return last is not None and last > min([row.statement.stamp for row in batch.said[fact_id]])
        if before.followed:
            return True  # what it is was not stated so, and nothing can be carried on from it
        return fact_id in batch.void_facts or set_id in batch.void_sets or set_id != before.set_id

    def is_late(self, fact_id: str) -> bool:
        """Whether something was said of a time before the fact's last statement that is not just what it says now."""
        before = self._before.get(fact_id)
        if before is None:
            return False
        return any(
            before.void or row.content != before.content or row.statement.stamp == before.stamp
            for row in self._late(fact_id)
        ) or any(statement.stamp < before.stamp for statement in self._sets(fact_id))

    def stays(self, fact_id: str, newest: list[VersionRow]) -> bool:
        """Whether what is late leaves the fact as it is, given the versions by its last statement."""
        before, late = self._before[fact_id], self._late(fact_id)
        if before.void or any(row.statement.stamp == before.stamp for row in late):
            return False
        by_namespace = KINDS[before.kind].BY_NAMESPACE
        now = self._fields(before.content)
        said_last: Fields = {}
        for row in newest:
            said_last |= now if row.content == before.content else self._fields(row.content)
        left_out = any(statement.stamp < before.stamp for statement in self._sets(fact_id))
        if left_out and (by_namespace or not now.keys() <= said_last.keys()):
            return False
        contents = {row.content for row in late}
        return all(leaves_as_it_is(self._fields(content), now, said_last, by_namespace) for content in contents)

    def carry(self, fact_id: str) -> None:
        """Apply what was said after the fact's last statement, if anything was."""
        before, said, sets = self._before.get(fact_id), self._batch.said.get(fact_id, []), self._sets(fact_id)
        if before:
            said = [row for row in said if row.statement.stamp > before.stamp]
            sets = [statement for statement in sets if statement.stamp > before.stamp]
        if not said:
            if sets:
                self._fold(fact_id, before, said, sets)
            return
        newest = said[0] if len(said) == 1 else max(said, key=_stamp)
        plain = len(said) == 1 or len({row.content for row in said}) == 1
        if plain and sets:
            mentions = {row.statement.id for row in said}
            plain = all(statement.id in mentions for statement in sets)
        entry = self._batch.entries[fact_id]
        if plain and before and not before.void and newest.content == before.content:
            known_at = self._batch.now if before.kind in ABOUT_A_PERSON else before.known_at
            self._again.append(before._replace(stamp=newest.stamp, statement_id=newest.statement.id, known_at=known_at))
        elif plain and (before is None or before.void) and not entry.empties:
            bears = entry.kind == "PatientLink" or entry.kind in OF_A_FAMILY
            fields = self._fields(newest.content) if bears else {}
            self._put(fact_id, entry.patient_id, newest.content, newest.statement, False, fields)
        else:
            self._fold(fact_id, before, said, sets)

    def fold_anew(self, fact_id: str, said: list[VersionRow], sets: list[StatementRow]) -> None:
        """Fold a fact from everything that was said of it."""
        self._fold(fact_id, None, said, sets)

    def _fold(self, fact_id: str, start: FactRow | None, said: list[VersionRow], sets: list[StatementRow]) -> None:
        before = self._before.get(fact_id)
        known = self._batch.entries.get(fact_id) or before
        assert known is not None
        events = [Event(row.statement.stamp, self._fields(row.content)) for row in said]
        events += [Event(statement.stamp, None) for statement in sets]
        begun = Folded(self._fields(start.content), start.void, start.stamp) if start else None
        folded = fold(events, begun, KINDS[known.kind].BY_NAMESPACE)
        if folded is None:
            assert before is not None
            folded, last = Folded({}, True, before.stamp), _statement(before)
        else:
            heard = [row.statement for row in said] + sets
            last = next(statement for statement in heard if statement.stamp == folded.stamp)
        fields = folded.fields
        patient_id = fact_id if known.kind == "Patient" else fields.get(PATIENT_FIELD.get(known.kind, ""))
        self._put(fact_id, patient_id, self._content(known.kind, fields), last, folded.void, fields)

    def _put(
        self,
        fact_id: str,
        patient_id: str | None,
        content: Content,
        last: StatementRow,
        void: bool,
        fields: Fields,
    ) -> None:
        before, entry = self._before.get(fact_id), self._batch.entries.get(fact_id)
        known = entry or before
        assert known is not None
        followed = None
        if self._moves.any and known.kind in FOLLOWERS and patient_id:
            followed = self._followed(fact_id, known.kind, content, patient_id)
        if followed:
            content, patient_id = followed
        key = before.key if before else self._codec.seal(known.key.encode())  # type: ignore[union-attr]
        same = before and (void, content) == (before.void, before.content)
        if before and same and (last.stamp == before.stamp or known.kind not in ABOUT_A_PERSON):
            known_at = before.known_at
        else:
            known_at = self._batch.now
        if before and before.patient_id and before.patient_id != patient_id:
            self._lost.add(before.patient_id)
        content_id, merged = self._keep(fact_id, before, content)
        self._rows.append(
            FactRow(
                fact_id,
                known.kind,
                known.source,
                key,
                patient_id,
                self.set_of(fact_id),
                content,
                last.stamp,
                known_at,
                void,
                self._batch.fact_numbers[fact_id],
                content_id,
                merged,
                last.id,
                followed is not None,
            )
        )
        if known.kind in OF_A_FAMILY:
            former = before.patient_id if before else None
            self._told[fact_id] = Told(known.kind, patient_id, former, {} if void else fields)
        if known.kind == "Patient":
            self._patients[fact_id] = fields
            if known.source == MANUAL:
                self._by_hand.add(fact_id)
        elif known.kind == "PatientLink":
            self._statements[fact_id] = fields
        elif patient_id:
            self._mentioned.add(patient_id)

    def _followed(self, fact_id: str, kind: str, content: Content, patient_id: str) -> tuple[Content, str] | None:
        """A fact's content and patient, where its stay has another number or patient by now."""
        fields = self._fields(content)
        stay = fact_id if kind == "Encounter" else fields.get("encounter")
        if stay is None or (now := self._moves.follow(stay, patient_id)) == (stay, patient_id):
            return None
        encounter_id, owner = now
        fields[PATIENT_FIELD[kind]] = owner
        if kind != "Encounter":
            fields["encounter"] = encounter_id
        return self._content(kind, fields), owner

    def _keep(self, fact_id: str, before: FactRow | None, content: Content) -> tuple[int, bool]:
        """The number of a fact's content, and whether it is the fact's own: no version of this batch says just that."""
        if before and before.content == content:
            return before.content_id, before.merged
        if before and before.merged:
            self._dropped.append(before.content_id)
        known = self._batch.content_ids.get((fact_id, content))
        if known is not None:
            return known, False
        number = self._batch.numbers.next("content")
        self._contents.append((number, content))
        return number, True

    def _late(self, fact_id: str) -> list[VersionRow]:
        last = self._before[fact_id].stamp
        return [row for row in self._batch.said.get(fact_id, ()) if row.statement.stamp <= last]

    def _sets(self, fact_id: str) -> list[StatementRow]:
        """The new statements of the fact's set."""
        set_id = self.set_of(fact_id)
        return self._batch.sets.get(set_id, []) if set_id else []

    def _content(self, kind: str, fields: Fields) -> Content:
        """Fields as they are kept, in the order in which `Folder` writes an entry."""
        references, hidden = REFERENCES[kind], KINDS[kind].SEALED
        plain = {name: fields[name] for name in references if name in fields}
        plain |= {name: fields[name] for name in sorted(fields.keys() - references.keys() - hidden)}
        secret = {name: fields[name] for name in sorted(hidden & fields.keys())}
        return Content(pack(_encode(plain)), self._codec.seal_fields(_encode(secret)) if secret else None)

    def _fields(self, content: Content) -> Fields:
        fields = _decode(unpack(content.body))
        if content.sealed is not None:
            fields |= _decode(self._codec.open(content.sealed))
        return fields


def _stamp(row: VersionRow) -> bytes:
    return row.statement.stamp


def _statement(row: FactRow) -> StatementRow:
    return StatementRow(row.statement_id, 0, row.stamp, row.known_at)
