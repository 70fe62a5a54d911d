"""What the tests of the operating side share."""

import pytest
from support.bench import Bench

from hcrm_core.store.engine import Store


@pytest.fixture
def bench(store: Store) -> Bench:
    """Workers on an empty store, on each database in turn."""
    return Bench(store)
