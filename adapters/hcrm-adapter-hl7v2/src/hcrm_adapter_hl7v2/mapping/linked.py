"""Staff and departments, which have no segment of their own in most messages and are named inside others."""

from hcrm_adapter_hl7v2.mapping.datatypes import hierarchic
from hcrm_adapter_hl7v2.mapping.view import View
from hcrm_core.api import UNSET, HumanName, Organization, Practitioner


def practitioner(view: View, raw: str, where: str) -> Practitioner | None:
    """XCN or XPN; known by number within its assigning authority, else by name within the facility."""
    raw = raw.split(view.repetition, 1)[0]
    parts = [*view.components(raw), *[""] * 9]
    number, family, given, middle, suffix, prefix = parts[:6]
    pieces = raw.split(view.component)
    authority = hierarchic(view, pieces[8]) if len(pieces) > 8 else ""
    family = family.split(view.subcomponent, 1)[0]
    names = tuple(name for name in (given, middle) if name)
    if not (number or family or names):
        return None
    key = f"{authority or view.facility}|{number or ' '.join((family, *names))}"
    name = (HumanName(family or None, names, prefix or None, suffix or None),) if family or names else UNSET
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


LINKED = {"practitioner": practitioner, "department": department, "unit": unit}
"""Data types whose value is the key of a record of its own."""
