"""How unequally revenue is spread over customers: the measured split, never a rule of thumb."""

from fractions import Fraction
from typing import NamedTuple

from hcrm_plugin_reporting.charts import chart
from hcrm_plugin_reporting.facts import Facts, whole
from hcrm_plugin_reporting.section import Data, Section
from hcrm_plugin_reporting.wording import Wording, rounded


class Spread(NamedTuple):
    """The measures of concentration, exact."""

    customers: int
    revenue: int
    top_customers: int
    top_revenue: int
    most_customers: int
    weighted: int

    @property
    def gini(self) -> Fraction:
        """0 for an even spread; with n customers at most 1 − 1/n."""
        return Fraction(2 * self.weighted, self.customers * self.revenue) - Fraction(self.customers + 1, self.customers)


def spread(facts: Facts) -> Spread | None:
    """The measures in the report's currency, where anybody has positive revenue."""
    rows = facts.main("concentration")
    return Spread(*(whole(rows[0][name]) for name in Spread._fields)) if rows else None


def concentration(facts: Facts, words: Wording) -> Section:
    """The Lorenz curve of revenue per customer, with the highest fifth and the Gini coefficient marked."""
    measured = spread(facts)
    if measured is None:
        return Section("concentration", words("concentration.empty"))
    top = words.percent(measured.top_revenue, measured.revenue)
    takeaway = words(
        "concentration.takeaway",
        top=words.count(measured.top_customers),
        share=top,
        most=words.count(measured.most_customers),
        most_share=words.percent(measured.most_customers, measured.customers),
    )
    points = [(0, 0)]
    for row in facts.main("lorenz"):
        points.append((points[-1][0] + whole(row["customers"]), points[-1][1] + whole(row["revenue"])))
    below = measured.customers - measured.top_customers
    rest = measured.revenue - measured.top_revenue
    # Hundredths of an uneven number of customers may straddle the highest fifth: its own point keeps the mark
    # on the curve.
    points = sorted({*points, (below, rest)})
    gini = rounded(measured.gini, 2)
    rows = [
        {
            "customers": customers / measured.customers,
            "revenue": revenue / measured.revenue,
            "marked": customers == below,
        }
        for customers, revenue in points
    ]
    return Section(
        "concentration",
        takeaway,
        chart(
            "lorenz",
            rows,
            words,
            label=takeaway,
            mark=words("concentration.mark", share=top),
            gini=words("concentration.gini", gini=gini),
        ),
        Data(
            [words("concentration.customers"), words("concentration.revenue")],
            [
                [words.percent(customers, measured.customers), words.percent(revenue, measured.revenue)]
                for customers, revenue in tenths(points, measured.customers)
            ],
        ),
        words("concentration.note", n=words.count(measured.customers), gini=gini),
    )


def tenths(points: list[tuple[int, int]], customers: int) -> list[tuple[int, int]]:
    """The first point at or beyond each tenth of the customers."""
    found = [next(point for point in points if 10 * point[0] >= tenth * customers) for tenth in range(1, 11)]
    return list(dict.fromkeys(found))
