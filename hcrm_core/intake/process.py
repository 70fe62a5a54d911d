"""Work off the inbox: translate what waits, fold it, and record what became of each message."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from itertools import groupby
from typing import NamedTuple

import msgspec

from hcrm_core.errors import HcrmError
from hcrm_core.intake.fold import Accepted, Folder
from hcrm_core.intake.worker import failed
from hcrm_core.model.adapters import Adapter
from hcrm_core.model.fold import stamp
from hcrm_core.model.translation import Coverage, Problem, Translation
from hcrm_core.store.engine import UNAVAILABLE, Store
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
) -> tuple[Processed, list[str]]:
    """Translate and fold every waiting message, in landing order, a batch a transaction.

    A source whose adapter cannot be had is passed over and holds back no other.

    Args:
        store: The workspace's store.
        translate: Where translation happens, `WorkerPool.translate`.
        adapter_of: Source → adapter, for its name and version.
        now: The clock, microseconds UTC.
        progress: Told the number of messages after every batch.

    Returns:
        What it came to, and a sentence for each source that was passed over.
    """
    folder = Folder(store.codec)
    total = Processed(0, 0, 0)
    stuck: dict[str, str] = {}
    while waiting := _waiting(store, BATCH * WINDOW, stuck):
        jobs = []
        for batch in _batches(waiting):
            source = batch[0].source
            try:
                adapter = adapter_of(source)
            except HcrmError as error:
                stuck[source] = str(error)
                continue
            payloads = [store.codec.open(message.payload) for message in batch]
            jobs.append((batch, adapter, translate(source, adapter.name, payloads)))
        for batch, adapter, translated in jobs:
            total += _accept_each(store, folder, adapter, batch, translated.result(), now())
            progress(len(batch))
    return total, list(stuck.values())


def _accept_each(
    store: Store,
    folder: Folder,
    adapter: Adapter,
    messages: Sequence[Landed],
    translations: Sequence[Translation],
    now: int,
) -> Processed:
    """Accept a batch; where it fails, message by message, so that only the one at fault is quarantined."""
    try:
        return accept(store, folder, adapter, messages, translations, now)
    except UNAVAILABLE:
        raise
    except Exception as error:
        if len(messages) == 1:
            text = (
                f"What {adapter.name} {adapter.version} made of this message could not be stored "
                f"({type(error).__name__}). The message is kept; report it to the adapter's author."
            )
            return accept(store, folder, adapter, messages, [failed("fold-failed", text)], now)
    folder.forget()
    pairs = zip(messages, translations, strict=True)
    done = [_accept_each(store, folder, adapter, [message], [one], now) for message, one in pairs]
    return sum(done, start=Processed(0, 0, 0))


def accept(
    store: Store,
    folder: Folder,
    adapter: Adapter,
    messages: Sequence[Landed],
    translations: Sequence[Translation],
    now: int,
    *,
    replay: bool = False,
) -> Processed:
    """Fold the translations of messages and record their outcomes, in one transaction.

    A message that has an outcome already was worked off by another process meanwhile and is left alone; with `replay`
    it is translated anew, and what it said before no longer counts.
    """
    by = f"{adapter.name} {adapter.version}"
    with store.write() as connection:
        before = processing.outcomes(connection, [message.id for message in messages])
        outcomes, accepted = [], []
        coverage: Counter[tuple[str, str, Coverage]] = Counter()
        for message, translation in zip(messages, translations, strict=True):
            if message.id in before and not replay:
                continue
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


def _waiting(store: Store, limit: int, without: Collection[str]) -> list[Landed]:
    with store.read_inbox() as landed, store.read() as processed:
        return inbox.waiting(landed, processed, limit, without)


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
