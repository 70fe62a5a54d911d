"""What the tests of listening share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store


@pytest.fixture
def sqlite_store(empty_sqlite: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty store, for what does not depend on the database."""
    for file in empty_sqlite.iterdir():
        shutil.copy(file, tmp_path)
    store = Store(f"sqlite:///{tmp_path}/store.db", f"sqlite:///{tmp_path}/inbox.db", Codec(b"\x07" * 32))
    yield store
    store.close()
