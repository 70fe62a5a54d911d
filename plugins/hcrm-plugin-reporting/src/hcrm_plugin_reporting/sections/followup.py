"""What became of the discharges: tasks, reasons for none, and where the tasks stand."""

from collections import Counter

from hcrm_plugin_reporting.charts import chart
from hcrm_plugin_reporting.facts import Facts, whole
from hcrm_plugin_reporting.section import Data, Section
from hcrm_plugin_reporting.wording import Wording

ENDED = ("suppressed", "withdrawn")
WORKED = ("completed", "expired", "overdue", "due", "later")
REASONS = 4
"""Reasons for suppression drawn one by one; the rarer ones stand together."""


def followup(facts: Facts, words: Wording) -> Section:
    """Discharges, the tasks they led to, and the state of those tasks, as one sequence of bars."""
    discharges, tasked, reasoned, untracked = (
        facts.number("followup", name) for name in ("discharges", "tasked", "reasoned", "untracked")
    )
    if not discharges:
        return Section("followup", words("followup.empty"))
    stages, reasons = stage_counts(facts)
    if not stages:
        return Section("followup", words("followup.no_tasks", discharges=words.count(discharges)))
    takeaway = words(
        "followup.takeaway",
        discharges=words.count(discharges),
        tasked=words.count(tasked),
        reasoned=words.count(reasoned),
        untracked=words.count(untracked),
    )
    due = sum(stages[stage] for stage in ("completed", "expired", "overdue", "due"))
    if due:
        done = words("followup.takeaway_done", done=words.percent(stages["completed"], due))
        takeaway += words("join.sentence") + done
    total = stages.total()
    bars: list[tuple[str, str, int, int]] = [
        ("discharge", words("followup.discharges"), discharges, discharges),
        ("discharge", words("followup.accounted"), tasked + reasoned, discharges),
        ("task", words("followup.tasks"), total, total),
        ("ended", words("followup.suppressed"), stages["suppressed"], total),
    ]
    common = reasons.most_common()
    shown = common if len(common) <= REASONS else common[: REASONS - 1]
    for reason, count in shown:
        name = words.name("reason", reason) if reason else words("followup.unstated")
        bars.append(("reason", words("followup.reason", reason=name), count, total))
    if len(shown) < len(common):
        rest = stages["suppressed"] - sum(count for _, count in shown)
        bars.append(("reason", words("followup.reason", reason=words("segment.others")), rest, total))
    bars.append(("ended", words("followup.withdrawn"), stages["withdrawn"], total))
    bars += [(stage, words(f"followup.{stage}"), stages[stage], total) for stage in WORKED]
    other = total - sum(stages[stage] for stage in (*ENDED, *WORKED))
    if other:
        bars.append(("other", words("followup.other"), other, total))
    rows = [
        {
            "stage": name,
            "order": place,
            "kind": kind,
            "count": count,
            "label": f"{words.count(count)} · {words.percent(count, of, 0)}" if count != of else words.count(count),
        }
        for place, (kind, name, count, of) in enumerate(bars)
    ]
    return Section(
        "followup",
        takeaway,
        chart("followup", rows, words, label=takeaway),
        Data(
            [words("followup.stage"), words("followup.count"), words("followup.share")],
            [[name, words.count(count), words.percent(count, of)] for _, name, count, of in bars],
        ),
        words("followup.note"),
    )


def stage_counts(facts: Facts) -> tuple[Counter[str], Counter[str]]:
    """Tasks by stage, and suppressed tasks by reason."""
    stages: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for row in facts.rows["followup_stages"]:
        stages[str(row["stage"])] += whole(row["tasks"])
        if row["stage"] == "suppressed":
            reasons[str(row["reason"])] += whole(row["tasks"])
    return stages, reasons
