"""Facts as FHIR R4 resources (https://hl7.org/fhir/R4/): what a hospital's FHIR server would hold of them."""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Raw

from hcrm_adapter_simulator.fhir_types import (
    HL7,
    Json,
    address,
    code,
    concept,
    identifier,
    listed,
    quantity,
    reference,
    resource_id,
)
from hcrm_adapter_simulator.instants import iso
from hcrm_adapter_simulator.keys import FACILITY
from hcrm_adapter_simulator.state import Known

ETHNICITY = f"urn:{FACILITY.lower()}:ethnicity"
"""The extension of Patient that holds the ethnic group; FHIR has no element for it."""

_ALLERGY_CATEGORY = {"DA": "medication", "FA": "food", "EA": "environment"}
_ALLERGY_SEVERITY = {"MI": ("mild", "low"), "MO": ("moderate", "low"), "SV": ("severe", "high")}


def resources(facts: Iterable[Known]) -> Iterator[Json]:
    """The resources of one person, or of the directory.

    Args:
        facts: All of them: a resource tells of several where FHIR has it so (a stay holds the ranks of its diagnoses).
    """
    whole = _Person(facts)
    for known in whole.facts:
        if known.kind == "PatientLink":
            continue
        made, told = _MAKERS[known.kind](known, whole)
        yield _resource(known.kind, known, made, told)
        if known.kind == "Organization":
            yield _resource("Location", known, _location(known), ())


def _resource(kind: str, known: Known, made: Json, told: Iterable[Known]) -> Json:
    """A resource with its version, which changes with every fact it tells."""
    told = (known, *told)
    meta = {"versionId": str(sum(one.versions for one in told)), "lastUpdated": iso(max(one.said for one in told))}
    full = {"resourceType": kind, "id": resource_id(known.key), "meta": meta, **made}
    return {name: value for name, value in full.items() if value not in (None, [], {})}


class _Person:
    """A person's facts, and which of them belong to which."""

    def __init__(self, facts: Iterable[Known]) -> None:
        self.facts = list(facts)
        self._parts: dict[tuple[str, str], list[Known]] = {}
        whose = {
            "Condition": "encounter",
            "Appointment": "encounter",
            "Observation": "report",
            "PatientLink": "patient",
        }
        for known in self.facts:
            if (name := whose.get(known.kind)) and (key := known.body.get(name)):
                self._parts.setdefault((known.kind, key), []).append(known)

    def parts(self, kind: str, of: Known) -> list[Known]:
        """The facts of a kind that belong to a fact."""
        return self._parts.get((kind, of.key), [])


Made = tuple[Json, Iterable[Known]]
"""The elements of a resource, and the facts it tells beside its own."""


def _patient(known: Known, whole: _Person) -> Made:
    body = known.body
    links = whole.parts("PatientLink", known)
    died = body.get("deceased_date_time")
    return {
        "extension": [{"url": ETHNICITY, "valueCoding": body["ethnicity"]}] if "ethnicity" in body else None,
        "identifier": [identifier(one) for one in body.get("identifier", ())],
        "active": body.get("active"),
        "name": body.get("name"),
        "telecom": body.get("telecom"),
        "gender": body.get("gender"),
        "birthDate": body.get("birth_date"),
        "deceasedDateTime": died,
        "deceasedBoolean": None if died else body.get("deceased"),
        "address": [address(one) for one in body.get("address", ())],
        "maritalStatus": concept(body.get("marital_status")),
        "link": [{"other": reference("Patient", one.body["other"]), "type": one.body["type"]} for one in links],
    }, links


def _related_person(known: Known, whole: _Person) -> Made:
    body = known.body
    return {
        "patient": reference("Patient", body["patient"]),
        "relationship": listed(body.get("relationship")),
        "name": body.get("name"),
        "telecom": body.get("telecom"),
    }, ()


def _practitioner(known: Known, whole: _Person) -> Made:
    number = {"system": FACILITY, "value": resource_id(known.key)}
    return {"identifier": [number], "name": known.body.get("name")}, ()


def _organization(known: Known, whole: _Person) -> Made:
    body = known.body
    return {
        "identifier": [{"system": FACILITY, "value": body["code"]}],
        "type": [code("organization-type", body["type"])],
        "name": body["name"],
    }, ()


def _location(known: Known) -> Json:
    """Where a department is: what a booking takes part in, since an Organization may not."""
    body = known.body
    return {
        "identifier": [{"system": FACILITY, "value": body["code"]}],
        "name": body["name"],
        "managingOrganization": reference("Organization", known.key),
    }


