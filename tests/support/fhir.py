"""Resources of one hospital as a FHIR server gives them."""

import json
from typing import Any

WRITTEN = "2026-03-10T10:30:00+08:00"
PRIVATE = ("王", "芳芳", "13812345678", "110101199003076543", "解放路12号")
"""What must never reach standard error."""


def resource(kind: str, id_: str, version: int = 1, written: str = WRITTEN, **elements: Any) -> dict[str, Any]:
    """A resource in a version."""
    meta = {"versionId": str(version), "lastUpdated": written}
    return {"resourceType": kind, "id": id_, "meta": meta, **elements}


def patient(id_: str, version: int = 1, written: str = WRITTEN, **elements: Any) -> dict[str, Any]:
    """Somebody."""
    given = {
        "identifier": [{"system": "urn:hospital:mrn", "value": f"MR{id_}"}],
        "name": [{"family": "王", "given": ["芳芳"]}],
        "gender": "female",
        "birthDate": "1990-03-07",
    }
    return resource("Patient", id_, version, written, **{**given, **elements})


def observation(id_: str, of: str, value: float = 5.4, version: int = 1, written: str = WRITTEN) -> dict[str, Any]:
    """A glucose."""
    return resource(
        "Observation",
        id_,
        version,
        written,
        status="final",
        code={"coding": [{"system": "http://loinc.org", "code": "15074-8", "display": "血糖"}]},
        subject={"reference": f"Patient/{of}"},
        valueQuantity={"value": value, "unit": "mmol/L"},
    )


def ndjson(*resources: dict[str, Any]) -> bytes:
    """A resource a line."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in resources).encode()


def bundle(type_: str, *entries: dict[str, Any], **elements: Any) -> dict[str, Any]:
    """A bundle of entries."""
    return {"resourceType": "Bundle", "type": type_, **elements, "entry": list(entries)}
