"""The conformance kit on FHIR: what a hospital's server sends, and what it makes of it."""

from typing import Any

import msgspec

from hcrm_adapter_fhir.adapter import FhirAdapter
from hcrm_core.api import HttpRequest, HttpResponse, SqlQuery
from hcrm_core.testing import adapter_kit

WRITTEN = "2026-03-10T10:30:00+08:00"


def resource(kind: str, id_: str, **elements: Any) -> dict[str, Any]:
    """A resource in its first version."""
    return {"resourceType": kind, "id": id_, "meta": {"versionId": "1", "lastUpdated": WRITTEN}, **elements}


def concept(code: str, display: str, system: str = "urn:hospital") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def to(kind: str, name: str) -> dict[str, str]:
    return {"reference": f"{kind}/{name}"}


PATIENT = resource(
    "Patient",
    "p1",
    identifier=[
        {"system": "urn:hospital:mrn", "value": "1001", "type": concept("MR", "住院号", "http://terminology.hl7.org/CodeSystem/v2-0203")},
        {"system": "urn:oid:2.16.156.10011.1.3", "value": "110101199003076543"},
    ],
    name=[{"use": "official", "family": "王", "given": ["芳芳"]}],
    telecom=[{"system": "phone", "value": "13812345678", "use": "mobile"}],
    gender="female",
    birthDate="1990-03-07",
    address=[{"use": "home", "line": ["解放路12号"], "city": "南京", "district": "玄武区", "state": "江苏"}],
    maritalStatus=concept("M", "已婚"),
    generalPractitioner=[to("Practitioner", "d1")],
)  # fmt: skip
WARD = resource("Location", "w3", name="三病区", status="active", identifier=[{"value": "W3"}])
HOSPITAL = resource("Organization", "h1", name="人民医院", active=True)
DOCTOR = resource("Practitioner", "d1", name=[{"family": "李", "given": ["建国"]}], active=True)
ROLE = resource(
    "PractitionerRole",
    "r1",
    active=True,
    practitioner=to("Practitioner", "d1"),
    organization=to("Organization", "h1"),
    specialty=[concept("394579002", "心内科")],
)
STAY = resource(
    "Encounter",
    "v1",
    status="in-progress",
    **{"class": {"code": "IMP", "display": "住院"}},
    subject=to("Patient", "p1"),
    period={"start": "2026-03-10T09:00:00+08:00"},
    participant=[{"type": [concept("ATND", "主治")], "individual": to("PractitionerRole", "r1")}],
    location=[{"location": {"reference": "Location/w3", "display": "三病区"}, "status": "active"}],
    serviceProvider=to("Organization", "h1"),
    diagnosis=[{"condition": to("Condition", "c1"), "rank": 1}],
)
DIAGNOSIS = resource(
    "Condition", "c1", subject=to("Patient", "p1"), encounter=to("Encounter", "v1"), code=concept("I10", "高血压")
)
PARTS = [
    {"code": concept("8480-6", "收缩压"), "valueQuantity": {"value": 142.0, "unit": "mmHg"}},
    {"code": concept("8462-4", "舒张压"), "valueQuantity": {"value": 91, "unit": "mmHg"}},
]
PRESSURE = resource(
    "Observation",
    "o1",
    status="final",
    code=concept("85354-9", "血压"),
    subject=to("Patient", "p1"),
    encounter=to("Encounter", "v1"),
    effectiveDateTime="2026-03-10T09:30:00+08:00",
    component=PARTS,
    extension=[{"url": "urn:hospital:device", "valueString": "袖带"}],
)
GLUCOSE = resource(
    "Observation",
    "o2",
    status="final",
    code=concept("15074-8", "血糖"),
    subject=to("Patient", "p1"),
    valueQuantity={"value": 7.80, "unit": "mmol/L", "comparator": ">="},
    referenceRange=[{"low": {"value": 3.9}, "high": {"value": 6.1}}],
    interpretation=[concept("H", "偏高")],
)
REPORT = resource(
    "DiagnosticReport",
    "dr1",
    status="final",
    code=concept("CHEM", "生化"),
    subject=to("Patient", "p1"),
    result=[to("Observation", "o2")],
)
BILL = resource(
    "ChargeItem", "ci1", status="billable", code=concept("DRUG01", "阿莫西林"), subject=to("Patient", "p1"),
    priceOverride={"value": 25.60, "currency": "CNY"},
)  # fmt: skip

