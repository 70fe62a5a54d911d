"""One strategy after the other over one mart: evaluated, reviewed, applied."""

import time
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple, Protocol

from hcrm_core.config import nearest
from hcrm_core.decide.apply import Applied, Difference, Moment, apply
from hcrm_core.decide.shown import show_decisions
from hcrm_core.errors import HcrmError, StrategyError
from hcrm_core.mart.contract import Compute, Decided, Engine, check_strategy, evaluate
from hcrm_core.mart.engine import DEFAULT, Limits, Mart
from hcrm_core.mart.manifest import deciding
from hcrm_core.mart.reviews import apply_review, check_review, looks_at
from hcrm_core.model.reviews import Review
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.engine import Store


class Means(NamedTuple):
    """What strategies are run with.

    Attributes:
        compute: Calls the functions of strategies that have one.
        engine: Runs their SELECTs; DuckDB where `None`.
        reviews: The enabled ones; whatever they refuse is not done.
        channels: Those a task may name; any where `None`.
        limits: Memory, threads and seconds of each strategy.
    """

    compute: Compute | None = None
    engine: Engine | None = None
    reviews: Sequence[Review] = ()
    channels: Collection[str] | None = None
    limits: Limits = DEFAULT


class StrategyOutcome(NamedTuple):
    """What one strategy's run came to.

    Attributes:
        name: The strategy.
        new, changed, unchanged, withdrawn, expired: Decisions by outcome. A done task whose basis is gone counts
            once as changed.
        seconds: It took.
        run: The id of its run row; `None` where nothing was applied.
        error: Why it failed; then all counts are 0 and nothing of it was applied.
        differences: Of a dry run: what would come to stand otherwise.
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
    differences: Sequence[Difference] = ()

    @property
    def changes(self) -> int:
        """How many decisions it made otherwise than they stood."""
        return self.new + self.changed + self.withdrawn + self.expired


class Ledger(Protocol):
    """Where decisions stand: they are read from it, and what is decided is compared with it and put into it."""

    def alone(self, strategy: Strategy) -> AbstractContextManager[None]:
        """Keep others from running the same strategy meanwhile."""

    def show(self, mart: Mart, tables: Collection[str], moment: Moment) -> None:
        """Fill the decision views among `tables`."""

    def apply(self, mart: Mart, decided: Decided, moment: Moment) -> Applied:
        """Put into it what was decided."""


class Stored:
    """The store's decisions; a dry run leaves them as they are."""

    def __init__(self, store: Store, mart_dir: Path, *, preview: str | None = None) -> None:
        """Args: store: The workspace's. mart_dir: Where its mart lies. preview: Of a dry run, which keeps nothing: the
        folder below the mart where its snapshots lie meanwhile."""
        self._store = store
        self._mart_dir = mart_dir
        self._preview = preview
        self._previews: dict[str, tuple[str, str]] = {}

    def alone(self, strategy: Strategy) -> AbstractContextManager[None]:
        """Wait until nobody else runs the strategy; a dry run is in nobody's way."""
        return nullcontext() if self._preview else deciding(self._mart_dir, strategy.name)

    def show(self, mart: Mart, tables: Collection[str], moment: Moment) -> None:
        """Fill the decision views among `tables`; what a dry run has decided stands for what is applied."""
        show_decisions(mart, self._store, tables, self._previews, moment.subjects)

    def apply(self, mart: Mart, decided: Decided, moment: Moment) -> Applied:
        """Keep what was decided, or say what would come of it."""
        applied = apply(self._store, mart, decided, moment, preview=self._preview)
        if self._preview and applied.snapshot:
            self._previews[decided.strategy.name] = decided.strategy.kind, applied.snapshot
        return applied


