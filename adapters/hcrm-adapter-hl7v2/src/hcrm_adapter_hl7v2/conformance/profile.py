"""Read an HL7 message profile (`HL7v2xConformanceProfile`, XML) into the notation of hl7apy's dictionaries.

hl7apy keeps profiles as pickles, which run whatever is written in them. So the XML is read here.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from xml.etree import ElementTree

from hcrm_adapter_hl7v2.conformance.fields import CONSTANT, STATED
from hcrm_adapter_hl7v2.conformance.structures import Reference, Structure
from hcrm_core.api import ConfigurationError

_USAGE = {"R": 1, "X": 0}
_PARTS = ("Field", "Component", "SubComponent")


@lru_cache(maxsize=8)
def read_profile(text: str) -> Structure:
    """The abstract message a profile states; the version is that of the message held against it.

    Raises:
        ConfigurationError: It is no message profile.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ConfigurationError("The message profile declares entities, which are not read. Remove its DOCTYPE.")
    try:
        root = ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text.removeprefix("\ufeff")))
    except ElementTree.ParseError as error:
        line = error.position[0]
        raise ConfigurationError(f"Line {line} of the message profile is not XML. Export it anew.") from None
    stated = next((one for one in root.iter() if _tag(one) == "HL7v2xStaticDef"), None)
    name = stated.get("MsgStructID") if stated is not None else None
    if stated is None or not name:
        raise ConfigurationError(
            "The file is no HL7 message profile: it has no HL7v2xStaticDef with a MsgStructID. Export it as XML of the "
            "kind HL7v2xConformanceProfile."
        )
    try:
        reference = ("sequence", tuple(_children(stated, name)))
    except (ValueError, RecursionError):
        raise ConfigurationError("A Min, Max or Length of the message profile is no number. Correct it.") from None
    if not reference[1]:
        raise ConfigurationError("The message profile names no segment.")
    return Structure("", name, reference, profile=True)


def _children(parent: ElementTree.Element, structure: str) -> Iterator[Reference]:
    for child in parent:
        name = child.get("Name") or ""
        if _tag(child) == "Segment":
            yield (name, ("sequence", tuple(_values(child, name, "Field"))), _cardinality(child), "SEG")
        elif _tag(child) == "SegGroup":
            inner = tuple(_children(child, structure))
            if inner:
                yield (f"{structure}_{name}", ("sequence", inner), _cardinality(child), "GRP")


def _values(parent: ElementTree.Element, name: str, part: str) -> Iterator[Reference]:
    """The fields of a segment, the components of a field or the subcomponents of a component."""
    below = dict(pairwise(_PARTS)).get(part)
    for number, child in enumerate([one for one in parent if _tag(one) == part], start=1):
        kind = (child.get("Datatype") or "ST").upper()
        inner = tuple(_values(child, kind, below)) if below else ()
        table = f"{STATED}HL7{child.get('Table')}" if child.get("Table") else None
        if constant := child.get("ConstantValue"):
            table = f"{CONSTANT}{constant}"
        length = int(child.get("Length") or -1)
        definition = (
            "sequence" if inner else "leaf",
            inner or None,
            "varies" if kind == "VARIES" else kind,
            child.get("Name"),
            table,
            length,
        )
        yield (f"{name}_{number}", definition, _cardinality(child), part)


def _cardinality(element: ElementTree.Element) -> tuple[int, int]:
    usage = element.get("Usage") or ""
    if usage == "X":
        return (0, 0)
    single = _tag(element) in _PARTS[1:]
    most = element.get("Max") or ("1" if single else "*")
    least = max(int(element.get("Min") or 0) if usage != "O" else 0, _USAGE.get(usage, 0))
    return (least, -1 if most == "*" else int(most))


def _tag(element: ElementTree.Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]
