"""One run over everybody: bring the mart up to date, run the strategies in their order, keep what each decided."""

import shutil
import tempfile
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from hcrm_core.decide.apply import PREVIEW, Moment
from hcrm_core.decide.backtest import FOLDER as BACKTEST
from hcrm_core.decide.freshness import Basis, day_of, mart_at
from hcrm_core.decide.frozen import take_frozen
from hcrm_core.decide.order import chosen
from hcrm_core.decide.shown import show_decisions
from hcrm_core.decide.steps import Means, Steps, Stored, StrategyOutcome
from hcrm_core.errors import UsageError
from hcrm_core.mart.contract import Compute, Engine
from hcrm_core.mart.engine import DEFAULT, Limits, Mart
from hcrm_core.mart.manifest import deciding
from hcrm_core.mart.reports import Queries, check_report
from hcrm_core.mart.reports import run_report_queries as _run_report_queries
from hcrm_core.model.reviews import Review
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import live
from hcrm_core.store.queries.following import follow_links

DAY = 24 * 3600 * 1_000_000


def decide(
    store: Store,
    mart_dir: Path,
    strategies: Sequence[Strategy],
    *,
    now_us: int,
    timezone: str,
    as_of_us: int | None = None,
    basis: Basis = "known",
    names: Iterable[str] | None = None,
    dry_run: bool = False,
    stop_on_error: bool = False,
    limits: Limits = DEFAULT,
    compute: Compute | None = None,
    engine: Engine | None = None,
    reviews: Sequence[Review] = (),
    channels: Collection[str] | None = None,
) -> list[StrategyOutcome]:
    """Run strategies and keep what they decide.

    Args:
        store: The workspace's.
        mart_dir: The mart's folder.
        strategies: The enabled ones, in plugin order, with the workspace's parameters.
        now_us: The clock, microseconds since 1970 UTC.
        timezone: The workspace's IANA zone; `$today` is the day there.
        as_of_us: The instant to look at, likewise; `None` for now. An earlier one can only be a dry run.
        basis: `known`: what had arrived by then. `said`: what had been said by then, arrived since or not.
        names: Only these strategies.
        dry_run: Count what would happen and keep nothing.
        stop_on_error: Raise the first failure instead of going on with the strategies that do not depend on it.
        limits: Memory, threads and seconds of each strategy.
        compute: Calls the functions of strategies that have one.
        engine: Runs their SELECTs; DuckDB where `None`.
        reviews: The enabled ones; whatever they refuse is not done.
        channels: Those a task may name; any where `None`.

    Raises:
        UsageError: A name is unknown, or a past instant without `dry_run`.
        StrategyError: Strategies read each other in a circle, or one fails and `stop_on_error` is set.
    """
    ordered = chosen(strategies, names)
    as_of = now_us if as_of_us is None else as_of_us
    if as_of > now_us:
        raise UsageError("--as-of lies in the future. Name an instant up to now.")
    past = as_of < now_us or basis == "said"
    if past and not dry_run:
        raise UsageError("A past instant, or what was said by one, decides nothing now. Add --dry-run to see it.")
    means = Means(compute, engine, reviews, channels, limits)
    tables = {table for one in ordered for table in one.tables}
    tables |= {table for review in reviews for table in review.tables}
    alone = nullcontext() if dry_run else deciding(mart_dir)
    with alone, mart_at(store, mart_dir, as_of, basis, past, timezone, limits, tables) as mart:
        today = day_of(as_of, timezone)
        if not past:
            # Batches have instants of their own, the last of which may lie a little after the clock's.
            as_of = max(as_of, mart.position.known_at)
        moment = Moment(now_us, as_of, basis, today, mart.position)
        preview = Path(tempfile.mkdtemp(prefix=PREVIEW, dir=mart_dir)) if dry_run else None
        steps = Steps(Stored(store, mart_dir, preview=preview.name if preview else None), mart, moment, means)
        if not dry_run:
            _sweep(mart_dir, now_us)
            with store.write() as connection:
                follow_links(connection, now_us)

        def mart_then(instant: int) -> AbstractContextManager[Mart]:
            return mart_at(store, mart_dir, instant, basis, True, timezone, limits, tables)

        try:
            for strategy in ordered:
                if strategy.frozen_on is None:
                    steps.take(strategy, stop_on_error=stop_on_error)
                else:
                    take_frozen(store, mart, steps, moment, strategy, timezone, mart_then, stop_on_error=stop_on_error)
        finally:
            if preview:
                shutil.rmtree(preview, ignore_errors=True)
        if not dry_run and names is None:
            with store.write() as connection:
                follow_links(connection, now_us, closed_only=False)
                if not any(outcome.error for outcome in steps.outcomes.values()):
                    live.come_to(connection, mart.position)
    return list(steps.outcomes.values())


def _sweep(mart_dir: Path, now_us: int) -> None:
    """Remove what dry runs and back-tests that were killed left behind: it is older than any of them takes."""
    for beginning in (PREVIEW, BACKTEST):
        for folder in mart_dir.glob(f"{beginning}*"):
            if folder.stat().st_mtime * 1_000_000 < now_us - DAY:
                shutil.rmtree(folder, ignore_errors=True)


def run_report_queries(
    store: Store,
    mart_dir: Path,
    report: Queries,
    *,
    now_us: int,
    timezone: str,
    as_of_us: int | None = None,
    basis: Basis = "known",
    limits: Limits = DEFAULT,
    engine: Engine | None = None,
) -> dict[str, Any]:
    """Run a report's queries over an up-to-date mart and the decisions of the last runs; arguments as of `decide`.

    Returns:
        Query name → its rows, a `pyarrow.Table`. At a past instant decisions are those of today.
    """
    as_of = now_us if as_of_us is None else as_of_us
    past = as_of < now_us or basis == "said"
    tables = {table for checked in check_report(report).values() for table in checked.tables}
    with mart_at(store, mart_dir, as_of, basis, past, timezone, limits, tables) as mart:
        show_decisions(mart, store, tables)
        return _run_report_queries(report, mart, as_of_us=as_of, today=day_of(as_of, timezone), engine=engine)
