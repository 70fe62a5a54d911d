"""The resident identity number of GB 11643-1999, and its form of fifteen digits from before 1999."""

from datetime import date
from functools import lru_cache
from operator import mul

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


@lru_cache(maxsize=65536)
def resident_number(value: str) -> str | None:
    """A valid number in its form of eighteen digits; `None` where it is none.

    Fifteen digits lack the century, which was the twentieth for everybody who got such a number, and the check digit
    (ISO 7064 MOD 11-2), which follows from the others.
    """
    digits = plain(value)
    if len(digits) == 15 and digits.isdecimal():
        digits = digits[:6] + "19" + digits[6:]
        digits += check_digit(digits)
    elif len(digits) != 18 or not digits[:17].isdecimal() or check_digit(digits) != digits[17]:
        return None
    try:
        born = date(int(digits[6:10]), int(digits[10:12]), int(digits[12:14]))
    except ValueError:
        return None
    return digits if digits[0] != "0" and born.year >= 1850 else None


def check_digit(digits: str) -> str:
    """The last digit that belongs to the first seventeen."""
    return _CHECK[sum(map(mul, _WEIGHTS, map(int, digits[:17]))) % 11]


def plain(value: str) -> str:
    """A number as it is compared: without blanks and hyphens, letters in capitals."""
    return value.replace("-", "").replace(" ", "").upper()
