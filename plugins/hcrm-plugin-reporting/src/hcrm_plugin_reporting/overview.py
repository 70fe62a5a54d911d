"""The report `overview`: a hospital's year on two or three pages."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import ClassVar

from hcrm_core.api import Report, ReportContext, Row
from hcrm_plugin_reporting import figures
from hcrm_plugin_reporting.facts import Facts
from hcrm_plugin_reporting.markup import Html, element
from hcrm_plugin_reporting.page import page
from hcrm_plugin_reporting.quality import last_heard, quality
from hcrm_plugin_reporting.resources import query
from hcrm_plugin_reporting.section import framed
from hcrm_plugin_reporting.sections.activity import activity
from hcrm_plugin_reporting.sections.concentration import concentration
from hcrm_plugin_reporting.sections.departments import departments
from hcrm_plugin_reporting.sections.followup import followup
from hcrm_plugin_reporting.sections.freshness import freshness
from hcrm_plugin_reporting.sections.people import people
from hcrm_plugin_reporting.sections.segments import segments
from hcrm_plugin_reporting.sections.workload import workload
from hcrm_plugin_reporting.summary import summary
from hcrm_plugin_reporting.wording import Wording

SECTIONS = (activity, segments, concentration, followup, workload, departments, people, freshness)

QUERIES = (
    "figures",
    "months",
    "revenue",
    "segments",
    "segment_revenue",
    "lorenz",
    "concentration",
    "followup",
    "followup_stages",
    "tasks",
    "workload",
    "departments",
    "department_revenue",
    "people",
    "freshness",
)


class Overview(Report):
    """Activity, customers, revenue and follow-up, for a hospital's director."""

    name: ClassVar[str] = "overview"
    title: ClassVar[dict[str, str]] = {"zh": "运营概览", "en": "Operations overview"}
    tables: ClassVar[tuple[str, ...]] = (
        "appointment",
        "calendar",
        "charge_item",
        "customer",
        "decision_segment",
        "decision_task",
        "encounter",
        "organization",
    )
    queries: ClassVar[dict[str, str]] = {name: query(name) for name in QUERIES}

    def render(self, rows: Mapping[str, Sequence[Row]], context: ReportContext) -> bytes:
        """One self-contained HTML file; the same rows and context give the same bytes."""
        words = Wording(context.language)
        facts = Facts(rows, context)
        return page(
            f"{context.title} · {words('page.title')}",
            words,
            masthead(facts, context, words),
            opening(facts, words),
            element(
                "dl", [figures.framed(figure, words) for figure in figures.figures(facts, words)], class_="figures"
            ),
            element("div", [framed(section(facts, words), words) for section in SECTIONS], class_="panels"),
            element("footer", element("p", words("page.footer"))),
        )


def masthead(facts: Facts, context: ReportContext, words: Wording) -> Html:
    """The hospital's name and what the report covers."""
    today = date.fromisoformat(context.today)
    first = next((row["first_day"] for row in facts.rows["figures"]), None) or today
    heard = last_heard(facts)
    months = facts.months
    terms = [
        ("page.as_of", words.day(today)),
        ("page.period", words("page.period_value", first=words.day(first), last=words.day(today))),
        (
            "page.trend",
            words("page.trend_value", first=words.month(months[0].first), last=words.month(months[-1].first))
            if months
            else words("page.no_data"),
        ),
        ("page.fresh", words("page.fresh_value", day=words.day(heard)) if heard else words("page.no_data")),
    ]
    return element(
        "header",
        element("p", context.title, class_="hospital"),
        element("h1", words("page.title")),
        element("dl", [element("div", element("dt", words(key)), element("dd", value)) for key, value in terms]),
    )


def opening(facts: Facts, words: Wording) -> Html:
    """The summary beside the remarks on data quality."""
    return element(
        "div",
        element("section", element("h2", words("page.summary")), element("p", summary(facts, words)), class_="summary"),
        element(
            "aside",
            element("h2", words("page.quality")),
            element("ul", [element("li", remark) for remark in quality(facts, words)]),
        ),
        class_="opening",
    )
