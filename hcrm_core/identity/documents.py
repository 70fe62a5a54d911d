"""Numbers of documents that a person has; among them the resident identity number of GB 11643-1999.

The number has a form of fifteen digits from before 1999. It states its holder's birth date and sex.
"""

import re
import unicodedata
from datetime import date
from functools import lru_cache
from operator import mul

from hcrm_core.identity.nobody import stands_for_nobody

RESIDENT = frozenset({"NI", "NNCHN"})
"""HL7 table 0203 types of numbers that are resident identity numbers."""

PERSONAL = RESIDENT | {"SS", "CZ", "PPN", "PPC", "DL", "NNTWN", "NNHKG", "NNMAC"}
"""HL7 table 0203 types of numbers that a person has and not a hospital gives."""

MOBILE = re.compile(r"1[3-9]\d{9}")
"""A Chinese mobile phone's number, which is no document's."""

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


def contradicted(resident: str, birth_date: str | None, sex: str | None) -> bool:
    """Whether a record says of its person what its resident number denies, beyond a slip: it is another's, a mother's.

    It is where year, month and day are all otherwise, or two of them and the sex. Day and month exchanged are one slip.
    A birth date that is no whole day, or 1 January, which is written for a day nobody knows, contradicts nothing.

    Args:
        resident: As `resident_number` makes it.
        birth_date, sex: Of the record, `YYYY-MM-DD` and `male` or `female`.
    """
    said = (birth_date or "").replace("-", "")
    if len(said) != 8 or said.endswith("0101"):
        return False
    number = resident[6:14]
    wrong = sum(said[part] != number[part] for part in (slice(4), slice(4, 6), slice(6, 8)))
    if wrong == 2 and said == number[:4] + number[6:] + number[4:6]:
        return False
    other_sex = {"male": "female", "female": "male"}.get(sex or "") == _sex(resident)
    return wrong == 3 or (wrong == 2 and other_sex)


def _sex(resident: str) -> str:
    return "male" if int(resident[16]) % 2 else "female"


def may_be_a_document(number: str) -> bool:
    """Whether a number, as `plain` makes it, may be that of a document: five characters, a digit among them."""
    return len(number) >= 5 and any(map(str.isdecimal, number)) and not stands_for_nobody(number)


def check_digit(digits: str) -> str:
    """The last digit that belongs to the first seventeen."""
    return _CHECK[sum(map(mul, _WEIGHTS, map(int, digits[:17]))) % 11]


def plain(value: str) -> str:
    """A number as it is compared: without blanks and hyphens, of the usual width, letters in capitals."""
    usual = value if value.isascii() else unicodedata.normalize("NFKC", value)
    return usual.replace("-", "").replace(" ", "").upper()
