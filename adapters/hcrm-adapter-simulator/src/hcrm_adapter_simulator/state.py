"""What the hospital's systems know in the end: all statements, the newer over the older."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from hcrm_adapter_simulator.events import Event
from hcrm_adapter_simulator.records import Rows

DIRECTORY = ("Organization", "Practitioner")
"""Kinds that are about no patient."""


class Known(Struct, gc=False):
    """One fact.

    Attributes:
        kind, key, body: Of its record; what was emptied is not there.
        said: When it last changed, in seconds since 1970 UTC.
        versions: How often it was stated.
    """

    kind: str
    key: str
    body: dict[str, Any]
    said: int
    versions: int = 1


Facts = dict[tuple[str, str], Known]
"""By kind and key, in the order they were first stated."""


class Knowledge:
    """Folds the statements of one person after another.

    Attributes:
        directory: Departments and doctors anybody has met so far.
    """

    def __init__(self) -> None:
        """Nobody known yet."""
        self.directory: Facts = {}
        self._rows = Rows()

    def of(self, events: Iterable[Event]) -> list[Known]:
        """The facts of one person, all their registrations together."""
        rows = self._rows
        rows.add(events)
        told: Facts = {}
        said = (event.said for event, count in zip(rows.events, rows.counts, strict=True) for _ in range(count))
        for (kind, key, _, _, body), when in zip(rows.rows, said, strict=True):
            _state(self.directory if kind in DIRECTORY else told, kind, key, msgspec.json.decode(body), when)
        rows.clear()
        return list(told.values())


def merged(directories: Iterable[Facts]) -> list[Known]:
    """The directory of all shards, each entry as old as where it is oldest, in the order of keys."""
    whole: Facts = {}
    for directory in directories:
        for name, known in directory.items():
            if name not in whole or known.said < whole[name].said:
                whole[name] = known
    return [whole[name] for name in sorted(whole)]


def _state(facts: Facts, kind: str, key: str, body: dict[str, Any], said: int) -> None:
    known = facts.get((kind, key))
    if known is None:
        known = facts[kind, key] = Known(kind, key, {}, said, 0)
    known.body |= body
    for name in [name for name, value in body.items() if value is None]:
        del known.body[name]
    known.said = said
    known.versions += 1
