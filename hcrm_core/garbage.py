"""Python's garbage collector, and when it is better left out."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no cycles in the block.

    Who imports a hundred modules, folds a batch or plans a night makes a hundred thousand objects that stay; looking
    through them again and again takes up to a quarter of the time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
