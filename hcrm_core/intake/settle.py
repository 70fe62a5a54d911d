"""What a batch makes of each fact it touches.

Most facts are carried forward: they are new, are said again, or are said anew after all that was said before. A
statement that is late leaves its fact as it is where every field of it has its value already or is said by the fact's
newest statement; so the directory's facts, which every message repeats, never need their log. Only what remains is
folded anew from the log.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from hcrm_core.identity.link import Changed
from hcrm_core.model.fold import Event, Folded, fold, leaves_as_it_is, said_at
from hcrm_core.model.records import KINDS, PATIENT_FIELD, REFERENCES
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import facts as store
from hcrm_core.store.queries.facts import FactRow, VersionRow

Fields = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Fields).decode


class Entry(NamedTuple):
    """A record as the log takes it.

    Attributes:
        fact_id, kind, source: Of the fact it speaks of.
        key: Its key in the source.
        patient_id: Whose fact it says it is.
        set_id: The set it is a member of.
        body: JSON of its fields, ids for keys.
        sealed: Its direct identifiers, sealed.
        empties: Whether it says a field empty.
    """

    fact_id: str
    kind: str
    source: str
    key: str
    patient_id: str | None
    set_id: str | None
    body: str
    sealed: bytes | None
    empties: bool


@dataclass
class Batch:
    """What a batch says.

    Attributes:
        now: When it arrived.
        said: Fact → its new versions.
        entries: Fact → the last of its entries.
        sets: Set → the stamps of its new statements.
        void_facts, void_sets: What lost a statement.
    """

    now: int
    said: dict[str, list[VersionRow]] = field(default_factory=lambda: defaultdict(list))
    entries: dict[str, Entry] = field(default_factory=dict)
    sets: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    void_facts: set[str] = field(default_factory=set)
    void_sets: set[str] = field(default_factory=set)

    def say(self, entry: Entry, row: VersionRow) -> None:
        """Add a statement."""
        self.said[entry.fact_id].append(row)
        self.entries[entry.fact_id] = entry


def settle(connection: Connection, batch: Batch, codec: Codec) -> tuple[int, Changed]:
    """Bring every touched fact up to date; the versions and sets of the batch are in the log already.

    Returns:
        How many rows were written, and what of it bears on identity.
    """
    before = store.facts(connection, batch.said.keys() | batch.void_facts)
    if batch.sets or batch.void_sets:
        before |= store.facts_of_sets(connection, batch.sets.keys() | batch.void_sets)
    new_members = {entry.set_id for fact_id, entry in batch.entries.items() if entry.set_id and fact_id not in before}
    work = _Settling(batch, before, store.last_set_stamps(connection, new_members), codec)
    anew, late = [], []
    for fact_id in sorted(before.keys() | batch.said.keys()):
        if work.is_in_question(fact_id):
            anew.append(fact_id)
        elif work.is_late(fact_id):
            late.append(fact_id)
        else:
            work.carry(fact_id)
    newest = store.newest_versions(connection, late)
    for fact_id in late:
        if work.stays(fact_id, newest.get(fact_id, [])):
            work.carry(fact_id)
        else:
            anew.append(fact_id)
    log = store.versions(connection, anew)
    stamps = store.set_stamps(connection, {set_id for fact_id in anew if (set_id := work.set_of(fact_id))})
    for fact_id in anew:
        work.fold_anew(fact_id, log.get(fact_id, []), stamps.get(work.set_of(fact_id) or "", set()))
    rows = [row for row in work.rows if before.get(row.fact_id) != row]
    store.put_facts(connection, rows)
    return len(rows), work.changed


class _Settling:
    """The facts of one batch, one after the other."""

    def __init__(self, batch: Batch, before: dict[str, FactRow], last_sets: dict[str, bytes], codec: Codec) -> None:
        self.rows: list[FactRow] = []
        self._patients: dict[str, Fields] = {}
        self._statements: dict[str, Fields] = {}
        self._mentioned: set[str] = set()
        self.changed = Changed(self._patients, self._statements, self._mentioned)
        self._batch = batch
        self._before = before
        self._last_sets = last_sets
        self._codec = codec

    def set_of(self, fact_id: str) -> str | None:
        """The set a fact is a member of."""
        entry = self._batch.entries.get(fact_id)
        return entry.set_id if entry else self._before[fact_id].set_id

    def is_in_question(self, fact_id: str) -> bool:
        """Whether only the log can tell: a statement went, or its set speaks of a time before the fact was known."""
        batch, before, set_id = self._batch, self._before.get(fact_id), self.set_of(fact_id)
        if before is None:
            return bool(set_id) and self._last_sets.get(set_id or "", b"") > min(self._stamps(fact_id))
        return fact_id in batch.void_facts or set_id in batch.void_sets or set_id != before.set_id

    def is_late(self, fact_id: str) -> bool:
        """Whether something was said of a time before the fact's last statement that is not just what it says now."""
        before = self._before.get(fact_id)
        if before is None:
            return False
        content = (before.body, before.sealed, False)
        return any(
            row.stamp == before.stamp or (row.body, row.sealed, before.void) != content for row in self._late(fact_id)
        ) or any(stamp < before.stamp for stamp in self._sets(fact_id))

    def stays(self, fact_id: str, newest: list[VersionRow]) -> bool:
        """Whether what is late leaves the fact as it is, given the versions that carry its stamp."""
        before, late = self._before[fact_id], self._late(fact_id)
        if before.void or any(row.stamp == before.stamp for row in late):
            return False
        by_namespace = KINDS[before.kind].BY_NAMESPACE
        now = self._fields(before.body, before.sealed)
        said_last: Fields = {}
        for row in newest:
            said_last |= self._fields(row.body, row.sealed)
        left_out = any(stamp < before.stamp for stamp in self._sets(fact_id))
        if left_out and (by_namespace or not now.keys() <= said_last.keys()):
            return False
        contents = {(row.body, row.sealed) for row in late}
        return all(leaves_as_it_is(self._fields(*content), now, said_last, by_namespace) for content in contents)

    def carry(self, fact_id: str) -> None:
        """Apply what was said after the fact's last statement, if anything was."""
        before = self._before.get(fact_id)
        last = before.stamp if before else b""
        said = [row for row in self._batch.said.get(fact_id, ()) if row.stamp > last]
        mentions = {row.stamp for row in said}
        sets = [stamp for stamp in self._sets(fact_id) if stamp > last]
        if not said and not sets:
            return
        newest = max(said, key=_stamp, default=None)
        contents = {(row.body, row.sealed) for row in said}
        if newest and len(contents) == 1 and mentions.issuperset(sets):
            if before and not before.void and contents == {(before.body, before.sealed)}:
                stamp, message_id = newest.stamp, newest.message_id
                self.rows.append(
                    before._replace(
                        stamp=stamp, message_id=message_id, said_at=said_at(stamp), known_at=self._batch.now
                    )
                )
                return
            entry = self._batch.entries[fact_id]
            if (before is None or before.void) and not entry.empties:
                self._put_as_said(entry, before, newest)
                return
        events = [Event(row.stamp, self._fields(row.body, row.sealed)) for row in said]
        events += [Event(stamp, None) for stamp in sets]
        start = Folded(self._fields(before.body, before.sealed), before.void, before.stamp) if before else None
        self._put(fact_id, fold(events, start, self._by_namespace(fact_id)), newest)

    def fold_anew(self, fact_id: str, log: list[VersionRow], sets: set[bytes]) -> None:
        """Fold a fact from everything that was said of it."""
        events = [Event(row.stamp, self._fields(row.body, row.sealed)) for row in log]
        events += [Event(stamp, None) for stamp in sets]
        self._put(fact_id, fold(events, None, self._by_namespace(fact_id)), max(log, key=_stamp, default=None))

    def _put_as_said(self, entry: Entry, before: FactRow | None, newest: VersionRow) -> None:
        """A fact that is what one statement says."""
        self.rows.append(
            FactRow(
                entry.fact_id,
                entry.kind,
                entry.source,
                before.key if before else self._codec.seal(entry.key.encode()),
                entry.patient_id,
                entry.set_id,
                entry.body,
                entry.sealed,
                newest.stamp,
                newest.message_id,
                said_at(newest.stamp),
                self._batch.now,
                False,
            )
        )
        bears = entry.kind in ("Patient", "PatientLink")
        self._note(entry.fact_id, entry.kind, entry.patient_id, self._fields(entry.body, entry.sealed) if bears else {})

    def _put(self, fact_id: str, folded: Folded | None, newest: VersionRow | None) -> None:
        before, entry = self._before.get(fact_id), self._batch.entries.get(fact_id)
        known = entry or before
        assert known is not None
        folded = folded or Folded({}, True, before.stamp if before else b"")
        kind, fields = known.kind, folded.fields
        patient_id = fact_id if kind == "Patient" else fields.get(PATIENT_FIELD.get(kind, ""))
        hidden = {name: fields[name] for name in sorted(KINDS[kind].SEALED & fields.keys())}
        sealed = self._codec.seal(_encode(hidden)) if hidden else None
        self.rows.append(
            FactRow(
                fact_id,
                kind,
                known.source,
                before.key if before else self._codec.seal(entry.key.encode()),  # type: ignore[union-attr]
                patient_id,
                known.set_id,
                _body(kind, fields),
                sealed,
                folded.stamp,
                newest.message_id if newest else (before.message_id if before else 0),
                said_at(folded.stamp) if folded.stamp else 0,
                self._batch.now,
                folded.void,
            )
        )
        self._note(fact_id, kind, patient_id, fields)

    def _note(self, fact_id: str, kind: str, patient_id: str | None, fields: Fields) -> None:
        if kind == "Patient":
            self._patients[fact_id] = fields
        elif kind == "PatientLink":
            self._statements[fact_id] = fields
        elif patient_id:
            self._mentioned.add(patient_id)

    def _late(self, fact_id: str) -> list[VersionRow]:
        last = self._before[fact_id].stamp
        return [row for row in self._batch.said.get(fact_id, ()) if row.stamp <= last]

    def _stamps(self, fact_id: str) -> list[bytes]:
        return [row.stamp for row in self._batch.said[fact_id]]

    def _sets(self, fact_id: str) -> set[bytes]:
        """The new statements of the fact's set."""
        set_id = self.set_of(fact_id)
        return self._batch.sets.get(set_id, set()) if set_id else set()

    def _by_namespace(self, fact_id: str) -> frozenset[str]:
        known = self._batch.entries.get(fact_id) or self._before[fact_id]
        return KINDS[known.kind].BY_NAMESPACE

    def _fields(self, body: str, sealed: bytes | None) -> Fields:
        fields = _decode(body)
        if sealed is not None:
            fields |= _decode(self._codec.open(sealed))
        return fields


def _stamp(row: VersionRow) -> bytes:
    return row.stamp


def _body(kind: str, fields: Fields) -> str:
    """Fields that are no direct identifiers as JSON, in the order in which `Folder` writes an entry."""
    references, hidden = REFERENCES[kind], KINDS[kind].SEALED
    plain = {name: fields[name] for name in references if name in fields}
    plain |= {name: fields[name] for name in sorted(fields.keys() - references.keys() - hidden)}
    return _encode(plain).decode()
