"""The records an adapter emits: facts in FHIR R4's names, one class a kind.

Every field of a record has three states. *Said*: it holds a value. *Empty*: it holds `None`, the source stated that
there is nothing (HL7 `""`). *Not mentioned*: it is `UNSET`, the source did not speak of it and the fact keeps what it
had. A list is one field and is replaced whole.

`key` is the record's identity inside its source, made of content and never of a position. A field typed `PatientKey`,
`EncounterKey`, … holds the `key` of another record of the same source.
"""

from typing import get_args, get_type_hints

from msgspec import Meta

from hcrm_core.model.care import (
    AllergyIntolerance,
    Appointment,
    ChargeItem,
    Condition,
    Coverage,
    DiagnosticReport,
    Encounter,
    EncounterMove,
    Immunization,
    MedicationDispense,
    MedicationRequest,
    Observation,
    Procedure,
    Referral,
)
from hcrm_core.model.people import (
    HealthcareService,
    Organization,
    Patient,
    PatientLink,
    Practitioner,
    RelatedPerson,
)
from hcrm_core.model.record import Record

__all__ = [
    "ABOUT_A_PERSON",
    "KINDS",
    "PATIENT_FIELD",
    "REFERENCES",
    "AllergyIntolerance",
    "AnyRecord",
    "Appointment",
    "ChargeItem",
    "Condition",
    "Coverage",
    "DiagnosticReport",
    "Encounter",
    "EncounterMove",
    "HealthcareService",
    "Immunization",
    "MedicationDispense",
    "MedicationRequest",
    "Observation",
    "Organization",
    "Patient",
    "PatientLink",
    "Practitioner",
    "Procedure",
    "Record",
    "Referral",
    "RelatedPerson",
]

AnyRecord = (
    Patient
    | PatientLink
    | RelatedPerson
    | Practitioner
    | Organization
    | Encounter
    | EncounterMove
    | Appointment
    | Condition
    | AllergyIntolerance
    | Procedure
    | DiagnosticReport
    | Observation
    | Coverage
    | ChargeItem
    | MedicationRequest
    | MedicationDispense
    | Immunization
    | Referral
    | HealthcareService
)

KINDS: dict[str, type[Record]] = {kind.__name__: kind for kind in get_args(AnyRecord)}
"""Every kind by name, in the order of this file."""


def _references(kind: type[Record]) -> dict[str, str]:
    found = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for part in get_args(hint):
            for meta in getattr(part, "__metadata__", ()):
                if isinstance(meta, Meta) and meta.extra and "reference" in meta.extra:
                    found[name] = meta.extra["reference"]
    return found


REFERENCES: dict[str, dict[str, str]] = {name: _references(kind) for name, kind in KINDS.items()}
"""Kind → field that holds another record's key → that record's kind."""

PATIENT_FIELD: dict[str, str] = {
    name: next(f for f, target in fields.items() if target == "Patient")
    for name, fields in REFERENCES.items()
    if "Patient" in fields.values()
}
"""Kind → the field that says whose fact it is; kinds of the directory have none."""

ABOUT_A_PERSON = frozenset({"Patient", *PATIENT_FIELD})
"""Kinds whose facts are about a person; the others are the directory's."""
