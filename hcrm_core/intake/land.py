"""Land: commit raw messages to the inbox before anything else happens to them."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from hcrm_core.model.translation import RawMessage
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import inbox
from hcrm_core.store.queries.inbox import Landing

BATCH = 500


class LandedCount(NamedTuple):
    """What landing a stream of messages came to; `messages = landed + duplicates`."""

    messages: int
    landed: int
    duplicates: int


def land(store: Store, source: str, messages: Iterable[RawMessage], now: int) -> LandedCount:
    """Commit messages to the inbox in batches; when it returns they are durable.

    A message with the same source, control id and bytes as one that is there already is a duplicate and not kept
    twice. The same control id with other bytes is another message.

    Args:
        store: The workspace's store.
        source: The source they came from.
        messages: In order.
        now: Arrival, microseconds UTC.
    """
    total = landed = 0
    for batch in _batches(iter(messages)):
        rows: dict[tuple[str, str, bytes], Landing] = {}
        for message in batch:
            digest = hashlib.sha256(message.payload).digest()
            repairs = msgspec.json.encode(message.repairs).decode() if message.repairs else None
            key = (source, message.control_id, digest)
            if key not in rows:
                rows[key] = Landing(*key, now, store.codec.seal(message.payload), repairs)
        with store.write_inbox() as connection:
            inbox.take_turn(connection, source)
            known = inbox.already_landed(connection, list(rows))
            fresh = [row for key, row in rows.items() if key not in known]
            inbox.land(connection, fresh)
        total += len(batch)
        landed += len(fresh)
    return LandedCount(total, landed, total - landed)


def _batches(messages: Iterator[RawMessage]) -> Iterator[list[RawMessage]]:
    while batch := list(islice(messages, BATCH)):
        yield batch
