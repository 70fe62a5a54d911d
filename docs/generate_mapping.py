"""The page of what a source's mapping may say; `generate.py` beside this writes it."""

from typing import Any

import generate_text as words
import msgspec
from msgspec import Struct

TOP = {
    "ignored": 'Fields and segments that are known and deliberately not read: `["ZPI-1", "ZXX"]`.',
    "source": "Settings of the source that say how it is read; the same key in `[sources.NAME]` is refused.",
    "records": "`[records.NAME]`: a record table that is changed, or a new one.",
    "events": '`[events."ADT^A01"]`: an event that is changed, or a new one.',
    "codes": '`[codes.NAME]`: code as sent = what it is in a record. `""` is known and says nothing.',
    "examples": "`[[examples]]`: messages and what is expected of them; see below.",
}
RECORD = {
    "segment": "Every segment with this id gives one record.",
    "key": "What makes the record one and the same: a named key, or parts that are joined.",
    "fields": "Field of the record = how it is read; takes the place of the field of that name, or is added.",
    "leave_out": "Fields that are not read any more.",
    "kind": "The kind of record; the table's name where not given.",
    "group": "The set it belongs to, written as a part of a key; an event with `snapshot` states it whole.",
    "says": 'Constant fields. `""` says that the field is empty.',
    "when": '`"ZPV-1"` (is filled) or `"ZPV-1=X"` (has that code) = constant fields that hold then; see what wins.',
    "events": "The events that give it beside those that do already: `ADT^A01`, `ADT^*` for all of ADT, `*` for all.",
}
FIELD = {
    "path": "Where it stands, `ZPI-3` or `ZPI-3.1`; of several the first that is filled. A segment is looked for from "
    "the record's own outwards; see below which of several is meant.",
    "as": "The data type it is read as; `text` where not given.",
    "table": "For `code`: the code table, which must name the code. For `coding` and `concept`: translates the code; "
    "one it does not name stays, and is reported.",
    "system": "For `coding` and `concept`: the code system, where the message names none.",
    "unit": "For `minutes`, `amount` and `plus`: where the unit of each path stands. Units of time are minutes, hours, "
    "seconds and days, in English or Chinese; minutes where nothing is said.",
    "after": "A datetime of the same record. Where no path says the field, it is so long after that …",
    "plus": "… as the first of these paths that is filled says.",
    "from": "Instead of a path: the key of another record at hand.",
    "join": "Whether a list is made of all paths instead of the first that is filled.",
    "only": "The events it holds for; all where empty.",
    "default": "What holds where no path is filled; a text is the code of a coding. It is a statement like any other, "
    "made in every message that leaves the field empty: it overrules what was said before. `only` restricts it.",
    "where": "`PRD-1=RP`: it is read from the first segment of which that is true, wherever it stands.",
}
EVENT = {
    "like": "Takes over everything another event has; what is written here is different.",
    "about": "The event in a few words.",
    "records": "The record tables it gives; takes the place of all it gave.",
    "snapshot": "Whether repeated segments state their sets whole.",
    "cancels": "Whether it takes another statement back.",
    "person": "Whether a message without a usable patient is quarantined.",
    "not_applied": "What is told of every such message, whose event changes nothing; problem `not-applied`.",
    "ignored": "Fields and segments that messages of this type deliberately give to nobody.",
    "says": "Record table = constant fields.",
    "fallback": "Record table = field = where its time is read when nothing else says it.",
    "when": "Record table = condition = constant fields.",
}
EXAMPLE = {
    "name": "What it shows.",
    "message": "As text, between `'''`, where a backslash is only itself; segments end at line breaks.",
    "expect": "Kind = fields that a record of it must have; or a list of such, one for each record of the kind, `[]` "
    'for none. Of a value with parts those named are compared; `""` is said empty.',
    "quarantine": "The code with which the message must be quarantined instead.",
}

