"""Marts made of a few rows."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hcrm_core.mart.manifest import Manifest
from hcrm_core.mart.refresh import refresh
from hcrm_core.model.mart import MartRow, Position

TODAY = date(2026, 3, 10)


@pytest.fixture
def mart(tmp_path: Path) -> Path:
    return tmp_path / "mart"


@pytest.fixture
def publish(mart: Path) -> Callable[..., Manifest]:
    """Publishes a mart of `(fact id, kind, customer, patient, fields)` rows."""

    def make(
        *rows: tuple[str, str, str | None, str | None, dict[str, Any]], sequence: int = 1, **more: Any
    ) -> Manifest:
        facts = [
            MartRow(
                fact, kind, customer, patient, msgspec.json.encode(fields).decode(),
                1_000_000 + place, 2_000_000 + place, 2_000_000 + place,
            )
            for place, (fact, kind, customer, patient, fields) in enumerate(rows)
        ]  # fmt: skip
        half = len(facts) // 2
        batches = [facts[:half], [], facts[half:]]
        return refresh(mart, batches, position=Position(sequence), as_of_us=5, today=TODAY, **more)

    return make
