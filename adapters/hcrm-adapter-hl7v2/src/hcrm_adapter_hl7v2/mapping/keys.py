"""Who a message is about and which stay: the keys of Patient and Encounter."""

from typing import Any, NamedTuple

from hcrm_adapter_hl7v2.mapping.datatypes import entity, hierarchic, identifier, identifiers
from hcrm_adapter_hl7v2.mapping.view import NULL, View
from hcrm_adapter_hl7v2.reader import parse_path
from hcrm_core.api import UNSET, Identifier

PREFERRED = ("MR", "PI", "PT", None)
"""Identifier types (HL7 table 0203) by which a source knows its patients, best first; then any other."""

NEVER = frozenset({"AN", "VN"})
"""Types that number an account or a visit and never a person."""

_PID_3 = parse_path("PID-3")
_PV1_19, _PV1_50, _PV1_44 = parse_path("PV1-19"), parse_path("PV1-50"), parse_path("PV1-44")
_MRG_5, _STF_1, _STF_2 = parse_path("MRG-5"), parse_path("STF-1"), parse_path("STF-2")
_EVN_6, _EVN_2, _MSH_7 = parse_path("EVN-6"), parse_path("EVN-2"), parse_path("MSH-7")


class Stay(NamedTuple):
    """An encounter's key; `uncertain` where it rests on the patient and the day."""

    key: str
    uncertain: bool


def patient_key(found: tuple[Identifier, ...]) -> str | None:
    """The key made of the preferred identifier, `None` where none identifies a person."""
    usable = [one for one in found if one.type not in NEVER]
    if not usable:
        return None
    best = min(usable, key=lambda one: PREFERRED.index(one.type) if one.type in PREFERRED else len(PREFERRED))
    return f"{best.system}|{best.type or ''}|{best.value}"


def identifiers_at(view: View, index: int, number: int) -> tuple[Identifier, ...]:
    """The identifiers in a field of CX of the segment at `index`; PID-2 and PID-4 stand in for an empty PID-3."""
    fields = view.message.fields_at(index)
    texts = [fields[number]] if number < len(fields) else []
    if view.message.starts[index].startswith("PID"):
        texts += [fields[other] for other in (2, 4) if other < len(fields)]
    for text in texts:
        found = tuple(one for part in view.repetitions(text) if (one := identifier(view, part)))
        if found:
            return found
    return ()


def patient_identifiers(view: View, index: int, raw: str, where: str) -> Any:
    """Repeating CX; PID-2 and PID-4 say who it is only where PID-3 does not: before version 2.3.1."""
    if where != "PID-3" and where != "PID-19" and identifiers(view, view.raw(_PID_3, index), "PID-3") is not UNSET:
        view.passed_over.add(where)
        return UNSET
    return view.remembered(identifiers, raw, where)


def encounter_key(view: View, index: int, patient: str | None, *, event_day: bool) -> Stay | None:
    """The key of the stay a PV1 speaks of: PV1-19, else PV1-50, else patient and PV1-44, else patient and event day.

    Args:
        view: The message.
        index: Of the PV1.
        patient: The patient's key.
        event_day: Whether the message is an event of the stay, so that its day may stand in.
    """
    for path in (_PV1_19, _PV1_50):
        raw = view.raw(path, index).split(view.repetition, 1)[0]
        if raw and raw != NULL:
            parts = raw.split(view.component)
            number = view.clean(parts[0])
            authority = (hierarchic(view, parts[3]) if len(parts) > 3 else "") or view.sender
            if number:
                return Stay(f"{authority}|VN|{number}", False)
    if patient is None:
        return None
    admitted = view.first(view.raw(_PV1_44, index))
    if admitted:
        return Stay(f"{patient}|{admitted}", False)
    if not event_day:
        return None
    day = next((found for path in (_EVN_6, _EVN_2, _MSH_7) if (found := view.first(view.raw(path, index)))), "")
    return Stay(f"{patient}|{day[:8]}", True) if day else None


def prior_encounter_key(view: View, index: int) -> str | None:
    """The key of the stay whose number an MRG says is no longer used (MRG-5)."""
    parts = view.raw(_MRG_5, index).split(view.repetition, 1)[0].split(view.component)
    number = view.clean(parts[0])
    authority = (hierarchic(view, parts[3]) if len(parts) > 3 else "") or view.sender
    return f"{authority}|VN|{number}" if number else None


def staff_key(view: View, index: int) -> str | None:
    """The key under which other messages name a member of staff (XCN): STF-2, else STF-1."""
    parts = view.raw(_STF_2, index).split(view.repetition, 1)[0].split(view.component)
    number = view.clean(parts[0])
    authority = hierarchic(view, parts[3]) if len(parts) > 3 else ""
    number = number or view.first(view.raw(_STF_1, index))
    return f"{authority or view.facility}|{number}" if number else None


def entity_key(view: View, raw: str) -> str:
    """An EI's key, empty where there is none."""
    return entity(view, raw) if raw and raw != NULL else ""
