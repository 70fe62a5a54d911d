"""The numbers that make two source patients one person; what else does is scored (`pairs.py`).

A number links where its namespace (assigning authority and type) is the same; a valid resident identity number whoever
is named as its authority, in either of its forms. A number whose sender names no authority links only together with an
agreeing name and birth date. A number of a document must look like one, and what the record says of its person must
not contradict it.
"""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from hcrm_core.identity.documents import (
    MOBILE,
    PERSONAL,
    RESIDENT,
    contradicted,
    may_be_a_document,
    plain,
    resident_number,
)
from hcrm_core.identity.nobody import stands_for_nobody
from hcrm_core.store.queries.links import IdentifierRow

NOT_PERSONAL = frozenset({"AN", "VN", "ANON", "BA", "DN", "LN", "MD", "NPI", "RN", "TN", "EI"})
"""HL7 table 0203 types that number an account, a visit or a member of staff and never link patients."""


def identifier_rows(
    patient_id: str, fields: Mapping[str, Any], token: Callable[..., str], by_hand: bool = False
) -> list[IdentifierRow]:
    """The numbers of a patient as tokens.

    Args:
        patient_id: Whose.
        fields: The folded fields of the `Patient`, sealed ones included.
        token: `Codec.token`.
        by_hand: It is the patient of an edit, which belongs to whom it edits and links nobody else.
    """
    rows: dict[str, IdentifierRow] = {}
    for identifier in fields.get("identifier") or ():
        system, kind, value = identifier["system"], identifier.get("type") or "", identifier["value"]
        key = token("identifier", system, kind, value)
        resident = resident_number(value) if kind in PERSONAL else None
        another_s = resident and contradicted(resident, fields.get("birth_date"), fields.get("gender"))
        link: str | None = key
        if by_hand or another_s or kind in NOT_PERSONAL or is_placeholder(kind, value):
            link = None
        elif identifier.get("sender_scoped"):
            agreement = _name_and_birth(fields)
            link = token("identifier+person", system, kind, value, *agreement) if agreement else None
        elif resident:
            link = token("resident", resident)
        rows[key] = IdentifierRow(patient_id, key, link)
    return list(rows.values())


def is_placeholder(kind: str, value: str) -> bool:
    """Whether a number stands for nobody, or cannot be what its type says.

    A resident identity number must be a valid one (GB 11643-1999). The number of another document has a digit and five
    characters at least, is no phone's, and with eighteen digits the check digit of a resident number.
    """
    number = plain(value)
    if kind not in PERSONAL:
        return stands_for_nobody(number, counted=True)
    if resident_number(number):
        return False
    of_eighteen = len(number) == 18 and number[:17].isdecimal()
    return kind in RESIDENT or of_eighteen or bool(MOBILE.fullmatch(number)) or not may_be_a_document(number)


def _name_and_birth(fields: Mapping[str, Any]) -> tuple[str, str] | None:
    names, birth = fields.get("name") or (), fields.get("birth_date")
    if not names or not birth:
        return None
    name = names[0]
    whole = name.get("text") or "".join((name.get("family") or "", *name.get("given", ())))
    letters = "".join(c for c in unicodedata.normalize("NFKC", whole).casefold() if c.isalnum())
    return (letters, birth) if letters else None