INTRODUCTION = """# Mappings

A source's mapping says how its messages depart from what the adapter `hl7v2` expects. It is a TOML file of the
workspace, named in `hcrm.toml`:

```toml
[sources.his]
adapter = "hl7v2"
mapping = "mappings/his.toml"
```

It is laid over [the adapter's own tables](hl7v2.md), which are written in the same notation. A mistake in it is a
sentence with file, line and the nearest valid name, before any message is read. `configs/mappings/` holds one to begin
with. How to work with it: [map a Z segment](../how-to/map-a-z-segment.md).
"""


def mappings() -> str:
    from hcrm_adapter_hl7v2.adapter import Hl7v2Settings
    from hcrm_adapter_hl7v2.mapping import datatypes
    from hcrm_adapter_hl7v2.mapping.kinds import GIVES, LINKS, NAMED_KEYS, ORIGINS
    from hcrm_adapter_hl7v2.mapping.overlay import EventOverlay, Overlay, RecordOverlay
    from hcrm_adapter_hl7v2.mapping.tables import FieldRule, shipped
    from hcrm_core.model.adapters import SourceSettings
    from hcrm_core.model.examples import Example

    common = {one.encode_name for one in msgspec.structs.fields(SourceSettings)}
    reading = ["timezone", *(one.encode_name for one in msgspec.structs.fields(Hl7v2Settings))]
    settings = [name for name in dict.fromkeys(reading) if name == "timezone" or name not in common]
    types = [(f"`{name}`", _about(datatypes, name), _given(GIVES, LINKS, name)) for name in (*GIVES, *LINKS)]
    return "\n".join(
        [
            INTRODUCTION,
            "## The file\n\n" + _keys(Overlay, TOP),
            f"`[source]` may hold {words.codes(settings, sort=False)}.\n",
            "## `[records.NAME]`\n\nA name of the adapter's own tables "
            f"({words.codes(shipped().records, sort=False)}) changes that table; any other is a new table, which needs "
            "`segment`, `key` and, where it is about a patient, a field from `patient`.\n\n"
            + _keys(RecordOverlay, RECORD),
            "### Keys\n\nParts are joined: a path, `A or B` the first that is filled, `entity P` a number with its "
            "namespace (EI), `{patient}` the key of that record; a trailing `?` makes it optional. Never name a set "
            "id (`DG1-1`): a record is known by what it says, not by its place.\n\n"
            + REFERRED
            + "\nNamed keys:\n\n"
            + words.table(("named key", "made of"), [(f"`{name}`", NAMED[name]) for name in NAMED_KEYS]),
            ORDER,
            "### Fields\n\n" + _keys(FieldRule, FIELD),
            f"Records at hand, for `from` and keys: {words.codes(ORIGINS, sort=False)}.\n",
            GROUPS,
            "### Data types\n\n" + words.table(("as", "reads", "gives"), types),
            '## `[events."TYPE"]`\n\nWhat is written here takes the place of what the event has under that key; events '
            "that are like it follow. A new event needs `like` or `records`.\n\n" + _keys(EventOverlay, EVENT),
            f"## `[codes.NAME]`\n\nThe adapter's own: {words.codes(shipped().codes, sort=False)}. A table of another "
            "name must be the `table` of a field.\n\n" + CLOSED + words.table(("field", "values"), _closed()),
            "## `[[examples]]`\n\nThe tests of the mapping: `hcrm mapping check` and `hcrm doctor` try them.\n\n"
            + _keys(Example, EXAMPLE),
        ]
    )


