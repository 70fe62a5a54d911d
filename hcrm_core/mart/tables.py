"""The documented tables of the mart: every column with its type, its source in the fact's body and its meaning.

A table is filled from the facts of one kind that are not void. `INSTANT`, `DAY` and the like say how the text of the
fact becomes the column; the expressions stand in `mart/refresh.py`. Names, phones, addresses, document numbers and
free text have no column here.
"""

from typing import Literal, NamedTuple

from hcrm_core.model.records import ABOUT_A_PERSON

From = Literal["text", "instant", "day", "integer", "decimal", "boolean", "code", "system", "display", "list", "said"]
"""How a column is read from the JSON body:

- `text`: the member as it is. `instant`: a dateTime as UTC TIMESTAMP (NULL unless it has a time).
- `day`: the source's own calendar day of a date or dateTime as DATE (NULL unless complete).
- `integer`, `decimal`, `boolean`: the member with that type. `list`: a list of texts as VARCHAR[].
- `code`, `system`, `display`: of a Coding, or of the first coding of a CodeableConcept.
- `said`: whether there is such a member at all, as BOOLEAN.
"""

SQL_TYPES: dict[str, str] = {
    "text": "VARCHAR",
    "instant": "TIMESTAMP",
    "day": "DATE",
    "integer": "BIGINT",
    "decimal": "DECIMAL(18,6)",
    "boolean": "BOOLEAN",
    "code": "VARCHAR",
    "system": "VARCHAR",
    "display": "VARCHAR",
    "list": "VARCHAR[]",
    "said": "BOOLEAN",
}


class Column(NamedTuple):
    """One column: its name, how it is read, the body member it is read from, and what it means."""

    name: str
    read: From
    member: str
    meaning: str


class Table(NamedTuple):
    """One table: its name, the kind of fact a row is, the name of its id column, and its columns beyond the common.

    Every table also has, first, the id column (VARCHAR, the fact's id). Where the kind is about a person, there follow
    `customer_id` and `patient_id` (VARCHAR), and the last columns are `said_at` and `known_at` (TIMESTAMP, UTC): when
    the source last said something of the fact, and when HCRM heard that.
    """

    name: str
    kind: str
    id: str
    columns: tuple[Column, ...]


