"""What the guides share: the programs of this environment, with an `hcrm` that is warm."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import warm


@pytest.fixture(scope="session")
def programs() -> Iterator[str]:
    """Folders for the front of the path."""
    with warm.programs() as folder:
        yield os.pathsep.join([str(folder), str(Path(sys.executable).parent)])
