"""What makes two source patients one person. Scored matching will offer further link tokens here.

A number links where its namespace (assigning authority and type) is the same. A number whose sender names no authority
links only together with an agreeing name and birth date; where those disagree the pair is left for review.
"""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from hcrm_core.store.queries.links import IdentifierRow

NOT_PERSONAL = frozenset({"AN", "VN", "ANON", "BA", "DN", "LN", "MD", "NPI", "RN", "TN", "EI"})
"""HL7 table 0203 types that number an account, a visit or a member of staff and never link patients."""

_CHINESE_ID_TYPES = frozenset({"NI", "NNCHN", "SS", "CZ"})
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def identifier_rows(patient_id: str, fields: Mapping[str, Any], token: Callable[..., str]) -> list[IdentifierRow]:
    """The numbers of a patient as tokens.

    Args:
        patient_id: Whose.
        fields: The folded fields of the `Patient`, sealed ones included.
        token: `Codec.token`.
    """
    rows: dict[str, IdentifierRow] = {}
    agreement = _name_and_birth(fields)
    for identifier in fields.get("identifier") or ():
        system, kind, value = identifier["system"], identifier.get("type") or "", identifier["value"]
        key = token("identifier", system, kind, value)
        link: str | None = key
        if kind in NOT_PERSONAL or is_placeholder(kind, value):
            link = None
        elif identifier.get("sender_scoped"):
            link = token("identifier+person", system, kind, value, *agreement) if agreement else None
        rows[key] = IdentifierRow(patient_id, key, link)
    return list(rows.values())


def is_placeholder(kind: str, value: str) -> bool:
    """Whether a number stands for nobody: one repeated digit, or a Chinese identity number that cannot be.

    The check digit is that of GB 11643-1999 (ISO 7064 MOD 11-2).
    """
    digits = value.replace("-", "").replace(" ", "").upper()
    if len(set(digits)) <= 1 and (len(digits) >= 5 or digits.strip("0") == "" or not digits.isdecimal()):
        return True
    if kind in _CHINESE_ID_TYPES and len(digits) == 18 and digits[:17].isdecimal():
        total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits[:17], strict=True))
        return _CHECK[total % 11] != digits[17]
    return False


def _name_and_birth(fields: Mapping[str, Any]) -> tuple[str, str] | None:
    names, birth = fields.get("name") or (), fields.get("birth_date")
    if not names or not birth:
        return None
    name = names[0]
    whole = name.get("text") or "".join((name.get("family") or "", *name.get("given", ())))
    letters = "".join(c for c in unicodedata.normalize("NFKC", whole).casefold() if c.isalnum())
    return (letters, birth) if letters else None
