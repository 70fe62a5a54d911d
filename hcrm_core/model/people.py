"""The records of people and of the directory: who there is, and what is offered at which price."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import UNSET, UnsetType

from hcrm_core.model.record import OrganizationKey, PatientKey, PractitionerKey, Record
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
)

CustomerKind = Literal["patient", "family", "healthy", "partner", "internal"]


class Patient(Record, frozen=True, tag=True):
    """One person as one source knows them; several may be one customer."""

    SEALED = frozenset({"identifier", "name", "telecom", "address"})
    BY_NAMESPACE = frozenset({"identifier"})

    active: bool | None | UnsetType = UNSET
    """False once the source deleted the person (HL7 A29)."""
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
    interest_departments: tuple[str, ...] | None | UnsetType = UNSET
    """Codes of the departments the person is interested in."""
    information_needs: tuple[str, ...] | None | UnsetType = UNSET
    """Codes of what the person wants to be told, and how; the hospital's own."""
    customer_kinds: tuple[CustomerKind, ...] | None | UnsetType = UNSET
    """What the person is to the hospital besides a patient, where somebody states it."""
    cleared: tuple[str, ...] | None | UnsetType = UNSET
    """Fields of which it is stated that nothing is known: what less trusted sources say of them does not stand."""


DISTINCT = "distinct"
"""Type of a `PatientLink` whose patients are different people."""


REPLACED_BY = "replaced-by"
"""Type of a `PatientLink` whose `patient` was merged into `other`."""


class PatientLink(Record, frozen=True, tag=True):
    """The source's statement that two of its patients are one person (HL7 A40: `patient` was merged into `other`).

    `key` names both, so that a statement and its withdrawal meet.
    """

    patient: PatientKey | None | UnsetType = UNSET
    other: PatientKey | None | UnsetType = UNSET
    type: str | None | UnsetType = UNSET
    """FHIR link-type: `replaced-by` after a merge, `seealso` where both go on (HL7 A24); empty once the source takes it
    back. `distinct` says the opposite: the two are different people, and no number, score or link of another statement
    ties them directly."""


def merged_away(fields: Mapping[str, Any]) -> str | None:
    """The patient that a `PatientLink` of these fields says was merged into another; `None` where it says no such."""
    patient: str | None = fields.get("patient")
    if fields.get("type") == REPLACED_BY and patient and fields.get("other") not in (None, patient):
        return patient
    return None


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

    active: bool | None | UnsetType = UNSET
    name: tuple[HumanName, ...] | None | UnsetType = UNSET
    specialty: Coding | None | UnsetType = UNSET
    department: OrganizationKey | None | UnsetType = UNSET


class Organization(Record, frozen=True, tag=True):
    """A hospital, department or ward."""

    active: bool | None | UnsetType = UNSET
    code: str | None | UnsetType = UNSET
    """The source's own short code."""
    name: str | None | UnsetType = UNSET
    type: str | None | UnsetType = UNSET
    """`prov` for a hospital, `dept` for a department or ward (FHIR organization-type)."""
    part_of: OrganizationKey | None | UnsetType = UNSET


class HealthcareService(Record, frozen=True, tag=True):
    """One price of the price list, from a day to a day."""

    active: bool | None | UnsetType = UNSET
    code: CodeableConcept | None | UnsetType = UNSET
    price: Money | None | UnsetType = UNSET
    period_start: DateTime | None | UnsetType = UNSET
    period_end: DateTime | None | UnsetType = UNSET
    provided_by: OrganizationKey | None | UnsetType = UNSET
