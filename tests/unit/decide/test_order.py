"""The order of strategies."""

import pytest

from hcrm_core.decide.order import chosen, in_order
from hcrm_core.errors import StrategyError, UsageError
from hcrm_core.model.strategies import Strategy


def strategy(name: str, *reads: str) -> Strategy:
    return Strategy(name=name, version="1", kind="score", scope="all", tables=(), sql="", reads=reads)


def names(strategies: list[Strategy]) -> list[str]:
    return [one.name for one in strategies]


def test_readers_come_after_what_they_read_and_ties_keep_their_order() -> None:
    given = [strategy("d", "b", "c"), strategy("a"), strategy("c", "a"), strategy("b", "a", "not enabled")]
    assert names(in_order(given)) == ["a", "b", "c", "d"]
    assert names(chosen(given, ["d", "a"])) == ["a", "d"]


def test_a_long_chain() -> None:
    given = [strategy(f"s{n}", f"s{n + 1}") for n in range(3_000)]
    assert names(in_order(given))[0] == "s2999"


@pytest.mark.parametrize(
    ("given", "circle"),
    [([strategy("a", "a")], "a → a"), ([strategy("x"), strategy("a", "b"), strategy("b", "a")], "a → b → a")],
)
def test_circles_are_named(given: list[Strategy], circle: str) -> None:
    with pytest.raises(StrategyError, match=circle):
        in_order(given)


def test_unknown_names_are_corrected() -> None:
    with pytest.raises(UsageError, match="Did you mean 'pareto'"):
        chosen([strategy("rfm"), strategy("pareto")], ["paretto"])