TABLES: tuple[Table, ...] = (
    Table(
        "encounter",
        "Encounter",
        "encounter_id",
        (
            Column("status", "text", "status", "planned, arrived, onleave, in-progress, finished or cancelled"),
            Column("class", "text", "class", "IMP inpatient, AMB outpatient, EMER emergency, …"),
            Column("started_at", "instant", "period_start", "admission or arrival"),
            Column("started_on", "day", "period_start", "day of admission or arrival"),
            Column("ended_at", "instant", "period_end", "discharge or departure"),
            Column("ended_on", "day", "period_end", "day of discharge or departure"),
            Column("department_id", "text", "department", "the organization that cares"),
            Column("attender_id", "text", "attender", "the attending practitioner"),
            Column("service_type", "code", "service_type", "hospital service (HL7 table 0069)"),
            Column("admit_source", "code", "admit_source", "HL7 table 0023"),
            Column("discharge_disposition", "code", "discharge_disposition", "HL7 table 0112"),
            Column("payer_class", "code", "payer_class", "financial class (HL7 table 0064)"),
            Column("uncertain", "boolean", "uncertain", "the source gave no visit number"),
        ),
    ),
    Table(
        "appointment",
        "Appointment",
        "appointment_id",
        (
            Column("status", "text", "status", "booked, arrived, fulfilled, cancelled, noshow, …"),
            Column("start_at", "instant", "start", "planned start"),
            Column("start_on", "day", "start", "planned day"),
            Column("end_at", "instant", "end", "planned end"),
            Column("service_type", "code", "service_type", "what is booked"),
            Column("department_id", "text", "department", "with which organization"),
            Column("practitioner_id", "text", "practitioner", "with whom"),
            Column("encounter_id", "text", "encounter", "the visit it became"),
        ),
    ),
    Table(
        "condition",
        "Condition",
        "condition_id",
        (
            Column("encounter_id", "text", "encounter", "the stay it was stated for"),
            Column("code", "code", "code", "diagnosis code, often ICD-10"),
            Column("code_system", "system", "code", "its code system"),
            Column("display", "display", "code", "its name"),
            Column("category", "code", "category", "HL7 table 0052: A admitting, W working, F final"),
            Column("rank", "integer", "rank", "1 is the principal diagnosis"),
            Column("clinical_status", "text", "clinical_status", "active, inactive, remission, resolved, …"),
            Column("onset_on", "day", "onset", "day it began"),
            Column("abatement_on", "day", "abatement", "day it ended"),
            Column("recorded_on", "day", "recorded_date", "day of the diagnosis"),
        ),
    ),
    Table(
        "allergy_intolerance",
        "AllergyIntolerance",
        "allergy_intolerance_id",
        (
            Column("code", "code", "code", "allergen"),
            Column("display", "display", "code", "its name"),
            Column("category", "code", "category", "HL7 table 0127"),
            Column("criticality", "code", "criticality", "HL7 table 0128"),
        ),
    ),
    Table(
        "procedure",
        "Procedure",
        "procedure_id",
        (
            Column("encounter_id", "text", "encounter", "during which stay"),
            Column("code", "code", "code", "procedure code"),
            Column("display", "display", "code", "its name"),
            Column("performed_at", "instant", "performed", "when"),
            Column("performed_on", "day", "performed", "on which day"),
        ),
    ),
    Table(
        "diagnostic_report",
        "DiagnosticReport",
        "diagnostic_report_id",
        (
            Column("encounter_id", "text", "encounter", "during which visit"),
            Column("status", "text", "status", "preliminary, final, corrected, cancelled, …"),
            Column("code", "code", "code", "what was ordered"),
            Column("display", "display", "code", "its name"),
            Column("category", "code", "category", "diagnostic section (HL7 table 0074)"),
            Column("effective_at", "instant", "effective", "specimen or examination time"),
            Column("issued_at", "instant", "issued", "when results were released"),
            Column("issued_on", "day", "issued", "on which day"),
        ),
    ),
    Table(
        "observation",
        "Observation",
        "observation_id",
        (
            Column("encounter_id", "text", "encounter", "during which visit"),
            Column("diagnostic_report_id", "text", "report", "the report it belongs to"),
            Column("status", "text", "status", "preliminary, final, corrected, cancelled, …"),
            Column("code", "code", "code", "what was measured, often LOINC"),
            Column("display", "display", "code", "its name"),
            Column("value", "decimal", "value_quantity.value", "the number measured"),
            Column("unit", "text", "value_quantity.unit", "its unit"),
            Column("value_code", "code", "value_concept", "the coded result"),
            Column("interpretation", "list", "interpretation", "HL7 table 0078: N, H, HH, L, LL, A, AA, …"),
            Column("effective_at", "instant", "effective", "when the fact observed held"),
            Column("effective_on", "day", "effective", "on which day"),
        ),
    ),
    Table(
        "coverage",
        "Coverage",
        "coverage_id",
        (
            Column("encounter_id", "text", "encounter", "for which stay, where stated"),
            Column("type", "code", "type", "kind of insurance"),
            Column("plan", "code", "plan", "plan code"),
            Column("payer_token", "text", "payer_token", "a token of the policy's or card's number, equal where it is"),
            Column("period_start_on", "day", "period_start", "from which day"),
            Column("period_end_on", "day", "period_end", "to which day"),
        ),
    ),
    Table(
        "charge_item",
        "ChargeItem",
        "charge_item_id",
        (
            Column("encounter_id", "text", "encounter", "for which visit"),
            Column("status", "text", "status", "billable, billed, aborted"),
            Column("type", "text", "type", "CG charge, CD credit, PY payment, AJ adjustment"),
            Column("code", "code", "code", "price-list code"),
            Column("display", "display", "code", "its name"),
            Column("amount", "integer", "price.amount", "the line's amount in minor units of the currency"),
            Column("currency", "text", "price.currency", "ISO 4217"),
            Column("occurred_at", "instant", "occurrence", "when"),
            Column("occurred_on", "day", "occurrence", "on which day"),
            Column("department_id", "text", "department", "which organization performed"),
        ),
    ),
    Table(
        "medication_request",
        "MedicationRequest",
        "medication_request_id",
        (
            Column("encounter_id", "text", "encounter", "during which visit"),
            Column("status", "text", "status", "active, on-hold, cancelled, completed, stopped"),
            Column("code", "code", "medication", "the medicine"),
            Column("display", "display", "medication", "its name"),
            Column("quantity", "decimal", "dispense_quantity.value", "how much is to be dispensed"),
            Column("unit", "text", "dispense_quantity.unit", "its unit"),
            Column("repeats_allowed", "integer", "repeats_allowed", "how often it may be dispensed again"),
            Column("authored_on", "day", "authored_on", "day of the prescription"),
            Column("period_start_on", "day", "period_start", "first day it is to be taken"),
            Column("period_end_on", "day", "period_end", "last day it is to be taken"),
        ),
    ),
    Table(
        "medication_dispense",
        "MedicationDispense",
        "medication_dispense_id",
        (
            Column("encounter_id", "text", "encounter", "during which visit"),
            Column("medication_request_id", "text", "request", "the prescription it fills"),
            Column("status", "text", "status", "completed, cancelled, …"),
            Column("code", "code", "medication", "the medicine"),
            Column("display", "display", "medication", "its name"),
            Column("quantity", "decimal", "quantity.value", "how much was handed over"),
            Column("unit", "text", "quantity.unit", "its unit"),
            Column("days_supply", "integer", "days_supply", "for how many days it lasts"),
            Column("handed_over_on", "day", "when_handed_over", "on which day"),
        ),
    ),
    Table(
        "immunization",
        "Immunization",
        "immunization_id",
        (
            Column("encounter_id", "text", "encounter", "during which visit"),
            Column("status", "text", "status", "completed or not-done"),
            Column("code", "code", "vaccine_code", "the vaccine"),
            Column("display", "display", "vaccine_code", "its name"),
            Column("status_reason", "code", "status_reason", "why it was not given"),
            Column("occurred_on", "day", "occurrence", "on which day"),
        ),
    ),
    Table(
        "referral",
        "Referral",
        "referral_id",
        (
            Column("encounter_id", "text", "encounter", "the visit it came from"),
            Column("status", "text", "status", "draft, active, completed, revoked"),
            Column("priority", "code", "priority", "HL7 table 0280"),
            Column("type", "code", "type", "HL7 table 0281"),
            Column("disposition", "code", "disposition", "HL7 table 0282"),
            Column("authored_on", "day", "authored_on", "day it holds from"),
            Column("period_end_on", "day", "period_end", "last day it may be used"),
            Column("requester_id", "text", "requester", "the practitioner who refers"),
            Column("performer_id", "text", "performer", "the practitioner referred to"),
        ),
    ),
    Table(
        "related_person",
        "RelatedPerson",
        "related_person_id",
        (
            Column("relationship", "code", "relationship", "HL7 table 0063"),
            Column("contact_role", "code", "contact_role", "HL7 table 0131"),
        ),
    ),
    Table(
        "organization",
        "Organization",
        "organization_id",
        (
            Column("code", "text", "code", "the source's own code of it"),
            Column("name", "text", "name", "the department's or hospital's name, where a source said it"),
            Column("type", "text", "type", "prov or dept"),
            Column("part_of_id", "text", "part_of", "the organization above it"),
        ),
    ),
    Table(
        "healthcare_service",
        "HealthcareService",
        "healthcare_service_id",
        (
            Column("active", "boolean", "active", "false once it was taken off the price list"),
            Column("code", "code", "code", "price-list code"),
            Column("display", "display", "code", "its name"),
            Column("amount", "integer", "price.amount", "the price in minor units of the currency"),
            Column("currency", "text", "price.currency", "ISO 4217"),
            Column("period_start_on", "day", "period_start", "first day of the price"),
            Column("period_end_on", "day", "period_end", "last day of the price"),
            Column("department_id", "text", "provided_by", "the organization that provides it"),
        ),
    ),
)

