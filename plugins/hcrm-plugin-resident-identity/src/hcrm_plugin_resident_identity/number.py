"""The resident identity number of GB 11643-1999: region (6 digits), birth (8), sequence (3, odd for men), check digit.

Numbers of fifteen digits are of before 1999: region, birth with a year of two digits (19..), sequence.
"""

import re
from datetime import date
from typing import Literal, NamedTuple

_FORM = re.compile(r"[1-9]\d{5}(?:(\d{8})(\d{3})([\dX])|(\d{6})(\d{3}))")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
"""ISO 7064 MOD 11-2: the check digit by the remainder of the weighted sum."""


class Said(NamedTuple):
    """What a number says of its holder; `birth_date` in ISO 8601."""

    birth_date: str
    gender: str


def read(number: str, *, declared: bool) -> Said | Literal[True] | None:
    """What a number says.

    Args:
        number: As sent.
        declared: Whether the source calls it an identity number (HL7 table 0203, `NI`). One of fifteen digits that it
            does not may be anything.

    Returns:
        `True` where it has the form of one, or is declared to be one, and cannot be; `None` where it is none.
    """
    text = number.strip().upper()
    found = _FORM.fullmatch(text)
    if found is None:
        return True if declared and re.fullmatch(r"\d{15}|\d{17}[\dX]", text) else None
    long, sequence, check, short, short_sequence = found.groups()
    if short and not declared:
        return None
    if check and _CHECKS[sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False)) % 11] != check:
        return True
    birth = _day(long or f"19{short}")
    if birth is None:
        return True
    return Said(birth, "male" if int(sequence or short_sequence) % 2 else "female")


def _day(digits: str) -> str | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
    except ValueError:
        return None
