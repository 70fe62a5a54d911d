"""Checks of time: the clock, past instants, every day or one jump, runs that follow each other."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from msgspec import structs

from hcrm_core.decide.freshness import complete_history
from hcrm_core.mart.manifest import read_manifest
from hcrm_core.model.strategies import Strategy
from hcrm_core.testing.strategies import scene as scenes
from hcrm_core.testing.strategies.bench import Bench, Examined, Row, differences
from hcrm_core.testing.strategies.history import Histories, Live, key_of
from hcrm_core.testing.strategies.scene import YEARS, Scene
from hcrm_core.testing.strategies.suite import check
from hcrm_core.testing.strategies.wards import Ward


@check(
    "S17",
    "It knows no clock but $as_of and $today",
    reason="Decisions are looked at as of other days, tested on other days and repeated later; a date in the SQL, or "
    "the machine's clock in the function, decides for one day only.",
    fix="Compare with $today or $as_of, and pass them to the function as columns of the SELECT. Dates that are the "
    "terms of a rule are parameters.",
)
def clock_is_given(examined: Examined) -> Iterator[str]:
    """Everything, the clock and dates in parameters too, 28 years later gives the same decisions 28 years later."""
    scene = examined.bench.changeable
    scene.lay(examined.tables, scenes.moved)
    found = examined.rows(scene, scenes.moved_instant(examined.wards.end), changed=_later)
    yield from differences(examined.key, examined.usual, list(_moved_back(examined, found)))


@check(
    "S18",
    "A past instant is seen as it was",
    reason="`hcrm decide --as-of` answers what would have been decided then; what was learnt since, and what was "
    "decided since, must not show.",
    fix="Read facts, and the decisions of strategies named in `reads`; never the strategy's own earlier ones.",
)
def past_is_past(examined: Examined) -> Iterator[str]:
    """Today's store as of some days ago, and the store as it was then."""
    then, settled = examined.wards.then, histories(examined.bench).settled
    with settled.store() as store:
        if (manifest := read_manifest(settled.mart)) and then.now < manifest.complete_from:
            complete_history(store, settled.mart, manifest)
        scene = Scene(settled, as_of_us=then.now, today=examined.bench.today(then.now))
        seen = examined.rows(scene, then.now, remembered=store)
        scene.close()
    yield from differences(examined.key, examined.on(then), seen)


@check(
    "S19",
    "Day by day or in one jump, the decisions that stand at the end are the same",
    reason="Servers stand still over a holiday. What a hospital is told must not depend on how often it asked.",
    fix="Decide from facts and $today; let the core withdraw, expire and keep what it decided before.",
)
def days_are_nothing(examined: Examined) -> Iterator[str]:
    """The last days heard and decided upon one by one, against the last one alone."""
    known = histories(examined.bench)
    yield from _same(examined, known, known.jump, known.daily)


@check(
    "S20",
    "A second run changes nothing",
    reason="Runs are repeated, by people and by timers. Each change tells somebody of something new.",
    fix="Do not return $as_of, nor what the strategy itself decided.",
)
def again_is_nothing(examined: Examined) -> Iterator[str]:
    """A run, and another a minute later, both applied."""
    known = histories(examined.bench)
    outcome = known.again.get(examined.strategy.name)
    if error := known.errors.get(examined.strategy.name):
        yield error
    elif outcome is not None and any((outcome.new, outcome.changed, outcome.withdrawn, outcome.expired)):
        yield (
            f"A second run a minute later finds {outcome.new} new, {outcome.changed} changed, {outcome.withdrawn} "
            f"withdrawn and {outcome.expired} expired."
        )


@check(
    "S21",
    "Statements that come late change nothing",
    reason="Feeds are interrupted, and what was said on Monday arrives on Wednesday; by then it must count as on "
    "Monday.",
    fix="Order by days of the facts or by said_at, never by known_at.",
)
def late_is_nothing(examined: Examined) -> Iterator[str]:
    """The same statements in any order."""
    yield from _as_usual(examined, examined.wards.late)


@check(
    "S22",
    "Statements that come twice change nothing",
    reason="Senders repeat what they are not sure of, whole days of it.",
    fix="Count facts, not how often or when something was heard of them; do not read known_at.",
)
def twice_is_nothing(examined: Examined) -> Iterator[str]:
    """The same statements, and all of them again."""
    yield from _as_usual(examined, examined.wards.repeated)


@check(
    "S23",
    "Corrections that come before what they correct change nothing",
    reason="Two interfaces of one hospital overtake each other; the correction still is the last word.",
    fix="Decide from what the facts say now, not from when it was heard.",
)
def corrections_hold(examined: Examined) -> Iterator[str]:
    """All corrections first."""
    yield from _as_usual(examined, examined.wards.corrected)


@check(
    "S24",
    "Cancellations that come before what they cancel change nothing",
    reason="A discharge that was taken back did not happen, in whichever order one hears of it.",
    fix="Decide from what the facts say now, not from when it was heard.",
)
def cancellations_hold(examined: Examined) -> Iterator[str]:
    """All cancellations first."""
    yield from _as_usual(examined, examined.wards.cancelled)


def histories(bench: Bench) -> Histories:
    """The applied runs of a bench."""
    if bench.histories is None:
        bench.histories = Histories(bench)
    found: Histories = bench.histories
    return found


def standing(examined: Examined, live: Live) -> list[Row]:
    """The decisions of a strategy among those that count."""
    return live.get(examined.strategy.name, [])


def _as_usual(examined: Examined, ward: Ward) -> Iterator[str]:
    yield from differences(examined.key, examined.usual, examined.on(ward))


def _same(examined: Examined, known: Histories, expected: Live, found: Live) -> Iterator[str]:
    if error := known.errors.get(examined.strategy.name):
        yield error
    yield from differences(key_of(examined.strategy), standing(examined, expected), standing(examined, found))


def _later(strategy: Strategy) -> Strategy:
    """The strategy with the dates among its parameters so many years later."""
    dates = {
        name: f"{int(value[:4]) + YEARS}{value[4:]}"
        for name, value in strategy.parameters.items()
        if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value)
    }
    return structs.replace(strategy, parameters=strategy.parameters | dates)


def _moved_back(examined: Examined, rows: list[Row]) -> Iterator[Row]:
    usual = {tuple(row[column] for column in examined.key): row for row in examined.usual}
    for row in rows:
        back = {name: scenes.moved_back(value) if isinstance(value, date) else value for name, value in row.items()}
        texts = {name: _years_back(value) if isinstance(value, str) else value for name, value in back.items()}
        place = tuple(back[column] for column in examined.key)
        if place not in usual:
            place = tuple(texts[column] for column in examined.key)
        expected = usual.get(place, {})
        yield {
            name: expected[name] if name in expected and _is_later(value, texts[name], expected[name]) else value
            for name, value in back.items()
        }


def _is_later(value: Any, text: Any, expected: Any) -> bool:
    if isinstance(value, int) and isinstance(expected, int):
        return 1900 < expected < 2100 and value - YEARS == expected
    return isinstance(value, str) and not isinstance(value, datetime) and text == expected


def _years_back(text: str) -> str:
    return re.sub(r"(?<!\d)(?:19|20)\d\d(?!\d)", lambda year: str(int(year.group()) - YEARS), text)
