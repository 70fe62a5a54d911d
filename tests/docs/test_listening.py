"""The guide to listening, followed literally but for its port, which on this machine may be taken."""

from pathlib import Path

from support.console import follow
from support.daemon import free_port

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "listen-for-messages.md"


def test_how_to_listen_for_messages(tmp_path: Path, programs: str) -> None:
    page = tmp_path / PAGE.name
    page.write_text(PAGE.read_text(encoding="utf-8").replace("2575", str(free_port())), encoding="utf-8")
    assert follow(page, tmp_path, programs)