PATIENT = Table(
    "patient",
    "Patient",
    "patient_id",
    (
        Column("sex", "text", "gender", "FHIR administrative-gender"),
        Column("birth_date", "text", "birth_date", "as precise as the source has it"),
        Column("deceased", "boolean", "deceased", "whether the source says that the person died"),
        Column("deceased_at", "text", "deceased_date_time", "when, which says that the person did"),
        Column("district", "text", "district", "district or county of the home address"),
        Column("education", "code", "education", "level of education"),
        Column("occupation", "code", "occupation", "occupation"),
        Column("interests", "list", "interests", "what the person wants to hear about"),
        Column("interest_departments", "list", "interest_departments", "departments the person is interested in"),
        Column("information_needs", "list", "information_needs", "what the person wants to be told"),
        Column("customer_kinds", "list", "customer_kinds", "what the person is besides a patient, where stated"),
        Column("staff_number", "boolean", "staff_number", "whether one of the numbers is an employee's"),
        Column("phone_token", "text", "phone_token", "a token of the telephone number"),
        Column("device_token", "text", "device_token", "a token of the account or device"),
        Column("household_id", "text", "household_id", "the household"),
        Column("source", "text", "source", "who says all this"),
        Column("replaced", "boolean", "replaced", "whether the source merged this patient into another"),
        Column("cleared", "list", "cleared", "fields of which it is said that nothing is known"),
        Column("education_said", "said", "education", "whether it is said, by a code or in words"),
        Column("occupation_said", "said", "occupation", "likewise"),
    ),
)
"""Source patients, of which `customer` is made. The mart keeps them; strategies do not see them."""

PERSONAL = frozenset(table.name for table in TABLES if table.kind in ABOUT_A_PERSON) | {"customer", "customer_profile"}
"""The tables whose rows are about a customer, but those of decisions."""
