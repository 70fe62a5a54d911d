"""What the proofs share: a workspace that listens, on either database."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.daemon import free_port, workspace


@pytest.fixture
def listening(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., tuple[Path, int]]:
    """Makes a workspace on `sqlite` or `postgresql` and gives it with the port its source listens on."""

    def make(database: str, more: str = "", *, deciding: bool = False) -> tuple[Path, int]:
        url = request.getfixturevalue("new_database")() if database == "postgresql" else None
        port = free_port()
        return workspace(tmp_path / database, port, url, more, deciding=deciding), port

    return make
