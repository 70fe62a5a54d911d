"""The mapping tables of `data/`, read once and typed."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct


class FieldRule(Struct, frozen=True, forbid_unknown_fields=True, rename={"origin": "from", "datatype": "as"}):
    """How one field of a record is read."""

    path: str | tuple[str, ...] = ()
    datatype: str = "text"
    table: str | None = None
    """Of `codes`; needed for a code, and of a coding or concept it translates the code."""
    system: str | None = None
    """Of a coding or concept: the code system where the message names none."""
    unit: tuple[str, ...] = ()
    """For a duration or an amount: where the unit of each path stands; of `plus` where there is one."""
    after: str | None = None
    """Where no path says it: so long after another field of the record, a datetime, …"""
    plus: str | tuple[str, ...] = ()
    """… as the first of these durations says."""
    origin: str | None = None
    """Instead of a path: the key of another record at hand (`patient`, `encounter`, …)."""
    join: bool = False
    """Whether a list is made of all its paths instead of the first that is filled."""
    only: tuple[str, ...] = ()
    """The events it holds for; all where empty."""
    default: str | None = None
    """What holds where none of its paths says anything."""
    where: str | None = None
    """`PRD-1=RP`: the segment it is read from is the first of which that is true, wherever it stands."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths, first choice first."""
        return (self.path,) if isinstance(self.path, str) else self.path

    @property
    def durations(self) -> tuple[str, ...]:
        """The paths of `plus`, first choice first."""
        return (self.plus,) if isinstance(self.plus, str) else self.plus


Codes = dict[str, dict[str, str | bool]]
"""Table → code as sent → what it is in a record; an empty text is known and says nothing."""

Constants = dict[str, str | bool]
"""Field → what it is; an empty text says that the field is empty."""


class RecordRule(Struct, frozen=True, forbid_unknown_fields=True):
    """How the segments with one id become records."""

    segment: str
    key: str | tuple[str, ...]
    fields: dict[str, FieldRule]
    kind: str | None = None
    group: str | None = None
    says: Constants = {}
    when: dict[str, Constants] = {}
    """`PATH` (is filled) or `PATH=CODE` → what holds then."""


class EventRule(Struct, frozen=True, forbid_unknown_fields=True):
    """What messages of one type say."""

    records: tuple[str, ...]
    about: str = ""
    snapshot: bool = False
    cancels: bool = False
    person: bool = False
    not_applied: str = ""
    """What is told of every such message, since its event changes nothing."""
    ignored: tuple[str, ...] = ()
    says: dict[str, Constants] = {}
    fallback: dict[str, dict[str, tuple[str, ...]]] = {}
    when: dict[str, dict[str, Constants]] = {}


class Tables(Struct, frozen=True):
    """All tables of the mapping."""

    records: dict[str, RecordRule]
    events: dict[str, EventRule]
    codes: Codes
    ignored: frozenset[str]

    def event(self, message_type: str) -> EventRule:
        """The rule for a type such as `ADT^A01`; the most exact of `ADT^A01`, `ADT^*` and `*`."""
        code = message_type.partition("^")[0]
        return self.events.get(message_type) or self.events.get(f"{code}^*") or self.events["*"]


@cache
def shipped() -> Tables:
    """The tables that come with the adapter."""
    tables = {"records": data("records"), "codes": data("codes"), "ignored": data("ignored")["fields"]}
    return msgspec.convert(tables | {"events": whole(data("events"))}, Tables)


def whole(events: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The events as they are written, each with what it takes over from the one it is like."""

    def one(name: str) -> dict[str, Any]:
        own = dict(events[name])
        return one(own.pop("like")) | own if "like" in own else own

    return {name: one(name) for name in events}


@cache
def data(name: str) -> dict[str, Any]:
    """One of the files that come with the adapter, as it is written."""
    return tomllib.loads((files(__package__) / "data" / f"{name}.toml").read_text(encoding="utf-8"))