NAMED = {
    "patient": "Of the numbers in PID-3, those for a visit or account (VN, AN) aside, the first of the type MR, else "
    "PI, else PT, else without a type, else any; where PID-3 has none, of PID-2, else PID-4. With its assigning "
    "authority (CX-4), else the sender.",
    "encounter": "PV1-19, else PV1-50, with its authority, else the sender; else the patient and PV1-44; else the "
    "patient and the day of EVN-6, EVN-2 or MSH-7, which is uncertain.",
    "prior": "As `patient`, of MRG-1.",
    "link": "`prior` and `patient`, where they differ.",
    "pair": "The first patient of the message and this one.",
    "prior encounter": "MRG-5 with its authority, else the sender.",
    "encounter move": "The stay and the patient that something was stated of before (MRG-5, MRG-1).",
    "prescription": "The patient and ORC-2, else ORC-3, else the prescription's number (RXE-15, RXD-7).",
    "staff": "STF-2 with its authority, else STF-1, in the facility.",
    "location": "The point of care of LOC-1 in its facility; a room or bed (by LOC-1 or LOC-3) has none.",
}
REFERRED = """Other records refer to a patient, a stay, a prescription, a member of staff and a ward by a built-in key,
whatever its table says. So `key` is refused in `Patient`, `PriorPatient`, `Encounter`, `PriorEncounter`,
`MedicationOrder`, `MedicationRequest`, `StaffMember` and `Ward`: have the sender fill the field that the built-in key
is made of. Another number of a patient is mapped into `Patient.identifier`, where it helps to find who is the same. A
table of your own for one of these kinds, such as a Z segment about the patient at hand, is the same record by
`key = ["{patient}"]`, `["{encounter}"]` or `["{prescription}"]`; by any other key no record refers to it. Reports are
referred to by whatever key `DiagnosticReport` has.
"""
ORDER = """### What wins

Of a field that is said several times the last of these holds: what its paths read, else `fallback`, else `default`;
then `when`, the table's before the event's; then `says`, the event's over the table's. So `when` never overrules
`says`: where an event states a status and a condition shall state another, write the event with `says = {}` and both
into `when`.
"""
CLOSED = """The values of these fields are closed. No code table of whatever name, no `default` and no constant may give
them another:

"""
GROUPS = """### Which of several segments

A segment speaks of the group it stands in. A patient begins with `PID`, an entry of a master file with `MFE`. In these
an order begins with `ORC`, or where that is left out with the next `OBR`, `RXO`, `RXE`, `RXD` or `RXA`; a visit of
several begins with `MRG`, an insurance with `IN1`. A segment that is looked for is, in this order:

1. the record's own, where it has that id;
2. in the same group the first after it, up to the next of its own id: the `PRA` of an `STF`, the `TQ1` of an `RXE`;
3. in the same group the nearest before it: the `ORC` of an `OBR`;
4. the nearest of what the patient, and then the message, begins with before the first such group: the `PV1` of an
   `OBX`.

What stands before the first group, such as an `SCH` or the `PID` itself, sees the first of them. Nothing is taken from
a neighbour: an order without `TQ1` has none, and a report of a patient without `PV1` belongs to no stay.

Repeated `OBX` with one code (and OBX-4) in one report are lines or values one after the other: they are numbered from
the second on, so that a preliminary and a final report speak of the same ones. Bill lines without a number (FT1-2) that
would have one key are known by all they say but FT1-1. Other records that would have one key are one record; where its
segments say different things the message has the problem `same-key`.
"""


def _keys(struct: type[Struct], told: dict[str, str]) -> str:
    names = [one.encode_name for one in msgspec.structs.fields(struct)]
    assert sorted(names) == sorted(told), (struct, set(names) ^ set(told))
    return words.table(("key", "meaning"), [(f"`{name}`", text) for name, text in told.items()])


def _closed() -> list[tuple[str, str]]:
    from hcrm_adapter_hl7v2.mapping.closed import closed_fields

    return [
        (f"`{kind}.{field}`", words.codes(map(str, values), sort=False))
        for (kind, field), values in sorted(closed_fields().items())
        if True not in values
    ]


def _about(datatypes: Any, name: str) -> str:
    from hcrm_adapter_hl7v2.mapping.charges import line_amount
    from hcrm_adapter_hl7v2.mapping.keys import patient_identifiers
    from hcrm_adapter_hl7v2.mapping.linked import LINKED, provider

    own = {
        "code": "A code, by a table.",
        "money": words.first(datatypes.money),
        "provider": words.first(provider),
        "line-amount": words.first(line_amount),
        "patient-identifiers": words.first(patient_identifiers),
    }
    if name in own:
        return own[name]
    reader = datatypes.READERS.get(name) or LINKED.get(name) or getattr(datatypes, name)
    return words.first(reader)


def _given(gives: dict[str, Any], links: dict[str, str], name: str) -> str:
    if name in links:
        return f"the key of a record of {links[name]}, which it makes"
    return f"`{msgspec.json.encode(gives[name]).decode()}`"
