"""OBX-5, whose data type stands in OBX-2 (HL7 v2.5.1 §7.4.2.5)."""

from typing import Any

from hcrm_adapter_hl7v2.mapping import datatypes, dates
from hcrm_adapter_hl7v2.mapping.view import View
from hcrm_adapter_hl7v2.reader import parse_path
from hcrm_core.api import UNSET, Quantity

VALUE_FIELDS = ("value_quantity", "value_concept", "value_string", "value_date_time")
"""A result has one of them; stating one empties the others, so that a correction may change the type."""

_CODED = frozenset({"CE", "CWE", "CNE", "CF", "IS", "ID"})
_TIMES = frozenset({"DT", "TS", "DTM"})
_NOT_TEXT = frozenset({"ED", "RP"})
_COMPARATORS = frozenset({"<", "<=", ">", ">="})
_BETWEEN = {"SN": " ", "VR": "-", "NR": "-", "DR": "-"}
"""Composite types that are kept as text, and what stands between their components there."""
_OBX_2, _OBX_6 = parse_path("OBX-2"), parse_path("OBX-6")


def observation_value(view: View, index: int, raw: str, where: str) -> Any:
    """The value fields of an Observation, the unit of OBX-6 included.

    A value that does not fit its type is kept as text. Encapsulated data (ED) and pointers (RP) are left out.
    """
    kind = view.first(view.raw(_OBX_2, index)).upper()
    if kind in _NOT_TEXT:
        return UNSET
    field, value = _typed(view, kind, raw, index)
    if value is None:
        field, value = "value_string", _text(view, raw, _BETWEEN.get(kind))
    return dict.fromkeys(VALUE_FIELDS) | {field: value} if value else UNSET


def _typed(view: View, kind: str, raw: str, index: int) -> tuple[str, Any]:
    if kind in ("NM", "SN"):
        comparator, number = "", view.clean(raw)
        if kind == "SN":
            parts = [*view.components(raw), "", "", ""]
            comparator, number = parts[0].replace("≤", "<=").replace("≥", ">="), parts[1]
            if parts[2] or parts[3] or (comparator and comparator not in _COMPARATORS):
                return "", None
        found = datatypes.decimal(number)
        unit_parts = [*view.components(view.raw(_OBX_6, index)), ""]
        unit = unit_parts[0] or unit_parts[1]
        return "value_quantity", Quantity(found, unit or None, comparator or None) if found else None
    if kind in _CODED:
        concept = datatypes.concept(view, raw, "OBX-5")
        return "value_concept", None if concept is UNSET else concept
    if kind in _TIMES:
        return "value_date_time", dates.date_time(view.first(raw), view.zone)
    return "", None


def _text(view: View, raw: str, between: str | None) -> str:
    repetitions = raw.split(view.repetition)
    if between is None:
        pieces = [view.clean(part) for part in repetitions]
    else:
        pieces = [between.join(filter(None, view.components(part))) for part in repetitions]
    return "\n".join(piece for piece in pieces if piece)
