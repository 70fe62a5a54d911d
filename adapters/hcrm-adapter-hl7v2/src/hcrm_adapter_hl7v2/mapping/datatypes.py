"""HL7 v2 data types (HL7 v2.5.1 chapter 2A) as values of records.

Every function takes the view, the raw text of a field and its reference for messages to people, and returns the value,
or `UNSET` where the text cannot be one, which it reports. Emptiness is decided before: the text is never empty or `""`.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from msgspec import structs

from hcrm_adapter_hl7v2.mapping import dates, people
from hcrm_adapter_hl7v2.mapping.view import View
from hcrm_core.api import (
    UNSET,
    CodeableConcept,
    Coding,
    Identifier,
    Money,
    Period,
    Quantity,
)

Reader = Callable[[View, str, str], Any]

_YES = {"Y": True, "YES": True, "1": True, "TRUE": True, "N": False, "NO": False, "0": False, "FALSE": False}
_MINUTES = dict.fromkeys(("MIN", "M", "MINUTE", "MINUTES", "MN", "分钟"), Fraction(1)) | {
    **dict.fromkeys(("H", "HR", "HRS", "HOUR", "HOURS", "小时"), Fraction(60)),
    **dict.fromkeys(("S", "SEC", "SECOND", "SECONDS", "秒"), Fraction(1, 60)),
    **dict.fromkeys(("D", "DAY", "DAYS", "天"), Fraction(1440)),
}
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
MOST_DIGITS = 64
"""Of an amount as it is written, zeros included."""
_NO_MINOR_UNITS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF"})
_THREE_MINOR_UNITS = frozenset({"KWD", "BHD", "OMR", "JOD", "TND", "IQD", "LYD"})


def text(view: View, raw: str, where: str) -> Any:
    """A string; component separators in free text are kept, since senders forget to escape them."""
    return view.clean(raw) or UNSET


def texts(view: View, raw: str, where: str) -> Any:
    """A repeating string."""
    return tuple(found for part in view.repetitions(raw) if (found := view.clean(part))) or UNSET


def codes(view: View, raw: str, where: str) -> Any:
    """A repeating code; older versions put several into one, separated by the repetition mark."""
    return tuple(found for part in view.repetitions(raw) if (found := view.first(part))) or UNSET


def number(view: View, raw: str, where: str) -> Any:
    """The number of a CX or the text of an ST."""
    return view.first(raw) or UNSET


def date(view: View, raw: str, where: str) -> Any:
    """DT, or TS cut to its day."""
    return _dated(view, dates.date(view.first(raw)), where)


def date_time(view: View, raw: str, where: str) -> Any:
    """TS or DTM."""
    return _dated(view, dates.date_time(view.first(raw), view.zone), where)


def _dated(view: View, found: str | None, where: str) -> Any:
    if found is None:
        view.leave_out("bad-date", where, "This is no date; it was left out. Ask the sender for YYYYMMDD[HHMM[SS]].")
        return UNSET
    return found


def period(view: View, raws: list[str], where: str) -> Any:
    """Two TS or DTM in fields of their own, the start and the end."""
    start, end = (dates.date_time(view.first(raw), view.zone) for raw in raws)
    return Period(start, end) if start or end else _dated(view, None, where)


def boolean(view: View, raw: str, where: str) -> Any:
    """ID of table 0136: yes or no."""
    found = _YES.get(view.first(raw).upper())
    if found is None:
        view.leave_out("bad-boolean", where, "This is neither Y nor N; it was left out.")
        return UNSET
    return found


def integer(view: View, raw: str, where: str) -> Any:
    """NM or SI that must be whole."""
    found = view.first(raw)
    if not re.fullmatch(r"[+-]?[0-9]{1,15}(\.0*)?", found):
        view.leave_out("bad-number", where, "This is no whole number; it was left out.")
        return UNSET
    return int(found.partition(".")[0])


def minutes(view: View, raw: str, unit: str, where: str) -> Any:
    """A duration in whole minutes; its unit stands in a field of its own and is minutes where that is empty."""
    found = integer(view, raw, where)
    factor = _MINUTES.get(view.first(unit).upper() or "MIN")
    if found is UNSET or factor is None or found * factor % 1:
        if found is not UNSET:
            view.leave_out("bad-duration", where, "This duration is no whole number of minutes; it was left out.")
        return UNSET
    return int(found * factor)


def coding(view: View, raw: str, where: str) -> Any:
    """The first triplet of CE, CWE, IS or ID."""
    parts = view.components(raw.split(view.repetition, 1)[0])
    return _coding(parts, 0) or UNSET


def concept(view: View, raw: str, where: str) -> Any:
    """CE or CWE: its triplets, three from version 2.7 on, and the original text (CWE-9)."""
    parts = view.components(raw.split(view.repetition, 1)[0])
    found = tuple(one for one in (_coding(parts, at) for at in (0, 3, 9)) if one)
    original = parts[8] if len(parts) > 8 and parts[8] else None
    return CodeableConcept(found, original) if found or original else UNSET


def _coding(parts: list[str], at: int) -> Coding | None:
    code, display, system = [*parts[at : at + 3], "", "", ""][:3]
    return Coding(code or None, system or None, display or None) if code or display else None


_NUMBERS_OF = {"PID-19": "SS"}
"""Fields of numbers without a type → the type (HL7 table 0203). Chinese systems put the identity number there."""


def identifiers(view: View, raw: str, where: str) -> Any:
    """Repeating CX; its namespace is the assigning authority (CX-4) and type (CX-5, else what the field is for)."""
    usual = _NUMBERS_OF.get(where, "")
    return tuple(found for part in view.repetitions(raw) if (found := identifier(view, part, usual))) or UNSET


def identifier(view: View, raw: str, usual: str = "") -> Identifier | None:
    """One CX; `usual` is its type where it states none."""
    parts = raw.split(view.component)
    value = view.clean(parts[0])
    if not value:
        return None
    authority = hierarchic(view, parts[3]) if len(parts) > 3 else ""
    kind = view.clean(parts[4]) if len(parts) > 4 else ""
    return Identifier(value, authority or view.sender, kind or usual or None, not authority)


def hierarchic(view: View, raw: str) -> str:
    """HD: the namespace, else the universal id."""
    pieces = [view.clean(piece) for piece in raw.split(view.subcomponent)]
    return next((piece for piece in pieces[:2] if piece), "")


def entity(view: View, raw: str) -> str:
    """EI as `namespace|number`, empty where there is no number; older versions send a CM of the same shape."""
    parts = view.components(raw.split(view.repetition, 1)[0])
    if not parts[0]:
        return ""
    namespace = next((part for part in parts[1:3] if part), "") or view.sender
    return f"{namespace}|{parts[0]}"


def location(view: View, raw: str, where: str) -> Any:
    """PL as `ward/room/bed`."""
    parts = raw.split(view.repetition, 1)[0].split(view.component)[:3]
    return "/".join(map(view.first, parts)).rstrip("/") or UNSET


def organization_name(view: View, raw: str, where: str) -> Any:
    """XON: its name, else its number."""
    parts = [*view.components(raw.split(view.repetition, 1)[0]), *[""] * 10]
    return parts[0] or parts[9] or parts[2] or UNSET


def quantity(view: View, raw: str, where: str) -> Any:
    """NM or CQ."""
    parts = [*view.components(raw), ""]
    found = decimal(parts[0])
    if found is None:
        view.leave_out("bad-number", where, "This is no number; it was left out.")
        return UNSET
    return Quantity(found, parts[1].split(view.subcomponent, 1)[0] or None)


def amount(view: View, raw: str, unit: str, where: str) -> Any:
    """NM whose unit (CE or CWE) stands in a field of its own."""
    found = quantity(view, view.first(raw), where)
    parts = view.components(unit.split(view.repetition, 1)[0])
    return found if found is UNSET else structs.replace(found, unit=next(filter(None, parts[:2]), None))


def display(view: View, raw: str, where: str) -> Any:
    """What a CE or CWE is called: its text, else its code."""
    parts = [*view.components(raw.split(view.repetition, 1)[0]), ""]
    return parts[1] or parts[0] or UNSET


def decimal(found: str) -> str | None:
    """A number as exact text, `None` where it is none; `.5` and `5.` get the zero that JSON wants."""
    if not _DECIMAL.fullmatch(found):
        return None
    head, mark, tail = found.partition(".")
    if not mark:
        return found
    digits, exponent = (*re.split(r"(?=[eE])", tail, maxsplit=1), "")[:2]
    head = head if head[-1:].isdigit() else head + "0"
    return f"{head}.{digits}{exponent}" if digits else head + exponent


def money(view: View, raw: str, where: str, currency: str, times: Fraction | None = Fraction(1)) -> Any:
    """CP or MO in minor units, exactly; an amount finer than the currency's minor unit is left out and reported.

    `times` is how often it is to be paid; `None`: that is unknown.
    """
    parts = raw.split(view.repetition, 1)[0].split(view.component, 1)[0].split(view.subcomponent)
    found = decimal(view.clean(parts[0]))
    unit = (view.clean(parts[1]) if len(parts) > 1 else "") or currency
    unit = unit.upper() if re.fullmatch(r"[A-Za-z]{3}", unit) else currency
    places = 0 if unit in _NO_MINOR_UNITS else 3 if unit in _THREE_MINOR_UNITS else 2
    minor = None
    # More digits than that are no amount of money, and no database keeps them exactly.
    if found is not None and times is not None and "e" not in found.lower() and len(found) <= MOST_DIGITS:
        exact = Fraction(found) * times * 10**places
        if exact.denominator == 1 and abs(exact.numerator) < 10 ** (15 + places):
            minor = exact.numerator
    if minor is None:
        view.leave_out("bad-amount", where, "This is no exact amount of money; it was left out.")
        return UNSET
    return Money(minor, unit)


READERS: dict[str, Reader] = {
    "text": text,
    "texts": texts,
    "codes": codes,
    "number": number,
    "date": date,
    "datetime": date_time,
    "boolean": boolean,
    "integer": integer,
    "coding": coding,
    "concept": concept,
    "identifiers": identifiers,
    "names": people.names,
    "addresses": people.addresses,
    "district": people.district,
    "contacts": people.contacts,
    "location": location,
    "organization-name": organization_name,
    "quantity": quantity,
    "display": display,
}
"""Data types a table may name under `as`, besides those `fields.py` builds from settings and code tables."""
