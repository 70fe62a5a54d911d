"""FHIR R4 data types of what records hold (https://hl7.org/fhir/R4/datatypes.html)."""

import hashlib
import re
from typing import Any

from msgspec import Raw

from hcrm_adapter_simulator.keys import FACILITY

Json = dict[str, Any]
HL7 = "http://terminology.hl7.org/CodeSystem"
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


def resource_id(key: str) -> str:
    """The id of the resource of a record: its key without the hospital, a digest where FHIR allows no such id."""
    plain = re.sub(r"^(MR|VN)\|", "", key.removeprefix(f"{FACILITY}|")).removesuffix("+0800").replace("|", ".")
    return plain if _ID.fullmatch(plain) else hashlib.sha256(key.encode()).hexdigest()[:32]


def reference(kind: str, key: str | None) -> Json | None:
    """A Reference to the resource of a record; none without a key."""
    return {"reference": f"{kind}/{resource_id(key)}"} if key else None


def concept(coding: Json | None) -> Json | None:
    """A CodeableConcept of one Coding."""
    return {"coding": [coding]} if coding else None


def listed(one: Json | None) -> list[Json]:
    """What FHIR repeats and the record holds once."""
    return [one] if one else []


def code(system: str, value: str) -> Json:
    """A CodeableConcept of HL7's own terminology."""
    return {"coding": [{"system": f"{HL7}/{system}", "code": value}]}


def quantity(value: Json | None) -> Json | None:
    """A Quantity, its digits as the record has them."""
    return {**value, "value": Raw(value["value"].encode())} if value else None


def identifier(one: Json) -> Json:
    """An Identifier of a person."""
    return {"type": code("v2-0203", one["type"]), "system": one["system"], "value": one["value"]}


def address(one: Json) -> Json:
    """An Address."""
    return {"postalCode" if name == "postal_code" else name: value for name, value in one.items()}
