"""The suite of checks for strategies, and how a check says that a strategy could not be evaluated."""

from collections.abc import Callable, Iterable, Iterator

from hcrm_core.errors import HcrmError
from hcrm_core.testing.checks import Suite
from hcrm_core.testing.strategies.bench import Examined

Checking = Callable[[Examined], Iterable[str]]

SUITE: Suite[Examined] = Suite("strategies")


def check(id: str, title: str, *, reason: str, fix: str) -> Callable[[Checking], Checking]:
    """Register a check of the suite; a sentence of the core's own (`HcrmError`) is a finding like any other."""

    def register(function: Checking) -> Checking:
        def checking(examined: Examined) -> Iterator[str]:
            try:
                yield from function(examined)
            except HcrmError as error:
                yield str(error)

        return SUITE.check(id, title, reason=reason, fix=fix)(checking)

    return register
