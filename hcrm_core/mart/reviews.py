"""Reviews: SELECTs over the rows in `decided` that say which of them are refused or remarked upon, and why."""

from datetime import date
from functools import lru_cache

import msgspec

from hcrm_core.errors import StrategyError
from hcrm_core.mart.check import Checked, check
from hcrm_core.mart.contract import KEYS, Decided, bound, described, required_types
from hcrm_core.mart.engine import Mart, identifier
from hcrm_core.model.reviews import DECIDED, OBJECTION_COLUMNS, Review
from hcrm_core.model.strategies import REQUIRED_COLUMNS, Strategy

REMARKS = "remarks"
"""The further column in which remarks are kept with a decision."""


def check_review(review: Review) -> Checked:
    """Check a review's SQL, columns and types.

    Raises:
        StrategyError: Naming the review, the line or column, and what to do.
    """
    return _checked(msgspec.msgpack.encode(review))


@lru_cache(maxsize=64)
def _checked(encoded: bytes) -> Checked:
    review = msgspec.msgpack.decode(encoded, type=Review)
    own = {DECIDED: REQUIRED_COLUMNS[review.kind]}
    tables = (*review.tables, DECIDED)
    checked = check(review.sql, name=review.name, tables=tables, parameters=review.parameters, own=own)
    values = bound(checked, review.parameters, as_of_us=0, today=date(2000, 1, 1))
    required_types(review.name, "review", _columns(review), described(review.name, checked.sql, values, review.kind))
    return checked


def looks_at(review: Review, strategy: Strategy) -> bool:
    """Whether a review is to see what a strategy decides."""
    return review.kind == strategy.kind and (not review.strategies or strategy.name in review.strategies)


def apply_review(
    mart: Mart, decided: Decided, review: Review, checked: Checked, *, as_of_us: int, today: date
) -> Decided:
    """Run a review over `decided` and mark, or take out, the rows it refuses.

    Raises:
        StrategyError: It fails, or returns what is no row under review; nothing may be applied then.
    """
    strategy = decided.strategy
    key = KEYS[review.kind]
    columns = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in _columns(review).items())
    same = " AND ".join(f"d.{name} = o.{name}" for name in key)
    values = bound(checked, review.parameters, as_of_us=as_of_us, today=today)
    further = decided.further
    with mart.guarded(f"the review {review.name}"):
        mart.execute(f"CREATE OR REPLACE TEMP TABLE objection AS SELECT {columns} FROM ({checked.sql}\n)", values)
        _check(mart, review, same, key)
        if REMARKS not in further:
            mart.execute(f"ALTER TABLE decided ADD COLUMN {identifier(REMARKS)} VARCHAR")
            further = (*further, REMARKS)
        one = (
            f"SELECT {', '.join(key)}, verdict, min(reason) AS reason FROM objection GROUP BY {', '.join(key)}, verdict"
        )
        mart.execute(
            f"UPDATE decided AS d SET {REMARKS} = concat_ws('; ', d.{REMARKS}, $who || ': ' || o.reason) "
            f"FROM ({one}) AS o WHERE {same} AND o.verdict = 'remark'",
            {"who": review.name},
        )
        if "suppressed" in REQUIRED_COLUMNS[review.kind]:
            mart.execute(
                f"UPDATE decided AS d SET suppressed = $who || ': ' || o.reason FROM ({one}) AS o "
                f"WHERE {same} AND o.verdict = 'refuse' AND d.suppressed IS NULL",
                {"who": review.name},
            )
        else:
            mart.execute(f"DELETE FROM decided AS d USING ({one}) AS o WHERE {same} AND o.verdict = 'refuse'")
        (rows,) = mart.execute("SELECT count(*) FROM decided").fetchall()[0]
    return Decided(strategy, further, rows)


def _columns(review: Review) -> dict[str, str]:
    required = REQUIRED_COLUMNS[review.kind]
    return {name: required[name] for name in KEYS[review.kind]} | OBJECTION_COLUMNS


def _check(mart: Mart, review: Review, same: str, key: tuple[str, ...]) -> None:
    wrong = mart.execute(
        "SELECT count(*) FROM objection WHERE verdict IS NULL OR verdict NOT IN ('refuse', 'remark') OR reason IS NULL"
    ).fetchall()[0][0]
    if wrong:
        raise StrategyError(
            f"{review.name}: {wrong} of its rows have no reason, or a verdict that is neither refuse nor remark."
        )
    stray = mart.execute(
        f"SELECT count(*) FROM objection AS o WHERE NOT EXISTS (SELECT 1 FROM decided AS d WHERE {same})"
    ).fetchall()[0][0]
    if stray:
        raise StrategyError(
            f"{review.name}: {stray} of its rows are about no row of decided. Return {', '.join(key)} as decided has "
            "them."
        )
