"""The documented tables of the mart: every column with its type, its source in the fact's body and its meaning.

A table is filled from the facts of one kind that are not void. `INSTANT`, `DAY` and the like say how the text of the
fact becomes the column; the expressions stand in `mart/refresh.py`. Names, phones, addresses, document numbers and
free text have no column here.
"""

from typing import Literal, NamedTuple

from hcrm_core.model.records import ABOUT_A_PERSON

From = Literal["text", "instant", "day", "integer", "decimal", "boolean", "code", "system", "display", "list"]
"""How a column is read from the JSON body:

- `text`: the member as it is. `instant`: a dateTime as UTC TIMESTAMP (NULL unless it has a time).
- `day`: the source's own calendar day of a date or dateTime as DATE (NULL unless complete).
- `integer`, `decimal`, `boolean`: the member with that type. `list`: a list of texts as VARCHAR[].
- `code`, `system`, `display`: of a Coding, or of the first coding of a CodeableConcept.
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
            Column("status", "text", "status", "planned, arrived, in-progress, finished or cancelled"),
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
        Column("phone_token", "text", "phone_token", "a token of the telephone number"),
        Column("device_token", "text", "device_token", "a token of the account or device"),
    ),
)
"""Source patients, of which `customer` is made. The mart keeps them; strategies do not see them."""

PERSONAL = frozenset(table.name for table in TABLES if table.kind in ABOUT_A_PERSON) | {"customer", "customer_profile"}
"""The tables whose rows are about a customer, but those of decisions."""

CUSTOMER: tuple[tuple[str, str, str], ...] = (
    ("customer_id", "VARCHAR", "the least id of the customer's source patients"),
    ("sex", "VARCHAR", "FHIR administrative-gender"),
    ("birth_year", "INTEGER", "year of birth"),
    ("age_months", "INTEGER", "age in whole months, of children under 36 months"),
    ("turns_14", "DATE", "the day of the 14th birthday, where the day of birth is known"),
    ("turns_18", "DATE", "the day of the 18th birthday, where the day of birth is known"),
    ("next_birthday", "DATE", "the next birthday on or after today, where day and month are known"),
    ("district", "VARCHAR", "district or county of the home address"),
    ("education", "VARCHAR", "level of education, as the source codes it"),
    ("occupation", "VARCHAR", "occupation, as the source codes it"),
    ("interests", "VARCHAR[]", "codes of what the person wants to hear about"),
    ("phone_token", "VARCHAR", "a token of the telephone number, equal where the number is"),
    ("device_token", "VARCHAR", "a token of the account or device, equal where that is"),
    ("deceased", "BOOLEAN", "a source said that the customer died"),
    ("deceased_on", "DATE", "on which day, where said"),
    ("patients", "INTEGER", "how many source patients are linked"),
    ("said_at", "TIMESTAMP", "when a source last said something of the person (UTC)"),
    ("known_at", "TIMESTAMP", "when HCRM last heard something of the person (UTC)"),
)
"""The table `customer`: one row a customer, each column the latest statement among the linked source patients."""

CALENDAR: tuple[tuple[str, str, str], ...] = (
    ("day", "DATE", "every day from ten years before today to two years after"),
    ("weekday", "INTEGER", "1 Monday … 7 Sunday (ISO 8601)"),
    ("month", "DATE", "the first day of its month"),
)
"""The table `calendar`: weekdays and months come from here, since engines disagree on the functions."""

DECISIONS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "decision_task": (
        ("task_id", "VARCHAR", "the task's id"),
        ("strategy", "VARCHAR", "the strategy it comes from"),
        ("customer_id", "VARCHAR", "whom it is for"),
        ("anchor", "VARCHAR", "the fact it hangs on"),
        ("step", "VARCHAR", "which of the anchor's steps"),
        ("topic", "VARCHAR", "what it is about"),
        ("state", "VARCHAR", "open, suppressed, withdrawn, superseded, expired, completed"),
        ("reason", "VARCHAR", "why it is suppressed or withdrawn, or how it was completed"),
        ("due_on", "DATE", "day it is due"),
        ("window_start", "DATE", "first day it may be done"),
        ("window_end", "DATE", "last day it may be done"),
        ("owner", "VARCHAR", "the queue that owns it"),
        ("created_at", "TIMESTAMP", "when it was decided (UTC)"),
        ("closed_at", "TIMESTAMP", "when it reached its last state (UTC)"),
    ),
    "decision_points": (
        ("points_id", "VARCHAR", "the entry's id"),
        ("strategy", "VARCHAR", "the strategy it comes from"),
        ("customer_id", "VARCHAR", "whose they are"),
        ("anchor", "VARCHAR", "the fact they were earned by"),
        ("step", "VARCHAR", "by which of its rules"),
        ("account", "VARCHAR", "the programme they belong to"),
        ("points", "BIGINT", "how many"),
        ("booked_on", "DATE", "the day they count from"),
        ("state", "VARCHAR", "granted, refused, countered; only granted ones count"),
        ("reason", "VARCHAR", "why they are refused or countered"),
    ),
    "decision_segment": (
        ("strategy", "VARCHAR", "the strategy it comes from"),
        ("customer_id", "VARCHAR", "the member"),
        ("segment", "VARCHAR", "the segment"),
    ),
    "decision_score": (
        ("strategy", "VARCHAR", "the strategy it comes from"),
        ("customer_id", "VARCHAR", "whose score"),
        ("score", "VARCHAR", "the score's name"),
        ("value", "BIGINT", "its value"),
    ),
}
"""What strategies decided at their last applied run, for other strategies and reports. Details of a segment or score
strategy (its further columns) are kept in the snapshot and appear here as further columns."""
