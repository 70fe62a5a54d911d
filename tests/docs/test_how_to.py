"""The how-to guides, followed literally."""

import sys
from pathlib import Path

import pytest
from support.console import follow
from support.environment import own_environment

DOCS = Path(__file__).resolve().parents[2] / "docs"
BIN = Path(sys.executable).parent

GUIDES = (
    "map-your-his",
    "follow-up-rules",
    "read-the-report",
    "simulate-a-hospital",
    "loyalty-programmes",
    "review-decisions",
    "check-your-plugin",
)
PLUGINS = ("write-a-strategy", "write-an-adapter", "fix-a-site-with-a-plugin")


@pytest.mark.parametrize("name", GUIDES)
def test_how_to(name: str, tmp_path: Path) -> None:
    assert follow(DOCS / "how-to" / f"{name}.md", tmp_path, BIN)


@pytest.mark.parametrize("name", PLUGINS)
def test_how_to_with_a_plugin_of_ones_own(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    assert follow(DOCS / "how-to" / f"{name}.md", folder, own_environment(tmp_path / "environment"))
