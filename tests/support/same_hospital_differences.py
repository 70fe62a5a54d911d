"""What a format cannot say of a hospital: the differences between what is known through one door and through another.

Each says what a fact that HL7 v2 gave is through the other doors; with these applied the facts must be equal.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from support.same_hospital import DOORS, FHIR, TABLE, Facts

Fields = dict[str, Any]


class Difference(NamedTuple):
    """One difference.

    Attributes:
        doors: Through which.
        kind, field: Of the facts that differ; without a field, facts that are there or are not; without a kind, all.
        why: The reason, in a sentence.
        change: Makes of the fields of a fact, as HL7 v2 gave them, what they are through these doors.
    """

    doors: tuple[str, ...]
    kind: str
    field: str
    why: str
    change: Callable[[Fields], None]


def _left_out(field: str) -> Callable[[Fields], None]:
    return lambda fields: fields.pop(field, None) and None


def _name_in_one_piece(fields: Fields) -> None:
    fields["name"] = [{"family": one["family"] + "".join(one.get("given", ()))} for one in fields["name"]]


def _address_in_one_piece(fields: Fields) -> None:
    one = fields["address"][0]
    line = "".join((one["state"], one["city"], one["district"], *one["line"]))
    fields["address"] = [{"line": [line], "use": "home"}]


def _place_without_room(fields: Fields) -> None:
    ward, _, rest = fields.get("location", "").partition("/")
    if ward:
        fields["location"] = f"{ward}//{rest.partition('/')[2]}".rstrip("/")


def _code_without_system(field: str) -> Callable[[Fields], None]:
    def change(fields: Fields) -> None:
        coding = fields[field]
        one = coding["coding"][0] if "coding" in coding else coding
        plain = {"code": one["code"], "display": one["display"]}
        fields[field] = {"coding": [plain]} if "coding" in coding else plain

    return change


def _result_as_text(fields: Fields) -> None:
    if found := fields.get("value_concept"):
        fields["value_string"] = found["coding"][0]["display"]


def _fhir_code(field: str, codes: dict[str, str]) -> Callable[[Fields], None]:
    def change(fields: Fields) -> None:
        system = f"http://hl7.org/fhir/allergy-intolerance-{field}"
        fields[field] = {"code": codes[fields[field]["code"]], "system": system}

    return change


def _midnights_as_days(fields: Fields) -> None:
    for field, value in fields.items():
        if isinstance(value, str) and MIDNIGHT.fullmatch(value):
            fields[field] = value[:10]


def _department_by_location(fields: Fields) -> None:
    fields["department"] = f"Location/{fields['department'].partition('|')[2]}"


MIDNIGHT = re.compile(r"\d{4}-\d\d-\d\dT00:00:00[+]08:00")
NAMES = "A table has one column for a name; a Chinese name is kept in one piece."
CODES = "FHIR has codes of its own here, and takes no others."
DIFFERENCES = (
    Difference(FHIR, "Encounter", "payer_class", "FHIR's Encounter does not say who pays.", _left_out("payer_class")),
    Difference(
        FHIR, "Encounter", "uncertain", "A FHIR Encounter has an id, so that it says it is certain; HL7 v2 is silent.",
        lambda fields: fields.update(uncertain=False),
    ),
    Difference(
        FHIR, "Appointment", "department",
        "In FHIR a Location takes part in an Appointment; an Organization may not.", _department_by_location,
    ),
    Difference(
        FHIR, "DiagnosticReport", "orderer",
        "FHIR names who ordered it in a ServiceRequest, which is read only where it refers to somebody else.",
        _left_out("orderer"),
    ),
    Difference(
        FHIR, "AllergyIntolerance", "category", CODES,
        _fhir_code("category", {"DA": "medication", "FA": "food", "EA": "environment"}),
    ),
    Difference(
        FHIR, "AllergyIntolerance", "criticality", CODES,
        _fhir_code("criticality", {"MI": "low", "MO": "low", "SV": "high"}),
    ),
    Difference(
        FHIR, "AllergyIntolerance", "clinical_status", "A rule of FHIR (ait-1) wants it; HL7 v2 has no field for it.",
        lambda fields: fields.update(clinical_status="active"),
    ),
    Difference(
        FHIR, "Coverage", "plan", "A class of a FHIR Coverage has a value and a name, and no code system.",
        _code_without_system("plan"),
    ),
    Difference(FHIR, "Organization", "", "A department is known twice: by its Organization and by its Location.", id),
    Difference(TABLE, "Patient", "name", NAMES, _name_in_one_piece),
    Difference(TABLE, "RelatedPerson", "name", NAMES, _name_in_one_piece),
    Difference(TABLE, "Practitioner", "name", NAMES, _name_in_one_piece),
    Difference(
        TABLE, "Patient", "address", "A table has one column for an address, and no postal code in it.",
        _address_in_one_piece,
    ),
    Difference(
        TABLE, "Encounter", "location", "A table has columns for ward and bed, and none for the room.",
        _place_without_room,
    ),
    Difference(TABLE, "Observation", "value_string", "What was a code is read as a text.", _result_as_text),
    Difference(
        TABLE, "Observation", "value_concept", "A result is one column of a table, and has no code.",
        _left_out("value_concept"),
    ),
    Difference(
        TABLE, "ChargeItem", "code",
        "Items and tests stand in one column, of two code systems; the mapping can name one for all rows.",
        _code_without_system("code"),
    ),
    Difference(
        ("XLSX",), "", "", "A workbook keeps a day and the midnight it begins with as one number; it is read as a day.",
        _midnights_as_days,
    ),
)  # fmt: skip


def through(door: str, facts: Facts) -> tuple[Facts, list[Difference]]:
    """What HL7 v2's facts are through a door, by the list; and the differences of the list that change nothing."""
    expected: Facts = {name: dict(fields) for name, fields in facts.items()}
    idle = []
    for one in DIFFERENCES:
        if door not in one.doors:
            continue
        changed = False
        for (kind, key), fields in list(expected.items()):
            if one.kind not in ("", kind):
                continue
            if one.kind and not one.field:
                expected[kind, f"Location/{key.partition('|')[2]}"] = {**fields, "part_of": key}
                changed = True
            else:
                before = dict(fields)
                one.change(fields)
                changed |= fields != before
        if not changed:
            idle.append(one)
    return expected, idle


def table() -> str:
    """The list as the page shows it."""
    lines = ["| doors | fact | field | why |", "| --- | --- | --- | --- |"]
    for one in DIFFERENCES:
        doors = {FHIR: "FHIR", TABLE: "tables"}.get(one.doors, *one.doors[:1])
        field = f"`{one.field}`" if one.field else "the fact" if one.kind else "a time at midnight"
        lines.append(f"| {doors} | {one.kind or 'any'} | {field} | {one.why} |")
    return "\n".join(lines)


assert set(FHIR) | set(TABLE) < set(DOORS)
