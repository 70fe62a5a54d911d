"""A rule as a strategy: one SELECT that gives a row for each trigger and step."""

import re
from hashlib import sha256

from hcrm_core.api import PERSON_COLUMNS, Strategy
from hcrm_plugin_followup.notation import Rule, Suppress, days


def compile_rule(rule: Rule) -> Strategy:
    """The task strategy `followup.<rule id>` of a rule.

    Predicates are put in as they are, each on lines and in parentheses of its own; the core checks the whole.
    """
    sql = _sql(rule)
    tables = {rule.trigger.table, "customer", *(reason.exists for reason in rule.suppress if reason.exists)}
    return Strategy(
        name=f"followup.{rule.id}",
        # The text decides what the rule does, so a change nobody numbered shows too.
        version=f"{rule.version}+{sha256(sql.encode()).hexdigest()[:8]}",
        kind="task",
        scope="subject",
        tables=tuple(sorted(tables)),
        sql=sql,
        parameters={"lookback_days": days(rule.lookback)},
        title=dict(rule.title),
        person_columns=_person_columns(sql),
    )


def _person_columns(sql: str) -> tuple[str, ...]:
    """What the predicates ask about the person; no other table has columns of these names."""
    words = set(re.findall(r"\w+", re.sub(r"'(?:[^']|'')*'", "", sql).lower()))
    return tuple(column for column in PERSON_COLUMNS if column in words)


def _sql(rule: Rule) -> str:
    table, at = rule.trigger.table, rule.trigger.at
    key = f"{table}_id"
    # A row left out before its window has passed would read as a basis withdrawn, whatever lookback is set.
    last = max(days(step.at) + days(step.window[1]) for step in rule.steps)
    found = [reason for reason in rule.suppress if reason.exists]
    others = "".join(f", found_{reason.reason}.other_id AS other_{reason.reason}" for reason in found)
    ctes = [
        f"plan AS (\n  SELECT * FROM (VALUES\n{_plan(rule)}\n  ) AS steps(id, day, opens, closes, owner, form)\n)",
        f"anchor AS (\n  SELECT * FROM {table}\n"
        # A source may speak of a stay before it says whose it is.
        "  WHERE customer_id IS NOT NULL\n"
        f"    AND {at} <= $today AND {at} >= $today - greatest($lookback_days, {last})\n"
        f"    AND (\n{rule.trigger.when}\n    )\n)",
        "step AS (\n"
        f"  SELECT anchor.{key} AS anchor_id, anchor.customer_id, plan.id, plan.owner, plan.form,\n"
        f"    anchor.{at} + plan.day AS due_on,\n"
        f"    anchor.{at} + plan.day + plan.opens AS window_start,\n"
        f"    anchor.{at} + plan.day + plan.closes AS window_end\n"
        "  FROM anchor CROSS JOIN plan\n)",
        *(_found(reason, key) for reason in found),
        f"judged AS (\n  SELECT step.*{others},\n    {_case(rule)} AS suppressed\n"
        f"  FROM step\n  JOIN anchor ON anchor.{key} = step.anchor_id\n"
        "  LEFT JOIN customer ON customer.customer_id = step.customer_id\n"
        + "".join(
            f"  LEFT JOIN found_{reason.reason} ON found_{reason.reason}.anchor_id = step.anchor_id\n"
            f"    AND found_{reason.reason}.id = step.id\n"
            for reason in found
        )
        + ")",
    ]
    channels = ", ".join(_text(channel) for channel in rule.via)
    return (
        "WITH "
        + ",\n".join(ctes)
        + "\nSELECT customer_id AS subject, anchor_id AS anchor, id AS step, 0 AS occurrence,\n"
        f"  {_text(rule.topic)} AS topic, due_on, window_start, window_end, owner, {_text(rule.via[0])} AS channel,\n"
        f"  form, suppressed,\n  {_evidence(rule)} AS evidence,\n"
        f"  {_text(rule.priority)} AS priority, [{channels}] AS channels\nFROM judged\n"
    )


def _plan(rule: Rule) -> str:
    rows = []
    for step in rule.steps:
        form = _text(step.form) if step.form else "CAST(NULL AS VARCHAR)"
        opens, closes = map(days, step.window)
        rows.append(f"    ({_text(step.id)}, {days(step.at)}, {opens}, {closes}, {_text(step.owner)}, {form})")
    return ",\n".join(rows)


def _found(reason: Suppress, key: str) -> str:
    """The row of another table that suppresses a step; of several, the one with the least id."""
    other = f"{reason.exists}_id"
    itself = f" AND other.{other} <> anchor.{key}" if other == key else ""
    return (
        f"found_{reason.reason} AS (\n  SELECT anchor_id, id, other_id FROM (\n"
        f"    SELECT step.anchor_id, step.id, other.{other} AS other_id,\n"
        f"      row_number() OVER (PARTITION BY step.anchor_id, step.id ORDER BY other.{other}) AS place\n"
        f"    FROM step\n    JOIN anchor ON anchor.{key} = step.anchor_id\n"
        f"    JOIN {reason.exists} AS other ON other.customer_id = step.customer_id{itself}\n"
        "    LEFT JOIN customer ON customer.customer_id = step.customer_id\n"
        f"    WHERE (\n{reason.when}\n    )\n  ) AS ranked\n  WHERE place = 1\n)"
    )


def _case(rule: Rule) -> str:
    if not rule.suppress:
        return "CAST(NULL AS VARCHAR)"
    branches = []
    for reason in rule.suppress:
        condition = f"found_{reason.reason}.other_id IS NOT NULL" if reason.exists else f"(\n{reason.when}\n    )"
        branches.append(f"      WHEN {condition} THEN {_text(reason.reason)}")
    return "CASE\n" + "\n".join(branches) + "\n      ELSE NULL\n    END"


def _evidence(rule: Rule) -> str:
    table, at = rule.trigger.table, rule.trigger.at
    basis = f"{_text(table + '/')} || anchor_id || {_text('#' + at)}"
    branches = []
    for reason in rule.suppress:
        cited = [basis, *(_cited(column, reason, table) for column in reason.because)]
        branches.append(f"WHEN suppressed = {_text(reason.reason)} THEN [{', '.join(cited)}]")
    return f"CASE {' '.join(branches)} ELSE [{basis}] END" if branches else f"[{basis}]"


def _cited(column: str, reason: Suppress, table: str) -> str:
    of, name = column.split(".")
    source, identity = {
        "anchor": (table, "anchor_id"),
        "customer": ("customer", "customer_id"),
        "other": (str(reason.exists), f"other_{reason.reason}"),
    }[of]
    return f"{_text(source + '/')} || {identity} || {_text('#' + name)}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
