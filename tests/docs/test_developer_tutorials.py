"""The tutorials for developers, followed literally; what they install goes into an environment of its own."""

from pathlib import Path

import pytest
from support.console import follow
from support.environment import own_environment

TUTORIALS = Path(__file__).resolve().parents[2] / "docs" / "tutorials"


@pytest.mark.parametrize("name", ["your-first-adapter", "your-first-strategy"])
def test_tutorial_with_a_plugin_of_ones_own(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    assert follow(TUTORIALS / f"{name}.md", folder, own_environment(tmp_path / "environment")) > 10
