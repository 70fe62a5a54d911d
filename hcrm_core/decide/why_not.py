"""Why a strategy has decided nothing about a customer: what became of a decision, or where the customer's rows end."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from hcrm_core.decide.again import mart_of_run
from hcrm_core.decide.explain import plain_value
from hcrm_core.decide.freshness import day_of
from hcrm_core.errors import NotFoundError
from hcrm_core.mart.absence import Absence
from hcrm_core.mart.check import Checked
from hcrm_core.mart.contract import Compute, bound, check_strategy, evaluate
from hcrm_core.mart.engine import DEFAULT, Limits, Mart, open_mart
from hcrm_core.mart.reviews import apply_review, check_review, looks_at
from hcrm_core.mart.snapshots import row_of
from hcrm_core.model.absence import Cause, Look
from hcrm_core.model.reviews import Review
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import decisions, points
from hcrm_core.store.queries.links import members_of

Verdict = Literal["decided", "no_row", "left_out_by_function", "refused", "not_applied"]

_GONE = ("withdrawn", "superseded", "expired", "countered")
"""States of decisions that stand no more."""


class WhyNot(Struct, frozen=True, kw_only=True):
    """What a strategy makes of a customer who seems to be missing.

    Attributes:
        strategy, version, kind: Whose decision is missed.
        customer: The id.
        run: The strategy's last run; `None` where it never ran.
        changed: Whether the strategy or its parameters are others than in that run.
        as_of: The instant that was looked at: the run's, or now (microseconds since 1970 UTC).
        parameters: Of the strategy now.
        verdict: `decided`: there is a decision, see `decisions`. `no_row`: its SELECT has no row, see `causes`.
            `left_out_by_function`: its SELECT has `rows`, and its function makes nothing of them. `refused`: a review
            refuses what it returns, see `reasons`. `not_applied`: it has `rows`, and no run has applied them yet.
        decisions: Those about the customer, with state and reason, standing or not.
        known: Whether anything was known of the customer at that instant.
        steps: The named steps of its SELECT.
        causes: Where the customer's rows end; one for each part of a UNION.
        rows: Some that the SELECT gives.
        reasons: Of reviews.
    """

    strategy: str
    version: str
    kind: str
    customer: str
    run: int | None = None
    changed: bool = False
    as_of: int
    parameters: Mapping[str, Any] = {}
    verdict: Verdict
    decisions: tuple[dict[str, Any], ...] = ()
    known: bool = True
    steps: tuple[Look, ...] = ()
    causes: tuple[Cause, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()
    reasons: tuple[str, ...] = ()


def why_not(
    store: Store,
    mart_dir: Path,
    strategy: Strategy,
    customer_id: str,
    *,
    now_us: int,
    timezone: str,
    compute: Compute | None = None,
    reviews: Sequence[Review] = (),
    limits: Limits = DEFAULT,
) -> WhyNot:
    """Say why a strategy has decided nothing about a customer, or what it did decide.

    Args:
        store: The workspace's.
        mart_dir: The mart's folder.
        strategy: With the workspace's parameters.
        customer_id: Whose decision is missed.
        now_us: The clock, microseconds since 1970 UTC.
        timezone: The workspace's IANA zone.
        compute: Calls the strategy's function, where it has one.
        reviews: The enabled ones.
        limits: Of each query.

    Raises:
        NotFoundError: There is no such customer.
        StrategyError: The strategy fails.
    """
    with store.read() as connection:
        if not members_of(connection, [customer_id]):
            raise NotFoundError(f"There is no customer {customer_id!r}. List them with: hcrm customers list")
        run = decisions.last_runs(connection).get(strategy.name)
        found = _stored(connection, strategy, customer_id)
    if run and run.snapshot and (mart_dir / run.snapshot).exists():
        with open_mart(mart_dir, tables=()) as mart:
            found = [_plain(row) for row in row_of(mart, run.snapshot, customer_id)]
    about = WhyNot(
        strategy=strategy.name,
        version=strategy.version,
        kind=strategy.kind,
        customer=customer_id,
        run=run.id if run else None,
        changed=run is not None and (run.version, run.parameters) != (strategy.version, _parameters(strategy)),
        as_of=run.as_of if run else now_us,
        parameters=strategy.parameters,
        verdict="decided",
        decisions=tuple(found),
    )
    if any(one.get("state") not in _GONE for one in found):
        return about

    checked = check_strategy(strategy)
    looking = [review for review in reviews if looks_at(review, strategy)]
    tables = checked.tables.union({"customer"}, *(review.tables for review in looking))
    with mart_of_run(store, mart_dir, run, tables, now_us=now_us, timezone=timezone, limits=limits) as mart:
        return _looked_for(mart, about, strategy, checked, day_of(about.as_of, timezone), compute, looking)


def _looked_for(
    mart: Mart,
    about: WhyNot,
    strategy: Strategy,
    checked: Checked,
    today: date,
    compute: Compute | None,
    reviews: Sequence[Review],
) -> WhyNot:
    values = bound(checked, strategy.parameters, as_of_us=about.as_of, today=today)
    absence = Absence(mart, strategy.name, checked.sql, values, about.customer)
    seen = mart.execute("SELECT 1 FROM customer WHERE customer_id = $id", {"id": about.customer}).fetchall()
    about = msgspec.structs.replace(about, known=bool(seen), steps=tuple(absence.looks()))
    if not absence.rows(absence.result):
        causes = [_shown_cause(cause) for cause in absence.causes()]
        return msgspec.structs.replace(about, verdict="no_row", causes=tuple(causes))
    about = msgspec.structs.replace(about, rows=tuple(_plain(row) for row in absence.shown()))
    decided = evaluate(mart, strategy, checked, as_of_us=about.as_of, today=today, compute=compute)
    if not _left(mart, about.customer):
        return msgspec.structs.replace(about, verdict="left_out_by_function")
    for review in reviews:
        decided = apply_review(mart, decided, review, check_review(review), as_of_us=about.as_of, today=today)
        if not _left(mart, about.customer):
            return msgspec.structs.replace(about, verdict="refused", reasons=_reasons(mart, review, about.customer))
    return msgspec.structs.replace(about, verdict="not_applied")


def _stored(connection: Any, strategy: Strategy, customer_id: str) -> list[dict[str, Any]]:
    """The tasks or points of a customer; `hcrm explain` shows all of each."""
    if strategy.kind == "task":
        shown = ("task_id", "step", "due_on", "state", "reason")
        tasks = decisions.list_tasks(connection, customer=customer_id, strategy=strategy.name)
        return [{name: getattr(row, name) for name in shown} for row in tasks]
    if strategy.kind == "points":
        of_points = ("points_id", "step", "points", "booked_on", "state", "reason")
        rows = points.list_points(connection, customer=customer_id, strategy=strategy.name)
        return [{name: getattr(row, name) for name in of_points} for row in rows]
    return []


def _left(mart: Mart, customer_id: str) -> bool:
    return bool(mart.execute("SELECT 1 FROM decided WHERE subject = $id LIMIT 1", {"id": customer_id}).fetchall())


def _reasons(mart: Mart, review: Review, customer_id: str) -> tuple[str, ...]:
    rows = mart.execute(
        "SELECT DISTINCT reason FROM objection WHERE subject = $id AND verdict = 'refuse' ORDER BY reason",
        {"id": customer_id},
    ).fetchall()
    return tuple(f"{review.name}: {reason}" for (reason,) in rows)


def _parameters(strategy: Strategy) -> str:
    return msgspec.json.encode(strategy.parameters, order="sorted").decode()


def _shown_cause(cause: Cause) -> Cause:
    checks = tuple(
        msgspec.structs.replace(
            check,
            parameters=_plain(check.parameters),
            failed=tuple(msgspec.structs.replace(one, values=_plain(one.values)) for one in check.failed),
        )
        for check in cause.checks
    )
    nearest = tuple(msgspec.structs.replace(one, values=_plain(one.values)) for one in cause.nearest)
    return msgspec.structs.replace(cause, checks=checks, nearest=nearest)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON has it; cited evidence is `hcrm explain`'s to follow."""
    return {name: plain_value(value) for name, value in row.items() if name != "evidence"}
