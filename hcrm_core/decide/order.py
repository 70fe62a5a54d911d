"""The order in which strategies run: after those whose decisions they read, else as the plugins stand."""

from collections.abc import Iterable, Sequence

from hcrm_core.config import nearest
from hcrm_core.errors import StrategyError, UsageError
from hcrm_core.model.strategies import Strategy


def chosen(strategies: Sequence[Strategy], names: Iterable[str] | None) -> list[Strategy]:
    """Those that are named, in running order; all where `names` is `None`.

    Raises:
        UsageError: A name is no enabled strategy.
        StrategyError: One reads itself, or several read each other in a circle.
    """
    known = {strategy.name: strategy for strategy in strategies}
    wanted = set(known)
    if names is not None:
        wanted = set(names)
        for name in sorted(wanted - set(known)):
            raise UsageError(f"There is no enabled strategy {name!r}. {nearest(name, list(known))}")
    return [strategy for strategy in in_order(strategies) if strategy.name in wanted]


def in_order(strategies: Sequence[Strategy]) -> list[Strategy]:
    """All of them, each after those it reads; ties keep the order given.

    Raises:
        StrategyError: There is a circle, which is named.
    """
    known = {strategy.name: strategy for strategy in strategies}
    done: dict[str, Strategy] = {}
    # Depth first without recursion of Python's own: a chain may be long.
    for strategy in strategies:
        path: list[tuple[Strategy, list[str]]] = [(strategy, list(strategy.reads))]
        while path:
            current, left = path[-1]
            if current.name in done or not left:
                done.setdefault(current.name, current)
                path.pop()
                continue
            name = left.pop(0)
            if name not in known or name in done:
                continue  # one that is not enabled: its last decisions, if any, are read as they stand
            names = [step.name for step, _ in path]
            if name in names:
                circle = " → ".join([*names[names.index(name) :], name])
                raise StrategyError(f"Strategies read each other in a circle: {circle}. Take one name out of `reads`.")
            path.append((known[name], list(known[name].reads)))
    return list(done.values())
