"""Runs that are applied, one after the other, for all strategies of a plugin at once; done once a kit."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from hcrm_core.decide.run import decide
from hcrm_core.decide.shown import show_decisions
from hcrm_core.decide.steps import StrategyOutcome
from hcrm_core.mart.engine import open_mart
from hcrm_core.model.strategies import Strategy
from hcrm_core.testing.strategies.bench import Bench, Row
from hcrm_core.testing.strategies.wards import SECOND, Ward

_LIVE = {
    "task": "state IN ('open', 'suppressed') AND window_end >= $today AND reason IS DISTINCT FROM 'window_passed'",
    "points": "state = 'granted'",
}
"""Decisions that still count, where a kind's view holds others too."""

_TIMES = ("created_at", "closed_at")
Live = dict[str, list[Row]]
"""Strategy → its decisions that count, as other strategies and reports see them."""


class Histories:
    """What became of the decisions of one plugin's strategies on several roads."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._wards = bench.wards
        self.errors: dict[str, str] = {}
        """Strategies that failed in some run, and why."""

    @cached_property
    def settled(self) -> Ward:
        """Everything was heard, and decided upon once."""
        made = self._wards.whole.copy(self._wards.scratch("settled"))
        self._decide(made)
        return made

    @cached_property
    def jump(self) -> Live:
        """What counts after one run at the end."""
        return self._live(self.settled)

    @cached_property
    def again(self) -> dict[str, StrategyOutcome]:
        """What a second run finds, a minute later."""
        made = self.settled.copy(self._wards.scratch("again"))
        return {one.name: one for one in self._decide(made._replace(now=made.now + 60 * SECOND))}

    @cached_property
    def daily(self) -> Live:
        """What counts where every day was heard and decided upon."""
        made = self._wards.then.copy(self._wards.scratch("daily"))
        self._decide(made)
        for now, told in self._wards.in_order(self._wards.world.told, self._wards.end):
            if now > made.now:
                self._wards.hear(made, [(now, told)])
                made = made._replace(now=now)
                self._decide(made)
        return self._live(made)

    @cached_property
    def taken_back(self) -> Live:
        """What counts where persons were made one, decided upon, taken apart, and decided upon again."""
        made = self.settled.copy(self._wards.scratch("taken-back"))
        for type, place in (("replaced-by", 1), (None, 2)):
            self._wards.hear(made, [(made.now, self._wards.links(type, place))])
            self._decide(made)
        return self._live(made)

    def _decide(self, ward: Ward) -> Sequence[StrategyOutcome]:
        bench = self._bench
        with ward.store() as store:
            outcomes = decide(
                store,
                ward.mart,
                list(bench.strategies.values()),
                now_us=ward.now,
                timezone=bench.zone,
                compute=bench.code.compute,
            )
        for outcome in outcomes:
            if outcome.error:
                self.errors.setdefault(outcome.name, outcome.error)
        return outcomes

    def _live(self, ward: Ward) -> Live:
        found: Live = {}
        with ward.store() as store, open_mart(ward.mart, tables=()) as mart:
            for kind in sorted({strategy.kind for strategy in self._bench.strategies.values()}):
                view = f"decision_{kind}"
                show_decisions(mart, store, (view,))
                live = _LIVE.get(kind, "true")
                values: dict[str, Any] = {"today": self._bench.today(ward.now)} if "$today" in live else {}
                for row in mart.query(f"SELECT * FROM {view} WHERE {live}", values, name=view).to_pylist():
                    found.setdefault(row["strategy"], []).append(
                        {name: value for name, value in row.items() if name not in _TIMES}
                    )
        return found


def key_of(strategy: Strategy) -> tuple[str, ...]:
    """The columns that make a decision unique in its kind's view."""
    if strategy.kind in ("segment", "score"):
        return ("customer_id", strategy.kind)
    return (f"{strategy.kind}_id",)
