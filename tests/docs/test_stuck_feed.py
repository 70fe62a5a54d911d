"""The guide for two in the morning, followed literally but for its port, which on this machine may be taken."""

import re
from pathlib import Path

from support.console import follow
from support.daemon import free_port

from hcrm_core.intake.figures import STATES

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "how-to" / "when-a-feed-is-stuck.md"


def test_how_to_when_a_feed_is_stuck(tmp_path: Path, programs: str) -> None:
    page = tmp_path / PAGE.name
    page.write_text(PAGE.read_text(encoding="utf-8").replace("2575", str(free_port())), encoding="utf-8")
    assert follow(page, tmp_path, programs) > 20


def test_the_explanation_tells_every_state_of_a_message() -> None:
    page = (DOCS / "explanation" / "intake.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"(?m)^\| (\w+) \| (?!means)", page)) == STATES
