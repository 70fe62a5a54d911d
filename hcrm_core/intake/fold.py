"""Fold translations into facts: append to the log, then bring the touched facts and customers up to date.

The rule itself is `model/fold.py`; here it is applied to a batch with as few reads as possible. A fact whose new
statements all lie after its last one is carried forward; any other is folded anew from the log.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from hcrm_core.failpoints import fp
from hcrm_core.identity.link import Changed, relink
from hcrm_core.model.fold import Event, Folded, fold, said_at
from hcrm_core.model.records import KINDS, PATIENT_FIELD, REFERENCES, Record
from hcrm_core.model.translation import CompleteSet
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import facts as store
from hcrm_core.store.queries.facts import FactRow, SetRow, VersionRow

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
REMEMBERED = 100_000
"""Ids and prepared records kept."""

_SEALED = {kind: record.SEALED for kind, record in KINDS.items()}


class Accepted(NamedTuple):
    """A translation that is to count.

    Attributes:
        message_id: Of the message it translates.
        source: The message's source.
        stamp: The message's place in the order of statements.
        records: What it says.
        complete: The sets it states whole.
    """

    message_id: int
    source: str
    stamp: bytes
    records: Sequence[Record]
    complete: Sequence[CompleteSet]


class _Identity(NamedTuple):
    kind: str
    source: str
    key: str
    set_id: str | None


class _Prepared(NamedTuple):
    """A record as the log takes it; sources repeat themselves, so it is kept."""

    fact_id: str
    body: str
    sealed: bytes | None
    identity: _Identity


class Folder:
    """Folds batches into the store inside the caller's transaction."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._ids: dict[tuple[str, str, str], str] = {}
        self._prepared: dict[tuple[str, Record], _Prepared] = {}

    def apply(self, connection: Connection, batch: Iterable[Accepted], now: int, voided: Iterable[int] = ()) -> int:
        """Fold a batch.

        Args:
            connection: A write transaction on the store.
            batch: Accepted translations, in any order.
            now: Arrival of this knowledge, microseconds UTC.
            voided: Messages whose earlier translation no longer counts (their new one is in `batch`, or there is none).

        Returns:
            How many records were folded.
        """
        void_facts, void_sets = self._void(connection, voided, now)
        versions: list[VersionRow] = []
        sets: list[SetRow] = []
        identities: dict[str, _Identity] = {}
        for accepted in batch:
            for record in accepted.records:
                made = self._prepare(accepted.source, record)
                versions.append(
                    VersionRow(made.fact_id, accepted.message_id, accepted.stamp, now, made.body, made.sealed)
                )
                identities[made.fact_id] = made.identity
            for whole in accepted.complete:
                set_id = self._set_id(whole.kind, accepted.source, whole.group)
                sets.append(SetRow(set_id, accepted.message_id, accepted.stamp, now))
        store.add_versions(connection, versions)
        store.add_set_statements(connection, sets)
        fp("upsert")
        changed = self._fold(connection, versions, sets, identities, void_facts, void_sets, now)
        fp("identity")
        moved = relink(connection, self._identity_changes(changed), self._codec)
        if changed or moved:
            store.count_mart_sequence(connection)
        return len(versions)

    def forget(self) -> None:
        """Forget ids and prepared records, after a batch that failed."""
        self._ids.clear()
        self._prepared.clear()

    def _void(self, connection: Connection, voided: Iterable[int], now: int) -> tuple[set[str], set[str]]:
        facts: set[str] = set()
        sets: set[str] = set()
        for message_id in voided:
            of_facts, of_sets = store.void_translation(connection, message_id, now)
            facts |= of_facts
            sets |= of_sets
        return facts, sets

    def _prepare(self, source: str, record: Record) -> _Prepared:
        if (known := self._prepared.get((source, record))) is not None:
            return known
        fields = msgspec.to_builtins(record)
        kind, key, group = fields.pop("kind"), fields.pop("key"), fields.pop("group", None)
        for name, target in REFERENCES[kind].items():
            if value := fields.get(name):
                fields[name] = self._id(target, source, value)
        sealed = None
        if _SEALED[kind]:
            hidden = {name: fields.pop(name) for name in _SEALED[kind] & fields.keys()}
            sealed = self._codec.seal(_encode(hidden)) if hidden else None
        set_id = self._set_id(kind, source, group) if group is not None else None
        identity = _Identity(kind, source, key, set_id)
        made = _Prepared(self._id(kind, source, key), _encode(fields).decode(), sealed, identity)
        if len(self._prepared) >= REMEMBERED:
            self._prepared.clear()
        self._prepared[source, record] = made
        return made

    def _fold(
        self,
        connection: Connection,
        versions: Sequence[VersionRow],
        sets: Sequence[SetRow],
        identities: Mapping[str, _Identity],
        void_facts: set[str],
        void_sets: set[str],
        now: int,
    ) -> list[tuple[FactRow, dict[str, Any]]]:
        """Fold every touched fact; return the rows written with their fields."""
        new: dict[str, list[VersionRow]] = defaultdict(list)
        for row in versions:
            new[row.fact_id].append(row)
        new_sets: dict[str, set[bytes]] = defaultdict(set)
        for statement in sets:
            new_sets[statement.set_id].add(statement.stamp)
        existing = store.facts(connection, new.keys() | void_facts)
        existing |= store.facts_of_sets(connection, new_sets.keys() | void_sets)
        touched = existing.keys() | new.keys()
        set_of = {fact_id: row.set_id for fact_id, row in existing.items()}
        set_of |= {fact_id: identity.set_id for fact_id, identity in identities.items()}
        all_sets = store.set_stamps(connection, {set_id for set_id in set_of.values() if set_id})

        anew: set[str] = set()
        for fact_id in touched:
            last = existing[fact_id].stamp if fact_id in existing else b""
            set_id = set_of[fact_id]
            late = any(row.stamp <= last for row in new[fact_id])
            late_set = set_id is not None and any(stamp < last for stamp in new_sets[set_id])
            if fact_id in void_facts or set_id in void_sets or late or late_set:
                anew.add(fact_id)
        log = store.versions(connection, anew)

        rows = []
        for fact_id in sorted(touched):
            before = existing.get(fact_id)
            last = before.stamp if before and fact_id not in anew else b""
            stamps = all_sets.get(set_of[fact_id] or "", set())
            said = log.get(fact_id, []) if fact_id in anew else new[fact_id]
            events = [Event(row.stamp, self._fields(row.body, row.sealed)) for row in said]
            events += [Event(stamp, None) for stamp in stamps if stamp > last]
            start = None
            if before and fact_id not in anew:
                start = Folded(self._fields(before.body, before.sealed), before.void, before.stamp)
            if not events and start:
                continue
            kind = identities[fact_id].kind if fact_id in identities else existing[fact_id].kind
            folded = fold(events, start, KINDS[kind].BY_NAMESPACE) or Folded({}, True, before.stamp if before else b"")
            source = max(said, key=lambda row: row.stamp, default=None)
            message_id = source.message_id if source else (before.message_id if before else 0)
            rows.append((self._row(fact_id, before, identities.get(fact_id), folded, message_id, now), folded.fields))
        written = [pair for pair in rows if existing.get(pair[0].fact_id) != pair[0]]
        store.put_facts(connection, [row for row, _ in written])
        return written

    def _row(
        self,
        fact_id: str,
        before: FactRow | None,
        identity: _Identity | None,
        folded: Folded,
        message_id: int,
        now: int,
    ) -> FactRow:
        if identity:
            kind, source, set_id = identity.kind, identity.source, identity.set_id
        else:
            assert before is not None
            kind, source, set_id = before.kind, before.source, before.set_id
        key = before.key if before else self._codec.seal(identity.key.encode())  # type: ignore[union-attr]
        fields = dict(folded.fields)
        patient_id = fact_id if kind == "Patient" else fields.get(PATIENT_FIELD.get(kind, ""))
        hidden = {name: fields.pop(name) for name in _SEALED[kind] & fields.keys()}
        return FactRow(
            fact_id,
            kind,
            source,
            key,
            patient_id,
            set_id,
            _encode(fields).decode(),
            self._codec.seal(_encode(hidden)) if hidden else None,
            folded.stamp,
            message_id,
            said_at(folded.stamp) if folded.stamp else 0,
            now,
            folded.void,
        )

    def _identity_changes(self, changed: Iterable[tuple[FactRow, dict[str, Any]]]) -> Changed:
        patients, statements, mentioned = {}, {}, set()
        for row, fields in changed:
            if row.kind == "Patient":
                patients[row.fact_id] = fields
            elif row.kind == "PatientLink":
                statements[row.fact_id] = fields
            elif row.patient_id:
                mentioned.add(row.patient_id)
        return Changed(patients, statements, mentioned)

    def _fields(self, body: str, sealed: bytes | None) -> dict[str, Any]:
        fields = _decode(body)
        if sealed is not None:
            fields |= _decode(self._codec.open(sealed))
        return fields

    def _id(self, kind: str, source: str, key: str) -> str:
        wanted = (kind, source, key)
        if (found := self._ids.get(wanted)) is None:
            if len(self._ids) >= REMEMBERED:
                self._ids.clear()
            found = self._ids[wanted] = self._codec.token(*wanted)
        return found

    def _set_id(self, kind: str, source: str, group: str) -> str:
        return self._id(f"set of {kind}", source, group)