class Steps:
    """The strategies of one run; what one decides, those after it can read."""

    def __init__(self, ledger: Ledger, mart: Mart, moment: Moment, means: Means) -> None:
        """Args:
        ledger: Where decisions stand.
        mart: What they read.
        moment: When, and for whom.
        means: What they are run with.
        """
        self._ledger = ledger
        self._mart = mart
        self._moment = moment
        self._means = means
        self.outcomes: dict[str, StrategyOutcome] = {}

    def at(self, mart: Mart, moment: Moment) -> "Steps":
        """The same run over a mart that shows another instant; outcomes are shared."""
        other = Steps(self._ledger, mart, moment, self._means)
        other.outcomes = self.outcomes
        return other

    def keep(self, decided: Decided) -> StrategyOutcome:
        """Put what a strategy has decided before into the ledger, without evaluating or reviewing it again."""
        with self._ledger.alone(decided.strategy):
            self.outcomes[decided.strategy.name] = outcome = self._applied(decided)
        return outcome

    def take(self, strategy: Strategy, *, stop_on_error: bool = False) -> StrategyOutcome:
        """Run one strategy.

        Raises:
            HcrmError: It fails, and `stop_on_error` is set.
        """
        started = time.perf_counter()
        try:
            with self._ledger.alone(strategy):
                outcome = self._run(strategy)
        except HcrmError as error:
            if stop_on_error:
                raise
            outcome = StrategyOutcome(strategy.name, error=str(error))
        self.outcomes[strategy.name] = outcome._replace(seconds=round(time.perf_counter() - started, 3))
        return self.outcomes[strategy.name]

    def _run(self, strategy: Strategy) -> StrategyOutcome:
        for name in strategy.reads:
            if name in self.outcomes and self.outcomes[name].error:
                raise HcrmError(f"{strategy.name} was not run, since it reads {name}, which failed.")
        checked = check_strategy(strategy)
        reviews = [review for review in self._means.reviews if looks_at(review, strategy)]
        tables = checked.tables.union(*(review.tables for review in reviews))
        self._ledger.show(self._mart, tables, self._moment)
        decided = evaluate(
            self._mart,
            strategy,
            checked,
            as_of_us=self._moment.as_of,
            today=self._moment.today,
            compute=self._means.compute,
            engine=self._means.engine,
        )
        self._check_subjects(strategy)
        self._check_channels(strategy)
        return self._applied(self._reviewed(decided, reviews))

    def _applied(self, decided: Decided) -> StrategyOutcome:
        applied = self._ledger.apply(self._mart, decided, self._moment)
        return StrategyOutcome(
            decided.strategy.name, *applied.counts, run=applied.run_id, differences=applied.differences
        )

    def _check_subjects(self, strategy: Strategy) -> None:
        """A strategy that is run for some must decide about those, or its scope is not what it declares."""
        if self._moment.subjects is None:
            return
        self._mart.show_subjects(self._moment.subjects)
        found = self._mart.execute(
            "SELECT count(*) FROM decided AS d WHERE NOT EXISTS (SELECT 1 FROM run_for AS r WHERE r.id = d.subject)"
        ).fetchall()
        if found[0][0]:
            raise StrategyError(
                f"{strategy.name}: it decided about customers it was not run for. A strategy of scope subject returns "
                "rows about the customers in its tables."
            )

    def _check_channels(self, strategy: Strategy) -> None:
        channels = self._means.channels
        if strategy.kind != "task" or channels is None:
            return
        for (name,) in self._mart.execute("SELECT DISTINCT channel FROM decided ORDER BY channel").fetchall():
            if name not in channels:
                raise StrategyError(
                    f"{strategy.name}: no enabled plugin offers the channel {name!r}. {nearest(name, list(channels))}"
                )

    def _reviewed(self, decided: Decided, reviews: Sequence[Review]) -> Decided:
        """Let reviews object to what was decided.

        Raises:
            StrategyError: One fails, which is a veto.
        """
        as_of, today = self._moment.as_of, self._moment.today
        for review in reviews:
            try:
                checked = check_review(review)
                decided = apply_review(self._mart, decided, review, checked, as_of_us=as_of, today=today)
            except HcrmError as error:
                raise StrategyError(f"{error} A review that fails is a veto: nothing was decided.") from None
        return decided
