"""Hold the fields of a segment against its definition: presence, repetitions, components, datatypes, tables, length."""

from collections.abc import Iterator, Sequence

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.factories import datatype_factory

from hcrm_adapter_hl7v2.conformance import structures
from hcrm_adapter_hl7v2.conformance.structures import Reference
from hcrm_adapter_hl7v2.dictionary import readable
from hcrm_adapter_hl7v2.reader.delimiters import Delimiters
from hcrm_core.api import Problem

_READ = {
    "DT": "a date (YYYYMMDD)",
    "DTM": "a date with a time (YYYYMMDDHHMMSS)",
    "TM": "a time (HHMMSS)",
    "NM": "a number",
    "SI": "a whole number",
}
"""Simple datatypes whose values have a form."""
_FORMS = "2.5.1"
"""The version by which values are read."""
_CODED = ("CE", "CWE", "CNE", "CF")
"""Datatypes whose first component is of the table the field names."""
_OPEN = "HL70396"
"""Of coding systems: sites, and newer versions, name more (`HL7nnnn`, `99zzz`)."""
CONSTANT = "="
"""Stands before the only value a profile allows, in the place of a table."""
STATED = "!"
"""Stands before a table that the profile itself names: where its codes are not known, that is told."""
_WITHDRAWN = (0, 0)
MOST_REPETITIONS = 100
"""Of one field; what is wrong with the rest is wrong with these."""


class Fields:
    """Checks fields by the delimiters of one message."""

    def __init__(self, delimiters: Delimiters, version: str, profile: bool) -> None:
        """Args: delimiters: of the message; version: of HL7; profile: whether a profile is what it is held against."""
        self._marks = delimiters
        self._version = version
        self._by = "the profile" if profile else f"version {version}"

    def check(self, segment: str, fields: Sequence[str], reference: Reference) -> Iterator[Problem]:
        """The findings of one segment.

        Args:
            segment: Its name.
            fields: Its fields, the name first.
            reference: hl7apy's definition of it.
        """
        # MSH-1 is the field separator, which splitting took away; MSH-1 and MSH-2 were checked by reading it.
        shift, begin = (1, 3) if segment == "MSH" else (0, 1)
        defined = reference[1]
        for number, (_, field, (least, most), _) in enumerate(defined, start=1):
            if number >= begin:
                at = number - shift
                text = fields[at] if at < len(fields) else ""
                if (segment, number) == ("OBX", 5):
                    field = self._result(fields, field)
                yield from self._field(f"{segment}-{number}", text, field, least, most)
        for number in range(len(defined) + 1, min(len(fields) + shift, len(defined) + MOST_REPETITIONS)):
            if fields[number - shift]:
                text = f"The segment {segment} of {self._by} ends with field {len(defined)}; this one is filled."
                yield Problem("not-defined", f"{segment}-{number}", text)

    def _result(self, fields: Sequence[str], field: Reference) -> Reference:
        """What OBX-5 is by OBX-2; free text may be anything."""
        kind = fields[2] if len(fields) > 2 else ""
        if kind not in _READ and not structures.datatype(self._version, kind):
            return field
        return ("leaf", None, kind, field[3], None, -1)

    def _field(self, where: str, text: str, field: Reference, least: int, most: int) -> Iterator[Problem]:
        name = readable(field[3])
        if not text:
            if least:
                yield Problem("missing-field", where, f"{name} is required by {self._by}, and it is empty.")
            return
        if (least, most) == _WITHDRAWN:
            yield Problem("not-used", where, f"{name} is not to be used by {self._by}, and it is filled.")
            return
        repetitions = text.split(self._marks.repetition)
        if most != -1 and len(repetitions) > most:
            told = "once" if most == 1 else f"{most} times"
            yield Problem("too-many-repetitions", where, f"{name} stands at most {told} in {self._by}; it is repeated.")
        for repetition in repetitions[:MOST_REPETITIONS]:
            yield from self._value(where, repetition, field, (self._marks.component, self._marks.subcomponent))

    def _value(self, where: str, text: str, definition: Reference, separators: tuple[str, ...]) -> Iterator[Problem]:
        """One repetition, component or subcomponent; `separators` are those that may stand inside it."""
        if text in ("", '""'):
            return
        _, inner, kind, name, table, length = definition
        if kind in ("varies", None):
            return
        inner = inner or structures.datatype(self._version, kind)
        parts = text.split(separators[0]) if separators else [text]
        if 0 < length < len(text):
            yield Problem("too-long", where, f"{readable(name)} is longer than the {length} characters of {self._by}.")
        if kind == "TS":  # whose first component the dictionaries of some versions call a text
            yield from self._leaf(where, parts[:1], "DTM", name, None)
            return
        if not inner:
            yield from self._leaf(where, parts, kind, name, table)
            return
        if kind in _CODED and table:
            system = parts[2] if len(parts) > 2 else ""
            if system in ("", table.removeprefix(STATED)) or table.startswith(CONSTANT):
                yield from self._coded(where, parts[0], name, table)
        for number, (_, component, (least, most), _) in enumerate(inner, start=1):
            part = parts[number - 1] if number <= len(parts) else ""
            below = f"{where}.{number}"
            if part and (least, most) == _WITHDRAWN:
                text = f"{readable(component[3])} is not to be used by {self._by}, and it is filled."
                yield Problem("not-used", below, text)
            elif part:
                yield from self._value(below, part, component, separators[1:])
            elif least:
                text = f"{readable(component[3])} is required by {self._by} where {readable(name)} is filled."
                yield Problem("missing-component", below, text)
        if any(parts[len(inner) :]):
            text = f"{readable(name)} has {len(inner)} components in {self._by} ({kind}); there are more."
            yield Problem("not-defined", where, text)

    def _leaf(self, where: str, parts: Sequence[str], kind: str, name: str, table: str | None) -> Iterator[Problem]:
        if any(parts[1:]):
            text = f"{readable(name)} has no components in {self._by} ({kind}); there are some."
            yield Problem("not-defined", where, text)
        elif kind in _READ and not self._readable(kind, parts[0]):
            yield Problem(
                "wrong-datatype", where, f"{readable(name)} is not {_READ[kind]}, as {self._by} has it ({kind})."
            )
        elif table:
            yield from self._coded(where, parts[0], name, table)

    def _coded(self, where: str, code: str, name: str, table: str) -> Iterator[Problem]:
        if table.startswith(CONSTANT):
            if code and code != table.removeprefix(CONSTANT):
                yield Problem("not-constant", where, f"{readable(name)} is not the value that the profile has for it.")
            return
        stated, table = table.startswith(STATED), table.removeprefix(STATED)
        codes = structures.table(self._version, table) if table != _OPEN else None
        if codes is None and stated and table != _OPEN:
            text = f"The codes of table {table.removeprefix('HL7')} are not known, so {readable(name)} was not checked."
            yield Problem("not-checked", where, text)
        if codes is not None and code and code not in codes:
            text = f"{readable(name)} is not a code of table {table.removeprefix('HL7')} of version {self._version}."
            yield Problem("not-in-table", where, text)

    def _readable(self, kind: str, text: str) -> bool:
        try:
            # What has the form of a datatype is the same in every version, but not all have a name for it.
            datatype_factory(kind, text, _FORMS, VALIDATION_LEVEL.STRICT)
        except Exception:  # it raises more than it says
            return False
        return True
