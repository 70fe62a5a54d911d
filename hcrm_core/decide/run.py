"""One run: bring the mart up to date, run the strategies in their order, keep what each decided."""

import shutil
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from hcrm_core.config import nearest
from hcrm_core.decide.apply import PREVIEW, Moment, apply
from hcrm_core.decide.freshness import Basis, day_of, mart_at
from hcrm_core.decide.order import chosen
from hcrm_core.errors import HcrmError, StrategyError, UsageError
from hcrm_core.mart.contract import Compute, Decided, Engine, check_strategy, evaluate
from hcrm_core.mart.engine import DEFAULT, Limits, Mart, open_mart
from hcrm_core.mart.manifest import deciding
from hcrm_core.mart.reports import Queries, check_report
from hcrm_core.mart.reports import run_report_queries as _run_report_queries
from hcrm_core.mart.reviews import apply_review, check_review, looks_at
from hcrm_core.model.reviews import Review
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.engine import Store
from hcrm_core.store.queries.decisions import decision_tasks, last_runs
from hcrm_core.store.queries.points import decision_points


class StrategyOutcome(NamedTuple):
    """What one strategy's run came to.

    Attributes:
        name: The strategy.
        new, changed, unchanged, withdrawn, expired: Decisions by outcome. A done task whose basis is gone counts
            once as changed.
        seconds: It took.
        run: The id of its run row; `None` where nothing was applied.
        error: Why it failed; then all counts are 0 and nothing of it was applied.
    """

    name: str
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    expired: int = 0
    seconds: float = 0.0
    run: int | None = None
    error: str | None = None


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
    outcomes: dict[str, StrategyOutcome] = {}
    tables = {table for strategy in ordered for table in strategy.tables}
    tables |= {table for review in reviews for table in review.tables}
    with deciding(mart_dir), mart_at(store, mart_dir, as_of, basis, past, timezone, limits, tables) as mart:
        moment = Moment(now_us, as_of, basis, day_of(as_of, timezone), mart.position.sequence)
        previews: dict[str, tuple[str, str]] = {}
        try:
            for strategy in ordered:
                failed = [name for name in strategy.reads if name in outcomes and outcomes[name].error]
                started = time.perf_counter()
                try:
                    if failed:
                        raise HcrmError(f"{strategy.name} was not run, since it reads {failed[0]}, which failed.")
                    checked = check_strategy(strategy)
                    seen = {table for review in reviews if looks_at(review, strategy) for table in review.tables}
                    show_decisions(mart, store, checked.tables | seen, previews)
                    decided = evaluate(
                        mart, strategy, checked, as_of_us=as_of, today=moment.today, compute=compute, engine=engine
                    )
                    _check_channels(mart, strategy, channels)
                    decided = _reviewed(mart, decided, reviews, as_of, moment.today)
                    applied = apply(store, mart, decided, moment, dry_run=dry_run)
                except HcrmError as error:
                    if stop_on_error:
                        raise
                    outcomes[strategy.name] = StrategyOutcome(strategy.name, seconds=_since(started), error=str(error))
                    continue
                if dry_run and applied.snapshot:
                    previews[strategy.name] = strategy.kind, applied.snapshot
                outcomes[strategy.name] = StrategyOutcome(
                    strategy.name, *applied.counts, seconds=_since(started), run=applied.run_id
                )
        finally:
            shutil.rmtree(mart_dir / PREVIEW, ignore_errors=True)
    return list(outcomes.values())


def _check_channels(mart: Mart, strategy: Strategy, channels: Collection[str] | None) -> None:
    if strategy.kind != "task" or channels is None:
        return
    for (name,) in mart.execute("SELECT DISTINCT channel FROM decided ORDER BY channel").fetchall():
        if name not in channels:
            raise StrategyError(
                f"{strategy.name}: no enabled plugin offers the channel {name!r}. {nearest(name, list(channels))}"
            )


def _reviewed(mart: Mart, decided: Decided, reviews: Sequence[Review], as_of: int, today: date) -> Decided:
    """Let reviews object to what was decided.

    Raises:
        StrategyError: One fails, which is a veto.
    """
    for review in reviews:
        if looks_at(review, decided.strategy):
            try:
                decided = apply_review(mart, decided, review, check_review(review), as_of_us=as_of, today=today)
            except HcrmError as error:
                raise StrategyError(f"{error} A review that fails is a veto: nothing was decided.") from None
    return decided


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


def segment_sizes(store: Store, mart_dir: Path) -> list[dict[str, Any]]:
    """How many customers each segment holds as of its strategy's last run, the largest of a strategy first.

    Returns:
        Rows of `strategy`, `segment` and `customers`; none before the first run.
    """
    with store.read() as connection:
        if not last_runs(connection, "segment"):
            return []
    with open_mart(mart_dir, tables=()) as mart:
        show_decisions(mart, store, ("decision_segment",))
        rows = mart.execute(
            "SELECT strategy, segment, count(*) AS customers FROM decision_segment "
            "GROUP BY strategy, segment ORDER BY strategy, customers DESC, segment"
        ).fetchall()
    return [dict(zip(("strategy", "segment", "customers"), row, strict=True)) for row in rows]


def show_decisions(
    mart: Mart, store: Store, tables: Collection[str], previews: dict[str, tuple[str, str]] | None = None
) -> None:
    """Fill those decision views that are among `tables` with what strategies decided last.

    Args:
        mart: Whose views.
        store: Holds tasks and run rows.
        tables: Names of tables somebody is about to read.
        previews: Strategy → (kind, snapshot) of a dry run in progress; they stand for the applied ones.
    """
    with store.read() as connection:
        if "decision_task" in tables:
            batches: Any = decision_tasks(connection)
            mart.show_rows("decision_task", batches)
        if "decision_points" in tables:
            points: Any = decision_points(connection)
            mart.show_rows("decision_points", points)
        for kind in ("segment", "score"):
            if f"decision_{kind}" in tables:
                runs = last_runs(connection, kind)
                files = {name: run.snapshot for name, run in runs.items() if run.snapshot}
                files |= {name: file for name, (of, file) in (previews or {}).items() if of == kind}
                mart.show_snapshots(kind, {n: f for n, f in files.items() if (mart.folder / f).exists()})


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)
