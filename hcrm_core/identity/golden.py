"""The golden record: one picture of a customer from the patients linked to it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from hcrm_core.config import GoldenSettings
from hcrm_core.model.survivorship import place_of
from hcrm_core.store.codec import Codec
from hcrm_core.store.queries.facts import FactRow
from hcrm_core.store.queries.log import VersionRow


class Word(NamedTuple):
    """What one patient says of a field; the value is `None` where it is said that nothing is known."""

    value: Any
    patient_id: str
    source: str
    said_at: int
    place: tuple[int | str, ...]


class Field(NamedTuple):
    """One field of a customer.

    Attributes:
        value: That stands.
        words: Of all patients that say something of it, the one that stands first.
    """

    value: Any
    words: tuple[Word, ...]

    @property
    def patient_id(self) -> str:
        """The patient whose word stands."""
        return self.words[0].patient_id


def golden(patients: Iterable[FactRow], codec: Codec, settings: GoldenSettings) -> dict[str, Field]:
    """The fields of a customer, whatever the order of the patients.

    Args:
        patients: The Patient facts linked to the customer.
        codec: Opens what is sealed.
        settings: Which word stands.

    Returns:
        Field name → what stands; `identifier` holds those of all patients. A field of which it stands that nothing is
        known has the value `None`.
    """
    words: dict[str, list[Word]] = {}
    numbers: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in sorted((row for row in patients if not row.void), key=lambda row: (row.said_at, row.fact_id)):
        for name, value in _said(row, codec).items():
            place = place_of(
                settings,
                name,
                value,
                source=row.source,
                said_at=row.said_at,
                patient_id=row.fact_id,
                replaced=row.replaced,
            )
            words.setdefault(name, []).append(Word(value, row.fact_id, row.source, row.said_at, place))
            if name == "identifier":
                numbers |= {(one["system"], one.get("type") or "", one["value"]): one for one in value}
    found = {}
    for name, said in words.items():
        said.sort(key=lambda word: word.place, reverse=True)
        found[name] = Field(said[0].value, tuple(said))
    if numbers:
        found["identifier"] = found["identifier"]._replace(value=[numbers[key] for key in sorted(numbers)])
    if "deceased_date_time" in found and not found["deceased"].value:
        del found["deceased_date_time"]
    return found


def values_of(fields: Mapping[str, Field]) -> dict[str, Any]:
    """What is known of a customer."""
    return {name: field.value for name, field in fields.items() if field.value is not None}


def _said(row: FactRow, codec: Codec) -> dict[str, Any]:
    """What a patient says, that nothing is known included."""
    said = fields_of(row, codec)
    cleared = said.pop("cleared", ())
    if said.get("deceased_date_time"):
        said["deceased"] = True  # who says when says that
    return dict.fromkeys(cleared) | said


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
