"""The golden record: one picture of a customer from the patients linked to it, each field with its statement.

Survivorship is recency for now: of the patients that say a field, the one whose record was stated last wins.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from hcrm_core.store.codec import Codec
from hcrm_core.store.queries.facts import FactRow


class Field(NamedTuple):
    """One field of a customer: its value, and the fact and message that said it last."""

    value: Any
    patient_id: str
    message_id: int
    said_at: int


def golden(patients: Iterable[FactRow], codec: Codec) -> dict[str, Field]:
    """The fields of a customer.

    Args:
        patients: The Patient facts linked to the customer.
        codec: Opens what is sealed.

    Returns:
        Field name → the surviving value; `identifier` holds those of all patients.
    """
    found: dict[str, Field] = {}
    numbers: dict[tuple[str, ...], dict[str, Any]] = {}
    # Ascending, so that the latest statement overwrites; the id settles what stamps leave open.
    for row in sorted((row for row in patients if not row.void), key=lambda row: (row.stamp, row.fact_id)):
        for name, value in fields_of(row, codec).items():
            found[name] = Field(value, row.fact_id, row.message_id, row.said_at)
            if name == "identifier":
                numbers |= {(one["system"], one.get("type") or "", one["value"]): one for one in value}
    if "identifier" in found:
        everyone = [numbers[key] for key in sorted(numbers)]
        found["identifier"] = found["identifier"]._replace(value=everyone)
    return found


def fields_of(row: FactRow, codec: Codec) -> dict[str, Any]:
    """All fields of a fact, the sealed ones opened."""
    fields: dict[str, Any] = msgspec.json.decode(row.body)
    if row.sealed is not None:
        fields |= msgspec.json.decode(codec.open(row.sealed))
    return fields


def display_name(names: Iterable[Mapping[str, Any]] | None) -> str:
    """A name as people write it: Chinese family name first and unspaced, others given name first."""
    for name in names or ():
        if whole := name.get("text"):
            return str(whole)
        family, given = name.get("family") or "", list(name.get("given", ()))
        if any("\u3400" <= letter <= "\u9fff" for letter in family + "".join(given)):
            return family + "".join(given)
        return " ".join((*given, family)).strip()
    return ""
