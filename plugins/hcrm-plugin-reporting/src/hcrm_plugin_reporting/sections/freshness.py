"""How recent the data is, kind by kind."""

from hcrm_plugin_reporting.facts import Facts, whole
from hcrm_plugin_reporting.section import Data, Section
from hcrm_plugin_reporting.wording import Wording


def freshness(facts: Facts, words: Wording) -> Section:
    """Rows and last days of the kinds of fact the report reads."""
    rows = facts.rows["freshness"]
    if not rows:
        return Section("freshness", words("freshness.empty"))
    order = ("customer", "encounter", "appointment", "charge_item")

    def day(value: object) -> str:
        return str(value) if value else words("unit.none")

    return Section(
        "freshness",
        words("freshness.takeaway"),
        None,
        Data(
            [words(f"freshness.{head}") for head in ("fact", "facts", "said", "known")],
            [
                [
                    words(f"freshness.{row['fact']}"),
                    words.count(whole(row["facts"])),
                    day(row["said_on"]),
                    day(row["known_on"]),
                ]
                for row in sorted(rows, key=lambda row: order.index(row["fact"]))
            ],
        ),
        words("freshness.note"),
        open_data=True,
    )
