"""What the races of FHIR read: lines of a bulk export, half patients, half results. Synthetic."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

ROUND = 1_000
"""Patients after whom their results follow."""

# People differ as people do, lest they be taken for one another.
_FAMILIES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方"
)
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英文辉力健世广志义兴良海山仁波宁贵福生龙元全国胜学祥才发武新利清飞彬富"
)
_FIRST = date(1935, 1, 1).toordinal()
_DAYS = 30_000


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
            {
                "use": "official",
                "system": "urn:oid:2.16.156.10011.1.3",
                "value": f"{310101 + number * 7919 % 9000}1979{number:08}",
            },
        ],
        "name": [{"use": "official", "family": _FAMILIES[number % len(_FAMILIES)], "given": [_given(number)]}],
        "telecom": [{"system": "phone", "value": f"13{number * 7919 % 10**9:09}", "use": "mobile"}],
        "gender": ("male", "female")[number % 2],
        "birthDate": date.fromordinal(_FIRST + number * 7919 % _DAYS).isoformat(),
        "address": [
            {"use": "home", "line": [f"解放路{number}号"], "city": "南京", "district": "玄武区", "state": "江苏"}
        ],
        "maritalStatus": _coded("v3-MaritalStatus", "M"),
        "managingOrganization": {"reference": "Organization/1"},
    }


def _given(number: int) -> str:
    other, count = number // len(_FAMILIES), len(_GIVEN)
    return _GIVEN[other % count] + _GIVEN[other // count % count]


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
