"""Prune: let go of the bytes of old messages that are done. That they arrived stays known, and what they said."""

from collections.abc import Callable
from typing import NamedTuple

from hcrm_core.store.engine import Store
from hcrm_core.store.queries import inbox, processing

CHUNK = 1_000
DONE = ("folded", "rejected")
"""What may be let go; an open failure never is."""


class Pruned(NamedTuple):
    """What pruning came to; `kept` are old messages that are not done, `bytes` what was stored of the others."""

    messages: int
    kept: int
    bytes: int


def prune(
    store: Store,
    until: int,
    source: str | None = None,
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda count: None,
) -> Pruned:
    """Delete the bytes of messages received before an instant, a chunk a transaction, and free the disk they took.

    Args:
        store: The workspace's store.
        until: Microseconds UTC.
        source: Only of this source.
        dry_run: Only count.
        progress: Told the number of messages after every chunk.
    """
    total, kept, size, after = 0, 0, 0, 0
    while True:
        with store.read_inbox() as connection:
            numbers = inbox.prunable(connection, until, source, after, CHUNK)
        if not numbers:
            break
        after = numbers[-1]
        with store.read() as connection:
            states = {number: row.state for number, row in processing.outcomes(connection, numbers).items()}
        done = [number for number in numbers if states.get(number) in DONE]
        if dry_run:
            with store.read_inbox() as connection:
                size += inbox.kept_bytes(connection, done)
        else:
            with store.write_inbox() as connection:
                size += inbox.prune(connection, done)
        total, kept = total + len(done), kept + len(numbers) - len(done)
        progress(len(numbers))
    if total and not dry_run:
        store.give_back()
    return Pruned(total, kept, size)