SUBSET = {"tag": [{"code": "SUBSETTED"}], "versionId": "1", "lastUpdated": WRITTEN}
MOTHER = "urn:uuid:0d8ec2ce-9a5e-4b4e-9b79-2b6e29b1f4b3"
MEDICINE = "urn:uuid:6f2f1f0a-5d7c-4b55-8f1e-2c40b1a1f7b1"
TRANSACTION = {
    "resourceType": "Bundle",
    "type": "transaction",
    "timestamp": WRITTEN,
    "entry": [
        {
            "fullUrl": MOTHER,
            "resource": {"resourceType": "Patient", "name": [{"text": "赵母亲"}], "gender": "female"},
            "request": {"method": "POST", "url": "Patient"},
        },
        {
            "fullUrl": MEDICINE,
            "resource": {"resourceType": "Medication", "code": concept("A02BC01", "奥美拉唑")},
            "request": {"method": "POST", "url": "Medication"},
        },
        {
            "resource": {
                "resourceType": "MedicationRequest",
                "id": "m1",
                "status": "active",
                "intent": "order",
                "subject": {"reference": MOTHER},
                "medicationReference": {"reference": MEDICINE},
            },
            "request": {"method": "PUT", "url": "MedicationRequest/m1"},
        },
    ],
}
HISTORY = {
    "resourceType": "Bundle",
    "type": "history",
    "entry": [
        {
            "request": {"method": "DELETE", "url": "Observation/o2"},
            "response": {"status": "204", "lastModified": "2026-03-11T08:00:00+08:00"},
        },
    ],
}


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


class _Bundle(msgspec.Struct):
    resourceType: str
    type: str = ""
    entry: list[msgspec.Raw] = []


def made_of(payload: bytes) -> list[bytes]:
    """The part of a bundle that a message was put together from."""
    bundle = msgspec.json.decode(payload, type=_Bundle)
    if bundle.resourceType != "Bundle" or not bundle.entry:
        return [payload]
    first = bytes(bundle.entry[0])
    return [first if bundle.type == "history" else bytes(msgspec.json.decode(first, type=_Entry).resource)]


encode = msgspec.json.encode
DIRECTORY = [HOSPITAL, WARD, DOCTOR, ROLE]
WRAPPING = (
    rb'"(?:resourceType|type|entry|fullUrl|resource|request|method|url|timestamp)"\s*:\s*|'
    rb'"(?:Bundle|transaction|history|POST|PUT|Patient|Medication(?:Request/m1)?|urn:uuid:[0-9a-f-]+|2026-03-10T[^"]+)"|'
    rb"[\[\]{},:]"
)

BASE = "https://fhir.example.org/r4"


def searched(question: HttpRequest | SqlQuery) -> list[HttpResponse]:
    """A server with two pages of patients, one of stays, and of nothing else."""
    assert isinstance(question, HttpRequest)
    kind, _, query = question.url.removeprefix(f"{BASE}/").partition("?")
    page = [] if kind not in ("Patient", "Encounter") else [PATIENT] if kind == "Patient" else [STAY]
    first = kind == "Patient" and "page=2" not in query
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in page]}
    if first:
        bundle["link"] = [{"relation": "next", "url": f"{BASE}/Patient?page=2"}]
    elif kind == "Patient":
        bundle["entry"] = [{"resource": {**PATIENT, "id": "p2"}}]
    return [HttpResponse(status=200, body=encode(bundle))]


def exported(question: HttpRequest | SqlQuery) -> list[HttpResponse]:
    """A server that makes an export of one file, given in pieces of a line."""
    assert isinstance(question, HttpRequest)
    if question.url.startswith(f"{BASE}/$export"):
        return [HttpResponse(status=202, headers={"content-location": f"{BASE}/status"})]
    if question.url == f"{BASE}/file":
        left = [encode({**PATIENT, "id": f"p{number}"}) + b"\n" for number in range(4)][question.skip :]
        return [
            HttpResponse(status=200, body=line, line=question.skip + place, last=place == len(left) - 1)
            for place, line in enumerate(left)
        ]
    if question.method == "DELETE":
        return [HttpResponse(status=202)]
    listed = {"transactionTime": WRITTEN, "output": [{"type": "Patient", "url": f"{BASE}/file"}]}
    return [HttpResponse(status=200, body=encode(listed))]


TestFhir = adapter_kit(
    FhirAdapter,
    samples={
        "patient.json": encode(PATIENT),
        "ward.ndjson": b"\n".join(map(encode, (*DIRECTORY, STAY, DIAGNOSIS, PRESSURE, GLUCOSE, REPORT, BILL))),
        "list.json": encode([PATIENT, STAY]),
        "transaction.json": encode(TRANSACTION),
        "history.json": encode(HISTORY),
    },
    settings={"timezone": "Asia/Shanghai", "url": BASE},
    serves=searched,
    says=[
        ("Patient", "telecom", encode(PATIENT), encode({k: v for k, v in PATIENT.items() if k != "telecom"}),
         encode({**{k: v for k, v in PATIENT.items() if k != "telecom"}, "meta": SUBSET})),
    ],
    shuffled=(encode(PRESSURE), encode({**PRESSURE, "component": PARTS[::-1]})),
    complete=(encode(PRESSURE), encode({**PRESSURE, "component": PARTS[:1]})),
    wrapping=WRAPPING,
    made_of=made_of,
    exempt={"A19": "FHIR is always UTF-8."},
)  # fmt: skip
TestValidated = adapter_kit(
    FhirAdapter,
    samples={"patient.json": encode(PATIENT), "ward.ndjson": encode(STAY)},
    settings={"timezone": "Asia/Shanghai", "validate": True, "url": BASE, "method": "export"},
    serves=exported,
    exempt=dict.fromkeys(("A04", "A10", "A12", "A13", "A14", "A16", "A19", "A17"), "The first class shows it."),
)
