"""The key figures: each with its definition, what it is counted over, and its last year by month where it has one."""

from typing import NamedTuple

from hcrm_plugin_reporting.charts import sparkline
from hcrm_plugin_reporting.facts import Facts, whole
from hcrm_plugin_reporting.markup import Html, element
from hcrm_plugin_reporting.wording import Wording


class Figure(NamedTuple):
    """One number of the row; `alert` marks one that asks for action."""

    key: str
    value: str
    counted: str
    unit: str = ""
    trend: tuple[int, ...] = ()
    alert: bool = False


def figures(facts: Facts, words: Wording) -> list[Figure]:
    """The row of key figures, in reading order."""

    def year(column: str) -> int:
        return facts.number("figures", column)

    def trend(column: str) -> tuple[int, ...]:
        return tuple(getattr(month, column) for month in facts.full_months[-12:])

    customers, active = year("customers"), year("active")
    stays, days = year("stays"), year("stay_days")
    open_, week, overdue = (facts.number("tasks", name) for name in ("open", "this_week", "overdue"))
    last = facts.full_months[-1] if facts.full_months else None
    month = words.month(last.first) if last else words("unit.none")
    discharged = facts.number("followup", "discharges")
    covered = discharged - facts.number("followup", "untracked")
    main = facts.main("revenue")
    found = [
        ("customers", words.count(customers), words.count(year("deceased"))),
        ("active", words.count(active), words.percent(active, customers)),
        ("visits", words.count(year("visits")), words.count(year("emergencies"))),
        ("admissions", words.count(year("admissions")), words.count(last.admissions) if last else words("unit.none")),
        ("discharges", words.count(year("discharges")), words.count(last.discharges) if last else words("unit.none")),
        ("stay", words.mean(days, stays), words.count(stays)),
        ("noshow", words.percent(year("noshows"), year("appointments")), words.count(year("appointments"))),
        ("covered", words.percent(covered, discharged), words.count(discharged)),
        ("open", words.count(open_), words.count(facts.number("tasks", "tasks"))),
        ("week", words.count(week), words.percent(week, open_)),
        ("overdue", words.count(overdue), words.percent(overdue, open_)),
    ]
    revenue = words.money(whole(main[0]["revenue"]), str(main[0]["currency"])) if main else words("unit.none")
    found.insert(6, ("revenue", revenue, words.count(whole(main[0]["customers"]) if main else 0)))
    return [
        Figure(
            key,
            value,
            words(f"figure.{key}.count", n=count, month=month),
            unit=words("figure.stay.unit") if key == "stay" and stays else "",
            trend=trend(key) if key in ("visits", "admissions", "discharges") else (),
            alert=key == "overdue" and overdue > 0,
        )
        for key, value, count in found
    ]


def framed(figure: Figure, words: Wording) -> Html:
    """A figure as markup."""
    return element(
        "div",
        element("dt", words(f"figure.{figure.key}.label")),
        element(
            "dd",
            element("span", figure.value, class_="value"),
            element("span", figure.unit, class_="unit") if figure.unit else None,
            sparkline(figure.trend),
            class_="reading",
        ),
        element("dd", figure.counted, class_="count"),
        element("dd", words(f"figure.{figure.key}.definition"), class_="definition"),
        class_="figure alert" if figure.alert else "figure",
    )
