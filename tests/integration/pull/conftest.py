"""A workspace whose source `city` is pulled from a server of the test's."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.pulling import Hospital, Pulling, configure, install

from hcrm_core.cli.context import Opened


@pytest.fixture
def pulling(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Pulling]]:
    """Makes one, of so many people in pages of a size; `lines` are further settings of the source."""
    install(tmp_path / "site", monkeypatch)
    opened: list[Opened] = []
    hospitals: list[Hospital] = []

    def make(count: int, size: int = 10, lines: str = "") -> Pulling:
        hospital = Hospital(count, size)
        server = hospital.serve().__enter__()
        configure(workspace, f'[sources.city]\nadapter = "pages"\nurl = "{server.url}"\n{lines}\n')
        hospitals.append(hospital)
        opened.append(Opened(workspace))
        return Pulling(hospital, opened[-1])

    yield make
    for space in opened:
        space.close()
    for hospital in hospitals:
        assert hospital.server
        hospital.server.__exit__()
