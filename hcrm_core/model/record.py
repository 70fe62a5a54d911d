"""What every record has, and the keys by which records name each other."""

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

PatientKey = Annotated[str, Meta(min_length=1, extra={"reference": "Patient"})]
EncounterKey = Annotated[str, Meta(min_length=1, extra={"reference": "Encounter"})]
PractitionerKey = Annotated[str, Meta(min_length=1, extra={"reference": "Practitioner"})]
OrganizationKey = Annotated[str, Meta(min_length=1, extra={"reference": "Organization"})]
MedicationRequestKey = Annotated[str, Meta(min_length=1, extra={"reference": "MedicationRequest"})]
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
