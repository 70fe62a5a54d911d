"""The table `customer_profile`: what is asked first of a customer, made of other tables by `profile.sql`."""

from collections.abc import Collection
from datetime import date
from functools import cache
from importlib.resources import files

from hcrm_core.mart.made_tables import CUSTOMER

NAME = "customer_profile"

MADE_OF = ("customer", "encounter", "appointment", "charge_item", "condition", "organization")
"""The tables it is made of; who reads it reads them."""

PROFILE: tuple[tuple[str, str, str], ...] = (
    *CUSTOMER,
    ("today", "DATE", "the day from which all is counted"),
    ("age", "INTEGER", "the age reached in this calendar year"),
    ("visits", "BIGINT", "visits that began, of every kind, ever"),
    ("visits_12m", "BIGINT", "visits that began in the last 12 months"),
    ("admissions_12m", "BIGINT", "in-patient stays (class IMP) among these"),
    ("emergencies_12m", "BIGINT", "emergency visits (class EMER) among these"),
    ("no_shows_12m", "BIGINT", "appointments of the last 12 months the customer did not come to"),
    ("revenue_12m", "BIGINT", "charges less credits and adjustments of the last 12 months, in minor units; 0 for none"),
    ("currency", "VARCHAR", "the currency of `revenue_12m`: that of most charge lines; lines in others do not count"),
    ("first_visit_on", "DATE", "day of the first visit"),
    ("last_visit_on", "DATE", "day on which the last visit began"),
    ("days_since_last_visit", "BIGINT", "days from then to today; NULL for who never came"),
    ("last_admission_on", "DATE", "day of the last admission (class IMP)"),
    ("last_discharge_on", "DATE", "day of the last discharge"),
    ("in_hospital", "BOOLEAN", "an in-patient stay is in progress"),
    ("next_appointment_on", "DATE", "day of the next appointment, today or later"),
    ("last_department_id", "VARCHAR", "the organization of the last visit that names one"),
    ("last_department", "VARCHAR", "its name, else its code"),
    ("payer_class", "VARCHAR", "financial class (HL7 table 0064) of the last visit that states one"),
    ("hypertension", "BOOLEAN", "ever diagnosed: ICD-10 I10 to I15"),
    ("diabetes", "BOOLEAN", "ever diagnosed: ICD-10 E10 to E14"),
    ("chronic_conditions", "BIGINT", "how many of six were ever diagnosed: these, I20–I25, I60–I69, J44, N18"),
    ("first_visit_id", "VARCHAR", "the first visit, to cite in evidence"),
    ("last_visit_id", "VARCHAR", "the last visit, likewise"),
    ("last_admission_id", "VARCHAR", "the last in-patient stay, likewise"),
    ("last_no_show_id", "VARCHAR", "the last appointment not come to, likewise"),
    ("next_appointment_id", "VARCHAR", "the next appointment, likewise"),
    ("last_charge_id", "VARCHAR", "the last charge line of `revenue_12m`, likewise"),
    ("last_chronic_id", "VARCHAR", "the last diagnosis of `chronic_conditions`, likewise"),
)
"""The table `customer_profile`: one row a customer: the columns of `customer`, and what happened, counted from today.

Visits that are planned or cancelled do not count. What strategies decided is no part of it, so that it is the same
whenever it is asked for as of the same day.
"""


@cache
def profile_sql() -> str:
    """The SELECT, in the dialect of strategies."""
    return files("hcrm_core.mart").joinpath("profile.sql").read_text(encoding="utf-8")


def profile_on(today: date) -> str:
    """The SELECT on a day."""
    return profile_sql().replace("$today", f"DATE '{today.isoformat()}'")


def with_made_of(tables: Collection[str]) -> set[str]:
    """Tables, and those that tables among them are made of."""
    return set(tables) | (set(MADE_OF) if NAME in tables else set())
