"""The records of care: visits, bookings, findings, treatments and bills."""

from msgspec import UNSET, UnsetType, field

from hcrm_core.model.record import (
    DiagnosticReportKey,
    EncounterKey,
    MedicationRequestKey,
    OrganizationKey,
    PatientKey,
    PractitionerKey,
    Record,
)
from hcrm_core.model.values import (
    CodeableConcept,
    Coding,
    Date,
    DateTime,
    Money,
    Quantity,
)


class Encounter(Record, frozen=True, tag=True):
    """A stay or visit.

    `uncertain` is true where the source gave no visit number and the key rests on the patient and the day; a
    cancellation against such a key is reported, never applied. A stay that is `replaced_by` another was counted under a
    number that is no longer used (HL7 A42, A50); see `EncounterMove`.
    """

    subject: PatientKey | None | UnsetType = UNSET
    status: str | None | UnsetType = UNSET
    """FHIR encounter-status: `planned`, `arrived`, `onleave`, `in-progress`, `finished`, `cancelled`,
    `entered-in-error`."""
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
    replaced_by: EncounterKey | None | UnsetType = UNSET


class EncounterMove(Record, frozen=True, tag=True):
    """The source's statement that a stay has another number, or is another patient's (HL7 A42, A45, A50).

    What is stated of the stay under its old number and patient follows it, whenever it comes. `key` names both.
    """

    patient: PatientKey | None | UnsetType = UNSET
    """Whose stay it is."""
    to_encounter: EncounterKey | None | UnsetType = UNSET
    """The stay by its number."""
    from_patient: PatientKey | None | UnsetType = UNSET
    """Whose it was thought to be; the same patient where only the number changed."""
    from_encounter: EncounterKey | None | UnsetType = UNSET
    """The stay by its old number; the same where only the patient changed."""


class Appointment(Record, frozen=True, tag=True):
    """A booking."""

    subject: PatientKey | None | UnsetType = UNSET
    status: str | None | UnsetType = UNSET
    """FHIR appointmentstatus: `proposed`, `pending`, `booked`, `arrived`, `checked-in`, `fulfilled`, `cancelled`,
    `noshow`, `entered-in-error`, …"""
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
    clinical_status: str | None | UnsetType = UNSET
    """FHIR condition-clinical: `active`, `recurrence`, `inactive`, `remission`, `resolved`."""
    verification_status: str | None | UnsetType = UNSET
    """FHIR condition-ver-status: `confirmed`, `provisional`, `differential`, `refuted`, `entered-in-error`."""
    onset: DateTime | None | UnsetType = UNSET
    abatement: DateTime | None | UnsetType = UNSET
    recorded_date: DateTime | None | UnsetType = UNSET
    asserter: PractitionerKey | None | UnsetType = UNSET


class AllergyIntolerance(Record, frozen=True, tag=True):
    """What the patient must not be given."""

    patient: PatientKey | None | UnsetType = UNSET
    code: CodeableConcept | None | UnsetType = UNSET
    category: Coding | None | UnsetType = UNSET
    criticality: Coding | None | UnsetType = UNSET
    clinical_status: str | None | UnsetType = UNSET
    """FHIR allergyintolerance-clinical: `active`, `inactive`, `resolved`."""
    verification_status: str | None | UnsetType = UNSET
    """FHIR allergyintolerance-verification: `confirmed`, `unconfirmed`, `refuted`, `entered-in-error`."""
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
    group_number: str | None | UnsetType = UNSET
    """Of the contract of a group, such as a company that sends its people for check-ups (HL7 IN1-8)."""
    group_name: str | None | UnsetType = UNSET
    """The group (HL7 IN1-9)."""
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


class MedicationRequest(Record, frozen=True, tag=True):
    """A prescription (HL7 RXE, RXO)."""

    subject: PatientKey | None | UnsetType = UNSET
    encounter: EncounterKey | None | UnsetType = UNSET
    status: str | None | UnsetType = UNSET
    """FHIR medicationrequest-status: `active`, `on-hold`, `cancelled`, `completed`, `stopped`, `entered-in-error`."""
    medication: CodeableConcept | None | UnsetType = UNSET
    dispense_quantity: Quantity | None | UnsetType = UNSET
    repeats_allowed: int | None | UnsetType = UNSET
    """How often it may be dispensed again."""
    authored_on: DateTime | None | UnsetType = UNSET
    period_start: DateTime | None | UnsetType = UNSET
    period_end: DateTime | None | UnsetType = UNSET
    """When the medicine is to be taken from and until."""
    requester: PractitionerKey | None | UnsetType = UNSET


class MedicationDispense(Record, frozen=True, tag=True):
    """A medicine handed over (HL7 RXD)."""

    subject: PatientKey | None | UnsetType = UNSET
    encounter: EncounterKey | None | UnsetType = UNSET
    request: MedicationRequestKey | None | UnsetType = UNSET
    status: str | None | UnsetType = UNSET
    """FHIR medicationdispense-status: `completed`, `cancelled`, `entered-in-error`, …"""
    medication: CodeableConcept | None | UnsetType = UNSET
    quantity: Quantity | None | UnsetType = UNSET
    days_supply: int | None | UnsetType = UNSET
    when_handed_over: DateTime | None | UnsetType = UNSET
    performer: PractitionerKey | None | UnsetType = UNSET


class Immunization(Record, frozen=True, tag=True):
    """A vaccination that was given, or was not (HL7 RXA)."""

    patient: PatientKey | None | UnsetType = UNSET
    encounter: EncounterKey | None | UnsetType = UNSET
    status: str | None | UnsetType = UNSET
    """FHIR event-status: `completed`, `not-done`, `entered-in-error`."""
    status_reason: CodeableConcept | None | UnsetType = UNSET
    vaccine_code: CodeableConcept | None | UnsetType = UNSET
    occurrence: DateTime | None | UnsetType = UNSET
    dose_quantity: Quantity | None | UnsetType = UNSET
    lot_number: str | None | UnsetType = UNSET
    expiration_date: Date | None | UnsetType = UNSET
    manufacturer: str | None | UnsetType = UNSET
    performer: PractitionerKey | None | UnsetType = UNSET


class Referral(Record, frozen=True, tag=True):
    """A patient sent to somebody else for care (HL7 RF1)."""

    subject: PatientKey | None | UnsetType = UNSET
    encounter: EncounterKey | None | UnsetType = UNSET
    status: str | None | UnsetType = UNSET
    """FHIR request-status: `draft`, `active`, `completed`, `revoked`, `entered-in-error`."""
    priority: Coding | None | UnsetType = UNSET
    type: CodeableConcept | None | UnsetType = UNSET
    disposition: Coding | None | UnsetType = UNSET
    reason: CodeableConcept | None | UnsetType = UNSET
    authored_on: DateTime | None | UnsetType = UNSET
    period_end: DateTime | None | UnsetType = UNSET
    """Until when it may be used."""
    requester: PractitionerKey | None | UnsetType = UNSET
    performer: PractitionerKey | None | UnsetType = UNSET
