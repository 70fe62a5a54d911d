"""The numbers that make two source patients one person; what else does is scored (`pairs.py`).

A number links where its namespace (assigning authority and type) is the same; a valid resident identity number whoever
is named as its authority, in either of its forms. A number whose sender names no authority links only together with an
agreeing name and birth date.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from hcrm_core.identity.documents import check_digit, plain, resident_number
from hcrm_core.store.queries.links import IdentifierRow

NOT_PERSONAL = frozenset({"AN", "VN", "ANON", "BA", "DN", "LN", "MD", "NPI", "RN", "TN", "EI"})
"""HL7 table 0203 types that number an account, a visit or a member of staff and never link patients."""

_CHINESE_ID_TYPES = frozenset({"NI", "NNCHN", "SS", "CZ"})
_MOBILE = re.compile(r"1[3-9]\d{9}")


def identifier_rows(patient_id: str, fields: Mapping[str, Any], token: Callable[..., str]) -> list[IdentifierRow]:
    """The numbers of a patient as tokens.

    Args:
        patient_id: Whose.
        fields: The folded fields of the `Patient`, sealed ones included.
        token: `Codec.token`.
    """
    rows: dict[str, IdentifierRow] = {}
    for identifier in fields.get("identifier") or ():
        system, kind, value = identifier["system"], identifier.get("type") or "", identifier["value"]
        key = token("identifier", system, kind, value)
        link: str | None = key
        if kind in NOT_PERSONAL or is_placeholder(kind, value):
            link = None
        elif identifier.get("sender_scoped"):
            agreement = _name_and_birth(fields)
            link = token("identifier+person", system, kind, value, *agreement) if agreement else None
        elif kind in _CHINESE_ID_TYPES and (resident := resident_number(value)):
            link = token("resident", resident)
        rows[key] = IdentifierRow(patient_id, key, link)
    return list(rows.values())


def is_placeholder(kind: str, value: str) -> bool:
    """Whether a number stands for nobody: one repeated digit, or a national one that cannot be.

    A national number cannot be with a wrong check digit (GB 11643-1999), or where it is a phone number.
    """
    digits = plain(value)
    if len(set(digits)) <= 1 and (len(digits) >= 5 or digits.strip("0") == "" or not digits.isdecimal()):
        return True
    if kind not in _CHINESE_ID_TYPES:
        return False
    if len(digits) == 18 and digits[:17].isdecimal():
        return check_digit(digits) != digits[17]
    return _MOBILE.fullmatch(digits) is not None


def _name_and_birth(fields: Mapping[str, Any]) -> tuple[str, str] | None:
    names, birth = fields.get("name") or (), fields.get("birth_date")
    if not names or not birth:
        return None
    name = names[0]
    whole = name.get("text") or "".join((name.get("family") or "", *name.get("given", ())))
    letters = "".join(c for c in unicodedata.normalize("NFKC", whole).casefold() if c.isalnum())
    return (letters, birth) if letters else None
