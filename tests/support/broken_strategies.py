"""Strategies that break one promise each, by the check that must catch them, and a few that break none.

They are the strategies of plugins that `install` writes; this module is imported by the hosts those run in.
"""

from pathlib import Path
from typing import Any

from hcrm_core.api import Scalar, Strategy
from support.plugins import distribution

TITLE = {"en": "Seen", "zh": "来过"}
CITED = "['encounter/' || encounter_id || '#started_on'] AS evidence"
SEEN = f"""
WITH visit AS (
  SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY started_on DESC, encounter_id) AS place
  FROM encounter
  WHERE started_on <= $today AND customer_id IS NOT NULL
)
SELECT customer_id AS subject, 'seen' AS segment, {CITED}
FROM visit
WHERE place = 1
"""
CALL = f"""
SELECT customer_id AS subject, encounter_id AS anchor, 'call' AS step, 0 AS occurrence, 'discharge' AS topic,
  ended_on + 2 AS due_on, ended_on AS window_start, ended_on + $days AS window_end, 'ward' AS owner, 'call' AS channel,
  NULL AS form, CASE WHEN coalesce(deceased, FALSE) THEN 'deceased' END AS suppressed, {CITED}
FROM encounter JOIN customer USING (customer_id)
WHERE class = 'IMP' AND status = 'finished' AND ended_on <= $today AND ended_on > $today - 60
"""
COUNTED = f"""
SELECT customer_id AS subject, 'visits' AS score, started_on, encounter_id, {CITED}
FROM encounter
WHERE customer_id IS NOT NULL AND started_on <= $today
"""
REMEMBERED = "SELECT customer_id FROM decision_segment WHERE strategy = '{0}'"


def segment(name: str, sql: str = SEEN, **more: Any) -> Strategy:
    """A segment strategy over visits."""
    given: dict[str, Any] = {"scope": "subject", "tables": ("encounter",), "title": TITLE, "kind": "segment"}
    return Strategy(name=name, version="1", sql=sql, **(given | more))


def task(name: str, sql: str = CALL, **more: Any) -> Strategy:
    """A task strategy over stays."""
    given: dict[str, Any] = {"tables": ("encounter", "customer"), "person_columns": ("deceased",)}
    return segment(name, sql, kind="task", **(given | {"parameters": {"days": 9}} | more))


def computed(name: str, function: str, **more: Any) -> Strategy:
    """A score strategy whose rows a function of this module makes."""
    return segment(name, COUNTED, kind="score", function=f"{__name__}:{function}", **more)


def sticky(name: str, condition: str, tables: tuple[str, ...] = ("encounter",)) -> Strategy:
    """A segment of those for whom a condition holds, and of those who were in it before."""
    remembered = REMEMBERED.format(name)
    sql = SEEN + f"  AND (({condition}) OR customer_id IN ({remembered}))"
    return segment(name, sql, tables=(*tables, "decision_segment"))


def count_visits(table: Any, parameters: dict[str, Scalar]) -> Any:
    """Visits by customer."""
    rows = sorted(table.to_pylist(), key=lambda row: (row["subject"], row["encounter_id"]))
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        known = found.setdefault(row["subject"], {name: row[name] for name in ("subject", "score", "evidence")})
        known["value"] = known.get("value", 0) + int(parameters.get("weight", 1))
    return table_of(list(found.values()))


def table_of(rows: list[dict[str, Any]]) -> Any:
    """Rows of a score as an Arrow table, which may be empty."""
    import pyarrow as pa

    columns = [("subject", pa.string()), ("score", pa.string()), ("value", pa.int64())]
    return pa.Table.from_pylist(rows, schema=pa.schema([*columns, ("evidence", pa.list_(pa.string()))]))


CALLS: list[int] = []


def count_calls(table: Any, parameters: dict[str, Scalar]) -> Any:
    """Another value at each call."""
    CALLS.append(1)
    rows = count_visits(table, parameters).to_pylist()
    return table_of([row | {"value": len(CALLS)} for row in rows])


def hash_names(table: Any, parameters: dict[str, Scalar]) -> Any:
    """A value that depends on the process."""
    rows = count_visits(table, parameters).to_pylist()
    return table_of([row | {"value": hash(row["subject"]) % 1_000_000} for row in rows])


def scribble(table: Any, parameters: dict[str, Scalar]) -> Any:
    """Leaves something in its parameters."""
    parameters["weight"] = 2
    return count_visits(table, {})


def _with(old: str, new: str, sql: str = SEEN) -> str:
    assert old in sql
    return sql.replace(old, new)


GOOD: tuple[Strategy, ...] = (
    segment("seen"),
    task("call"),
    computed("counted", "count_visits", parameters={"weight": 1}),
    segment(
        "asked",
        f"WITH known AS ({SEEN}) SELECT known.* FROM known WHERE subject IN (SELECT customer_id FROM decision_segment "
        "WHERE strategy = 'seen') AND subject IN (SELECT customer_id FROM decision_task WHERE strategy = 'call' AND "
        "state = 'open')",
        tables=("encounter", "decision_segment", "decision_task"),
        reads=("seen", "call"),
    ),
)
"""Break nothing."""

