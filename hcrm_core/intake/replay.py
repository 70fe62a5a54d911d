"""Replay: translate stored messages anew; the new translation takes the place of the old one.

Nothing that has gone out is repeated: what follows from facts is decided by keys that stay the same.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import groupby, islice
from typing import Any, NamedTuple

import msgspec

from hcrm_core.errors import UsageError
from hcrm_core.intake.accept import NOTHING, Processed, accept, accept_in
from hcrm_core.intake.fold import Folder
from hcrm_core.intake.mask import MASK, PERSONAL
from hcrm_core.intake.pool import Translated, sure
from hcrm_core.intake.process import BATCH, Translate
from hcrm_core.model.translation import Problem, Translation
from hcrm_core.registry.offers import Source
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import facts, inbox, processing
from hcrm_core.store.queries.facts import FactRow
from hcrm_core.store.queries.inbox import Landed
from hcrm_core.store.queries.processing import ProcessingRow

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Change(NamedTuple):
    """What a replay would do to one field of one fact.

    Attributes:
        kind: Of the fact.
        fact_id: The fact.
        field: The field; empty when the fact as a whole appears or is voided.
        before: Its value, `None` where there is none; a direct identifier may be hidden. Of the fact as a whole: if
            it stands.
        after: Likewise.
    """

    kind: str
    fact_id: str
    field: str
    before: Any
    after: Any


class Turn(NamedTuple):
    """A message that a replay would take out of quarantine or put into it.

    Attributes:
        message_id: Its number.
        state: Where it would stand.
        reason: Why it would be quarantined; else why it is.
    """

    message_id: int
    state: str
    reason: Problem


class Preview(NamedTuple):
    """What a replay would come to."""

    processed: Processed
    changes: list[Change]
    turns: list[Turn]


class _Undo(Exception):
    """Ends a rehearsal: its transaction is rolled back."""


def replay(
    store: Store,
    translate: Translate,
    source_of: Callable[[str], Source],
    numbers: Iterable[int],
    clock: Callable[[], int],
    progress: Callable[[int], None] = lambda count: None,
) -> Processed:
    """Translate messages anew and fold them, a batch a transaction.

    Raises:
        UsageError: The bytes of one have been pruned; those before it are done.
        PluginError: An adapter fails again and again; likewise.
    """
    folder = Folder(store.codec, store.identity)
    total = NOTHING
    for messages, by, translations in _translated(store, translate, source_of, numbers):
        total += accept(store, folder, by, messages, translations, clock(), replay=True)
        progress(len(messages))
    return total


def preview(
    store: Store,
    translate: Translate,
    source_of: Callable[[str], Source],
    numbers: Iterable[int],
    now: int,
    *,
    masked: bool = True,
) -> Preview:
    """Rehearse a replay in one transaction that is rolled back, and tell which facts it would change.

    Args:
        store: The workspace's store.
        translate: By the adapters, and the mappings, that the replay would use.
        source_of: Name → source, likewise.
        numbers: The messages.
        now: Microseconds UTC.
        masked: Whether direct identifiers are hidden; who shows them writes that down.
    """
    folder = Folder(store.codec, store.identity)
    total = NOTHING
    # Nobody else folds while the rehearsal lasts, so whatever can be done before it is.
    batches = list(_translated(store, translate, source_of, numbers))
    try:
        with store.write() as connection:
            for messages, by, translations in batches:
                total += accept_in(connection, folder, by, messages, translations, now, replay=True)
            after = facts.learned_since(connection, now)
            with store.read() as untouched:
                before = facts.facts(untouched, [row.fact_id for row in after])
                ids = [message.id for messages, _, _ in batches for message in messages]
                turns = _turns(processing.outcomes(untouched, ids), processing.outcomes(connection, ids))
            raise _Undo
    except _Undo:
        changes = [change for row in after for change in _changes(store, before.get(row.fact_id), row, masked)]
        return Preview(total, changes, turns)


def _turns(before: dict[int, ProcessingRow], after: dict[int, ProcessingRow]) -> list[Turn]:
    found = []
    for number, now in sorted(after.items()):
        was = before.get(number)
        reason = now.reason or (was.reason if was else None)
        if was and was.state != now.state and "quarantined" in (was.state, now.state) and reason:
            found.append(Turn(number, now.state, msgspec.json.decode(reason, type=Problem)))
    return found


def _changes(store: Store, before: FactRow | None, after: FactRow, masked: bool) -> Iterator[Change]:
    there = before is not None and not before.void
    if there == after.void:
        yield Change(after.kind, after.fact_id, "", there, not after.void)
    if before is None or not there or after.void:
        return
    old, new = ({**_decode(row.body), **_sealed(store, row)} for row in (before, after))
    hidden = PERSONAL[after.kind] if masked else frozenset()
    for field in sorted(old.keys() | new.keys()):
        pair = [fields.get(field) for fields in (old, new)]
        if pair[0] != pair[1]:
            shown = [MASK if field in hidden and value else value for value in pair]
            yield Change(after.kind, after.fact_id, field, *shown)


def _sealed(store: Store, row: FactRow) -> dict[str, Any]:
    return _decode(store.codec.open(row.sealed)) if row.sealed is not None else {}


def summary(changes: Iterable[Change]) -> list[tuple[str, str, int]]:
    """(kind, field, how many facts), most first; the field is empty for facts that appear or are voided."""
    counted = Counter((change.kind, change.field) for change in changes)
    return sorted(((*key, count) for key, count in counted.items()), key=lambda row: (-row[2], row[:2]))


def _translated(
    store: Store, translate: Translate, source_of: Callable[[str], Source], numbers: Iterable[int]
) -> Iterator[tuple[list[Landed], str, list[Translation]]]:
    """Batches of one source with their new translations, one batch ahead of the one that is being folded."""
    ahead: tuple[list[Landed], str, Future[list[Translated]]] | None = None
    for batch in _batches(store, numbers):
        source = source_of(batch[0].source)
        payloads = [store.codec.open(_kept(message)) for message in batch]
        started = (batch, source.by, translate(source, payloads))
        if ahead:
            yield ahead[0], ahead[1], sure(ahead[2].result())
        ahead = started
    if ahead:
        yield ahead[0], ahead[1], sure(ahead[2].result())


def _batches(store: Store, numbers: Iterable[int]) -> Iterator[list[Landed]]:
    ordered = iter(sorted(set(numbers)))
    while chunk := list(islice(ordered, BATCH)):
        with store.read_inbox() as landed:
            messages = inbox.read_all(landed, chunk)
        for _, same in groupby(sorted(messages, key=lambda one: (one.source, one.id)), key=lambda one: one.source):
            yield list(same)


def _kept(message: Landed) -> bytes:
    if message.payload is None:
        raise UsageError(
            f"The bytes of message {message.id} have been pruned, so it cannot be translated anew. Leave it out; what "
            "it said stays as it is."
        )
    return message.payload
