"""Deciding as facts come in: the strategies that look at one customer at a time, for those who changed.

Their facts are read from the store and laid out in memory, so that a look at twenty customers takes as long among a
million as among a thousand, and sees what was folded a moment ago. What it decides is what a run over everybody would
decide about them at that instant.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from hcrm_core.decide.apply import Moment
from hcrm_core.decide.freshness import day_of
from hcrm_core.decide.order import in_order
from hcrm_core.decide.run import decide
from hcrm_core.decide.steps import Means, Steps, Stored, StrategyOutcome
from hcrm_core.mart.live import KIND_OF, open_live
from hcrm_core.mart.profile import with_made_of
from hcrm_core.mart.tables import PERSONAL
from hcrm_core.model.mart import Position
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import live, mart_changes
from hcrm_core.store.queries.following import follow_links
from hcrm_core.store.queries.mart_rows import mart_rows_of

AT_ONCE = 500
"""Customers looked at together."""

PERSONAL_KINDS = frozenset(KIND_OF[name] for name in PERSONAL if name in KIND_OF)

MOST = 5_000
"""Where more customers changed, a run over everybody is quicker."""


class Live:
    """Live deciding of one daemon."""

    def __init__(
        self, store: Store, mart_dir: Path, strategies: Sequence[Strategy], *, timezone: str, means: Means
    ) -> None:
        """Args:
        store: The workspace's.
        mart_dir: The mart's folder.
        strategies: The enabled ones, in plugin order, with the workspace's parameters.
        timezone: The workspace's IANA zone.
        means: What strategies are run with.
        """
        self._store = store
        self._mart_dir = mart_dir
        self._strategies = [one for one in in_order(strategies) if one.scope == "subject" and not one.frozen_on]
        self._timezone = timezone
        self._means = means
        self._seen = Position()
        self._owed: Position | None = None
        """Up to where a strategy failed and has not looked at everybody."""

    def begin(self) -> None:
        """Look, from now on, at everybody who changes; who changed before is for a run over everybody."""
        with self._store.write() as connection:
            if live.decided_to(connection) is None:
                live.come_to(connection, mart_changes.position(connection))

    def run(self, now_us: int) -> list[StrategyOutcome]:
        """Look at everybody who changed since the last time.

        While something failed, how far it has come is not kept: a run over everybody makes up for it, or a restart,
        which begins where nothing had failed yet.

        Args:
            now_us: The clock, microseconds since 1970 UTC.

        Returns:
            What became of each strategy that was run, once for every time it was.
        """
        with self._store.read() as connection:
            kept = live.decided_to(connection) or Position()
            since = max(kept, self._seen, key=lambda position: (position.statement, position.known_at))
            here = mart_changes.position(connection)
            if here.statement == since.statement and here.known_at == since.known_at:
                return []
            subjects = mart_changes.changed_subjects(connection, since)
            kinds = mart_changes.changed_kinds(connection, since)
        found: list[StrategyOutcome] = []
        if subjects and self._strategies:
            if mart_changes.LINKS in kinds:
                with self._store.write() as connection:
                    follow_links(connection, now_us, since.known_at)
            if len(subjects) <= MOST:
                for start in range(0, len(subjects), AT_ONCE):
                    found += self._look(frozenset(subjects[start : start + AT_ONCE]), kinds, now_us)
            else:
                found = self._everybody(now_us)
        self._come_to(here, kept, failed=any(outcome.error for outcome in found))
        return found

    def _come_to(self, here: Position, kept: Position, *, failed: bool) -> None:
        self._seen = here
        if failed:
            self._owed = here
        elif self._owed and kept.statement >= self._owed.statement:
            self._owed = None
        if self._owed is None:
            with self._store.write() as connection:
                live.come_to(connection, here)

    def _everybody(self, now_us: int) -> list[StrategyOutcome]:
        means = self._means
        return decide(
            self._store,
            self._mart_dir,
            self._strategies,
            now_us=now_us,
            timezone=self._timezone,
            names=[strategy.name for strategy in self._strategies],
            limits=means.limits,
            compute=means.compute,
            engine=means.engine,
            reviews=means.reviews,
            channels=means.channels,
        )

    def _look(self, subjects: frozenset[str], kinds: Collection[str], now_us: int) -> list[StrategyOutcome]:
        strategies = list(self._concerned(kinds))
        if not strategies:
            return []
        tables = {table for strategy in self._strategies for table in strategy.tables}
        tables |= {table for review in self._means.reviews for table in review.tables}
        wanted = sorted({KIND_OF[table] for table in with_made_of(tables) if table in KIND_OF})
        today = day_of(now_us, self._timezone)
        with self._store.read() as connection:
            position = mart_changes.position(connection)
            rows = mart_rows_of(connection, self._store.codec, subjects, wanted)
        changed: set[str] = set()
        with open_live(
            self._mart_dir,
            rows,
            position=position,
            today=today,
            tables=tables,
            golden=self._store.golden,
            limits=self._means.limits,
        ) as mart:
            steps = Steps(
                Stored(self._store, self._mart_dir),
                mart,
                Moment(now_us, max(now_us, position.known_at), "known", today, position, subjects),
                self._means,
            )
            for strategy in self._strategies:
                concerned = strategy in strategies or changed & set(strategy.tables)
                if concerned and steps.take(strategy).changes:
                    changed.add(f"decision_{strategy.kind}")
        return list(steps.outcomes.values())

    def _concerned(self, kinds: Collection[str]) -> Iterator[Strategy]:
        """The strategies that read a table in which something changed; where links did, all of them."""
        for strategy in self._strategies:
            read = {KIND_OF.get(table) for table in with_made_of(strategy.tables)}
            if (mart_changes.LINKS in kinds and read & PERSONAL_KINDS) or read & set(kinds):
                yield strategy
