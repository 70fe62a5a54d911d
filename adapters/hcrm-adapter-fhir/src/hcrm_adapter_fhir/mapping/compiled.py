"""The tables as functions: for each resource type, what makes each field of its record."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from hcrm_adapter_fhir.mapping.concepts import codes_of
from hcrm_adapter_fhir.mapping.medication import medication
from hcrm_adapter_fhir.mapping.paths import Getter, getter, plain
from hcrm_adapter_fhir.mapping.people import text_of
from hcrm_adapter_fhir.mapping.readers import READERS, Reader
from hcrm_adapter_fhir.mapping.tables import Binding, FieldRule, ResourceRule, bindings, resources
from hcrm_adapter_fhir.mapping.view import View
from hcrm_core.api import KINDS, UNSET, Coding, HumanName, Record


class Choice(NamedTuple):
    """One path of a field."""

    get: Getter
    where: str


class FieldPlan(NamedTuple):
    """One field: its name as an argument, its paths in their order, and how it is read."""

    name: str
    choices: tuple[Choice, ...]
    read: Reader


class Plan(NamedTuple):
    """What becomes of one resource type.

    Attributes:
        of: The resource type, with the element of a part (`Observation.component`).
        kind: The record's class; `None` where it gives no record of its own.
        fields: Of the record.
        says: Constant fields.
        void: Element → codes with which the fact does not hold.
        written: When it was written, where nothing else tells.
    """

    of: str
    kind: type[Record] | None
    fields: tuple[FieldPlan, ...]
    says: dict[str, Any]
    void: tuple[tuple[str, frozenset[str]], ...]
    written: str | None


@cache
def plan(name: str) -> Plan | None:
    """The plan of a resource type; `None` where no table mentions it."""
    rule = resources().get(name)
    return compile_rule(name, rule) if rule is not None else None


def compile_rule(name: str, rule: ResourceRule) -> Plan:
    """Compile one table."""
    kind = name if rule.kind is None else rule.kind
    of = rule.part_of or name
    fields = tuple(
        FieldPlan(
            argument(field),
            tuple(Choice(getter(path), f"{of}.{plain(path)}") for path in one.paths),
            _reader(one),
        )
        for field, one in rule.fields.items()
    )
    void = tuple((element, frozenset(codes)) for element, codes in rule.void.items())
    return Plan(of, KINDS[kind] if kind else None, fields, dict(rule.says), void, rule.written)


def argument(field: str) -> str:
    """A field's name in Python."""
    return "class_" if field == "class" else field


def is_void(found: Plan, resource: dict[str, Any]) -> bool:
    """Whether the resource says that its fact does not hold."""
    return any(not codes.isdisjoint(codes_of(resource.get(element))) for element, codes in found.void)


def _reader(rule: FieldRule) -> Reader:
    name, _, target = rule.datatype.partition(" ")
    if name == "reference":
        return _reference(target)
    if name in ("code", "coding-of-code"):
        assert rule.codes is not None
        return _code(bindings()[rule.codes], as_coding=name == "coding-of-code")
    return _FOLLOWING.get(rule.datatype) or READERS[rule.datatype]


def _reference(kind: str) -> Reader:
    def read(view: View, found: list[Any], where: str) -> Any:
        for one in found:
            key = view.reference(kind, one)
            if key is not None:
                return key
        return None

    return read


def _code(binding: Binding, *, as_coding: bool) -> Reader:
    known: dict[str, Any] = {one: Coding(one, binding.system) if as_coding else one for one in binding.codes}

    def read(view: View, found: list[Any], where: str) -> Any:
        one = found[0]
        value = known.get(one) if isinstance(one, str) else None
        if value is not None:
            return value
        codes = codes_of(one)
        for code in codes:
            if code in known:
                return known[code]
        if not codes and isinstance(one, dict):
            return None
        text = f"FHIR has no such code here (see {binding.url}); it was left out. Have it corrected."
        view.report("unknown-code", where, text)
        return UNSET

    return read


def _display_of(view: View, found: list[Any], where: str) -> Any:
    """What a Reference is called: its display, the name of what is contained, a number, its key."""
    for one in found:
        text = _called(view, one)
        if text:
            return text
    return None


def _called(view: View, one: Any) -> str | None:
    if not isinstance(one, dict):
        return None
    if text := text_of(one.get("display")):
        return text
    reference = one.get("reference")
    if isinstance(reference, str):
        inside = view.inside(reference[1:]) if reference[:1] == "#" else view.message.links.get(reference)
        if inside and (text := text_of(inside.get("name")) if isinstance(inside.get("name"), str) else None):
            return text
    number = one.get("identifier")
    if isinstance(number, dict) and (text := text_of(number.get("value"))):
        return text
    return view.target(one)[1].rpartition("/")[2] or None


def _name_of(view: View, found: list[Any], where: str) -> Any:
    """The display of a Reference to a person as a name; without one nothing is said."""
    text = text_of(found[0].get("display")) if isinstance(found[0], dict) else None
    return (HumanName(text=text),) if text else UNSET


def _coding_of(view: View, found: list[Any], where: str) -> Any:
    text = _called(view, found[0])
    return Coding(view.target(found[0])[1] or None, None, text) if text else None


def _medication(view: View, found: list[Any], where: str) -> Any:
    return medication(view, found[0], where)


_FOLLOWING: dict[str, Callable[[View, list[Any], str], Any]] = {
    "display-of-reference": _display_of,
    "place": _display_of,
    "name-of-reference": _name_of,
    "coding-of-reference": _coding_of,
    "medication": _medication,
}
"""Data types that follow a reference."""
