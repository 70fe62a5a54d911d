"""The how-to guides for authors of plugins, followed literally."""

from pathlib import Path

import pytest
from support.console import follow
from support.environment import own_environment

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "how-to"


@pytest.mark.parametrize("name", ["review-decisions", "check-your-plugin"])
def test_how_to(name: str, tmp_path: Path, programs: str) -> None:
    assert follow(GUIDES / f"{name}.md", tmp_path, programs)


@pytest.mark.parametrize("name", ["write-a-strategy", "write-an-adapter", "fix-a-site-with-a-plugin"])
def test_how_to_with_a_plugin_of_ones_own(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    assert follow(GUIDES / f"{name}.md", folder, own_environment(tmp_path / "environment"))
