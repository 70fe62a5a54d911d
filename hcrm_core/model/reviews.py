"""The contract of a review: it looks at what a strategy is about to decide, and objects or remarks, as one SELECT."""

from msgspec import Struct

from hcrm_core.model.strategies import DecisionKind, Scalar

DECIDED = "decided"
"""The table of the rows under review, with the columns their kind requires (`REQUIRED_COLUMNS`)."""

OBJECTION_COLUMNS = {"verdict": "VARCHAR", "reason": "VARCHAR"}
"""What a review returns beside the key of the row it is about."""


class Review(Struct, frozen=True, kw_only=True):
    """A named, versioned SELECT over the rows about to be decided and the mart.

    It returns a row for each one it has something to say about: the columns of its key (`KEYS`), a `verdict` and a
    `reason`. `refuse`: a task is suppressed, points are not granted, a segment or score is left out, and the reason is
    kept. `remark`: the reason is kept with the decision. A review that fails refuses everything it would have seen.

    Attributes:
        name: Unique among enabled reviews.
        version: Raise it when the SQL's meaning changes.
        kind: The kind of decisions it looks at.
        strategies: Only those of these strategies; of all where empty.
        tables: The mart tables it reads beside `decided`.
        sql: One SELECT in DuckDB's dialect; parameters are written `$name`, `$as_of` and `$today` are always given.
        parameters: Name → default; `[reviews.NAME]` of the workspace overrides them, with the default's type.
        title: What it is, by language: `{"en": …, "zh": …}`.
    """

    name: str
    version: str
    kind: DecisionKind
    tables: tuple[str, ...]
    sql: str
    strategies: tuple[str, ...] = ()
    parameters: dict[str, Scalar] = {}
    title: dict[str, str] = {}
