"""How the mapping stands to the official tables, field by field and code by code."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from hcrm_adapter_hl7v2.mapping.tables import RecordRule, Tables, shipped
from hcrm_adapter_hl7v2.official.tables import Official, departures, elements, official, place
from hcrm_core.api import KINDS

EVENTS = "encounter-event"
"""The table of codes that `events.toml` holds: what an event says of a stay's status."""


class Compared(NamedTuple):
    """One field of a segment, component of a data type or record of a message.

    Attributes:
        field: Such as `PID-3`, `CWE.9` or `ADT_A01 Condition`.
        official: The FHIR elements the official tables give it to; the segment maps that make the record.
        ours: The fields of records that read it; the tables that make the record.
        same: Whether one of them stands for one of the elements; whether both make the record.
    """

    field: str
    official: tuple[str, ...]
    ours: tuple[str, ...]
    same: bool


class ComparedCode(NamedTuple):
    """One code of a table both sides have; `None` where a side does not name it."""

    code: str
    official: str | None
    ours: str | None

    @property
    def same(self) -> bool:
        """Whether both give it the same code, or neither any."""
        return (self.official or "") == (self.ours or "")


def compared_fields(tables: Tables | None = None, of: Official | None = None) -> list[Compared]:
    """Every field the official tables map or HCRM reads, of segments that have an official table.

    Args:
        tables: The mapping; absent, the shipped one.
        of: The official tables; absent, those brought.
    """
    found, ours = (of or official()), read_by(tables or shipped())
    segments = spoken_of(found)
    names = {*found.fields, *(name for name in ours if name[:3] in segments)}
    rows = []
    for name in sorted(names, key=place):
        readers = tuple(sorted(ours.get(name, ())))
        targets = found.fields.get(name, ())
        same = any(_stands_for(reader, target) for reader in readers for target in targets)
        rows.append(Compared(name, targets, readers, same))
    return rows


def compared_messages() -> list[Compared]:
    """For every message that has an official map, the records either side makes of it (`ADT_A01 Observation`)."""
    rows = []
    for message, labels in official().messages.items():
        theirs = {kind for label in labels if (kind := re.split(r"[\[\]-]", label)[1]) in KINDS}
        tables = shipped()
        given = tables.event(message.replace("_", "^")).records
        ours = {tables.records[name].kind or name for name in given}
        for kind in sorted(theirs | ours):
            official_maps = tuple(label for label in labels if re.split(r"[\[\]-]", label)[1] == kind)
            records = tuple(name for name in given if (tables.records[name].kind or name) == kind)
            rows.append(Compared(f"{message} {kind}", official_maps, records, kind in theirs & ours))
    return rows


def compared_components() -> list[Compared]:
    """Every component of a data type that the official tables map or HCRM reads."""
    theirs = official().components
    ours = {f"{name}.{number}" for name, numbers in elements().components.items() for number in numbers}
    return [
        Compared(name, theirs.get(name, ()), ("read",) if name in ours else (), name in ours and name in theirs)
        for name in sorted({*theirs, *ours}, key=place)
    ]


def spoken_of(found: Official) -> set[str]:
    """The segments an official table was brought of."""
    return {label[:3] for label in found.tables.segments}


def segments_alone(tables: Tables | None = None) -> set[str]:
    """The segments HCRM reads of which no official table was brought."""
    return {name[:3] for name in read_by(tables or shipped())} - spoken_of(official())


def read_by(tables: Tables) -> dict[str, set[str]]:
    """Field of a segment → `Kind.field` of the records that read it; `Kind.identifier` where it is part of a key."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, rule in tables.records.items():
        kind = rule.kind or name
        for field, how in rule.fields.items():
            for path in (*how.paths, *how.durations, *how.unit):
                found[_field(path)].add(f"{kind}.{field}")
            if how.where:
                found[_field(how.where)].add(f"{kind}.{field}")
        for condition, constants in rule.when.items():
            found[_field(condition)] |= {f"{kind}.{field}" for field in constants}
        for path in _key_paths(rule):
            found[_field(path)].add(f"{kind}.identifier")
    for event in tables.events.values():
        for name, conditions in event.when.items():
            kind = tables.records[name].kind or name
            for condition, constants in conditions.items():
                found[_field(condition)] |= {f"{kind}.{field}" for field in constants}
    for path in ("OBX-2", "OBX-6"):
        found[path].add("Observation.value")
    return dict(found)


def _key_paths(rule: RecordRule) -> list[str]:
    if isinstance(rule.key, str):
        return list(elements().keys.get(rule.key, ()))
    choices = [choice for part in rule.key for choice in part.removesuffix("?").split(" or ")]
    return [choice.removeprefix("entity ") for choice in choices if not choice.removeprefix("entity ").startswith("{")]


def _field(path: str) -> str:
    return re.match(r"[A-Z][A-Z0-9]{2}-\d+", path)[0]  # type: ignore[index]


def _stands_for(reader: str, target: str) -> bool:
    kind, _, field = reader.partition(".")
    by_name = f"{kind}.{re.sub('_(.)', lambda found: found[1].upper(), field)}"
    for element in elements().fields.get(reader, (by_name,)):
        if element.endswith("*"):
            if target.startswith(element[:-1]):
                return True
        elif target == element or target.startswith(f"{element}."):
            return True
    return False


def compared_codes(table: str) -> list[ComparedCode]:
    """Every code of a table of `codes.toml` and of the concept map it is linked with."""
    theirs = official().codes[departures().linked[table]]
    ours = {code: str(to) for code, to in _codes(table).items()}
    rows, met = [], set()
    for code, to in theirs.items():
        name = code if code in ours else code.upper()
        met.add(name)
        rows.append(ComparedCode(code, to, ours.get(name)))
    return rows + [ComparedCode(code, None, to) for code, to in ours.items() if code not in met]


def _codes(table: str) -> Mapping[str, object]:
    if table != EVENTS:
        return shipped().codes[table]
    says = {name: rule.says.get("Encounter", {}) for name, rule in shipped().events.items() if name[:5] == "ADT^A"}
    return {name[4:]: fields["status"] for name, fields in says.items() if "status" in fields}
