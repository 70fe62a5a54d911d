"""The tutorial, followed literally."""

import sys
from pathlib import Path

from support.console import follow

DOCS = Path(__file__).resolve().parents[2] / "docs"
BIN = Path(sys.executable).parent


def test_tutorial_from_messages_to_a_report(tmp_path: Path) -> None:
    assert follow(DOCS / "tutorials" / "from-messages-to-a-report.md", tmp_path, BIN) > 20
