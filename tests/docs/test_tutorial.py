"""The tutorials, followed literally."""

import sys
from pathlib import Path

import pytest
from support.console import follow
from support.environment import own_environment

DOCS = Path(__file__).resolve().parents[2] / "docs"
BIN = Path(sys.executable).parent


def test_tutorial_from_messages_to_a_report(tmp_path: Path) -> None:
    assert follow(DOCS / "tutorials" / "from-messages-to-a-report.md", tmp_path, BIN) > 20


@pytest.mark.parametrize("name", ["your-first-adapter", "your-first-strategy"])
def test_tutorial_with_a_plugin_of_ones_own(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    assert follow(DOCS / "tutorials" / f"{name}.md", folder, own_environment(tmp_path / "environment")) > 10
