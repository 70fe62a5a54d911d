"""A strategy looked at again as of one of its runs; nothing is applied."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from hcrm_core.decide.freshness import day_of, mart_at
from hcrm_core.decide.shown import show_decisions
from hcrm_core.mart.contract import Compute, check_strategy, evaluate
from hcrm_core.mart.engine import DEFAULT, Limits, Mart
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.engine import Store
from hcrm_core.store.queries.decisions import RunRow
from hcrm_core.store.queries.heard import seen_by


@contextmanager
def mart_of_run(
    store: Store,
    mart_dir: Path,
    run: RunRow | None,
    tables: Collection[str],
    *,
    now_us: int,
    timezone: str,
    limits: Limits = DEFAULT,
) -> Iterator[Mart]:
    """A mart that shows what a run saw, or what is now; what strategies decided is shown as it is now.

    Args:
        store: The workspace's.
        mart_dir: The mart's folder.
        run: `None` for now.
        tables: Those that will be read.
        now_us: The clock, microseconds since 1970 UTC.
        timezone: The workspace's IANA zone.
        limits: Of each query.
    """
    with store.read() as connection:
        seen = seen_by(connection, run)
    instant = seen if seen is not None else run.as_of if run else now_us
    with mart_at(store, mart_dir, instant, "known", seen is not None, timezone, limits, tables) as mart:
        show_decisions(mart, store, tables)
        yield mart


def cited_again(
    store: Store,
    mart_dir: Path,
    strategy: Strategy,
    run: RunRow,
    customer_id: str,
    *,
    timezone: str,
    compute: Compute | None = None,
) -> dict[str, list[str]]:
    """Segment or score → what a strategy cites for it about a customer, as of a run.

    Raises:
        StrategyError: The strategy fails.
    """
    checked = check_strategy(strategy)
    with mart_of_run(store, mart_dir, run, checked.tables, now_us=run.as_of, timezone=timezone) as mart:
        today = day_of(run.as_of, timezone)
        evaluate(mart, strategy, checked, as_of_us=run.as_of, today=today, compute=compute)
        rows = mart.execute(
            f"SELECT {strategy.kind}, evidence FROM decided WHERE subject = $id", {"id": customer_id}
        ).fetchall()
    return dict(rows)
