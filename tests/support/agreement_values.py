"""Facts as they are compared between two engines: formats made equal, content left alone.

What is made equal: instants (by their moment, not their zone), telephone numbers (by their digits), addresses of code
systems (by the table's own name) and the order of what repeats. Letters, spelling, precision and codes stay as they
are.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple


class Fact(NamedTuple):
    """One thing that is said of one record.

    `identity` tells records of a kind in one message apart by what they say; a patient and a stay are alone of their
    kind there, and theirs is empty.
    """

    kind: str
    identity: str
    element: str
    value: str


SYSTEMS = {
    "http://loinc.org": "LN",
    "http://snomed.info/sct": "SCT",
    "http://unitsofmeasure.org": "UCUM",
    "https://terminology.hl7.org/CodeSystem-v2-0396.html#v2-0396-99zzzorL": "L",
}
"""Addresses of code systems and the names HL7 v2 has for them (table 0396)."""


def made(*parts: str | None) -> str:
    """Parts of a value as one text; empty where all of them are."""
    return "|".join(part or "" for part in parts).rstrip("|")


def instant(text: str | None) -> str:
    """A FHIR date as it is, a dateTime as its moment in UTC."""
    if not text or len(text) <= 10:
        return text or ""
    whole, fraction, zone = re.fullmatch(r"(.{19})(?:\.(\d+))?(.*)", text).groups()  # type: ignore[union-attr]
    moment = datetime.fromisoformat(whole + zone).astimezone(UTC).replace(tzinfo=None).isoformat()
    fraction = (fraction or "").rstrip("0")
    return f"{moment}.{fraction}" if fraction else moment


def telephone(text: str | None) -> str:
    """A number by its digits, anything else as it is."""
    digits = re.sub(r"[\s()+./-]", "", text or "")
    return digits if digits.isdigit() else text or ""


def system(name: str | None) -> str:
    """A code system by its HL7 v2 name; `HL70001` for the address of table 0001."""
    found = SYSTEMS.get((name or "").rstrip("/"), name or "")
    table = re.fullmatch(r"http://terminology\.hl7\.org/CodeSystem/v2-(\d{4})", found)
    return f"HL7{table[1]}" if table else found


def number(text: Any) -> str:
    """A decimal without zeros around it."""
    return f"{Decimal(str(text)).normalize():f}"
