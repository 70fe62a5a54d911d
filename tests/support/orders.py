"""Properties of any order: all on SQLite, a share on PostgreSQL, where each statement crosses a socket."""

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from itertools import islice, permutations
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hcrm_core.store.engine import Store

SHARE = 5
T = TypeVar("T")


def whole(store: Store) -> bool:
    """Whether everything is tried on this store."""
    return store.engine.dialect.name == "sqlite"


def orders(store: Store, told: Sequence[T]) -> Iterable[tuple[T, ...]]:
    """The orders of what is told; on PostgreSQL every fifth of those of four and more."""
    return islice(permutations(told), 0, None, 1 if whole(store) or len(told) < 4 else SHARE)


def drawn(examples: int, *, everywhere: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Try a test with so many examples of `data` in its one store; on PostgreSQL with a share of them.

    Args:
        examples: How many.
        everywhere: On PostgreSQL as many.
    """

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(test)

        @functools.wraps(test)
        def run(**fixtures: Any) -> None:
            some = settings(
                max_examples=examples if everywhere or whole(fixtures["store"]) else max(examples // SHARE, 3),
                deadline=None,
                database=None,
                suppress_health_check=[HealthCheck.too_slow],
            )
            some(given(data=st.data())(lambda data: test(data=data, **fixtures)))()

        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[one for name, one in signature.parameters.items() if name != "data"]
        )
        return run

    return decorate
