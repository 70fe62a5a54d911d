"""The busiest departments side by side."""

from collections import Counter

from hcrm_plugin_reporting.facts import Facts, whole
from hcrm_plugin_reporting.section import Data, Section
from hcrm_plugin_reporting.wording import Wording

SHOWN = 10


def departments(facts: Facts, words: Wording) -> Section:
    """Visits, discharges, revenue, no-shows and open follow-ups of the ten busiest departments."""
    rows = facts.rows["departments"]
    if not rows:
        return Section("departments", words("departments.empty"), wide=True)
    revenue: Counter[str] = Counter()
    for row in facts.main("department_revenue"):
        revenue[str(row["department_id"])] += whole(row["revenue"])

    def name(department: str) -> str:
        return department or words("departments.unknown")

    def money(department: str) -> str:
        if facts.currency is None or department not in revenue:
            return words("unit.none")
        return words.money(revenue[department], facts.currency)

    first = rows[0]
    return Section(
        "departments",
        words(
            "departments.takeaway",
            name=name(str(first["name"])),
            visits=words.count(whole(first["visits"])),
            discharges=words.count(whole(first["discharges"])),
        ),
        None,
        Data(
            [words(f"departments.{head}") for head in ("name", "visits", "discharges", "revenue", "noshow", "open")],
            [
                [
                    name(str(row["name"])),
                    words.count(whole(row["visits"])),
                    words.count(whole(row["discharges"])),
                    money(str(row["department_id"])),
                    words.percent(whole(row["noshows"]), whole(row["appointments"])),
                    words.count(whole(row["open"])),
                ]
                for row in rows[:SHOWN]
            ],
        ),
        words("departments.note", n=words.count(len(rows))),
        wide=True,
        open_data=True,
    )
