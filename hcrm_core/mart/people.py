"""The table `customer`: one golden row of each customer's source patients, and the days that follow from a birth."""

from datetime import date

from hcrm_core.config import Criterion, GoldenSettings
from hcrm_core.mart.columns import day
from hcrm_core.mart.made_tables import CUSTOMER
from hcrm_core.model.survivorship import criteria_of, trust_of

_DECIDED: tuple[tuple[str, str, str], ...] = (
    ("sex", "gender", "(coalesce(sex, 'unknown') <> 'unknown')::BIGINT"),
    ("birth_date", "birth_date", "coalesce(length(birth_date), 0)"),
    ("district", "district", ""),
    ("education", "education", ""),
    ("occupation", "occupation", ""),
    ("interests", "interests", "coalesce(len(interests), 0)"),
    ("interest_departments", "interest_departments", "coalesce(len(interest_departments), 0)"),
    ("information_needs", "information_needs", "coalesce(len(information_needs), 0)"),
    ("customer_kinds", "customer_kinds", "coalesce(len(customer_kinds), 0)"),
    ("phone_token", "telecom", ""),
    ("device_token", "telecom", ""),
    ("dead", "deceased", "coalesce(dead, false)::BIGINT"),
    ("deceased_at", "deceased_date_time", "coalesce(length(deceased_at), 0)"),
)
"""Column of the patients, the field it is read from, and how complete a value is (`survivorship.completeness`); empty:
it is complete once it is said."""

_CODED = ("education", "occupation")
"""Columns that are empty where a source says it in words only."""


def golden_of(patients: str, settings: GoldenSettings) -> str:
    """A SELECT of the customers' rows, without what depends on the day they are looked at.

    Each column is the word that stands by `model/survivorship.py`, whose order of words this says in SQL.

    Args:
        patients: A relation with the columns of `tables.PATIENT`.
        settings: Which word stands.
    """
    chosen = ", ".join(_chosen(*one, settings) for one in _DECIDED)
    return f"""
SELECT customer_id, sex, TRY_CAST(left(birth_date, 4) AS INTEGER) AS birth_year, {day("birth_date")} AS born,
  district, education, occupation, interests, interest_departments, information_needs,
  list_sort(list_distinct(list_concat(coalesce(customer_kinds, []), CASE WHEN staff THEN ['internal'] ELSE [] END)))
    AS kinds,
  phone_token, device_token, dead AS deceased, CASE WHEN dead THEN {day("deceased_at")} END AS deceased_on,
  household_id, patients, said_at, known_at
FROM (
  SELECT customer_id, {chosen},
    bool_or(coalesce(staff_number, false)) AS staff,
    max(household_id) AS household_id, count(*)::INTEGER AS patients, max(said_at) AS said_at, max(known_at) AS known_at
  FROM (
    SELECT *, CASE WHEN deceased OR deceased_at IS NOT NULL THEN true ELSE deceased END AS dead FROM {patients}
  ) GROUP BY customer_id
)
"""


def _chosen(column: str, field: str, complete: str, settings: GoldenSettings) -> str:
    """A column of the patient whose word about a field stands; NULL where that is that nothing is known."""
    cleared = f"coalesce(list_contains(cleared, '{field}'), false)"
    said = f"{column}_said" if column in _CODED else f"{column} IS NOT NULL"
    trust = trust_of(settings, field)
    cases = " ".join(f"WHEN {_text(source)} THEN {-place}" for place, source in enumerate(trust))
    orders: dict[Criterion, str] = {
        "trust": f"CASE source {cases} ELSE {-len(trust)} END",
        "completeness": complete or f"({said})::BIGINT",
        "recency": "said_at",
    }
    place = ", ".join(
        [
            "(NOT coalesce(replaced, false))::BIGINT",
            *(orders[one] for one in criteria_of(settings, field)),
            "said_at",
            "patient_id",
        ]
    )
    return f"arg_max_null({column}, ({place})) FILTER (WHERE ({said}) OR {cleared}) AS {column}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def customers_on(kept: str, today: date) -> str:
    """The documented table on a day, of the relation that is kept."""
    years = "(year(d.today) - year(c.born))"
    months = f"({years} * 12 + month(d.today) - month(c.born) - (day(d.today) < day(c.born))::INTEGER)"
    birthday = f"(c.born + to_years({years}::INTEGER))::DATE"
    derived = {
        "age_months": f"CASE WHEN {months} BETWEEN 0 AND 35 THEN {months} END",
        "turns_14": "(c.born + INTERVAL 14 YEAR)",
        "turns_18": "(c.born + INTERVAL 18 YEAR)",
        "next_birthday": f"CASE WHEN {birthday} >= d.today THEN {birthday} "
        f"ELSE (c.born + to_years(({years} + 1)::INTEGER))::DATE END",
    }
    listed = ", ".join(f"({derived.get(name, f'c.{name}')})::{kind} AS {name}" for name, kind, _ in CUSTOMER)
    return f"SELECT {listed} FROM {kept} AS c, (SELECT DATE '{today.isoformat()}' AS today) AS d"


def calendar_on(today: date) -> str:
    """The table `calendar` on a day."""
    day_ = f"DATE '{today.isoformat()}'"
    return (
        "SELECT day::DATE AS day, isodow(day)::INTEGER AS weekday, date_trunc('month', day)::DATE AS month "
        f"FROM unnest(generate_series({day_} - INTERVAL 10 YEAR, {day_} + INTERVAL 2 YEAR, INTERVAL 1 DAY)) AS t(day) "
        "ORDER BY day"
    )
