"""Work off the inbox: translate what waits, fold it, and record what became of each message."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import groupby
from typing import NamedTuple

import msgspec

from hcrm_core.intake.fold import Accepted, Folder
from hcrm_core.model.adapters import Adapter
from hcrm_core.model.fold import stamp
from hcrm_core.model.translation import Coverage, Problem, Translation
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import inbox, processing
from hcrm_core.store.queries.inbox import Landed
from hcrm_core.store.queries.processing import CoverageRow, ProcessingRow

BATCH = 500
WINDOW = 8
"""How many batches are read ahead, so that the workers translate while the core folds."""

Translate = Callable[[str, str | None, Sequence[bytes]], "Future[list[Translation]]"]


class Processed(NamedTuple):
    """What working off the inbox came to."""

    translated: int
    quarantined: int
    records: int

    def __add__(self, other: object) -> "Processed":
        assert isinstance(other, Processed)
        return Processed(*(a + b for a, b in zip(self, other, strict=True)))


def process(
    store: Store,
    translate: Translate,
    adapter_of: Callable[[str], Adapter],
    now: Callable[[], int],
    progress: Callable[[int], None] = lambda count: None,
) -> Processed:
    """Translate and fold every waiting message, in landing order, a batch a transaction.

    Args:
        store: The workspace's store.
        translate: Where translation happens, `WorkerPool.translate`.
        adapter_of: Source → adapter, for its name and version.
        now: The clock, microseconds UTC.
        progress: Told the number of messages after every batch.
    """
    folder = Folder(store.codec)
    total = Processed(0, 0, 0)
    while waiting := _waiting(store, BATCH * WINDOW):
        jobs = []
        for batch in _batches(waiting):
            adapter = adapter_of(batch[0].source)
            payloads = [store.codec.open(message.payload) for message in batch]
            jobs.append((batch, adapter, translate(batch[0].source, adapter.name, payloads)))
        for batch, adapter, translated in jobs:
            total += accept(store, folder, adapter, batch, translated.result(), now())
            progress(len(batch))
    return total


def accept(
    store: Store,
    folder: Folder,
    adapter: Adapter,
    messages: Sequence[Landed],
    translations: Sequence[Translation],
    now: int,
) -> Processed:
    """Fold the translations of messages and record their outcomes, in one transaction.

    A message that was translated before is translated anew: what it said then no longer counts.
    """
    by = f"{adapter.name} {adapter.version}"
    with store.write() as connection:
        before = processing.outcomes(connection, [message.id for message in messages])
        outcomes, accepted = [], []
        coverage: Counter[tuple[str, str, Coverage]] = Counter()
        for message, translation in zip(messages, translations, strict=True):
            number = before[message.id].translation + 1 if message.id in before else 1
            outcomes.append(_outcome(message, translation, number, by, now))
            if translation.quarantine is None and translation.statement is not None:
                place = stamp(translation.statement, message.content_hash)
                accepted.append(Accepted(message.id, message.source, place, translation.records, translation.complete))
            # A field counts once a message, however often it is translated.
            if number == 1 or before[message.id].state == "quarantined":
                coverage[message.source, translation.message_type, translation.coverage] += 1
        # Only an accepted translation takes its predecessor's place; a quarantined one leaves it standing.
        replaced = sorted(before.keys() & {translation.message_id for translation in accepted})
        records = folder.apply(connection, accepted, now, voided=replaced)
        processing.put(connection, outcomes)
        processing.count_coverage(connection, _coverage_rows(coverage, now))
    quarantined = sum(outcome.state == "quarantined" for outcome in outcomes)
    return Processed(len(outcomes) - quarantined, quarantined, records)


def _waiting(store: Store, limit: int) -> list[Landed]:
    with store.read_inbox() as landed, store.read() as processed:
        return inbox.waiting(landed, processed, limit)


def _batches(messages: Sequence[Landed]) -> Iterator[list[Landed]]:
    for _, run in groupby(messages, key=lambda message: message.source):
        same = list(run)
        for start in range(0, len(same), BATCH):
            yield same[start : start + BATCH]


def _outcome(message: Landed, translation: Translation, number: int, by: str, now: int) -> ProcessingRow:
    reason = translation.quarantine
    if reason is None and translation.statement is None:
        reason = Problem("adapter-failed", "", f"The adapter {by} gave no statement time. Report it to its author.")
    repairs = msgspec.json.decode(message.repairs, type=tuple[Problem, ...]) if message.repairs else ()
    problems = (*repairs, *translation.problems)
    return ProcessingRow(
        message.id,
        "quarantined" if reason else "translated",
        translation.message_type,
        number,
        by,
        0 if reason else len(translation.records),
        msgspec.json.encode(reason).decode() if reason else None,
        msgspec.json.encode(problems).decode() if problems else None,
        now,
    )


def _coverage_rows(shapes: "Counter[tuple[str, str, Coverage]]", now: int) -> list[CoverageRow]:
    """Counts a field; messages of one shape, which most are, are counted together."""
    fields: Counter[tuple[str, str, str, str]] = Counter()
    for (source, kind, coverage), count in shapes.items():
        for status in ("mapped", "ignored", "unknown"):
            for field in getattr(coverage, status):
                fields[source, kind, field, status] += count
    return [CoverageRow(*key, count, now, now) for key, count in fields.items()]
