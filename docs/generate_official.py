"""The page of how the HL7 v2 mapping stands to the official tables; `generate.py` beside this writes it."""

from collections.abc import Iterable
from typing import Any

import generate_text as words


def page() -> str:
    from hcrm_adapter_hl7v2.official import compare
    from hcrm_adapter_hl7v2.official.tables import departures, official

    reasons, brought = departures(), official()
    messages = compare.compared_messages()
    fields, components = compare.compared_fields(), compare.compared_components()
    codes = {table: compare.compared_codes(table) for table in reasons.linked}
    every = [row for rows in codes.values() for row in rows]
    parts = [
        "# HL7 v2, the official tables\n",
        "HL7 publishes how the fields of HL7 v2 become FHIR R4 "
        "([HL7/v2-to-fhir](https://github.com/HL7/v2-to-fhir), commit 8c9b414b of 2025-10-01, Apache-2.0). The adapter "
        "`hl7v2` keeps these tables in a form of its own, brought once by `python -m hcrm_adapter_hl7v2.official.bring "
        "FOLDER`. This page lays its [mapping](hl7v2.md) beside them; where the two differ, it says why. A difference "
        "without a reason fails the tests, and so does a reason without a difference.\n",
        words.table(
            ("", "spoken of by either", "alike", "otherwise, with a reason"),
            [
                (name, *map(str, (len(rows), alike := sum(row.same for row in rows), len(rows) - alike)))
                for name, rows in (
                    ("records of messages", messages),
                    ("fields", fields),
                    ("components", components),
                    ("codes", every),
                )
            ],
        ),
        "## Messages\n",
        "Which records a message gives; staff and departments come from the fields that name them.\n",
        words.table(
            ("message", "record", "official", "HCRM", "why otherwise"),
            [
                (*row.field.split(), _joined(row.official), _joined(row.ours), _why(row, reasons.messages))
                for row in messages
            ],
        ),
        "## Fields\n",
        "Index numbers, constants and conditions of the official tables are left out. Of the constants HCRM does not "
        "follow one: a number in PID-13 is not at home, and one in PID-14 or NK1-6 not at work, unless the sender says "
        "so; a mobile number often stands there. `identifier` under HCRM: the field is part of the record's key.\n",
    ]
    for segment in sorted({row.field[:3] for row in fields}):
        rows = [row for row in fields if row.field[:3] == segment]
        parts.append(f"### {segment}\n\n" + _compared(rows, reasons.fields))
    parts.append("## Components of data types\n\n" + _compared(components, reasons.components))
    parts.append("## Codes\n\nCodes both tables name alike are left out here; they stand on the [page](hl7v2.md).\n")
    for table, compared in codes.items():
        differing = [
            (f"`{row.code}`", _code(row.official), _code(row.ours), reasons.why(reasons.codes[table][row.code]))
            for row in compared
            if not row.same
        ]
        alike = len(compared) - len(differing)
        about = f"The official map {words.codes([reasons.linked[table]])}; {alike} codes are alike.\n"
        parts.append(
            f"### {table}\n\n{about}\n"
            + (words.table(("HL7", "official", "HCRM", "why"), differing) if differing else "")
        )
    parts.append("### Tables without an official map\n\n" + _listed(reasons.alone.items()))
    parts.append("## Left out whole\n\n### Segments\n\n" + _listed(reasons.tables.items()))
    parts.append("### Segments only HCRM reads\n\n" + _listed(reasons.segments.items()))
    parts.append("### Concept maps\n\n" + _listed((name, reasons.maps[name]) for name in brought.tables.maps_left_out))
    return "\n".join(parts)


def _compared(rows: Iterable[Any], why: dict[str, str]) -> str:
    from hcrm_adapter_hl7v2.dictionary import field_name

    return words.table(
        ("field", "name", "official", "HCRM", "why otherwise"),
        [
            (
                row.field,
                (field_name(row.field) if "-" in row.field else "") or "",
                _joined(row.official),
                _joined(row.ours) if "-" in row.field else "read" if row.ours else "",
                _why(row, why),
            )
            for row in rows
        ],
    )


def _why(row: Any, reasons: dict[str, str]) -> str:
    from hcrm_adapter_hl7v2.official.tables import departures

    return "" if row.same else departures().why(reasons[row.field])


def _joined(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _code(code: str | None) -> str:
    return f"`{code}`" if code else ""


def _listed(items: Iterable[tuple[str, str]]) -> str:
    from hcrm_adapter_hl7v2.official.tables import departures

    groups: dict[str, list[str]] = {}
    for name, reason in items:
        groups.setdefault(departures().why(reason), []).append(name)
    return "".join(f"- {_joined(tuple(names))}: {why}\n" for why, names in groups.items())