NEIGHBOUR: tuple[Strategy, ...] = (
    segment(
        "neighbour",
        f"WITH known AS ({SEEN}) SELECT known.* FROM known WHERE subject IN ({REMEMBERED.format('seen')})",
        tables=("encounter", "decision_segment"),
        reads=("seen",),
    ),
)
"""Reads what a strategy of `good` decides."""

STATELESS: dict[str, Strategy] = {
    "S01": segment("rolls", SEEN + " AND random() < 2"),
    "S02": segment("claims", tables=("encounter", "observation")),
    "S04": segment("ignores", parameters={"days": 7}),
    "S05": segment("mute", title={"en": "Seen", "zh": "Seen"}),
    "S06": segment(
        "peeks",
        f"WITH known AS ({SEEN}) SELECT known.* FROM known JOIN (SELECT * FROM customer) AS c "
        "ON c.customer_id = subject WHERE c.sex = 'female'",
        tables=("encounter", "customer"),
    ),
    "S07": segment("sleeps", SEEN + " AND class = 'never'"),
    "S08": segment(
        "invents",
        "SELECT 'nobody' AS subject, 'all' AS segment, ['calendar/x#day'] AS evidence FROM calendar WHERE day = $today",
        tables=("calendar",),
    ),
    "S09": segment(
        "misquotes", _with("|| encounter_id ||", "|| (SELECT min(encounter_id) FROM encounter) ||", SEEN), scope="all"
    ),
    "S10": segment("takes-any", _with("started_on DESC, encounter_id", "class IS NULL")),
    "S11": computed("counts-calls", "count_calls"),
    "S12": computed("hashes", "hash_names"),
    "S13": segment("ranks", SEEN + " QUALIFY ntile(4) OVER (ORDER BY started_on DESC, encounter_id) = 1"),
    "S14": task("trusts", _with("AND ended_on <= $today AND ended_on > $today - 60", "", CALL)),
    "S15": segment(
        "narrow",
        "SELECT customer_id AS subject, 'paid' AS segment, ['charge_item/' || min(charge_item_id) || '#amount'] AS "
        "evidence, max(CAST(amount AS INTEGER)) AS most FROM charge_item WHERE customer_id IS NOT NULL GROUP BY 1",
        tables=("charge_item",),
    ),
    "S16": computed("scribbles", "scribble", parameters={"weight": 1}),
    "S17": segment("dated", SEEN + " AND started_on > CAST('2025-10-01' AS DATE)"),
    "S21": segment("hears-last", _with("started_on DESC, encounter_id", "known_at DESC, encounter_id")),
    "S22": segment("forgets-news", SEEN + " AND known_at < $as_of - INTERVAL 1 DAY"),
    "S23": segment("prompt", SEEN + " AND known_at < said_at + INTERVAL 100 DAY"),
    "S24": segment("notes-when", _with(f"{CITED}\n", f"{CITED}, CAST(known_at AS DATE) AS heard_on\n")),
    "S25": segment("by-number", _with("customer_id", "patient_id")),
    "S27": task(
        "numbers-by-person",
        _with(
            "0 AS occurrence", "row_number() OVER (PARTITION BY customer_id ORDER BY encounter_id) AS occurrence", CALL
        ),
    ),
}
"""Check → the strategy it must catch, which knows nothing of earlier runs."""

REMEMBERING: dict[str, Strategy] = {
    "S03": segment(
        "overhears",
        SEEN + " AND customer_id IN (SELECT customer_id FROM decision_segment)",
        tables=("encounter", "decision_segment"),
    ),
    "S18": segment(
        "tells-once",
        SEEN + f" AND customer_id NOT IN ({REMEMBERED.format('tells-once')})",
        tables=("encounter", "decision_segment"),
    ),
    "S19": sticky("lingers", "started_on BETWEEN $today - 24 AND $today - 20"),
    "S20": segment("stamps", _with(f"{CITED}\n", f"{CITED}, $as_of AS decided_at\n")),
    "S26": sticky(
        "families", "customer_id IN (SELECT customer_id FROM customer WHERE patients > 1)", ("encounter", "customer")
    ),
}
"""Check → the strategy it must catch, for checks of what several runs leave behind."""

_CODE = """\
from support.broken_strategies import {0}

from hcrm_core.api import hookimpl


@hookimpl
def register_strategies(workspace):
    return {1}
"""


def install(folder: Path) -> None:
    """Write the plugins `good`, `neighbour`, `stateless` and `remembering` into a folder to be put on the path."""
    for those in ("GOOD", "NEIGHBOUR"):
        distribution(folder, those.lower(), _CODE.format(those, f"list({those})"))
    for those in ("STATELESS", "REMEMBERING"):
        distribution(folder, those.lower(), _CODE.format(those, f"list({those}.values())"))
