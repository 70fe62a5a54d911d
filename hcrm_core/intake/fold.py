"""Fold translations into facts: append to the log, then bring the touched facts and customers up to date.

The rule itself is `model/fold.py`, what is done for each touched fact `intake/settle.py`; here a batch is written.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hcrm_core.config import USUAL_IDENTITY, IdentitySettings
from hcrm_core.failpoints import fp
from hcrm_core.identity import households
from hcrm_core.identity.link import relink
from hcrm_core.identity.marks import together
from hcrm_core.identity.model import scorer_of
from hcrm_core.intake.batch import Batch, Entry, one_set
from hcrm_core.intake.moves import Moves, moved
from hcrm_core.intake.said import Said, take_apart
from hcrm_core.intake.settle import settle
from hcrm_core.model.manual import BY_ID
from hcrm_core.model.people import merged_away
from hcrm_core.model.records import PATIENT_FIELD, REFERENCES, Record
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.model.translation import CompleteSet
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.packing import pack
from hcrm_core.store.queries import facts, log, replaced
from hcrm_core.store.queries.facts import Content
from hcrm_core.store.queries.log import Numbers, StatementRow, VersionRow

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

    def __init__(self, codec: Codec, identity: IdentitySettings = USUAL_IDENTITY) -> None:
        """Args: codec: of the store; identity: when patients that no number links are one customer."""
        self._codec = codec
        self._scorer = scorer_of(identity)
        self._ids: dict[tuple[str, str, str], str] = {}
        self._entries: dict[tuple[str, Said], Entry] = {}

    def apply(self, connection: Connection, batch: Iterable[Accepted], now: int, voided: Iterable[int] = ()) -> int:
        """Fold a batch.

        Args:
            connection: A write transaction on the store.
            batch: Accepted translations, in any order.
            now: The clock, microseconds UTC. What a batch says is known from then on, or from a microsecond after the
                batch before it where the clock has not gone on: each instant divides batches into known and not.
            voided: Messages whose earlier translation no longer counts (their new one is in `batch`, or there is none).

        Returns:
            How many records were folded.
        """
        now = max(now, facts.last_known_at(connection) + 1)
        work = Batch(now, Numbers(connection))
        work.void_facts, work.void_sets = log.void_translations(connection, voided, now)
        statements: list[StatementRow] = []
        records = 0
        for accepted in batch:
            statement = StatementRow(work.numbers.next("statement"), accepted.message_id, accepted.stamp, now)
            statements.append(statement)
            records += len(accepted.records)
            for record in accepted.records:
                entry = self._entry(accepted.source, record if isinstance(record, Said) else take_apart(record))
                work.said[entry.fact_id].append(VersionRow(entry.content, statement))
                known = work.entries.get(entry.fact_id)
                if known is not None and known.set_id != entry.set_id:
                    entry = entry._replace(set_id=one_set(known.set_id, entry.set_id))
                work.entries[entry.fact_id] = entry
                if entry.kind == "EncounterMove":
                    work.moves.add(entry.fact_id)
            for whole in accepted.complete:
                work.sets[self._set_id(whole.kind, accepted.source, whole.group)].append(statement)
        log.add_statements(connection, statements)
        work.before = facts.facts(connection, work.said.keys() | work.void_facts)
        work.before |= facts.facts_of_sets(connection, work.sets.keys() | work.void_sets)
        self._log(connection, work)
        fp("upsert")
        stays = Moves(connection, {entry.encounter_id for entry in work.entries.values()})
        changed, identities = settle(connection, work, self._codec, stays)
        told = identities.told
        if again := moved(connection, work):
            more, followed = settle(connection, again, self._codec, Moves(connection, again.before))
            changed += more
            identities.mentioned.update(followed.mentioned)
            told = together(told, followed.told)
        fp("identity")
        merges = {one: merged_away(fields) for one, fields in identities.statements.items()}
        merged = replaced.restate(connection, merges, now)
        relinked = relink(connection, identities, self._codec, self._scorer, now)
        rehoused = households.update(connection, told, relinked, self._codec, now)
        facts.note_batch(connection, now, changed=bool(changed or merged or relinked or rehoused))
        return records

    def _log(self, connection: Connection, work: Batch) -> None:
        """Append what a batch says; what a fact is said to be again is not kept again."""
        contents: list[tuple[int, Content]] = []
        versions: list[tuple[int, int, int]] = []
        work.fact_numbers = {fact_id: row.number for fact_id, row in work.before.items()}
        known = work.content_ids
        for fact_id, row in work.before.items():
            if not row.merged:
                known[fact_id, row.content] = row.content_id
        for fact_id, said in work.said.items():
            if (number := work.fact_numbers.get(fact_id)) is None:
                number = work.fact_numbers[fact_id] = work.numbers.next("fact")
            for content, statement in said:
                if (content_id := known.get((fact_id, content))) is None:
                    content_id = known[fact_id, content] = work.numbers.next("content")
                    contents.append((content_id, content))
                versions.append((number, statement.id, content_id))
        log.add_contents(connection, contents)
        log.add_versions(connection, versions)
        log.add_set_statements(connection, [(one, row.id) for one, rows in work.sets.items() for row in rows])

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
        body = said.body
        if references:
            # Ids are hexadecimal: nothing in them needs escaping.
            head = ",".join([f'"{name}":"{token}"' for name, token in references.items()]).encode()
            body = b"{%b}" % head if body == b"{}" else b"{%b,%b" % (head, body[1:])
        fact_id = self._id(kind, source, said.key)
        entry = Entry(
            fact_id,
            kind,
            source,
            said.key,
            fact_id if kind == "Patient" else references.get(PATIENT_FIELD.get(kind, "")),
            self._set_id(kind, source, said.group) if said.group is not None else None,
            Content(pack(body), self._codec.seal_fields(said.sealed) if said.sealed is not None else None),
            said.empties,
            fact_id if kind == "Encounter" else references.get("encounter"),
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
            by_id = source == MANUAL and kind == "Patient" and key.startswith(BY_ID)
            found = self._ids[wanted] = key[len(BY_ID) :] if by_id else self._codec.token(*wanted)
        return found

    def _set_id(self, kind: str, source: str, group: str) -> str:
        return self._id(f"set of {kind}", source, group)
