"""What the tests of listening share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hcrm_core.store import schema
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An empty store, for what does not depend on the database."""
    store = Store(f"sqlite:///{tmp_path}/store.db", f"sqlite:///{tmp_path}/inbox.db", Codec(b"\x07" * 32))
    schema.upgrade(store)
    yield store
    store.close()
