"""Fold translations into facts: append to the log, then bring the touched facts and customers up to date.

The rule itself is `model/fold.py`, what is done for each touched fact `intake/settle.py`; here a batch is written.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hcrm_core.failpoints import fp
from hcrm_core.identity.link import relink
from hcrm_core.intake.said import Said, take_apart
from hcrm_core.intake.settle import Batch, Entry, settle
from hcrm_core.model.records import PATIENT_FIELD, REFERENCES, Record
from hcrm_core.model.translation import CompleteSet
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import facts as store
from hcrm_core.store.queries.facts import SetRow, VersionRow

REMEMBERED = 50_000
"""Ids and log entries kept."""


class Accepted(NamedTuple):
    """A translation that is to count.

    Attributes:
        message_id: Of the message it translates.
        source: The message's source.
        stamp: The message's place in the order of statements.
        records: What it says, taken apart by the worker that translated it or not yet.
        complete: The sets it states whole.
    """

    message_id: int
    source: str
    stamp: bytes
    records: Sequence[Record | Said]
    complete: Sequence[CompleteSet]


class Folder:
    """Folds batches into the store inside the caller's transaction."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._ids: dict[tuple[str, str, str], str] = {}
        self._entries: dict[tuple[str, Said], Entry] = {}

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
        work = Batch(now)
        for message_id in voided:
            facts, sets = store.void_translation(connection, message_id, now)
            work.void_facts |= facts
            work.void_sets |= sets
        sets_stated: list[SetRow] = []
        versions: list[VersionRow] = []
        for accepted in batch:
            source, message_id, place = accepted.source, accepted.message_id, accepted.stamp
            for record in accepted.records:
                entry = self._entry(source, record if isinstance(record, Said) else take_apart(record))
                row = VersionRow(entry.fact_id, message_id, place, now, entry.body, entry.sealed)
                versions.append(row)
                work.say(entry, row)
            for whole in accepted.complete:
                set_id = self._set_id(whole.kind, source, whole.group)
                sets_stated.append(SetRow(set_id, message_id, place, now))
                work.sets[set_id].add(place)
        store.add_versions(connection, versions)
        store.add_set_statements(connection, sets_stated)
        fp("upsert")
        changed, identities = settle(connection, work, self._codec)
        fp("identity")
        moved = relink(connection, identities, self._codec)
        if changed or moved:
            store.count_mart_sequence(connection)
        return len(versions)

    def forget(self) -> None:
        """Forget ids and log entries, after a batch that failed."""
        self._ids.clear()
        self._entries.clear()

    def _entry(self, source: str, said: Said) -> Entry:
        """A record as the log takes it: ids for keys. Sources repeat themselves, so it is kept."""
        if (known := self._entries.get((source, said))) is not None:
            return known
        kind = said.kind
        targets = REFERENCES[kind]
        references = {name: self._id(targets[name], source, key) for name, key in said.references}
        body = said.body.decode()
        if references:
            # Ids are hexadecimal: nothing in them needs escaping.
            head = ",".join([f'"{name}":"{token}"' for name, token in references.items()])
            body = f"{{{head}}}" if body == "{}" else f"{{{head},{body[1:]}"
        fact_id = self._id(kind, source, said.key)
        entry = Entry(
            fact_id,
            kind,
            source,
            said.key,
            fact_id if kind == "Patient" else references.get(PATIENT_FIELD.get(kind, "")),
            self._set_id(kind, source, said.group) if said.group is not None else None,
            body,
            self._codec.seal(said.sealed) if said.sealed is not None else None,
            said.empties,
        )
        if len(self._entries) >= REMEMBERED:
            self._entries.clear()
        self._entries[source, said] = entry
        return entry

    def _id(self, kind: str, source: str, key: str) -> str:
        wanted = (kind, source, key)
        if (found := self._ids.get(wanted)) is None:
            if len(self._ids) >= REMEMBERED:
                self._ids.clear()
            found = self._ids[wanted] = self._codec.token(*wanted)
        return found

    def _set_id(self, kind: str, source: str, group: str) -> str:
        return self._id(f"set of {kind}", source, group)
