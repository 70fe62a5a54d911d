"""What the races of FHIR read: lines of a bulk export, half patients, half results. Synthetic."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

ROUND = 1_000
"""Patients after whom their results follow."""


def write(file: Path, count: int) -> Path:
    """Write so many resources as NDJSON; gives the file."""
    with file.open("wb") as stream:
        for line in _lines(count):
            stream.write(line)
    return file


def _lines(count: int) -> Iterator[bytes]:
    for start in range(0, count, 2 * ROUND):
        here = min(ROUND, (count - start + 1) // 2)
        for number in range(here):
            yield _encode(_patient(start + number))
        for number in range(min(here, count - start - here)):
            yield _encode(_observation(start + number))


def _encode(resource: dict[str, object]) -> bytes:
    return msgspec.json.encode(resource) + b"\n"


def _head(kind: str, number: int) -> dict[str, object]:
    written = f"2026-03-{number % 28 + 1:02}T{number % 24:02}:{number % 60:02}:00+08:00"
    return {"resourceType": kind, "id": f"{kind[0]}{number}", "meta": {"versionId": "1", "lastUpdated": written}}


def _patient(number: int) -> dict[str, object]:
    return _head("Patient", number) | {
        "active": True,
        "identifier": [
            {"use": "usual", "system": "urn:oid:1.2.156.1", "value": f"MR{number:08}", "type": _coded("v2-0203", "MR")},
            {"use": "official", "system": "urn:oid:2.16.156.10011.1.3", "value": f"3101011979{number:08}"},
        ],
        "name": [{"use": "official", "family": "示例", "given": ["患者", str(number)]}],
        "telecom": [{"system": "phone", "value": f"139{number:08}", "use": "mobile"}],
        "gender": ("male", "female")[number % 2],
        "birthDate": f"19{number % 60 + 40}-0{number % 9 + 1}-1{number % 9}",
        "address": [
            {"use": "home", "line": [f"解放路{number}号"], "city": "南京", "district": "玄武区", "state": "江苏"}
        ],
        "maritalStatus": _coded("v3-MaritalStatus", "M"),
        "managingOrganization": {"reference": "Organization/1"},
    }


def _observation(number: int) -> dict[str, object]:
    return _head("Observation", number) | {
        "status": "final",
        "category": [_coded("observation-category", "laboratory")],
        "code": {"coding": [{"system": "http://loinc.org", "code": "15074-8", "display": "葡萄糖"}], "text": "葡萄糖"},
        "subject": {"reference": f"Patient/P{number}"},
        "effectiveDateTime": f"2026-03-{number % 28 + 1:02}T08:00:00+08:00",
        "issued": f"2026-03-{number % 28 + 1:02}T09:00:00+08:00",
        "valueQuantity": {"value": number % 90 / 10 + 2, "unit": "mmol/L", "system": "http://unitsofmeasure.org"},
        "referenceRange": [{"low": {"value": 3.9, "unit": "mmol/L"}, "high": {"value": 6.1, "unit": "mmol/L"}}],
        "interpretation": [_coded("v3-ObservationInterpretation", "N")],
    }


def _coded(system: str, code: str) -> dict[str, object]:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}
