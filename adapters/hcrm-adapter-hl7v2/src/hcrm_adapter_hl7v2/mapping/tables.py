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
    unit: tuple[str, ...] = ()
    """For a duration or an amount: where the unit of each path stands."""
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
    ignored: tuple[str, ...] = ()
    says: dict[str, Constants] = {}
    fallback: dict[str, dict[str, tuple[str, ...]]] = {}
    when: dict[str, dict[str, Constants]] = {}


class Tables(Struct, frozen=True):
    """All tables of the mapping."""

    records: dict[str, RecordRule]
    events: dict[str, EventRule]
    codes: dict[str, dict[str, str | bool]]
    ignored: frozenset[str]

    def event(self, message_type: str) -> EventRule:
        """The rule for a type such as `ADT^A01`; the most exact of `ADT^A01`, `ADT^*` and `*`."""
        code = message_type.partition("^")[0]
        return self.events.get(message_type) or self.events.get(f"{code}^*") or self.events["*"]


@cache
def shipped() -> Tables:
    """The tables that come with the adapter."""
    read = {name: _read(name) for name in ("records", "events", "codes", "ignored")}
    return msgspec.convert(
        {
            "records": read["records"],
            "events": {name: _whole(read["events"], name) for name in read["events"]},
            "codes": read["codes"],
            "ignored": read["ignored"]["fields"],
        },
        Tables,
    )


def _whole(events: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """An event with what it takes over from the one it is like."""
    own = dict(events[name])
    return _whole(events, own.pop("like")) | own if "like" in own else own


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "data" / f"{name}.toml").read_text(encoding="utf-8"))
