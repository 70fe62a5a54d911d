"""Which stored messages were read otherwise than they would be now: by another mapping, or an older adapter."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from hcrm_core.model.adapters import RECORD_FILES
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import inbox, processing

LOOKED_AT = 200_000
"""How many of the newest messages are looked at: half a second or so."""

_PAGE = 5_000


class Outdated(NamedTuple):
    """Messages of a source that were read in one way, which is not how they would be read now.

    Attributes:
        source: Theirs.
        by: What read them: adapter, version and mapping.
        messages: How many can be replayed; those that were pruned cannot.
    """

    source: str
    by: str
    messages: int


def outdated(store: Store, by: Callable[[str], str | None]) -> list[Outdated]:
    """What a replay would read otherwise, among the newest messages; by source and by what read them.

    Args:
        store: The workspace's store.
        by: Source → what reads its messages now; `None`: nothing does.
    """
    now = cache(by)
    found: dict[tuple[str, str], int] = {}
    with store.read() as connection, store.read_inbox() as landed:
        end = inbox.highest(landed) + 1
        begin = max(end - LOOKED_AT, 0)
        for low in range(begin, end, _PAGE):
            high = min(low + _PAGE, end)
            readers, sources = processing.readers(connection, low, high), inbox.sources(landed, low, high)
            others = {
                number: (sources[number], reader)
                for number, reader in readers.items()
                if reader != RECORD_FILES and number in sources and now(sources[number]) not in (None, reader)
            }
            for number in inbox.kept(landed, others):
                found[others[number]] = found.get(others[number], 0) + 1
    return [Outdated(*key, found[key]) for key in sorted(found)]
