"""Segments as people look at them: their sizes, who is in them, and who would be, without anything applied."""

import shutil
import time
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from hcrm_core.config import nearest
from hcrm_core.decide.apply import PREVIEW
from hcrm_core.decide.freshness import day_of, mart_at
from hcrm_core.decide.frozen import frozen_at
from hcrm_core.decide.shown import show_decisions
from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.mart.contract import Compute, Engine, check_strategy, evaluate
from hcrm_core.mart.engine import DEFAULT, Limits, Mart, open_mart
from hcrm_core.mart.relations import quoted
from hcrm_core.mart.snapshots import write
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.engine import Store
from hcrm_core.store.queries.decisions import last_runs, snapshots_of

EXAMPLES = 5
_VIEW = "decision_segment"
_SIZES = f"SELECT strategy, segment, count(*) FROM {_VIEW} GROUP BY strategy, segment"
_BANDS = (
    "CASE WHEN c.birth_year IS NULL THEN NULL WHEN $year - c.birth_year < 14 THEN '0-13' "
    "WHEN $year - c.birth_year < 18 THEN '14-17' WHEN $year - c.birth_year < 45 THEN '18-44' "
    "WHEN $year - c.birth_year < 65 THEN '45-64' ELSE '65+' END"
)


class Previewed(NamedTuple):
    """A segment as it would be.

    Attributes:
        strategy, segment: Its names; without members only the strategy's is known.
        as_of: The instant it was looked at, microseconds since 1970 UTC.
        customers: How many members.
        overlaps: `strategy`, `segment` and `customers` of every other segment that shares members.
        people: `sex`, `age` (a band of the age reached in the year) and `customers`.
        examples: Some members' ids.
    """

    strategy: str
    segment: str | None
    as_of: int
    customers: int
    overlaps: tuple[dict[str, Any], ...] = ()
    people: tuple[dict[str, Any], ...] = ()
    examples: tuple[str, ...] = ()


def segment_sizes(store: Store, mart_dir: Path) -> list[dict[str, Any]]:
    """How many customers each segment holds as of its strategy's last run, the largest of a strategy first.

    Returns:
        Rows of `strategy`, `segment`, `customers` and `change`: how many more or fewer than in the run before, `None`
        where there was none.
    """
    with store.read() as connection:
        names = list(last_runs(connection, "segment"))
        files = {name: snapshots_of(connection, name, 2) for name in names}
    if not names:
        return []
    with open_mart(mart_dir, tables=()) as mart:
        now, before = (_sizes(mart, {name: of[nth] for name, of in files.items() if len(of) > nth}) for nth in (0, 1))
    found = [
        {
            "strategy": strategy,
            "segment": segment,
            "customers": (size := now.get((strategy, segment), 0)),
            "change": size - before.get((strategy, segment), 0) if len(files[strategy]) > 1 else None,
        }
        for strategy, segment in now.keys() | before.keys()
    ]
    return sorted(found, key=lambda row: (row["strategy"], -row["customers"], row["segment"]))


def named(store: Store, mart_dir: Path, strategies: Collection[Strategy], wanted: str) -> tuple[str, str | None]:
    """The strategy, and the segment if only one of it is meant, by either's name or the end of the strategy's.

    Raises:
        NotFoundError: There is none.
        UsageError: Several are called so.
    """
    known: dict[str, set[tuple[str, str | None]]] = {}
    for strategy in strategies:
        for name in {strategy.name, strategy.name.rpartition(".")[2]}:
            known.setdefault(name, set()).add((strategy.name, None))
    for row in segment_sizes(store, mart_dir):
        known.setdefault(row["strategy"], {(row["strategy"], None)})
        known.setdefault(row["segment"], set()).add((row["strategy"], row["segment"]))
    found = known.get(wanted, set())
    if not found:
        raise NotFoundError(f"There is no segment {wanted!r}. {nearest(wanted, sorted(known))}")
    if len({strategy for strategy, _ in found}) > 1:
        said = ", ".join(sorted(strategy for strategy, _ in found))
        raise UsageError(f"Several strategies have a segment {wanted!r}. Name the strategy: {said}.")
    # A strategy whose only segment is called as it is.
    return max(found, key=lambda pair: pair[1] or "")


