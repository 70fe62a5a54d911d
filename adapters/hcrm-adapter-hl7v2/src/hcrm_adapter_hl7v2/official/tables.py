"""The official tables in the adapter's own form, the departures from them and what the fields of records stand for."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct, convert


class Brought(Struct, frozen=True, forbid_unknown_fields=True):
    """Which tables were brought and which were left out."""

    segments: tuple[str, ...]
    segments_left_out: tuple[str, ...]
    maps: tuple[str, ...]
    maps_left_out: tuple[str, ...]


class Official(Struct, frozen=True, forbid_unknown_fields=True):
    """What the official tables say."""

    tables: Brought
    messages: dict[str, tuple[str, ...]]
    """Message structure → the segment maps it uses."""
    fields: dict[str, tuple[str, ...]]
    """Field of a segment → FHIR elements."""
    components: dict[str, tuple[str, ...]]
    """Component of a data type → FHIR elements."""
    codes: dict[str, dict[str, str]]
    """Concept map → code → code, empty where the map gives none."""


class Departures(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the mapping departs; a reason is a sentence or the name of one in `reasons`."""

    reasons: dict[str, str]
    tables: dict[str, str]
    """Segment map that was left out whole → reason."""
    maps: dict[str, str]
    """Concept map that was left out whole → reason."""
    segments: dict[str, str]
    """Segment HCRM reads and no brought table speaks of → reason."""
    messages: dict[str, str]
    """`ADT_A01 Observation`: a message and a record only one side makes of it → reason."""
    fields: dict[str, str]
    components: dict[str, str]
    linked: dict[str, str]
    """Table of `codes.toml` → concept map."""
    alone: dict[str, str]
    """Table of `codes.toml` without a concept map → reason."""
    codes: dict[str, dict[str, str]]

    def why(self, reason: str) -> str:
        """The sentence of a reason."""
        return self.reasons.get(reason, reason)


class Elements(Struct, frozen=True, forbid_unknown_fields=True):
    """What the fields of records stand for, where their names do not say it."""

    fields: dict[str, tuple[str, ...]]
    """`Kind.field` → FHIR elements; a trailing `*` takes in all that begin so."""
    keys: dict[str, tuple[str, ...]]
    """Named rule of a key → fields it is made of."""
    components: dict[str, tuple[int, ...]]
    """Data type → components it is read by."""


def place(name: str) -> tuple[str, int]:
    """Where `PID-3` or `CWE.9` sorts: by segment or data type, then by number."""
    head, _, number = name.replace(".", "-").rpartition("-")
    return head, int(number)


@cache
def official() -> Official:
    """What was brought."""
    return convert(_read("official"), Official)


@cache
def departures() -> Departures:
    """The committed departures."""
    return convert(_read("departures"), Departures)


@cache
def elements() -> Elements:
    """What the fields of records stand for."""
    return convert(_read("elements"), Elements)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "data" / f"{name}.toml").read_text(encoding="utf-8"))
