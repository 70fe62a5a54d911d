"""The personal values of messages: what an adapter must never repeat to whoever reads its problems."""

from collections.abc import Iterator
from typing import Any

from hcrm_core.api import KINDS, Adapter

_TELLING = ("value", "family", "given", "text", "line")
"""The parts of names, numbers, contacts and addresses that tell who somebody is; codes beside them do not."""

SHORTEST = 2
SHORTEST_ASCII = 5
"""A shorter value stands in a sentence by chance."""


class Personal:
    """The sealed values of some messages."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def learn(self, adapter: Adapter, payload: bytes) -> None:
        """Add the sealed values of a message that can be translated."""
        try:
            records = adapter.translate(payload).records
        except Exception:
            return
        for record in records:
            sealed = KINDS[type(record).__name__].SEALED if type(record).__name__ in KINDS else frozenset()
            for name in sealed:
                self._values |= set(filter(_telling, _texts(getattr(record, name))))

    def stands_in(self, *texts: str) -> bool:
        """Whether one of them holds one of the values."""
        return any(value in text for text in texts for value in self._values)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _texts(item)
    else:
        for name in _TELLING:
            yield from _texts(getattr(value, name, ()))


def _telling(text: str) -> bool:
    return len(text) >= (SHORTEST_ASCII if text.isascii() else SHORTEST)
