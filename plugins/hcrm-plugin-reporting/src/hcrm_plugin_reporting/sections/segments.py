"""Sizes of the RFM segments and what they bring."""

from hcrm_plugin_reporting.charts import chart
from hcrm_plugin_reporting.facts import Facts, whole
from hcrm_plugin_reporting.section import Data, Section
from hcrm_plugin_reporting.wording import Wording

HEIGHT = 340
"""What the bars share, so that the drawing is as high as its neighbour."""


def segments(facts: Facts, words: Wording) -> Section:
    """Share of customers beside share of revenue, largest segment first."""
    sizes = [(str(row["segment"]), whole(row["customers"])) for row in facts.rows["segments"]]
    if not sizes:
        return Section("segments", words("segments.empty"))
    total = sum(size for _, size in sizes)
    revenue = {str(row["segment"]): whole(row["revenue"]) for row in facts.main("segment_revenue")}
    earned = sum(revenue.values())
    known = facts.currency is not None and earned > 0

    def share(segment: str) -> str:
        return words.percent(revenue.get(segment, 0), earned)

    richest = max(sizes, key=lambda size: revenue.get(size[0], 0)) if known else sizes[0]
    takeaway = words(
        "segments.takeaway" if known else "segments.takeaway_plain",
        segment=words.name("segment", richest[0]),
        customers=words.percent(richest[1], total) if known else words.count(richest[1]),
        revenue=share(richest[0]),
        share=words.percent(richest[1], total),
    )
    measures = [("segments.customer_share", dict(sizes), total)]
    if known:
        measures.append(("segments.revenue_share", revenue, earned))
    rows = [
        {
            "segment": words.name("segment", name),
            "order": place,
            "measure": words(key),
            "share": max(0, values.get(name, 0)) / whole_,
            "label": words.percent(values.get(name, 0), whole_),
        }
        for key, values, whole_ in measures
        for place, (name, _) in enumerate(sizes)
    ]
    heads = ["segment", "customers", "customer_share", *(["revenue", "revenue_share"] if known else [])]
    data = [
        [
            words.name("segment", name),
            words.count(size),
            words.percent(size, total),
            *([words.money(revenue.get(name, 0), str(facts.currency)), share(name)] if known else []),
        ]
        for name, size in sizes
    ]
    return Section(
        "segments",
        takeaway,
        chart("segments", rows, words, label=takeaway, step=max(24, min(48, HEIGHT // len(sizes)))),
        Data([words(f"segments.{head}") for head in heads], data),
        words("segments.note", n=words.count(total)),
    )
