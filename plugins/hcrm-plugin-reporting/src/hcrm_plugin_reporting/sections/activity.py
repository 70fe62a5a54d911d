"""Activity by month."""

from hcrm_plugin_reporting.charts import chart
from hcrm_plugin_reporting.facts import LINES, Facts, Month
from hcrm_plugin_reporting.section import Data, Section
from hcrm_plugin_reporting.wording import Wording

COLUMNS = ("visits", "emergencies", "admissions", "discharges")


def activity(facts: Facts, words: Wording) -> Section:
    """Outpatient visits, admissions and emergencies, a panel each."""
    months, year = facts.months, facts.full_months[-12:]
    if not any(getattr(month, line) for month in months for line in LINES):
        return Section("activity", words("activity.empty"), wide=True)
    peak = max(year or months, key=lambda month: month.visits)
    takeaway = words(
        "activity.takeaway" if year else "activity.takeaway_partial",
        n=words.count(len(year)),
        visits=words.count(sum(month.visits for month in year)),
        month=words.month(peak.first),
        peak=words.count(peak.visits),
    )
    rows = [
        {
            "month": axis_label(month, first=not place, words=words),
            "order": place,
            "line": words(f"activity.{line}"),
            "value": getattr(month, line),
            "label": words.count(getattr(month, line)),
            "full": not month.partial,
            "tail": month.partial or (months[-1].partial and place == len(months) - 2),
            "marked": month is (facts.full_months or months)[-1],
        }
        for line in LINES
        for place, month in enumerate(months)
    ]
    return Section(
        "activity",
        takeaway,
        chart("activity", rows, words, label=takeaway),
        Data(
            [words(f"activity.{head}") for head in ("month", *COLUMNS, "days")],
            [
                [
                    words("activity.partial", month=words.month(month.first))
                    if month.partial
                    else words.month(month.first),
                    *(words.count(getattr(month, column)) for column in COLUMNS),
                    words.mean(month.stay_days, month.stays),
                ]
                for month in reversed(months)
            ],
        ),
        words("activity.note"),
        wide=True,
    )


def axis_label(month: Month, *, first: bool, words: Wording) -> str:
    """`month|year|lines`: unique in the axis' domain; the year is shown under January and the first month."""
    return f"{words.short_month(month.first)}|{month.first.year}|{2 if first or month.first.month == 1 else 1}"
