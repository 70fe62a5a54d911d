"""Mapping tables made ready to run: paths parsed, data types and code tables bound, one plan an event."""

from collections.abc import Callable
from functools import partial
from keyword import iskeyword
from typing import Any, NamedTuple

from hcrm_adapter_hl7v2.mapping import datatypes
from hcrm_adapter_hl7v2.mapping.coded import coded
from hcrm_adapter_hl7v2.mapping.tables import Constants, EventRule, FieldRule, RecordRule, Tables
from hcrm_adapter_hl7v2.mapping.view import View
from hcrm_adapter_hl7v2.reader import Path, parse_path
from hcrm_core.api import KINDS, UNSET, fitting

SPECIAL = (
    "practitioner", "provider", "department", "unit", "observation-value", "minutes", "amount", "period", "line-amount",
    "patient-identifiers",
)  # fmt: skip
"""Data types that look beyond their own field; `translate.py` knows them."""

ENVELOPE = frozenset({"MSH-3", "MSH-4", "MSH-7", "MSH-9", "MSH-10", "MSH-13", "MSH-18", "EVN-2", "EVN-6"})
"""Fields every translation reads."""

_BEHIND: dict[str, set[str]] = {
    "prior": {"MRG-1"},
    "link": {"MRG-1"},
    "prior encounter": {"MRG-5"},
    "encounter move": {"MRG-1", "MRG-5"},
    "prescription": {"ORC-2", "ORC-3", "RXE-15", "RXD-7"},
    "staff": {"STF-1", "STF-2"},
    "location": {"LOC-1", "LOC-3"},
}
"""What the named keys are made of."""


class Field(NamedTuple):
    """One field of a record: where it may stand and how it is read.

    `attribute` is its name in Python. `place` is its position where it stands as a whole in the record's own segment
    and nowhere else, which most do: such a field is looked up at once; -1 for all others.
    """

    name: str
    attribute: str
    place: int
    paths: tuple[tuple[Path, str], ...]
    units: tuple[Path, ...]
    datatype: str
    join: bool
    read: datatypes.Reader | None
    origin: str | None
    where: "Condition | None"


class Default(NamedTuple):
    """What holds of a field where none of its paths is filled: what is filled and not understood is not overruled."""

    attribute: str
    value: Any
    paths: tuple[Path, ...]


class Reckoned(NamedTuple):
    """A field that is so long after another one of the record, where nothing else says it."""

    name: str
    attribute: str
    after: str
    length: Field


class Condition(NamedTuple):
    """A field that is filled or, where a code is given, has that code in one of its repetitions."""

    path: Path
    code: str | None


class KeyPart(NamedTuple):
    """One part of a key: alternatives, each a reference in braces, an entity path or a plain path."""

    choices: tuple[tuple[str, Path | None], ...]
    optional: bool


class Plan(NamedTuple):
    """How one table makes records in one event.

    Attributes:
        personal: Whether its records are about the patient, without whom it makes none.
        defaults: What holds of fields that the message leaves empty.
        reckoned: What is computed of other fields.
    """

    name: str
    kind: str
    make: Callable[..., Any]
    segment: str
    key: str | tuple[KeyPart, ...]
    group: KeyPart | None
    fields: tuple[Field, ...]
    says: dict[str, Any]
    fallback: tuple[tuple[str, tuple[tuple[Path, str], ...]], ...]
    when: tuple[tuple[Condition, dict[str, Any]], ...]
    personal: bool
    defaults: tuple["Default", ...]
    reckoned: tuple[Reckoned, ...]


_TIES = frozenset({"PatientLink", "EncounterMove"})


class Event(NamedTuple):
    """One message type, ready to run.

    Attributes:
        rule: Of the tables.
        plans: Of its records.
        mapped, ignored: Fields.
        ties: The kinds of records by which it merges, links or moves; none where it need not.
    """

    rule: EventRule
    plans: tuple[Plan, ...]
    mapped: frozenset[str]
    ignored: frozenset[str]
    ties: frozenset[str]


def compile_event(tables: Tables, message_type: str, currency: str) -> Event:
    """Make the plans of a message type.

    Args:
        tables: The mapping.
        message_type: Such as `ADT^A01`.
        currency: ISO 4217 code of amounts sent without one.
    """
    rule = tables.event(message_type)
    plans = tuple(_plan(tables, rule, name, message_type, currency) for name in rule.records)
    mapped = set(ENVELOPE)
    for plan in plans:
        mapped |= {_field(path) for field in plan.fields for path, _ in field.paths}
        parts = plan.key if isinstance(plan.key, tuple) else ()
        mapped |= {_field(path) for part in parts for _, path in part.choices if path}
        mapped |= {_field(condition.path) for condition, _ in plan.when}
        mapped |= {_field(field.where.path) for field in plan.fields if field.where}
        lengths = [one.length for one in plan.reckoned]
        mapped |= {_field(path) for length in lengths for path, _ in length.paths}
        mapped |= {_field(unit) for field in (*plan.fields, *lengths) for unit in field.units}
        mapped |= {_field(path) for _, paths in plan.fallback for path, _ in paths}
        if any(field.datatype == "provider" for field in plan.fields):
            mapped |= {"PRD-7"}
        if any(field.datatype == "line-amount" for field in plan.fields):
            mapped |= {"FT1-10"}
        if plan.kind == "Observation":
            mapped |= {"OBX-2", "OBX-6"}
        mapped |= _BEHIND.get(plan.key, set()) if isinstance(plan.key, str) else set()
        if plan.kind == "Encounter":
            mapped |= {"PV1-19", "PV1-50"}
    # What says of what a stay consists, too (A06, A07), carries MRG only where its number changes.
    ties = frozenset() if "Condition" in rule.records else _TIES & {plan.kind for plan in plans}
    return Event(rule, plans, frozenset(mapped), tables.ignored | frozenset(rule.ignored), ties)