def members(
    store: Store, mart_dir: Path, strategy: str, segment: str | None, *, after: str = "", limit: int = 50
) -> list[dict[str, Any]]:
    """Members of a segment as of its strategy's last run, by id, with what the strategy tells of them.

    Args:
        store: The workspace's.
        mart_dir: The mart's folder.
        strategy: Whose segment it is.
        segment: Its name; all of the strategy where `None`.
        after: Only those with a greater id.
        limit: How many.
    """
    with store.read() as connection:
        files = snapshots_of(connection, strategy, 1)
    if not files or not (mart_dir / files[0]).exists():
        return []
    with open_mart(mart_dir, tables=()) as mart:
        result = mart.execute(
            f"SELECT subject AS customer_id, * EXCLUDE (subject, evidence) FROM {_parquet(mart, files[0])} "
            "WHERE ($segment IS NULL OR segment = $segment) AND subject > $after "
            "ORDER BY subject, segment LIMIT $limit",
            {"segment": segment, "after": after, "limit": limit},
        )
        columns = [column[0] for column in result.description or []]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def preview(
    store: Store,
    mart_dir: Path,
    strategies: Sequence[Strategy],
    *,
    now_us: int,
    timezone: str,
    segment: str | None = None,
    as_of_us: int | None = None,
    compute: Compute | None = None,
    engine: Engine | None = None,
    limits: Limits = DEFAULT,
    looked: Callable[[int], object] = lambda _: None,
) -> list[Previewed]:
    """Who would be in segments; nothing is applied. Other segments are those of the last runs.

    Args:
        store: The workspace's.
        mart_dir: The mart's folder.
        strategies: Of kind segment.
        now_us: The clock, microseconds since 1970 UTC.
        timezone: The workspace's zone.
        segment: Only this one of them.
        as_of_us: The instant to look at; where `None`, the end of its day of a frozen segment, and now of others.
        compute: Calls the functions of strategies that have one.
        engine: Runs their SELECTs; DuckDB where `None`.
        limits: Of each query.
        looked: Told how many more are done.

    Raises:
        StrategyError: One is wrong or fails.
        UsageError: The instant lies in the future.
    """
    if as_of_us is not None and as_of_us > now_us:
        raise UsageError("--as-of lies in the future. Name an instant up to now.")
    checked = {strategy.name: check_strategy(strategy) for strategy in strategies}
    instants = {strategy.name: _instant(strategy, now_us, as_of_us, timezone) for strategy in strategies}
    folder = f"{PREVIEW}{time.time_ns()}"
    files: dict[str, tuple[str, str]] = {}
    try:
        for instant, group in groupby(
            sorted(strategies, key=lambda one: instants[one.name]), lambda one: instants[one.name]
        ):
            some = list(group)
            tables = {table for strategy in some for table in checked[strategy.name].tables}
            today = day_of(instant, timezone)
            with mart_at(store, mart_dir, instant, "known", instant < now_us, timezone, limits, tables) as mart:
                show_decisions(mart, store, tables)
                for strategy in some:
                    decided = evaluate(
                        mart, strategy, checked[strategy.name], as_of_us=instant, today=today, compute=compute,
                        engine=engine,
                    )  # fmt: skip
                    files[strategy.name] = "segment", write(mart, decided, 1, folder)
                    looked(1)
        instant = as_of_us or now_us
        with mart_at(
            store, mart_dir, instant, "known", instant < now_us, timezone, limits, {"customer", _VIEW}
        ) as mart:
            show_decisions(mart, store, (_VIEW,), files)
            return _looked_at(mart, instants, segment, day_of(instant, timezone).year)
    finally:
        shutil.rmtree(mart_dir / folder, ignore_errors=True)


def _instant(strategy: Strategy, now_us: int, as_of_us: int | None, timezone: str) -> int:
    if as_of_us is not None or strategy.frozen_on is None:
        return now_us if as_of_us is None else as_of_us
    return min(now_us, frozen_at(strategy.frozen_on, timezone))


def _looked_at(mart: Mart, instants: dict[str, int], segment: str | None, year: int) -> list[Previewed]:
    wanted = {"names": sorted(instants), "segment": segment}
    mart.execute(
        f"CREATE OR REPLACE TEMP TABLE looked_at AS SELECT strategy, segment, customer_id FROM {_VIEW} "
        "WHERE list_contains($names, strategy) AND ($segment IS NULL OR segment = $segment)",
        wanted,
    )
    per = "FROM looked_at AS l"
    sizes = mart.execute(
        f"SELECT l.strategy, l.segment, count(*), list_sort(min(l.customer_id, {EXAMPLES})) {per} "
        "GROUP BY l.strategy, l.segment ORDER BY l.strategy, count(*) DESC, l.segment"
    ).fetchall()
    shared = mart.execute(
        f"SELECT l.strategy, l.segment, o.strategy, o.segment, count(*) {per} JOIN {_VIEW} AS o USING (customer_id) "
        "WHERE o.strategy <> l.strategy OR o.segment <> l.segment GROUP BY ALL ORDER BY count(*) DESC, 3, 4"
    ).fetchall()
    people = mart.execute(
        f"SELECT l.strategy, l.segment, c.sex, {_BANDS} AS age, count(*) {per} LEFT JOIN customer AS c "
        "ON c.customer_id = l.customer_id GROUP BY ALL ORDER BY c.sex NULLS LAST, age NULLS LAST",
        {"year": year},
    ).fetchall()
    found = [
        Previewed(
            strategy,
            name,
            instants[strategy],
            customers,
            tuple({"strategy": row[2], "segment": row[3], "customers": row[4]} for row in shared if row[:2] == key),
            tuple({"sex": row[2], "age": row[3], "customers": row[4]} for row in people if row[:2] == key),
            tuple(examples),
        )
        for strategy, name, customers, examples in sizes
        if (key := (strategy, name))
    ]
    empty = instants.keys() - {one.strategy for one in found}
    return found + [Previewed(name, segment, instants[name], 0) for name in sorted(empty)]


def _sizes(mart: Mart, files: dict[str, str]) -> dict[tuple[str, str], int]:
    there = {name: file for name, file in files.items() if (mart.folder / file).exists()}
    mart.show_snapshots("segment", there)
    return {(strategy, segment): size for strategy, segment, size in mart.execute(_SIZES).fetchall()}


def _parquet(mart: Mart, file: str) -> str:
    return f"read_parquet({quoted(mart.folder / file)})"
