"""The settings of a source that speaks FHIR."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from hcrm_core.api import ConfigurationError, SourceSettings

EXTENDED = ("district", "education", "ethnicity", "interests", "occupation")
"""Fields of Patient that an extension may hold, as the settings say."""


class SearchSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[sources.NAME.search]`: how a FHIR server is searched.

    Attributes:
        types: Resource types, in the order they are asked for.
        count: Resources a page (`_count`).
        parameters: Resource type → further search parameters (`Observation = "category=laboratory"`), `_include` and
            `_revinclude` among them.
        overlap_seconds: How far a search reaches back behind the newest change it has seen, since servers finish
            transactions out of order; what comes twice lands once.
        since: The day or instant from which on changes are asked for the first time; all of them where not given.
    """

    types: tuple[str, ...] = (
        "Organization",
        "Location",
        "Practitioner",
        "PractitionerRole",
        "Patient",
        "RelatedPerson",
        "Encounter",
        "Appointment",
        "Condition",
        "AllergyIntolerance",
        "Procedure",
        "DiagnosticReport",
        "Observation",
        "MedicationRequest",
        "MedicationDispense",
        "Immunization",
        "Coverage",
        "ChargeItem",
    )
    count: Annotated[int, Meta(ge=1, le=10_000)] = 200
    parameters: dict[str, str] = field(default_factory=dict)
    overlap_seconds: Annotated[int, Meta(ge=0)] = 300
    since: str | None = None


class ExportSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[sources.NAME.export]`: what a FHIR server exports in bulk.

    Attributes:
        level: `system`, `patient` (all patients) or `group`.
        group: Id of the group, where the level is `group`.
        types: Resource types (`_type`); all where not given.
        parameters: Further parameters of the kick-off, as in a query (`_typeFilter=...`).
        poll_seconds: How long to wait between two questions for the export, where the server does not say.
    """

    level: Literal["system", "patient", "group"] = "system"
    group: str | None = None
    types: tuple[str, ...] = ()
    parameters: str = ""
    poll_seconds: Annotated[float, Meta(gt=0)] = 10.0


class FhirSettings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of a source that speaks FHIR R4.

    Attributes:
        validate: Whether every resource is held against FHIR's definition before it is read, and quarantined where it
            breaks it; otherwise only what is read is checked, value by value.
        currency: ISO 4217 code of amounts sent without one.
        identifier_types: Identifier system → type of HL7 table 0203 (`"urn:mrn" = "MR"`), beside those it knows.
        referral_codes: Further codes of a ServiceRequest's category or code by which it refers a patient to somebody.
        extensions: Field of Patient (`district`, `education`, `ethnicity`, `interests`, `occupation`) → URL of the
            extension that holds it.
        method: How `hcrm pull` asks: `search`, or `export` for Bulk Data.
        search: How the server is searched.
        export: What it exports.
    """

    validate: bool = False
    currency: str = "CNY"
    identifier_types: dict[str, str] = field(default_factory=dict)
    referral_codes: tuple[str, ...] = ()
    extensions: dict[str, str] = field(default_factory=dict)
    method: Literal["search", "export"] = "search"
    search: SearchSettings = SearchSettings()
    export: ExportSettings = ExportSettings()


def check(settings: FhirSettings) -> None:
    """Refuse what types cannot.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    for name in settings.extensions:
        if name not in EXTENDED:
            raise ConfigurationError(f"extensions.{name}: no extension is read into it. Use {', '.join(EXTENDED)}.")
    if len(settings.currency) != 3 or not settings.currency.isascii() or not settings.currency.isupper():
        raise ConfigurationError("currency: write three capital letters, as in CNY.")
    if settings.export.level == "group" and not settings.export.group:
        raise ConfigurationError("export.group: the level is group, so name the group's id.")
    if not settings.search.types:
        raise ConfigurationError("search.types: name at least one resource type.")
