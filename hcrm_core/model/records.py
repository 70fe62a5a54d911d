"""The records an adapter emits: facts in FHIR R4's names, one class a kind.

Every field of a record has three states. *Said*: it holds a value. *Empty*: it holds `None`, the source stated that
there is nothing (HL7 `""`). *Not mentioned*: it is `UNSET`, the source did not speak of it and the fact keeps what it
had. A list is one field and is replaced whole.

`key` is the record's identity inside its source, made of content and never of a position. A field typed `PatientKey`,
`EncounterKey`, … holds the `key` of another record of the same source.
"""

from typing import Annotated, ClassVar, get_args, get_type_hints

from msgspec import UNSET, Meta, Struct, UnsetType, field

from hcrm_core.model.values import (
    Address,
    CodeableConcept,
    Coding,
    ContactPoint,
    Date,
    DateTime,
    HumanName,
    Identifier,
    Money,
    Period,
    Quantity,
)

PatientKey = Annotated[str, Meta(min_length=1, extra={"reference": "Patient"})]
EncounterKey = Annotated[str, Meta(min_length=1, extra={"reference": "Encounter"})]
PractitionerKey = Annotated[str, Meta(min_length=1, extra={"reference": "Practitioner"})]
OrganizationKey = Annotated[str, Meta(min_length=1, extra={"reference": "Organization"})]
DiagnosticReportKey = Annotated[str, Meta(min_length=1, extra={"reference": "DiagnosticReport"})]


