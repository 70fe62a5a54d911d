"""Numbers and amounts of money as people write them, exactly."""

import re
import unicodedata

_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII)
_SIGNS = re.compile(r"^(?:rmb|cny|￥|¥|人民币)|(?:元整|元|圆|rmb|cny)$")
_LONGEST = 100
"""Characters a number may have; what is longer is none."""

_NO_MINOR_UNITS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF"})
_THREE_MINOR_UNITS = frozenset({"KWD", "BHD", "OMR", "JOD", "TND", "IQD", "LYD"})


def half_width(text: str) -> str:
    """Text with full-width digits, signs and blanks made ordinary, in lower case, without blanks around it."""
    return unicodedata.normalize("NFKC", text).replace("−", "-").replace("–", "-").strip().lower()


def decimal(text: str) -> str | None:
    """A number as exact text, `None` where it is none; commas may group thousands, and `.5` gets its zero."""
    if len(text) > _LONGEST:
        return None
    found = half_width(text)
    if _GROUPED.fullmatch(found):
        found = found.replace(",", "")
    if not _DECIMAL.fullmatch(found):
        return None
    mantissa, mark, exponent = found.partition("e")
    head, _, tail = mantissa.partition(".")
    head = head if head[-1:].isdigit() else head + "0"
    return (f"{head}.{tail}" if tail else head) + (f"e{exponent}" if mark else "")


def integer(text: str) -> int | None:
    """A whole number, `None` where it is none."""
    found = decimal(text)
    if found is None or not re.fullmatch(r"[+-]?\d{1,15}(\.0+)?", found):
        return None
    return int(found.partition(".")[0])


def minor_units(text: str, currency: str, *, minor: bool) -> int | None:
    """An amount of money in minor units, `None` where it is none, or finer than they are.

    Args:
        text: `1234.5`, `¥1,234.50`, `１２３４元`; in brackets it is negative.
        currency: ISO 4217.
        minor: Whether the amount is in minor units already (分).
    """
    if len(text) > _LONGEST:
        return None
    found = half_width(text)
    bracketed = re.fullmatch(r"\((.*)\)", found)
    found = (bracketed[1] if bracketed else found).strip()
    sign = found[:1] if found[:1] in "+-" else ""
    found = _SIGNS.sub("", _SIGNS.sub("", found.removeprefix(sign).strip())).strip()
    exact = None if sign and (bracketed or found[:1] in "+-") else decimal(sign + found)
    if exact is None or "e" in exact:
        return None
    places = 0 if minor or currency in _NO_MINOR_UNITS else 3 if currency in _THREE_MINOR_UNITS else 2
    whole, _, fraction = exact.lstrip("+-").partition(".")
    fraction = fraction.rstrip("0")
    # More digits than that are no amount of money, and no database keeps them exactly.
    if len(fraction) > places or len(whole.lstrip("0")) > 15:
        return None
    amount = int(whole + fraction.ljust(places, "0"))
    return -amount if exact.startswith("-") or bracketed else amount
