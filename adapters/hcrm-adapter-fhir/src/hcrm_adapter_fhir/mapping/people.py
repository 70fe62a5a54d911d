"""Names, addresses and numbers of people as values of records."""

from typing import Any

from hcrm_adapter_fhir.mapping.tables import bindings, identifiers
from hcrm_adapter_fhir.mapping.view import View
from hcrm_core.api import UNSET, Address, ContactPoint, HumanName, Identifier

_TABLE_0203 = ("http://terminology.hl7.org/CodeSystem/v2-0203", "http://hl7.org/fhir/v2/0203")
_NAME_USE = bindings()["name-use"].codes
_ADDRESS_USE = bindings()["address-use"].codes
_CONTACT_SYSTEM = bindings()["contact-point-system"].codes
_CONTACT_USE = bindings()["contact-point-use"].codes


def text_of(found: Any) -> str | None:
    """A string that says something."""
    return (found.strip() or None) if isinstance(found, str) else None


def texts_of(found: Any) -> tuple[str, ...]:
    """The strings of a list that say something."""
    return tuple([one for part in found if (one := text_of(part))]) if isinstance(found, list) else ()


def names(view: View, found: list[Any], where: str) -> Any:
    """HumanNames; `text` is kept only where there are no parts."""
    made = []
    for one in found:
        if not isinstance(one, dict):
            return wrong(view, where)
        family, given = text_of(one.get("family")), texts_of(one.get("given"))
        whole = None if family or given else text_of(one.get("text"))
        if family or given or whole:
            prefix, suffix = " ".join(texts_of(one.get("prefix"))), " ".join(texts_of(one.get("suffix")))
            use = code(view, one.get("use"), _NAME_USE, where, "use")
            made.append(HumanName(family, given, prefix or None, suffix or None, whole, use))
    return tuple(made) or None


def addresses(view: View, found: list[Any], where: str) -> Any:
    """Addresses; one that is not taken apart is a line."""
    made = []
    for one in found:
        if not isinstance(one, dict):
            return wrong(view, where)
        line, country = texts_of(one.get("line")), text_of(one.get("country"))
        city, district = text_of(one.get("city")), text_of(one.get("district"))
        state, postal = text_of(one.get("state")), text_of(one.get("postalCode"))
        if not (line or city or district or state or postal) and (whole := text_of(one.get("text"))):
            line = (whole,)
        if line or city or district or state or postal or country:
            use = code(view, one.get("use"), _ADDRESS_USE, where, "use")
            made.append(Address(line, city, district, state, postal, country, use))
    return tuple(made) or None


def contacts(view: View, found: list[Any], where: str) -> Any:
    """ContactPoints; one of no system is mail if it looks like it, else a phone."""
    made = []
    for one in found:
        if not isinstance(one, dict):
            return wrong(view, where)
        value = text_of(one.get("value"))
        if value:
            system = code(view, one.get("system"), _CONTACT_SYSTEM, where, "system")
            use = code(view, one.get("use"), _CONTACT_USE, where, "use")
            made.append(ContactPoint(value, system or ("email" if "@" in value else "phone"), use))
    return tuple(made) or None


def numbers(view: View, found: list[Any], where: str) -> Any:
    """Identifiers of a person."""
    made = []
    for one in found:
        if not isinstance(one, dict):
            return wrong(view, where)
        number = identifier(view, one)
        if number:
            made.append(number)
    return tuple(dict.fromkeys(made)) or None


def identifier(view: View, one: dict[str, Any]) -> Identifier | None:
    """One Identifier; without a system it is the source's own. Its type is of HL7 table 0203, or the code sent."""
    value, system = text_of(one.get("value")), text_of(one.get("system"))
    if value is None:
        return None
    return Identifier(value, system or view.source.name, _type(view, one.get("type"), system), system is None)


def _type(view: View, concept: Any, system: str | None) -> str | None:
    known = identifiers()
    codings = concept.get("coding") if isinstance(concept, dict) else None
    other = None
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, dict) and (stated := text_of(coding.get("code"))):
            of = text_of(coding.get("system")) or ""
            if of in _TABLE_0203:
                return stated
            if of.endswith("CV02.01.101") and stated in known.documents:
                return known.documents[stated]
            other = other or stated
    if system is not None:
        found = view.source.identifier_types.get(system) or known.systems.get(system)
        if found:
            return found
    return other or (text_of(concept.get("text")) if isinstance(concept, dict) else None)


def code(view: View, found: Any, codes: frozenset[str], where: str, part: str) -> str | None:
    """A code of a required value set; what it does not hold is left out and reported."""
    if found is None:
        return None
    if isinstance(found, str) and found in codes:
        return found
    view.report("unknown-code", f"{where}.{part}", "FHIR has no such code here; it was left out. Have it corrected.")
    return None


def wrong(view: View, where: str) -> Any:
    """What cannot be such a value is not read, and reported."""
    view.report("wrong-type", where, "This is not built as FHIR says; it was left out. Have it corrected.")
    return UNSET
