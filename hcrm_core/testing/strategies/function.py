"""A strategy's function, called in this process, where one can see what it does with what it is given."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from hcrm_core.mart.arrow import packed
from hcrm_core.mart.contract import bound
from hcrm_core.registry.loader import Loader
from hcrm_core.testing.strategies.bench import Examined


class _Noted(dict[str, Any]):
    """Parameters that remember which of them were asked for."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)

    def __iter__(self) -> Iterator[str]:
        self.asked |= set(super().keys())
        return super().__iter__()

    def items(self) -> Any:
        self.asked |= set(super().keys())
        return super().items()

    def values(self) -> Any:
        self.asked |= set(super().keys())
        return super().values()


def parameters_used(examined: Examined) -> set[str]:
    """The parameters a strategy's function asks for, on the world."""
    noted = _Noted(examined.strategy.parameters)
    _function(examined)(_table(examined), noted)
    return noted.asked


def impurities(examined: Examined) -> Iterator[str]:
    """What a strategy's function does that a pure one does not."""
    call, table = _function(examined), _table(examined)
    given, parameters = packed(table), dict(examined.strategy.parameters)
    first = packed(call(table, parameters))
    if packed(table) != given:
        yield "The function changes the table it is given."
    if parameters != examined.strategy.parameters:
        yield "The function changes the parameters it is given."
    if packed(call(table, dict(examined.strategy.parameters))) != first:
        yield "The function makes another table of the same table when it is called again."
    if packed(examined.bench.code.compute(examined.strategy, table, examined.strategy.parameters)) != first:
        yield "The function makes another table of the same table in another process."


def _function(examined: Examined) -> Any:
    bench, (module, _, name) = examined.bench, (examined.strategy.function or "").partition(":")
    Loader(bench.configuration).load(bench.plugin)
    return getattr(import_module(module), name)


def _table(examined: Examined) -> Any:
    wards, checked, strategy = examined.wards, examined.checked, examined.strategy
    examined.on(wards.whole)  # shows the decisions it reads
    values = bound(checked, strategy.parameters, as_of_us=wards.end, today=examined.bench.today(wards.end))
    return examined.bench.scene(wards.whole).mart.query(checked.sql, values, name=strategy.name)
