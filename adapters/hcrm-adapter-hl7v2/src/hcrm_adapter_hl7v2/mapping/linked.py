"""Staff and departments, which have no segment of their own in most messages and are named inside others."""

from hcrm_adapter_hl7v2.mapping.datatypes import hierarchic
from hcrm_adapter_hl7v2.mapping.people import names
from hcrm_adapter_hl7v2.mapping.view import View
from hcrm_adapter_hl7v2.reader import parse_path
from hcrm_core.api import UNSET, HumanName, Organization, Practitioner

_PRD_2, _PRD_7 = parse_path("PRD-2"), parse_path("PRD-7")


def practitioner(view: View, raw: str, where: str) -> Practitioner | None:
    """XCN or XPN; known by number within its assigning authority, else by name within the facility."""
    raw = raw.split(view.repetition, 1)[0]
    parts = [*view.components(raw), *[""] * 9]
    number, family, given, middle, suffix, prefix = parts[:6]
    pieces = raw.split(view.component)
    authority = hierarchic(view, pieces[8]) if len(pieces) > 8 else ""
    family = family.split(view.subcomponent, 1)[0]
    others = tuple(name for name in (given, middle) if name)
    if not (number or family or others):
        return None
    key = f"{authority or view.facility}|{number or ' '.join((family, *others))}"
    name = (HumanName(family or None, others, prefix or None, suffix or None),) if family or others else UNSET
    return Practitioner(key=key, name=name)


def department(view: View, raw: str, where: str) -> Organization | None:
    """The point of care of a PL (component 1), in its facility (4)."""
    pieces = raw.split(view.repetition, 1)[0].split(view.component)
    code = view.first(pieces[0])
    if not code:
        return None
    facility = (hierarchic(view, pieces[3]) if len(pieces) > 3 else "") or view.facility
    name = view.clean(pieces[8]) if len(pieces) > 8 else ""
    return Organization(key=f"{facility}|{code}", code=code, name=name or UNSET, type="dept")


def unit(view: View, raw: str, where: str) -> Organization | None:
    """A department given as CE: code and name."""
    parts = [*view.components(raw.split(view.repetition, 1)[0]), ""]
    if not (parts[0] or parts[1]):
        return None
    code = parts[0] or parts[1]
    return Organization(key=f"{view.facility}|{code}", code=code, name=parts[1] or UNSET, type="dept")


def provider(view: View, index: int) -> Practitioner | None:
    """The person of the PRD at `index`: a number of PRD-7 (PLN), else the name of PRD-2 (XPN)."""
    found = names(view, view.raw(_PRD_2, index), "PRD-2") if view.raw(_PRD_2, index) else UNSET
    parts = view.components(view.raw(_PRD_7, index).split(view.repetition, 1)[0])
    whole = " ".join((found[0].family or "", *found[0].given)).strip() if found is not UNSET else ""
    if not (parts[0] or whole):
        return None
    return Practitioner(key=f"{view.facility}|{parts[0] or whole}", name=found)


LINKED = {"practitioner": practitioner, "department": department, "unit": unit}
"""Data types whose value is the key of a record of its own."""
