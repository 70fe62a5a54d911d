"""The suite of checks for strategies, and how a check says that a strategy could not be evaluated."""

from collections.abc import Callable, Iterable, Iterator

from hcrm_core.errors import HcrmError
from hcrm_core.testing.checks import PassedOver, Suite
from hcrm_core.testing.strategies.bench import Examined

Checking = Callable[[Examined], Iterable[str]]

SUITE: Suite[Examined] = Suite("strategies")
FIRST = "S01"
"""Where this fails, there is nothing that the others could look at."""


def check(id: str, title: str, *, reason: str, fix: str) -> Callable[[Checking], Checking]:
    """Register a check of the suite; a sentence of the core's own (`HcrmError`) is a finding like any other.

    All but the first are passed over where the SQL is refused, so that one mistake is told once.
    """

    def register(function: Checking) -> Checking:
        def checking(examined: Examined) -> Iterator[str]:
            if id != FIRST:
                try:
                    assert examined.checked
                except HcrmError:
                    reason = f"Passed over: {FIRST} says what is wrong with the SQL. Mend that first."
                    raise PassedOver(reason) from None
            try:
                yield from function(examined)
            except HcrmError as error:
                yield str(error)

        return SUITE.check(id, title, reason=reason, fix=fix)(checking)

    return register
