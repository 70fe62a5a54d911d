"""The contract of a strategy: documented tables in, decisions out, as one SELECT."""

from typing import Literal

from msgspec import Struct

DecisionKind = Literal["task", "points", "segment", "score"]
Scope = Literal["subject", "all"]
Scalar = str | int | float | bool | None


class Written(Struct, frozen=True):
    """A condition of a rule file that was put into a SELECT as it is.

    Attributes:
        file: The rule file's name.
        start, length: Where it stands in the SELECT, in characters.
        marks: Places in it, each with its line and column in the file.
    """

    file: str
    start: int
    length: int
    marks: tuple[tuple[int, int, int], ...]


class Strategy(Struct, frozen=True, kw_only=True):
    """A named, versioned SELECT over the mart.

    Attributes:
        name: Unique among enabled strategies; the decisions' first key.
        version: Recorded with every decision; raise it when the SQL's meaning changes.
        kind: What its rows are. The columns each kind must return are in `REQUIRED_COLUMNS`.
        scope: `subject` reads only its subject's rows and can be run for a few; `all` is run for everybody.
        tables: The mart tables it reads, `decision_task`, `decision_segment` and `decision_score` among them.
        reads: The strategies whose decisions it reads, by name; they run before it.
        sql: One SELECT in DuckDB's dialect; parameters are written `$name`, and `$as_of` (TIMESTAMP, UTC) and
            `$today` (DATE, in the workspace's zone) are always given.
        parameters: Name → default; `[strategies.NAME]` of the workspace overrides them, with the default's type.
        title: What it is, by language: `{"en": …, "zh": …}`.
        function: Where SQL cannot say it, `module:name` of a function of the plugin that makes the rows: from the
            SELECT's rows (a `pyarrow.Table`) and the parameters to a `pyarrow.Table` with the kind's columns. It is
            called in a process of its own, and pure.
        person_columns: Those of `PERSON_COLUMNS` that its SQL reads of `customer` and its profile: what it knows of
            a person beside what happened to them. The conformance kit proves that none is missing.
        frozen_on: Of a segment: the last day (ISO) whose facts count. Who belongs to it is decided once that day is
            over, by what was known at its end, and stays.
        written: Conditions of rule files in its SQL, so that what is wrong in them is told where they stand.
    """

    name: str
    version: str
    kind: DecisionKind
    scope: Scope
    tables: tuple[str, ...]
    sql: str
    reads: tuple[str, ...] = ()
    parameters: dict[str, Scalar] = {}
    title: dict[str, str] = {}
    function: str | None = None
    person_columns: tuple[str, ...] = ()
    frozen_on: str | None = None
    written: tuple[Written, ...] = ()


PERSON_COLUMNS = (
    "sex",
    "birth_year",
    "age_months",
    "turns_14",
    "turns_18",
    "next_birthday",
    "district",
    "education",
    "occupation",
    "interests",
    "interest_departments",
    "information_needs",
    "kinds",
    "household_id",
    "phone_token",
    "device_token",
    "deceased",
    "deceased_on",
)
"""The columns of the table `customer` that tell something of the person; the others are its id, a count of links and
times of the row."""


REQUIRED_COLUMNS: dict[str, dict[str, str]] = {
    "task": {
        "subject": "VARCHAR",
        "anchor": "VARCHAR",
        "step": "VARCHAR",
        "occurrence": "INTEGER",
        "topic": "VARCHAR",
        "due_on": "DATE",
        "window_start": "DATE",
        "window_end": "DATE",
        "owner": "VARCHAR",
        "channel": "VARCHAR",
        "form": "VARCHAR",
        "suppressed": "VARCHAR",
        "evidence": "VARCHAR[]",
    },
    "points": {
        "subject": "VARCHAR",
        "anchor": "VARCHAR",
        "step": "VARCHAR",
        "occurrence": "INTEGER",
        "account": "VARCHAR",
        "points": "BIGINT",
        "booked_on": "DATE",
        "suppressed": "VARCHAR",
        "evidence": "VARCHAR[]",
    },
    "segment": {"subject": "VARCHAR", "segment": "VARCHAR", "evidence": "VARCHAR[]"},
    "score": {"subject": "VARCHAR", "score": "VARCHAR", "value": "BIGINT", "evidence": "VARCHAR[]"},
}
"""Columns of each kind's rows, in order, with their types. Any further column is kept with the decision as detail.

- `subject`: customer id. `anchor`: the id of the fact the decision hangs on. `step`, `occurrence`: which of the
  anchor's decisions; (strategy, anchor, step, occurrence) is the decision's key and must be unique.
- `suppressed`: NULL for a live task, else the reason why it is not to be done, or why points are not granted; kept,
  so that every anchor is accounted for.
- `evidence`: facts it rests on, each `table/fact id#column` (`encounter/3k9…#ended_at`); `hcrm explain` follows them.
- `value`: an integer (minor currency units, days, a rank).
- `account`: the programme the points belong to. `points`: how many, a whole number above 0. `booked_on`: the day they
  count from. A row stands as long as the strategy returns it; points whose row is gone or changed are countered by an
  entry, never erased.
"""