def _encounter(known: Known, whole: _Person) -> Made:
    body = known.body
    diagnoses, bookings = whole.parts("Condition", known), whole.parts("Appointment", known)
    place = body.get("location")
    people = (("ATND", body.get("attender")), ("ADM", body.get("admitter")))
    return {
        "status": body.get("status", "unknown"),
        "class": {"system": f"{HL7}/v3-ActCode", "code": body["class"]},
        "serviceType": concept(body.get("service_type")),
        "subject": reference("Patient", body["subject"]),
        "participant": [
            {"type": [code("v3-ParticipationType", role)], "individual": reference("Practitioner", key)}
            for role, key in people
            if key
        ],
        "appointment": [reference("Appointment", one.key) for one in bookings],
        "period": {end: body[f"period_{end}"] for end in ("start", "end") if f"period_{end}" in body},
        "diagnosis": [{"condition": reference("Condition", one.key), "rank": one.body["rank"]} for one in diagnoses],
        "hospitalization": {
            element: concept(body[name])
            for element, name in (("admitSource", "admit_source"), ("dischargeDisposition", "discharge_disposition"))
            if name in body
        },
        "location": [{"location": {"display": place}}] if place else None,
        "serviceProvider": reference("Organization", body.get("department")),
    }, (*diagnoses, *bookings)


def _appointment(known: Known, whole: _Person) -> Made:
    body = known.body
    actors = (("Patient", "subject"), ("Practitioner", "practitioner"), ("Location", "department"))
    return {
        "status": body["status"],
        "cancelationReason": body.get("cancelation_reason"),
        "appointmentType": body.get("appointment_type"),
        "reasonCode": listed(body.get("reason")),
        "start": body["start"],
        "end": body["end"],
        "minutesDuration": body["minutes_duration"],
        "participant": [{"actor": reference(kind, body[name]), "status": "accepted"} for kind, name in actors],
    }, ()


def _condition(known: Known, whole: _Person) -> Made:
    body = known.body
    return {
        "category": listed(concept(body.get("category"))),
        "code": body["code"],
        "subject": reference("Patient", body["subject"]),
        "encounter": reference("Encounter", body["encounter"]),
        "recordedDate": body.get("recorded_date"),
        "asserter": reference("Practitioner", body.get("asserter")),
    }, ()


def _allergy(known: Known, whole: _Person) -> Made:
    body = known.body
    severity, criticality = _ALLERGY_SEVERITY[body["criticality"]["code"]]
    return {
        # A rule of FHIR (ait-1) wants it of every allergy that is none in error.
        "clinicalStatus": code("allergyintolerance-clinical", "active"),
        "category": [_ALLERGY_CATEGORY[body["category"]["code"]]],
        "criticality": criticality,
        "code": body["code"],
        "patient": reference("Patient", body["patient"]),
        "reaction": [{"manifestation": [{"text": text}], "severity": severity} for text in body["reaction"]],
    }, ()


def _coverage(known: Known, whole: _Person) -> Made:
    body = known.body
    plan = body["plan"]
    return {
        "status": "active",
        "subscriberId": body["subscriber_id"],
        "beneficiary": reference("Patient", body["beneficiary"]),
        "relationship": concept(body["relationship"]),
        "payor": [{"display": body["payor"]}],
        "class": [{"type": code("coverage-class", "plan"), "value": plan["code"], "name": plan["display"]}],
    }, ()


def _report(known: Known, whole: _Person) -> Made:
    body = known.body
    results = whole.parts("Observation", known)
    return {
        "status": body["status"],
        "category": listed(concept(body.get("category"))),
        "code": body["code"],
        "subject": reference("Patient", body["subject"]),
        "encounter": reference("Encounter", body["encounter"]),
        "effectiveDateTime": body.get("effective"),
        "issued": body.get("issued"),
        "result": [reference("Observation", one.key) for one in results],
    }, ()


def _observation(known: Known, whole: _Person) -> Made:
    body = known.body
    return {
        "status": body["status"],
        "code": body["code"],
        "subject": reference("Patient", body["subject"]),
        "encounter": reference("Encounter", body["encounter"]),
        "effectiveDateTime": body.get("effective"),
        "issued": body.get("issued"),
        "valueQuantity": quantity(body.get("value_quantity")),
        "valueCodeableConcept": body.get("value_concept"),
        "valueString": body.get("value_string"),
        "interpretation": [code("v3-ObservationInterpretation", flag) for flag in body.get("interpretation", ())],
        "referenceRange": [{"text": body["reference_range"]}] if "reference_range" in body else None,
    }, ()


def _charge(known: Known, whole: _Person) -> Made:
    body = known.body
    yuan, fen = divmod(body["price"]["amount"], 100)
    return {
        "status": body["status"],
        "code": body["code"],
        "subject": reference("Patient", body["subject"]),
        "context": reference("Encounter", body["encounter"]),
        "occurrenceDateTime": body["occurrence"],
        "performingOrganization": reference("Organization", body["department"]),
        "quantity": quantity(body["quantity"]),
        "priceOverride": {"value": Raw(f"{yuan}.{fen:02d}".encode()), "currency": body["price"]["currency"]},
    }, ()


_MAKERS: dict[str, Callable[[Known, _Person], Made]] = {
    "Organization": _organization,
    "Practitioner": _practitioner,
    "Patient": _patient,
    "RelatedPerson": _related_person,
    "Encounter": _encounter,
    "Appointment": _appointment,
    "Condition": _condition,
    "AllergyIntolerance": _allergy,
    "DiagnosticReport": _report,
    "Observation": _observation,
    "Coverage": _coverage,
    "ChargeItem": _charge,
}
