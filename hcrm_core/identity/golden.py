"""The golden record: one picture of a customer from the patients linked to it.

Survivorship is recency for now: of the patients that say a field, the one whose record was stated last wins.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from hcrm_core.store.codec import Codec
from hcrm_core.store.queries.facts import FactRow
from hcrm_core.store.queries.log import VersionRow


class Field(NamedTuple):
    """One field of a customer: its value, and the patient it was said of."""

    value: Any
    patient_id: str


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
            found[name] = Field(value, row.fact_id)
            if name == "identifier":
                numbers |= {(one["system"], one.get("type") or "", one["value"]): one for one in value}
    if "identifier" in found:
        everyone = [numbers[key] for key in sorted(numbers)]
        found["identifier"] = found["identifier"]._replace(value=everyone)
    return found


def last_mention(log: Iterable[VersionRow], field: str, codec: Codec) -> VersionRow:
    """The statement that gave a fact the value of one of its fields: of those that mention it, the last.

    Args:
        log: The live versions of the fact; one of them mentions the field.
        field: Its name.
        codec: Opens what is sealed.
    """
    mentions = [
        row
        for row in log
        if field in msgspec.json.decode(row.body)
        or (row.sealed is not None and field in msgspec.json.decode(codec.open(row.sealed)))
    ]
    return max(mentions, key=lambda row: row.stamp)


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
