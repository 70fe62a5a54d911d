"""The how-to guides, followed literally."""

from pathlib import Path

import pytest
from support.console import follow

DOCS = Path(__file__).resolve().parents[2] / "docs"

GUIDES = (
    "map-your-his",
    "map-a-z-segment",
    "what-was-understood",
    "read-fhir-files",
    "pull-from-a-server",
    "pull-from-a-fhir-server",
    "read-spreadsheets",
    "pull-from-sql-views",
    "follow-up-rules",
    "read-the-report",
    "simulate-a-hospital",
    "loyalty-programmes",
    "why-not",
    "try-a-rule-on-the-past",
    "segments",
    "golden-record",
    "correct-a-customer",
    "review-duplicates",
    "see-families",
    "train-the-linking-model",
)


@pytest.mark.parametrize("name", GUIDES)
def test_how_to(name: str, tmp_path: Path, programs: str) -> None:
    assert follow(DOCS / "how-to" / f"{name}.md", tmp_path, programs)
