"""The summary in sentences: what the last full month changed, who the customers are, what is still to be done."""

from fractions import Fraction

from hcrm_plugin_reporting.facts import Facts, Month, whole
from hcrm_plugin_reporting.sections.concentration import spread
from hcrm_plugin_reporting.wording import Wording, rounded


def summary(facts: Facts, words: Wording) -> str:
    """Up to five sentences; those without figures to tell are left out."""
    sentences = [*months(facts, words), *base(facts, words), *revenue(facts, words), *followup(facts, words)]
    return words("join.sentence").join(sentences) or words("summary.nothing")


def months(facts: Facts, words: Wording) -> list[str]:
    """The last full month beside the month before and the same month last year."""
    full = facts.full_months
    if not full:
        return []
    now = full[-1]
    before = full[-2] if len(full) > 1 else None
    year = full[-13] if len(full) > 12 else None

    def changes(column: str) -> str:
        told = [
            words(f"change.{key}", change=words.change(getattr(now, column), getattr(other, column)))
            for key, other in (("month", before), ("year", year))
            if other is not None
        ]
        return words("change.all", changes=words("change.separator").join(told)) if told else ""

    return [
        words(
            "summary.activity",
            month=words.month(now.first),
            visits=words.count(now.visits),
            changes=changes("visits"),
            emergencies=words.count(now.emergencies),
        ),
        words(
            "summary.stays",
            admissions=words.count(now.admissions),
            changes=changes("admissions"),
            discharges=words.count(now.discharges),
            days=words.mean(now.stay_days, now.stays),
            before=stay_before(before, words),
        ),
    ]


def stay_before(before: Month | None, words: Wording) -> str:
    """The average stay of the month before, where it had one."""
    if before is None or not before.stays:
        return ""
    return words("summary.days_before", days=rounded(Fraction(before.stay_days, before.stays), 1))


def base(facts: Facts, words: Wording) -> list[str]:
    """How many customers there are and how many of them come."""
    customers, active = facts.number("figures", "customers"), facts.number("figures", "active")
    if not customers:
        return []
    return [
        words(
            "summary.base",
            customers=words.count(customers),
            active=words.count(active),
            share=words.percent(active, customers),
        )
    ]


def revenue(facts: Facts, words: Wording) -> list[str]:
    """Revenue and its measured concentration."""
    measured, main = spread(facts), facts.main("revenue")
    if measured is None or facts.currency is None:
        return []
    return [
        words(
            "summary.revenue",
            revenue=words.money(whole(main[0]["revenue"]), facts.currency),
            top=words.count(measured.top_customers),
            share=words.percent(measured.top_revenue, measured.revenue),
            gini=rounded(measured.gini, 2),
        )
    ]


def followup(facts: Facts, words: Wording) -> list[str]:
    """How far discharges are followed up."""
    discharges = facts.number("followup", "discharges")
    if not discharges:
        return []
    covered = discharges - facts.number("followup", "untracked")
    return [
        words(
            "summary.followup",
            discharges=words.count(discharges),
            covered=words.count(covered),
            share=words.percent(covered, discharges),
            open=words.count(facts.number("tasks", "open")),
            overdue=words.count(facts.number("tasks", "overdue")),
        )
    ]
