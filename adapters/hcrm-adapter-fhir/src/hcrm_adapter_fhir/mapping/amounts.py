"""Numbers: quantities, money in minor units, ranges and the values of results that are kept as text. All exact."""

import re
from typing import Any

from hcrm_adapter_fhir.mapping.concepts import codes_of
from hcrm_adapter_fhir.mapping.people import text_of, wrong
from hcrm_adapter_fhir.mapping.view import View
from hcrm_adapter_fhir.reader import Number
from hcrm_core.api import UNSET, Money, Quantity

COMPARATORS = frozenset({"<", "<=", ">=", ">"})
LONGEST = 40
"""Digits of a number; FHIR asks for 18."""

_NO_MINOR_UNITS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF"})
_THREE_MINOR_UNITS = frozenset({"KWD", "BHD", "OMR", "JOD", "TND", "IQD", "LYD"})
_CURRENCY = re.compile(r"[A-Z]{3}")


def decimal(found: Any) -> str | None:
    """A JSON number as exact text, digits as sent; `None` where it is none or longer than any amount is."""
    if type(found) is int:
        # Python refuses to write out integers of thousands of digits.
        return str(found) if abs(found) < 10**LONGEST else None
    return str(found) if isinstance(found, Number) and len(found) <= LONGEST else None


def quantity(view: View, found: list[Any], where: str) -> Any:
    """A Quantity, or a number alone; one without a value says nothing."""
    one = found[0]
    if not isinstance(one, dict):
        value = decimal(one)
        return Quantity(value) if value is not None else wrong(view, where)
    if one.get("value") is None:
        return None
    value = decimal(one["value"])
    if value is None:
        return wrong(view, where)
    comparator = one.get("comparator")
    if comparator is not None and comparator not in COMPARATORS:
        view.report("unknown-code", f"{where}.comparator", "FHIR has no such code here; the value was left out.")
        return UNSET
    return Quantity(value, text_of(one.get("unit")) or text_of(one.get("code")), comparator)


def days(view: View, found: list[Any], where: str) -> Any:
    """A Quantity of whole days or weeks as days."""
    made = quantity(view, found, where)
    if not isinstance(made, Quantity):
        return made
    unit = (found[0].get("code") or found[0].get("unit") or "d") if isinstance(found[0], dict) else "d"
    factor = {"d": 1, "day": 1, "days": 1, "天": 1, "wk": 7, "week": 7, "weeks": 7, "周": 7}.get(str(unit).lower())
    whole, _, fraction = made.value.partition(".")
    if factor is None or fraction.strip("0") or not whole.isdigit() or len(whole) > 6:
        view.report("bad-duration", where, "This is no whole number of days; it was left out.")
        return UNSET
    return int(whole) * factor


def money(view: View, found: list[Any], where: str) -> Any:
    """A Money in minor units of its currency, exactly; what is finer than those is left out and reported."""
    one = found[0]
    if not isinstance(one, dict):
        return wrong(view, where)
    if one.get("value") is None:
        return None
    stated = one.get("currency")
    currency = stated if isinstance(stated, str) and _CURRENCY.fullmatch(stated) else view.source.currency
    minor = minor_units(one["value"], currency)
    if minor is None:
        view.report("bad-amount", where, "This is no exact amount of money; it was left out.")
        return UNSET
    return Money(minor, currency)


def minor_units(found: Any, currency: str) -> int | None:
    """A JSON number as minor units of a currency; `None` where that is not exact."""
    places = 0 if currency in _NO_MINOR_UNITS else 3 if currency in _THREE_MINOR_UNITS else 2
    text = decimal(found)
    if text is None or "e" in text.lower():
        return None
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.lstrip("-").partition(".")
    fraction = fraction.rstrip("0")
    # More digits than that are no amount of money, and no database keeps them exactly.
    if len(fraction) > places or len(whole) > 15:
        return None
    return sign * int(whole + fraction.ljust(places, "0"))


def charge_or_credit(view: View, found: list[Any], where: str) -> Any:
    """HL7 table 0017: a negative price is a credit."""
    value = decimal(found[0].get("value")) if isinstance(found[0], dict) else None
    return None if value is None else "CD" if value.startswith("-") else "CG"


def reference_range(view: View, found: list[Any], where: str) -> Any:
    """The normal range as text: its own, else `low-high`, `>=low` or `<=high`."""
    ranges = [one for one in found if isinstance(one, dict)]
    if not ranges:
        return wrong(view, where)
    normal = [one for one in ranges if "normal" in codes_of(one.get("type")) or not one.get("type")]
    one = (normal or ranges)[0]
    return text_of(one.get("text")) or between(one) or None


def between(one: dict[str, Any]) -> str:
    """A Range as text."""
    low, high = (_value(one.get(name)) for name in ("low", "high"))
    if low and high:
        return f"{low}-{high}"
    return f">={low}" if low else f"<={high}" if high else ""


def written_value(view: View, found: list[Any], where: str) -> Any:
    """A value of a result that has no field of its own, as text: string, boolean, time, Range, Ratio or Period."""
    one = found[0]
    if isinstance(one, bool):
        return "true" if one else "false"
    if isinstance(one, str):
        return text_of(one)
    if not isinstance(one, dict):
        return wrong(view, where)
    if "numerator" in one or "denominator" in one:
        parts = [_value(one.get("numerator")), _value(one.get("denominator"))]
        return ":".join(parts) if all(parts) else None
    if "start" in one or "end" in one:
        return "-".join(text_of(one.get(name)) or "" for name in ("start", "end"))
    return _with_unit(one) or None


def _with_unit(one: dict[str, Any]) -> str:
    text = between(one)
    for name in ("low", "high"):
        part = one.get(name)
        unit = text_of(part.get("unit")) if isinstance(part, dict) else None
        if text and unit:
            return f"{text} {unit}"
    return text


def _value(found: Any) -> str:
    value = decimal(found.get("value")) if isinstance(found, dict) else None
    return value or ""
