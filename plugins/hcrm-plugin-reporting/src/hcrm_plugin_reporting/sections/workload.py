"""Follow-up tasks by the day they fall due."""

import re
from collections import Counter
from datetime import date, timedelta

from hcrm_plugin_reporting.charts import chart
from hcrm_plugin_reporting.facts import Facts, whole
from hcrm_plugin_reporting.section import Data, Section
from hcrm_plugin_reporting.wording import Wording

DAYS = 30
STEPS = 5
"""Steps told apart by colour; the rarer ones stand together."""

OFFSET = re.compile(r"day(\d+)|(\d+)d")


def workload(facts: Facts, words: Wording) -> Section:
    """Open tasks due in the next 30 days, a bar a day, stacked by step."""
    tasks: Counter[tuple[date, str]] = Counter()
    steps: Counter[str] = Counter()
    for row in facts.rows["workload"]:
        tasks[row["due_on"], str(row["step"])] += whole(row["tasks"])
        steps[str(row["step"])] += whole(row["tasks"])
    if not tasks:
        return Section("workload", words("workload.empty"))
    common = [step for step, _ in steps.most_common(STEPS if len(steps) <= STEPS else STEPS - 1)]
    shown = sorted(common, key=natural)
    names = {step: step_name(step, words) for step in shown}
    series = list(dict.fromkeys([*names.values(), *([words("workload.other")] if len(steps) > len(shown) else [])]))
    days = [facts.today + timedelta(days=ahead) for ahead in range(DAYS)]
    grid: Counter[tuple[date, str]] = Counter()
    for (day, step), count in tasks.items():
        grid[day, names.get(step, words("workload.other"))] += count
    totals = {day: sum(grid[day, name] for name in series) for day in days}
    peak = max(days, key=lambda day: totals[day])
    takeaway = words(
        "workload.takeaway",
        tasks=words.count(sum(totals.values())),
        mean=words.mean(sum(totals.values()), DAYS),
        day=words.short_day(peak),
        peak=words.count(totals[peak]),
    )
    rows = [
        {
            "day": f"{day.isoformat()}|{words.short_day(day) if day.isoweekday() == 1 else ''}",
            "place": place,
            "step": name,
            "order": order,
            "tasks": grid[day, name],
        }
        for place, day in enumerate(days)
        for order, name in enumerate(series)
    ]
    return Section(
        "workload",
        takeaway,
        chart("workload", rows, words, label=takeaway),
        Data(
            [words("workload.day"), *series, words("workload.tasks")],
            [
                [words.short_day(day), *(words.count(grid[day, name]) for name in series), words.count(totals[day])]
                for day in days
                if totals[day]
            ],
        ),
        words("workload.note"),
    )


def natural(step: str) -> tuple[bool, int, str]:
    """Order of steps: by their first number, then by name."""
    number = re.search(r"\d+", step)
    return (number is None, int(number[0]) if number else 0, step)


def step_name(step: str, words: Wording) -> str:
    """What a step is called: `day3` or `3d` in words, anything else as the rule names it."""
    offset = OFFSET.fullmatch(step)
    return words("workload.after", days=offset[1] or offset[2]) if offset else step or words("workload.other")
