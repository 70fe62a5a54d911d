"""What HCRM's records say, as facts."""

from collections.abc import Iterator
from typing import Any

import msgspec

from hcrm_core.api import Translation
from support.agreement_values import Fact, instant, made, number, system, telephone

Fields = dict[str, Any]

DATES = {"period_start", "period_end", "effective", "issued", "deceased_date_time", "expected_end", "performed"}
CODINGS = {
    "marital_status", "language", "ethnicity", "service_type", "admit_source", "discharge_disposition", "priority",
    "category", "relationship", "type", "plan",
}  # fmt: skip
STAFF = {"attender", "admitter", "referrer", "orderer", "general_practitioner"}
PLAIN = {
    "gender", "birth_date", "deceased", "multiple_birth_order", "status", "class", "payor", "subscriber_id",
    "reference_range",
}  # fmt: skip
LEFT_OUT = {
    "key", "kind", "group", "subject", "patient", "beneficiary", "encounter", "uncertain", "department", "district",
    "vip", "payer_class", "expected_end", "plan", "destination", "location", "active", "group_number", "group_name",
}  # fmt: skip
"""Fields without an element that the other side fills: keys, HCRM's own, and places, which it keeps as records."""

KINDS = ("Patient", "RelatedPerson", "Encounter", "Coverage", "DiagnosticReport", "Observation")


def facts(translation: Translation) -> set[Fact]:
    """All facts of the kinds that are compared."""
    records = [msgspec.to_builtins(record) for record in translation.records]
    known = {(record["kind"], record["key"]): record for record in records}
    found: set[Fact] = set()
    for record in records:
        kind = record["kind"]
        if kind in KINDS:
            identity = _identity(record, known)
            found.update(Fact(kind, identity, element, value) for element, value in _said(record, known) if value)
    return found


def _identity(record: Fields, known: dict[tuple[str, str], Fields]) -> str:
    match record["kind"]:
        case "RelatedPerson":
            first = (record.get("name") or [{}])[0]
            return made(first.get("family"), " ".join(first.get("given", ())))
        case "Coverage":
            return record.get("payor") or ""
        case "DiagnosticReport" | "Observation":
            return _code(record)
    return ""


def _code(record: Fields) -> str:
    concept = record.get("code") or {}
    first = (concept.get("coding") or [{}])[0]
    return first.get("code") or first.get("display") or concept.get("text") or ""


def _said(record: Fields, known: dict[tuple[str, str], Fields]) -> Iterator[tuple[str, str]]:
    if record["kind"] == "Encounter":
        kind, visit = record["key"].split("|")[-2:]
        if kind == "VN":
            yield "visit_number", visit
    for name, value in record.items():
        if name in LEFT_OUT or value is None:
            continue
        if name == "report":
            yield name, _code(known.get(("DiagnosticReport", value), {}))
        elif name in STAFF:
            yield name, _staff(known[("Practitioner", value)])
        else:
            yield from ((_element(name), one) for one in _values(name, value))


def _element(name: str) -> str:
    return "value" if name.startswith("value_") else name


def _values(name: str, value: Any) -> Iterator[str]:
    if name == "identifier":
        yield from (
            made(one["value"], "" if one.get("sender_scoped") else one["system"], one.get("type")) for one in value
        )
    elif name == "name":
        yield from map(person, value)
    elif name == "address":
        yield from map(address, value)
    elif name == "telecom":
        yield from (made(one["system"], telephone(one["value"]), one.get("use")) for one in value)
    elif name == "interpretation":
        yield from value
    elif name == "value_quantity":
        yield made("quantity", value.get("comparator"), number(value["value"]), value.get("unit"))
    elif name == "value_string":
        yield made("text", value)
    elif name == "value_date_time":
        yield made("time", instant(value))
    elif isinstance(value, dict) and ("coding" in value or "text" in value):
        yield from map(coding, value.get("coding", ()))
        if value.get("text"):
            yield made("text", value["text"])
    elif isinstance(value, dict):
        yield coding(value)
    elif name in DATES:
        yield instant(value)
    else:
        yield str(value).lower() if isinstance(value, bool) else str(value)


def coding(one: Fields) -> str:
    """A coding: code, display and system."""
    return made(one.get("code"), one.get("display"), system(one.get("system")))


def person(name: Fields) -> str:
    """A person's name."""
    given = " ".join(name.get("given", ()))
    return made(name.get("family"), given, name.get("prefix"), name.get("suffix"), name.get("use"))


def address(one: Fields) -> str:
    """A postal address."""
    line = " ".join(one.get("line", ()))
    parts = ("city", "district", "state", "postal_code", "country", "use")
    return made(line, *(one.get(part) for part in parts))


def _staff(practitioner: Fields) -> str:
    name = (practitioner.get("name") or [{}])[0]
    written = " ".join(filter(None, (name.get("family"), *name.get("given", ()))))
    numbered = practitioner["key"].rpartition("|")[2]
    return made("" if numbered == written else numbered, name.get("family"), " ".join(name.get("given", ())))
