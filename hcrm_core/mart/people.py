"""The table `customer`: one golden row of each customer's source patients, and the days that follow from a birth."""

from datetime import date

from hcrm_core.mart.columns import day
from hcrm_core.mart.made_tables import CUSTOMER

GOLDEN = f"""
SELECT customer_id, sex, TRY_CAST(left(birth_date, 4) AS INTEGER) AS birth_year, {day("birth_date")} AS born,
  district, education, occupation, interests, phone_token, device_token, deceased, {day("deceased_at")} AS deceased_on,
  patients, said_at, known_at
FROM (
  SELECT customer_id,
    arg_max(sex, place) FILTER (WHERE sex IS NOT NULL) AS sex,
    arg_max(birth_date, place) FILTER (WHERE birth_date IS NOT NULL) AS birth_date,
    arg_max(district, place) FILTER (WHERE district IS NOT NULL) AS district,
    arg_max(education, place) FILTER (WHERE education IS NOT NULL) AS education,
    arg_max(occupation, place) FILTER (WHERE occupation IS NOT NULL) AS occupation,
    arg_max(interests, place) FILTER (WHERE interests IS NOT NULL) AS interests,
    arg_max(phone_token, place) FILTER (WHERE phone_token IS NOT NULL) AS phone_token,
    arg_max(device_token, place) FILTER (WHERE device_token IS NOT NULL) AS device_token,
    -- One source that knows of a death outweighs another that repeats an older "no": nobody calls the dead.
    bool_or(deceased OR deceased_at IS NOT NULL) AS deceased,
    arg_max(deceased_at, place) FILTER (WHERE deceased_at IS NOT NULL) AS deceased_at,
    count(*)::INTEGER AS patients, max(said_at) AS said_at, max(known_at) AS known_at
  FROM (SELECT *, (said_at, patient_id) AS place FROM {{patients}}) GROUP BY customer_id
)
"""
"""A customer's row of the relation `{patients}`: each column the latest statement. It is kept without what depends on
the day it is looked at."""


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
