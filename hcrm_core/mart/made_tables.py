"""The documented tables that are made of others: customers, the calendar, and what strategies decided.

Each column is written as its name, its SQL type and what it means.
"""

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
    ("interest_departments", "VARCHAR[]", "codes of the departments the person is interested in"),
    ("information_needs", "VARCHAR[]", "codes of what the person wants to be told"),
    ("kinds", "VARCHAR[]", "what the person is besides a patient, in order: family, healthy, internal, partner; `[]`"),
    ("phone_token", "VARCHAR", "a token of the telephone number, equal where the number is"),
    ("device_token", "VARCHAR", "a token of the account or device, equal where that is"),
    ("deceased", "BOOLEAN", "the customer died"),
    ("deceased_on", "DATE", "on which day, where said"),
    ("household_id", "VARCHAR", "the least customer id of the household; NULL for who is in none"),
    ("patients", "INTEGER", "how many source patients are linked"),
    ("said_at", "TIMESTAMP", "when a source last said something of the person (UTC)"),
    ("known_at", "TIMESTAMP", "when HCRM last heard something of the person (UTC)"),
)
"""The table `customer`: one row a customer, each column the word of that source patient which stands (`[golden]`)."""

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