class Record(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind", frozen=True):
    """Base of all records.

    Attributes:
        key: Identity in the source, unique within the kind.
        group: The set of repetitions the record belongs to, where the source sends such sets whole (a patient's
            allergies, a stay's diagnoses); a `CompleteSet` of the same group voids the members it leaves out.
    """

    key: Annotated[str, Meta(min_length=1)]
    group: str | None = None

    SEALED: ClassVar[frozenset[str]] = frozenset()
    """Fields that hold direct identifiers (name, phone, address, document number); the store seals them."""

    BY_NAMESPACE: ClassVar[frozenset[str]] = frozenset()
    """Fields that hold identifiers, which a statement replaces namespace by namespace and not as a whole."""


class Patient(Record, frozen=True, tag=True):
    """One person as one source knows them; several may be one customer."""

    SEALED = frozenset({"identifier", "name", "telecom", "address"})
    BY_NAMESPACE = frozenset({"identifier"})

    identifier: tuple[Identifier, ...] | None | UnsetType = UNSET
    name: tuple[HumanName, ...] | None | UnsetType = UNSET
    telecom: tuple[ContactPoint, ...] | None | UnsetType = UNSET
    address: tuple[Address, ...] | None | UnsetType = UNSET
    gender: str | None | UnsetType = UNSET
    """FHIR administrative-gender: `male`, `female`, `other`, `unknown`."""
    birth_date: Date | None | UnsetType = UNSET
    deceased: bool | None | UnsetType = UNSET
    deceased_date_time: DateTime | None | UnsetType = UNSET
    marital_status: Coding | None | UnsetType = UNSET
    language: Coding | None | UnsetType = UNSET
    ethnicity: Coding | None | UnsetType = UNSET
    multiple_birth_order: int | None | UnsetType = UNSET
    general_practitioner: PractitionerKey | None | UnsetType = UNSET
    district: str | None | UnsetType = UNSET
    """The district or county of the home address, coarse enough for strategies to see."""
    education: Coding | None | UnsetType = UNSET
    occupation: Coding | None | UnsetType = UNSET
    interests: tuple[str, ...] | None | UnsetType = UNSET
    """Codes of what the person wants to hear about; the hospital's own."""


class PatientLink(Record, frozen=True, tag=True):
    """The source's statement that one of its patients is another (HL7 A40: `patient` was merged into `other`).

    `key` names both, so that a statement and its withdrawal meet.
    """

    patient: PatientKey | None | UnsetType = UNSET
    other: PatientKey | None | UnsetType = UNSET
    type: str | None | UnsetType = UNSET
    """FHIR link-type: `replaced-by`; empty once the source takes the statement back."""


class RelatedPerson(Record, frozen=True, tag=True):
    """Somebody with a personal relation to the patient (HL7 NK1)."""

    SEALED = frozenset({"name", "telecom", "address"})

    patient: PatientKey | None | UnsetType = UNSET
    name: tuple[HumanName, ...] | None | UnsetType = UNSET
    telecom: tuple[ContactPoint, ...] | None | UnsetType = UNSET
    address: tuple[Address, ...] | None | UnsetType = UNSET
    relationship: CodeableConcept | None | UnsetType = UNSET
    contact_role: CodeableConcept | None | UnsetType = UNSET
    gender: str | None | UnsetType = UNSET
    birth_date: Date | None | UnsetType = UNSET
    period: Period | None | UnsetType = UNSET


class Practitioner(Record, frozen=True, tag=True):
    """A member of staff as messages name them."""

    name: tuple[HumanName, ...] | None | UnsetType = UNSET


class Organization(Record, frozen=True, tag=True):
    """A hospital, department or ward."""

    code: str | None | UnsetType = UNSET
    """The source's own short code."""
    name: str | None | UnsetType = UNSET
    type: str | None | UnsetType = UNSET
    """`prov` for a hospital, `dept` for a department or ward (FHIR organization-type)."""
    part_of: OrganizationKey | None | UnsetType = UNSET


class Encounter(Record, frozen=True, tag=True):
    """A stay or visit.

    `uncertain` is true where the source gave no visit number and the key rests on the patient and the day; a
    cancellation against such a key is reported, never applied.
    """

    subject: PatientKey | None | UnsetType = UNSET
    status: str | None | UnsetType = UNSET
    """FHIR encounter-status: `planned`, `arrived`, `in-progress`, `finished`, `cancelled`, `entered-in-error`."""
    class_: str | None | UnsetType = field(default=UNSET, name="class")
    """HL7 v3 ActEncounterCode: `AMB`, `EMER`, `IMP`, `PRENC`, …"""
    type: CodeableConcept | None | UnsetType = UNSET
    service_type: Coding | None | UnsetType = UNSET
    priority: Coding | None | UnsetType = UNSET
    reason: CodeableConcept | None | UnsetType = UNSET
    period_start: DateTime | None | UnsetType = UNSET
    period_end: DateTime | None | UnsetType = UNSET
    expected_end: DateTime | None | UnsetType = UNSET
    location: str | None | UnsetType = UNSET
    """Point of care, room and bed as `ward/room/bed`."""
    department: OrganizationKey | None | UnsetType = UNSET
    attender: PractitionerKey | None | UnsetType = UNSET
    admitter: PractitionerKey | None | UnsetType = UNSET
    referrer: PractitionerKey | None | UnsetType = UNSET
    admit_source: Coding | None | UnsetType = UNSET
    discharge_disposition: Coding | None | UnsetType = UNSET
    destination: Coding | None | UnsetType = UNSET
    vip: Coding | None | UnsetType = UNSET
    payer_class: Coding | None | UnsetType = UNSET
    uncertain: bool | None | UnsetType = UNSET


class Appointment(Record, frozen=True, tag=True):
    """A booking."""

    subject: PatientKey | None | UnsetType = UNSET
    status: str | None | UnsetType = UNSET
    """FHIR appointmentstatus: `proposed`, `booked`, `arrived`, `fulfilled`, `cancelled`, `noshow`,
    `entered-in-error`."""
    service_type: CodeableConcept | None | UnsetType = UNSET
    appointment_type: CodeableConcept | None | UnsetType = UNSET
    reason: CodeableConcept | None | UnsetType = UNSET
    cancelation_reason: CodeableConcept | None | UnsetType = UNSET
    start: DateTime | None | UnsetType = UNSET
    end: DateTime | None | UnsetType = UNSET
    minutes_duration: int | None | UnsetType = UNSET
    department: OrganizationKey | None | UnsetType = UNSET
    practitioner: PractitionerKey | None | UnsetType = UNSET
    encounter: EncounterKey | None | UnsetType = UNSET


class Condition(Record, frozen=True, tag=True):
    """A diagnosis or problem."""

    subject: PatientKey | None | UnsetType = UNSET
    encounter: EncounterKey | None | UnsetType = UNSET
    code: CodeableConcept | None | UnsetType = UNSET
    category: Coding | None | UnsetType = UNSET
    """The stage it was stated at: admitting, working, final (HL7 table 0052)."""
    rank: int | None | UnsetType = UNSET
    """1 is the principal diagnosis (HL7 DG1-15)."""
    recorded_date: DateTime | None | UnsetType = UNSET
    asserter: PractitionerKey | None | UnsetType = UNSET


class AllergyIntolerance(Record, frozen=True, tag=True):
    """What the patient must not be given."""

    patient: PatientKey | None | UnsetType = UNSET
    code: CodeableConcept | None | UnsetType = UNSET
    category: Coding | None | UnsetType = UNSET
    criticality: Coding | None | UnsetType = UNSET
    reaction: tuple[str, ...] | None | UnsetType = UNSET
    onset: DateTime | None | UnsetType = UNSET


class Procedure(Record, frozen=True, tag=True):
    """Something done to the patient."""

    subject: PatientKey | None | UnsetType = UNSET
    encounter: EncounterKey | None | UnsetType = UNSET
    code: CodeableConcept | None | UnsetType = UNSET
    performed: DateTime | None | UnsetType = UNSET
    minutes_duration: int | None | UnsetType = UNSET
    performer: PractitionerKey | None | UnsetType = UNSET


class DiagnosticReport(Record, frozen=True, tag=True):
    """A group of results reported together (HL7 OBR)."""

    subject: PatientKey | None | UnsetType = UNSET
    encounter: EncounterKey | None | UnsetType = UNSET
    status: str | None | UnsetType = UNSET
    """FHIR diagnostic-report-status: `registered`, `partial`, `preliminary`, `final`, `corrected`, `cancelled`, …"""
    code: CodeableConcept | None | UnsetType = UNSET
    category: Coding | None | UnsetType = UNSET
    effective: DateTime | None | UnsetType = UNSET
    issued: DateTime | None | UnsetType = UNSET
    orderer: PractitionerKey | None | UnsetType = UNSET


class Observation(Record, frozen=True, tag=True):
    """One result."""

    subject: PatientKey | None | UnsetType = UNSET
    encounter: EncounterKey | None | UnsetType = UNSET
    report: DiagnosticReportKey | None | UnsetType = UNSET
    status: str | None | UnsetType = UNSET
    """FHIR observation-status: `final`, `preliminary`, `corrected`, `cancelled`, `entered-in-error`, …"""
    code: CodeableConcept | None | UnsetType = UNSET
    value_quantity: Quantity | None | UnsetType = UNSET
    value_concept: CodeableConcept | None | UnsetType = UNSET
    value_string: str | None | UnsetType = UNSET
    value_date_time: DateTime | None | UnsetType = UNSET
    reference_range: str | None | UnsetType = UNSET
    interpretation: tuple[str, ...] | None | UnsetType = UNSET
    """HL7 table 0078: `N`, `H`, `HH`, `L`, `LL`, `A`, `AA`, …"""
    effective: DateTime | None | UnsetType = UNSET
    issued: DateTime | None | UnsetType = UNSET


class Coverage(Record, frozen=True, tag=True):
    """Who pays (HL7 IN1)."""

    SEALED = frozenset({"subscriber_id"})

    beneficiary: PatientKey | None | UnsetType = UNSET
    encounter: EncounterKey | None | UnsetType = UNSET
    type: Coding | None | UnsetType = UNSET
    plan: Coding | None | UnsetType = UNSET
    payor: str | None | UnsetType = UNSET
    subscriber_id: str | None | UnsetType = UNSET
    relationship: Coding | None | UnsetType = UNSET
    period_start: DateTime | None | UnsetType = UNSET
    period_end: DateTime | None | UnsetType = UNSET


class ChargeItem(Record, frozen=True, tag=True):
    """One line of a bill (HL7 FT1); a credit has a negative price."""

    subject: PatientKey | None | UnsetType = UNSET
    encounter: EncounterKey | None | UnsetType = UNSET
    status: str | None | UnsetType = UNSET
    """FHIR chargeitem-status: `billable`, `billed`, `aborted`, `entered-in-error`."""
    type: str | None | UnsetType = UNSET
    """HL7 table 0017: `CG` charge, `CD` credit, `PY` payment, `AJ` adjustment."""
    code: CodeableConcept | None | UnsetType = UNSET
    quantity: Quantity | None | UnsetType = UNSET
    price: Money | None | UnsetType = UNSET
    """The extended amount of the line, in minor units."""
    occurrence: DateTime | None | UnsetType = UNSET
    department: OrganizationKey | None | UnsetType = UNSET


AnyRecord = (
    Patient
    | PatientLink
    | RelatedPerson
    | Practitioner
    | Organization
    | Encounter
    | Appointment
    | Condition
    | AllergyIntolerance
    | Procedure
    | DiagnosticReport
    | Observation
    | Coverage
    | ChargeItem
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