def _plan(tables: Tables, event: EventRule, name: str, message_type: str, currency: str) -> Plan:
    rule: RecordRule = tables.records[name]
    kind = rule.kind or name
    fields = tuple(
        _compile_field(tables, rule.segment, field_name, field, currency)
        for field_name, field in rule.fields.items()
        if (field.paths or field.origin) and (not field.only or message_type in field.only)
    )
    key = rule.key if isinstance(rule.key, str) else tuple(_key_part(part) for part in rule.key)
    when = tuple(
        (_condition(text), _constants(kind, fields)) for text, fields in (rule.when | event.when.get(name, {})).items()
    )
    return Plan(
        name,
        kind,
        KINDS[kind],
        rule.segment,
        key,
        _key_part(rule.group) if rule.group else None,
        fields,
        _constants(kind, rule.says | event.says.get(name, {})),
        tuple(
            (_attribute(field), tuple((parse_path(path), path) for path in paths))
            for field, paths in event.fallback.get(name, {}).items()
        ),
        when,
        kind == "Patient" or any(field.origin == "patient" for field in rule.fields.values()),
        tuple(
            Default(name, value, tuple(map(parse_path, rule.fields[name.rstrip("_")].paths)))
            for name, value in _constants(kind, _defaults(rule, message_type)).items()
        ),
        tuple(
            Reckoned(field_name, _attribute(field_name), _attribute(field.after), _length(field))
            for field_name, field in rule.fields.items()
            if field.after and (not field.only or message_type in field.only)
        ),
    )


def _defaults(rule: RecordRule, message_type: str) -> Constants:
    return {
        name: field.default
        for name, field in rule.fields.items()
        if field.default and (not field.only or message_type in field.only)
    }


def _compile_field(tables: Tables, segment: str, name: str, rule: FieldRule, currency: str) -> Field:
    paths = tuple((parse_path(path), path) for path in rule.paths)
    read: datatypes.Reader | None = None
    if rule.origin is None and rule.datatype not in SPECIAL:
        if rule.datatype == "code":
            read = _code_reader(rule.table or "", tables.codes[rule.table or ""])
        elif rule.table or rule.system:
            read = coded(rule.datatype, rule.table, tables.codes.get(rule.table or ""), rule.system)
        elif rule.datatype == "money":
            read = partial(datatypes.money, currency=currency)
        else:
            read = datatypes.READERS[rule.datatype]
    own = [path.field for path, _ in paths if path.segment == segment and path.depth == 1]
    place = own[0] if len(own) == len(paths) == 1 and rule.where is None else -1
    return Field(
        name,
        _attribute(name),
        place,
        paths,
        () if rule.after else tuple(map(parse_path, rule.unit)),
        rule.datatype,
        rule.join,
        read,
        rule.origin,
        _condition(rule.where) if rule.where else None,
    )


def _length(rule: FieldRule) -> Field:
    paths = tuple((parse_path(path), path) for path in rule.durations)
    units = tuple(map(parse_path, rule.unit))
    return Field("", "", -1, paths, units, "minutes", False, None, None, None)


def _code_reader(name: str, table: dict[str, str | bool]) -> datatypes.Reader:
    def read(view: View, raw: str, where: str) -> Any:
        found = view.first(raw)
        code = table.get(found) or table.get(found.upper())
        if code is None:
            view.leave_out(
                "unknown-code", where, f"The code is not in the table {name}; it was left out. Map it in the mapping."
            )
            return UNSET
        return UNSET if code == "" else code

    return read


def _condition(text: str) -> Condition:
    path, says, code = text.partition("=")
    return Condition(parse_path(path), code if says else None)


def _key_part(text: str) -> KeyPart:
    choices: list[tuple[str, Path | None]] = []
    for choice in text.removesuffix("?").split(" or "):
        if choice.startswith("{"):
            choices.append((choice.strip("{}"), None))
        elif choice.startswith("entity "):
            choices.append(("entity", parse_path(choice.removeprefix("entity "))))
        else:
            choices.append(("path", parse_path(choice)))
    return KeyPart(tuple(choices), text.endswith("?"))


def _constants(kind: str, fields: Constants) -> dict[str, Any]:
    return {_attribute(name): None if value == "" else fitting(kind, name, value) for name, value in fields.items()}


def _attribute(name: str) -> str:
    return f"{name}_" if iskeyword(name) else name


def _field(path: Path) -> str:
    return f"{path.segment}-{path.field}"
