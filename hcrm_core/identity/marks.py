"""Marks: what of a fact may tie its patient to somebody else, as keyed tokens.

A patient's own phone, home address and name; the numbers of a policy and of a group's contract; and of each related
person the name with the phone and address that were said of them. Two patients who share a mark may be of one family
(`ties.py`). What stands for nobody, a number at work and an address that does not reach down to a door give no mark.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from hcrm_core.identity.kinship import relation_of
from hcrm_core.identity.nobody import stands_for_nobody
from hcrm_core.identity.profile import Name, names_of, phones_of
from hcrm_core.identity.sound import simplified
from hcrm_core.store.queries.households import MarkRow

Token = Callable[..., str]
Fields = Mapping[str, Any]

KINDS = frozenset({"Patient", "RelatedPerson", "Coverage"})
"""The kinds of facts that give marks."""

SHARED = frozenset({"phone", "address", "policy"})
"""The kinds of marks that several patients are looked up by; of the others `name` says who is meant, and `group` by
whose contract somebody comes."""

_DIGITS = 15
"""Of a token: sixty bits, which both databases hold as a number."""
_VILLAGE = re.compile(r"[村屯寨庄]")
_PARTS = re.compile(r"\d+|[^\W\d_]+")


class Told(NamedTuple):
    """A fact of one of `KINDS` that changed.

    Attributes:
        kind: Of the fact.
        patient_id: Whose it is.
        former_id: Whose it was; `None` where it is new.
        fields: Folded; empty where it became void.
    """

    kind: str
    patient_id: str | None
    former_id: str | None
    fields: Fields


def together(first: Mapping[str, Told], then: Mapping[str, Told]) -> dict[str, Told]:
    """What two settlings of one batch told: the end of the second, the beginning of the first."""
    found = {
        fact: one._replace(former_id=first[fact].former_id) if fact in first else one for fact, one in then.items()
    }
    return {**first, **found}


def marks_of(fact_id: str, told: Told, token: Token) -> set[MarkRow]:
    """The marks a fact gives.

    Args:
        fact_id: Its id.
        told: What it says, sealed fields included.
        token: `Codec.token`.
    """
    kind, patient_id, _, fields = told
    if not fields or patient_id is None:
        return set()
    if kind == "Coverage":
        contracts = _contracts(fields)
        return {MarkRow(patient_id, fact_id, _number(token, *one), one[0], 0, 0, None) for one in contracts}
    at_home = [one for one in fields.get("telecom") or () if one.get("use") != "work"]
    relation = relation_of(fields) if kind == "RelatedPerson" else None
    if relation == "self" or fields.get("active") is False:
        return set()
    person, surname = _who(names_of(fields), token)
    phones = phones_of({**fields, "telecom": at_home})
    keys = [("phone", phone) for phone in phones] + [("address", door) for door in _doors(fields)]
    rows = {MarkRow(patient_id, fact_id, _number(token, *key), key[0], person, surname, relation) for key in keys}
    if person:
        rows.add(MarkRow(patient_id, fact_id, person, "name", person, surname, relation))
    return rows


def _contracts(fields: Fields) -> list[tuple[str, ...]]:
    """What tells a coverage's policy from others, and its group's contract, which is one payor's."""
    policy, group = (_number_in(fields.get(name)) for name in ("subscriber_id", "group_number"))
    found: list[tuple[str, ...]] = []
    if len(policy) >= 5 and not stands_for_nobody(policy):
        found.append(("policy", policy))
    if group and not stands_for_nobody(group):
        found.append(("group", simplified(fields.get("payor") or ""), group))
    return found


def _number_in(text: str | None) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text or "") if c.isalnum()).upper()


def _who(names: Sequence[Name], token: Token) -> tuple[int, int]:
    """A name by its sound, and the family name by its; 0 where there is none."""
    if not names:
        return 0, 0
    name = names[0]
    family = min(name.families, default="") if name.family else ""
    return _number(token, "person", min(name.sounds)), _number(token, "surname", family) if family else 0


def _doors(fields: Fields) -> list[str]:
    """The home addresses that reach down to a door: a street or estate, and a house with a room in it."""
    found = []
    for address in fields.get("address") or ():
        text = unicodedata.normalize("NFKC", "".join(address.get("line") or ())).casefold()
        parts = _PARTS.findall(simplified(text))
        numbers = [part for part in parts if part.isdecimal()]
        if len(numbers) < (1 if _VILLAGE.search(text) else 2) or not parts or parts[0].isdecimal():
            continue
        place = simplified(address.get("district") or address.get("city") or "")
        found.append(" ".join((place, parts[0], *numbers)))
    return found


def _number(token: Token, *parts: str) -> int:
    return int(token("family", *parts)[:_DIGITS], 16)
