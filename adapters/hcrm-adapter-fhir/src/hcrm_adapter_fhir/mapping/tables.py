"""The adapter's own tables (`data/*.toml`), typed."""

import tomllib
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct, field


class FieldRule(Struct, frozen=True, forbid_unknown_fields=True):
    """One field of a record: where it stands and what it is.

    Attributes:
        path: One path, or the first filled of several.
        datatype: `as` in the table, a name in `readers.READERS`; `reference KIND` for another record's key.
        codes: The binding its code is held against.
    """

    path: str | tuple[str, ...]
    datatype: str = field(name="as")
    codes: str | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths in their order."""
        return (self.path,) if isinstance(self.path, str) else self.path


class ResourceRule(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of one resource type; the attributes are explained at the head of `resources.toml`."""

    fields: dict[str, FieldRule] = {}
    kind: str | None = None
    part_of: str | None = None
    says: dict[str, str | bool] = {}
    ignored: tuple[str, ...] = ()
    void: dict[str, tuple[str, ...]] = {}
    written: str | None = None


class Binding(Struct, frozen=True, forbid_unknown_fields=True):
    """A value set that FHIR requires for some elements."""

    url: str
    codes: frozenset[str]
    elements: tuple[str, ...]
    system: str | None = None


class TypeRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Which parts of a data type are read."""

    read: tuple[str, ...]
    ignored: tuple[str, ...]
    parts: dict[str, str] = {}


class Identifiers(Struct, frozen=True, forbid_unknown_fields=True):
    """Identifier types of HL7 table 0203 by system, and by the code of a Chinese identity document."""

    systems: dict[str, str]
    documents: dict[str, str]


def _load(name: str) -> object:
    return tomllib.loads((files(__package__) / "data" / name).read_text(encoding="utf-8"))


@cache
def resources() -> dict[str, ResourceRule]:
    """Resource type (or part of one) → what becomes of it."""
    return msgspec.convert(_load("resources.toml"), dict[str, ResourceRule])


@cache
def bindings() -> dict[str, Binding]:
    """Name → required value set."""
    return msgspec.convert(_load("bindings.toml"), dict[str, Binding])


@cache
def types() -> dict[str, TypeRule]:
    """Data type → which of its parts are read."""
    return msgspec.convert(_load("types.toml"), dict[str, TypeRule])


@cache
def identifiers() -> Identifiers:
    """What numbers of people are."""
    return msgspec.convert(_load("identifiers.toml"), Identifiers)


@cache
def referrals() -> frozenset[str]:
    """Codes that make a ServiceRequest a referral."""
    return frozenset(msgspec.convert(_load("referrals.toml"), dict[str, list[str]])["codes"])
