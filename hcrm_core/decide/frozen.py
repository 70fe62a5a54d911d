"""Segments that are frozen: decided once, by what was known at the end of a day, and kept from then on."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from hcrm_core.decide.apply import Moment
from hcrm_core.decide.freshness import day_of
from hcrm_core.decide.kept import load_kept
from hcrm_core.decide.steps import Steps, StrategyOutcome
from hcrm_core.env import microseconds
from hcrm_core.mart.engine import Mart
from hcrm_core.model.mart import Position
from hcrm_core.model.strategies import Strategy
from hcrm_core.store.engine import Store
from hcrm_core.store.queries.decisions import RunRow, last_runs


def frozen_at(day: str, timezone: str) -> int:
    """The last instant of a day (ISO) in a zone, microseconds since 1970 UTC."""
    after = date.fromisoformat(day) + timedelta(days=1)
    return microseconds(datetime.combine(after, datetime.min.time(), ZoneInfo(timezone))) - 1


def take_frozen(
    store: Store,
    mart: Mart,
    steps: Steps,
    moment: Moment,
    strategy: Strategy,
    timezone: str,
    mart_then: Callable[[int], AbstractContextManager[Mart]],
    *,
    stop_on_error: bool = False,
) -> StrategyOutcome:
    """Decide a frozen strategy, or keep what it decided.

    Until the day is over nobody belongs to it, since nobody can know who will.

    Args:
        store: The workspace's.
        mart: Of the run, likewise `steps` and `moment`.
        strategy: With `frozen_on`.
        timezone: The workspace's zone.
        mart_then: Opens a mart that shows an instant.
        stop_on_error: As of `Steps.take`.
    """
    instant = frozen_at(strategy.frozen_on or "", timezone)
    if moment.as_of <= instant:
        steps.outcomes[strategy.name] = StrategyOutcome(strategy.name)
        return steps.outcomes[strategy.name]
    # Whatever the store has come to, such a run saw something else.
    then = moment._replace(as_of=instant, today=day_of(instant, timezone), position=Position())
    with store.read() as connection:
        last = last_runs(connection, strategy.kind).get(strategy.name)
    if last is not None and _is_of(last, strategy, then) and last.snapshot and (mart.folder / last.snapshot).exists():
        return steps.at(mart, then).keep(load_kept(store, mart, strategy, last.snapshot))
    with mart_then(instant) as past:
        return steps.at(past, then).take(strategy, stop_on_error=stop_on_error)


def _is_of(last: RunRow, strategy: Strategy, then: Moment) -> bool:
    parameters = msgspec.json.encode(strategy.parameters, order="sorted").decode()
    made = (last.as_of, last.basis, last.version, last.parameters)
    return made == (then.as_of, then.basis, strategy.version, parameters)
