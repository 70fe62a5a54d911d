"""Which abstract message a message follows, and what hl7apy's dictionaries say of it."""

from functools import cache
from typing import Any, NamedTuple

from hl7apy import SUPPORTED_LIBRARIES, load_library, load_reference
from hl7apy.exceptions import ChildNotFound

Reference = Any
"""hl7apy's: ("sequence", ((name, reference, (least, most), class), …)), and of values datatype, name, table, length."""

_SHARED = {
    "ADT_A01": "A01 A04 A08 A13",
    "ADT_A05": "A05 A14 A28 A31",
    "ADT_A06": "A06 A07",
    "ADT_A09": "A09 A10 A11 A12",
    "ADT_A21": "A21 A22 A23 A25 A26 A27 A29 A32 A33",
    "ADT_A30": "A30 A34 A35 A36 A46 A47 A48 A49",
    "ADT_A39": "A39 A40 A41 A42",
    "ADT_A43": "A43 A44",
    "ADT_A50": "A50 A51",
    "ADT_A52": "A52 A53",
    "ADT_A54": "A54 A55",
    "ADT_A61": "A61 A62",
    "SIU_S12": "S12 S13 S14 S15 S16 S17 S18 S19 S20 S21 S22 S23 S24 S26",
    "MDM_T01": "T01 T03 T05 T07 T09 T11",
    "MDM_T02": "T02 T04 T06 T08 T10",
}
"""HL7 table 0354: structures that several events share."""

_OF_EVENT = {f"{structure[:3]}_{event}": structure for structure, events in _SHARED.items() for event in events.split()}


class Structure(NamedTuple):
    """The abstract message that a message is held against; `reference` is `None` where only its fields are."""

    version: str
    name: str
    reference: Reference | None
    profile: bool = False


def supported(version: str) -> bool:
    """Whether there are dictionaries of a version."""
    return version in SUPPORTED_LIBRARIES


def structure(version: str, stated: str, code: str, event: str) -> Structure:
    """The abstract message, by MSH-9.3 or by the event where that is silent or unknown."""
    messages = load_library(version).MESSAGES
    named = f"{code}_{event}"
    for name in (stated, named, _OF_EVENT.get(named, ""), code):
        if name in messages:
            return Structure(version, name, load_reference(name, "Message", version))
    return Structure(version, "", None)


@cache
def segment(version: str, name: str) -> Reference | None:
    """What a version says of a segment; `None`: it has none of that name."""
    return _loaded(name, "Segment", version)


@cache
def datatype(version: str, name: str) -> Reference | None:
    """The components of a datatype; `None` of a simple one."""
    return _loaded(name, "Datatypes_Structs", version)


@cache
def table(version: str, name: str) -> frozenset[str] | None:
    """The codes of a table; `None` where the standard leaves them to the sites."""
    found = _loaded(name, "Table", version)
    return frozenset(found[1]) if found and found[1] else None


def segments_of(reference: Reference) -> dict[str, Reference]:
    """The segments an abstract message may hold, each as it stands there first."""
    found: dict[str, Reference] = {}
    for name, inner, _, kind in reference[1]:
        within = segments_of(inner) if kind == "GRP" else {name: inner}
        found = within | found
    return found


def skeleton(version: str, reference: Reference) -> Reference:
    """A profile's segments and groups with the fields of the standard: what hl7apy needs to sort segments."""
    nothing = ("sequence", (("ANY_1", ("leaf", None, "ST", "ANY", None, -1), (0, -1), "FIE"),))
    return (
        reference[0],
        tuple(
            (name, skeleton(version, inner) if kind == "GRP" else segment(version, name) or nothing, bounds, kind)
            for name, inner, bounds, kind in reference[1]
        ),
    )


def first_segment(reference: Reference) -> str:
    """The segment a group is known by: the first that it needs."""
    needed = [child for child in reference[1] if child[2][0]]
    name, inner, _, kind = (needed or reference[1])[0]
    return first_segment(inner) if kind == "GRP" else str(name)


def _loaded(name: str, kind: str, version: str) -> Reference | None:
    try:
        return load_reference(name, kind, version)
    except (ChildNotFound, KeyError):
        return None
