"""Names, addresses and numbers of people (XPN, XAD and XTN) as values of records; their codes stand in `codes.toml`."""

from typing import Any

from hcrm_adapter_hl7v2.mapping.view import View
from hcrm_core.api import UNSET, Address, ContactPoint, HumanName

_MAIL = ("Internet", "X.400")


def names(view: View, raw: str, where: str) -> Any:
    """Repeating XPN; a name in one piece (CJK names often are) is its family name, degrees belong to the suffix."""
    found = []
    for repetition in view.repetitions(raw):
        parts = repetition.split(view.component)
        parts += [""] * (14 - len(parts))
        family = view.clean(parts[0].split(view.subcomponent, 1)[0])
        given = tuple(part for part in (view.clean(parts[1]), view.clean(parts[2])) if part)
        if family or given:
            suffix = " ".join(part for place in (3, 5, 13) if (part := view.clean(parts[place])))
            prefix, use = view.clean(parts[4]), _code(view, "name-use", view.clean(parts[6]))
            found.append(HumanName(family or None, given, prefix or None, suffix or None, None, use))
    return tuple(found) or UNSET


def addresses(view: View, raw: str, where: str) -> Any:
    """Repeating XAD; the addressee (19) is a line of its own."""
    found = []
    for repetition in view.repetitions(raw):
        parts = [*repetition.split(view.component), *[""] * 19][:19]
        # SAD nests street, street name and dwelling number in subcomponents.
        street = " ".join(filter(None, (view.clean(piece) for piece in parts[0].split(view.subcomponent))))
        line = tuple(part for part in (street, view.clean(parts[1]), view.clean(parts[18])) if part)
        city, state, postal, country, kind, _, county = (view.clean(part) for part in parts[2:9])
        if line or city or state or postal or county or country:
            use = _code(view, "address-use", kind)
            found.append(
                Address(line, city or None, county or None, state or None, postal or None, country or None, use)
            )
    return tuple(found) or UNSET


def district(view: View, raw: str, where: str) -> Any:
    """The county or parish (XAD-9) of the first address."""
    for repetition in view.repetitions(raw):
        parts = repetition.split(view.component)
        if len(parts) > 8 and (found := view.clean(parts[8])):
            return found
    return UNSET


def contacts(view: View, raw: str, where: str) -> Any:
    """Repeating XTN: an address (4) where it is one of mail, else the number.

    The number is the unformatted one (12), else that of the pieces (5 to 7), else the formatted one (1).
    """
    found = []
    for repetition in view.repetitions(raw):
        parts = [*view.components(repetition), *[""] * 12][:12]
        written, use, equipment, mail = parts[:4]
        value = parts[11] or _number(*parts[4:7]) or written
        if mail and (equipment in _MAIL or not value):
            found.append(ContactPoint(mail, "email", _code(view, "contact-use", use)))
        elif value and ("@" in value or equipment not in _MAIL):
            system = "email" if "@" in value else _code(view, "contact-system", equipment) or "phone"
            found.append(
                ContactPoint(value, system, "mobile" if equipment == "CP" else _code(view, "contact-use", use))
            )
    return tuple(found) or UNSET


def _number(country: str, area: str, local: str) -> str:
    if not local:
        return ""
    return f"+{country.lstrip('+')} {area} {local}".replace("  ", " ") if country else area + local


def _code(view: View, table: str, code: str) -> str | None:
    found = view.codes[table].get(code)
    return found if isinstance(found, str) else None
