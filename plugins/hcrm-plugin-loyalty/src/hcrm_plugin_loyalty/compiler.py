"""A programme as strategies: its points, one SELECT over all rules, and its tiers."""

import re
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files

from hcrm_core.api import Strategy
from hcrm_plugin_loyalty.notation import Earn, Programme, Tiers, months

UNCAPPED = 10**15


def compile_programme(programme: Programme) -> Iterator[Strategy]:
    """The strategies of a programme: `loyalty.<id>` (points) and, where it has tiers, `loyalty.<id>.tier` (segments).

    Conditions are put in as they are, each on lines and in parentheses of its own; the core checks the whole.
    """
    name = f"loyalty.{programme.id}"
    sql = "\nUNION ALL\n".join(f"SELECT * FROM (\n{_points(programme, rule)}\n)" for rule in programme.earn)
    yield Strategy(
        name=name,
        version=_version(programme, sql),
        kind="points",
        # The cap looks at one customer's charges only.
        scope="subject",
        tables=("charge_item",),
        sql=sql,
        parameters={"since": programme.since.isoformat(), "currency": programme.currency},
        title=dict(programme.title),
    )
    if programme.tiers:
        tier = _tier(name, programme.tiers)
        yield Strategy(
            name=f"{name}.tier",
            version=_version(programme, tier),
            kind="segment",
            scope="subject",
            tables=("decision_points",),
            reads=(name,),
            sql=tier,
            parameters={"window_months": months(programme.tiers.window)},
            title={language: f"{text} ({_TIER[language]})" for language, text in programme.title.items()},
        )


_TIER = {"en": "tiers", "zh": "等级"}


def _version(programme: Programme, sql: str) -> str:
    # The text decides what a programme does, so a change nobody numbered shows too.
    return f"{programme.version}+{sha256(sql.encode()).hexdigest()[:8]}"


def _points(programme: Programme, rule: Earn) -> str:
    monthly = rule.cap is not None and rule.cap.each == "month"
    return _filled(
        "points.sql",
        when=rule.when,
        per=str(rule.per),
        points=str(rule.points),
        month="month(paid.occurred_on)" if monthly else "0",
        cap=str(rule.cap.points if rule.cap else UNCAPPED),
        rule=rule.id,
        account=programme.id,
    )


def _tier(strategy: str, tiers: Tiers) -> str:
    levels = [f"    WHEN total.points >= {level.least} THEN '{level.id}'" for level in reversed(tiers.levels)]
    return _filled("tier.sql", strategy=strategy, levels="\n".join(levels), least=str(tiers.levels[0].least))


def _filled(name: str, **parts: str) -> str:
    # Names are checked by their types and conditions by the reader, so nothing here leaves its place. All are filled in
    # at once: what stands in braces in a condition is the condition's.
    text = files(__package__).joinpath(name).read_text(encoding="utf-8").rstrip("\n")
    return re.sub(r"\{(\w+)\}", lambda found: parts[found[1]], text)
