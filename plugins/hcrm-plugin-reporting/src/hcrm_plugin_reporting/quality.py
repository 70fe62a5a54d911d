"""What a reader must know of the data before trusting the figures."""

from datetime import date

from hcrm_plugin_reporting.facts import Facts, whole
from hcrm_plugin_reporting.sections.people import unplaced
from hcrm_plugin_reporting.wording import Wording

STALE_DAYS = 3


def last_heard(facts: Facts) -> date | None:
    """The last day on which HCRM heard of anything."""
    return max((row["known_on"] for row in facts.rows["freshness"] if row["known_on"]), default=None)


def quality(facts: Facts, words: Wording) -> list[str]:
    """The remarks, most important first; one that all is well where there is nothing to say."""
    remarks = []
    heard = last_heard(facts)
    if heard is None:
        remarks.append(words("quality.empty"))
    elif (facts.today - heard).days > STALE_DAYS:
        remarks.append(words("quality.stale", day=words.day(heard), days=words.count((facts.today - heard).days)))
    untracked = facts.number("followup", "untracked")
    if untracked:
        remarks.append(words("quality.untracked", count=words.count(untracked)))
    others = [row for row in facts.rows["revenue"] if row["currency"] != facts.currency]
    if others:
        items = [
            words("quality.currency_item", currency=row["currency"], items=words.count(whole(row["items"])))
            for row in others
        ]
        remarks.append(words("quality.currencies", main=facts.currency, others=words("join.list").join(items)))
    unknown = unplaced(facts)
    if unknown:
        remarks.append(words("quality.unknown_people", count=words.count(unknown)))
    return remarks or [words("quality.fine")]
