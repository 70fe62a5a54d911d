"""What a strategy would have decided over days gone by, had it run each of them, by what was known on each.

Nothing of it is kept. Decisions begin with none on the first day and are carried from day to day as nightly runs would
carry them, so that the strategies it reads are run beside it; what people did with tasks is not part of it.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hcrm_core.decide.apply import Applied, Difference, Moment, difference
from hcrm_core.decide.freshness import Basis, day_of, mart_at
from hcrm_core.decide.kinds import KINDS
from hcrm_core.decide.order import chosen, in_order
from hcrm_core.decide.plan import Change, Counts, Run
from hcrm_core.decide.steps import Means, Steps
from hcrm_core.errors import UsageError
from hcrm_core.mart.contract import Decided
from hcrm_core.mart.engine import Mart
from hcrm_core.mart.made_tables import DECISIONS
from hcrm_core.mart.snapshots import compare, differing, write
from hcrm_core.mart.standing import batches
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store

FOLDER = "backtest-"
"""How the folder begins, below the mart, where the snapshots of a back-test lie until it ends."""

MOST_DAYS = 3_660


class Day(NamedTuple):
    """What one day's run came to.

    Attributes:
        day: In the workspace's zone.
        as_of: The instant it looked at, microseconds since 1970 UTC.
        counts: Decisions by outcome.
        standing: How many decisions stand after it: open tasks, points granted, members, scores.
        entered, left: Customers about whom something stands, and did not the day before; and the other way.
        differences: What came to stand otherwise.
    """

    day: date
    as_of: int
    counts: Counts
    standing: int
    entered: tuple[str, ...]
    left: tuple[str, ...]
    differences: Sequence[Difference]


class Backtested(NamedTuple):
    """What a back-test came to.

    Attributes:
        strategy, version: That was run.
        days: In order.
        workload: (day, owner) → open tasks that came to be due then; empty for other kinds.
        standing: What stands after the last day, by customer.
    """

    strategy: str
    version: str
    days: list[Day]
    workload: dict[tuple[date, str], int]
    standing: frozenset[str]


def instants(first: date, last: date, at: time, timezone: str) -> list[int]:
    """The instants at which a nightly run would look, one a day, microseconds since 1970 UTC.

    Raises:
        UsageError: The days are in the wrong order, or too many.
    """
    if last < first:
        raise UsageError("--to lies before --from. Name the first day and then the last.")
    if (last - first).days >= MOST_DAYS:
        raise UsageError(f"A back-test runs over at most {MOST_DAYS:,} days. Name fewer.")
    zone = ZoneInfo(timezone)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [int(datetime.combine(day, at, zone).timestamp()) * 1_000_000 for day in days]


def backtest(
    store: Store,
    mart_dir: Path,
    strategies: Sequence[Strategy],
    name: str,
    as_of: Iterable[int],
    *,
    timezone: str,
    means: Means,
    basis: Basis = "known",
    progress: Callable[[date], None] = lambda day: None,
) -> Backtested:
    """Run a strategy, and those it reads, at one instant after the other.

    Args:
        store: The workspace's.
        mart_dir: The mart's folder.
        strategies: The enabled ones, in plugin order, with the workspace's parameters.
        name: Of the strategy.
        as_of: The instants, rising, microseconds since 1970 UTC.
        timezone: The workspace's IANA zone.
        means: What strategies are run with.
        basis: `known`: by what had arrived at each instant. `said`: by what had been said, arrived since or not.
        progress: Told each day before it is run.

    Raises:
        UsageError: The name is unknown.
        StrategyError: The strategy, or one it reads, fails on some day.
    """
    ordered = list(_needed(strategies, name))
    tables = {table for one in ordered for table in one.tables}
    tables |= {table for review in means.reviews for table in review.tables}
    tables |= {"customer"}  # who is somebody else by then
    made: list[Day] = []
    workload: Counter[tuple[date, str]] = Counter()
    mart_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=FOLDER, dir=mart_dir))
    ledger = Simulated(folder.name, store.codec)
    try:
        for instant in as_of:
            today = day_of(instant, timezone)
            progress(today)
            before = ledger.customers(name)
            with mart_at(store, mart_dir, instant, basis, True, timezone, means.limits, tables) as mart:
                steps = Steps(ledger, mart, Moment(instant, instant, basis, today, mart.position), means)
                for strategy in ordered:
                    outcome = steps.take(strategy, stop_on_error=True)
            after = ledger.customers(name)
            made.append(
                Day(
                    today,
                    instant,
                    Counts(*outcome[1:6]),
                    ledger.standing(name),
                    tuple(sorted(after - before)),
                    tuple(sorted(before - after)),
                    outcome.differences,
                )
            )
            workload.update((today, owner) for owner in ledger.due(name, today))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    version = ordered[-1].version
    return Backtested(name, version, made, dict(sorted(workload.items())), frozenset(ledger.customers(name)))


def _needed(strategies: Sequence[Strategy], name: str) -> Iterator[Strategy]:
    """The strategy, after all that it reads and those read."""
    known = {strategy.name: strategy for strategy in strategies}
    wanted = {one.name for one in chosen(strategies, [name])}
    while more := {read for one in wanted for read in known[one].reads if read in known} - wanted:
        wanted |= more
    others = [strategy for strategy in in_order(strategies) if strategy.name in wanted - {name}]
    yield from (*others, known[name])


class Simulated:
    """Decisions that stand in memory, from day to day."""

    def __init__(self, folder: str, codec: Codec) -> None:
        """Args: folder: Below the mart, for snapshots. codec: Of the store, for ids."""
        self._folder = folder
        self._codec = codec
        self._came_due: set[str] = set()
        self._rows: dict[str, dict[str, Any]] = {}
        self._kinds: dict[str, str] = {}
        self._snapshots: dict[str, str] = {}
        self._members: dict[str, Counter[str]] = {}
        self._number = 0

    def alone(self, strategy: Strategy) -> AbstractContextManager[None]:
        """Nobody else is at it."""
        return nullcontext()

    def show(self, mart: Mart, tables: Collection[str], moment: Moment) -> None:
        """Fill the decision views among `tables`."""
        for kind, view in (("task", "decision_task"), ("points", "decision_points")):
            if view in tables:
                columns = [column for column, _, _ in DECISIONS[view]]
                rows = [row for name, of in self._kinds.items() if of == kind for row in self._rows[name].values()]
                mart.show_rows(view, [[tuple(getattr(row, column) for column in columns) for row in rows]])
        for kind in ("segment", "score"):
            if f"decision_{kind}" in tables:
                files = {name: file for name, file in self._snapshots.items() if self._kinds[name] == kind}
                mart.show_snapshots(kind, files)

    def apply(self, mart: Mart, decided: Decided, moment: Moment) -> Applied:
        """Carry over what was decided."""
        strategy = decided.strategy
        self._kinds[strategy.name] = strategy.kind
        if strategy.kind in KINDS:
            return self._apply_rows(mart, decided, moment)
        before = self._snapshots.get(strategy.name)
        counts = Counts(**compare(mart, decided, before)._asdict())
        found = [Difference(*row) for row in differing(mart, decided, before)]
        self._number += 1
        self._snapshots[strategy.name] = write(mart, decided, self._number, self._folder)
        members = self._members.setdefault(strategy.name, Counter())
        for one in found:
            members[one.customer_id] += {"new": 1, "withdrawn": -1}.get(one.outcome, 0)
        return Applied(counts, None, self._snapshots[strategy.name], found)

    def standing(self, name: str) -> int:
        """How many decisions of a strategy stand."""
        return sum(self._holders(name).values())

    def customers(self, name: str) -> set[str]:
        """About whom."""
        return {customer for customer, count in self._holders(name).items() if count > 0}

    def rows(self, name: str) -> dict[str, Any]:
        """The rows of a strategy of tasks or points, by id."""
        return self._rows.get(name, {})

    def due(self, name: str, today: date) -> Iterator[str]:
        """The owners of the open tasks of a strategy that came to be due, today or on the days before."""
        if self._kinds.get(name) != "task":
            return
        for task_id, row in sorted(self._rows[name].items()):
            if row.state == "open" and row.due_on <= today.isoformat() and task_id not in self._came_due:
                self._came_due.add(task_id)
                yield row.owner

    def _holders(self, name: str) -> Counter[str]:
        if self._kinds.get(name) in KINDS:
            live = ("open", "granted")
            return Counter(row.customer_id for row in self._rows[name].values() if row.state in live)
        return self._members.get(name, Counter())

    def _apply_rows(self, mart: Mart, decided: Decided, moment: Moment) -> Applied:
        strategy = decided.strategy
        known = self._rows.setdefault(strategy.name, {})
        kind = KINDS[strategy.kind]
        wanted = [
            kind.wanted(row, strategy.name, self._codec, decided.further)
            for rows in batches(mart, decided, "decided")
            for row in rows
        ]
        run = Run(strategy.name, strategy.version, moment.today.isoformat(), moment.now, _merged(mart, known))
        plan = kind.plan(known, wanted, run)
        changes: list[Change[Any]] = plan.changes
        known |= {change.after[0]: change.after for change in changes}
        return Applied(plan.counts, None, None, [difference(change) for change in changes])


def _merged(mart: Mart, known: Mapping[str, Any]) -> frozenset[str]:
    """Customers about whom, by themselves, something was decided and who are another customer by now."""
    alone = {row.anchor for row in known.values() if row.anchor == row.customer_id}
    if not alone:
        return frozenset()
    mart.show_subjects(alone)
    found = mart.execute("SELECT id FROM run_for WHERE id NOT IN (SELECT customer_id FROM customer)").fetchall()
    return frozenset(row[0] for row in found)
