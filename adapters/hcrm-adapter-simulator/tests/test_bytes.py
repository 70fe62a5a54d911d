"""Equal settings give equal bytes, whatever the number of processes; another seed gives others."""

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hcrm_adapter_simulator import Settings, write_fhir, write_hl7v2, write_records, write_sql, write_xlsx
from hcrm_core.api import UsageError

SMALL = Settings(until=date(2024, 3, 15), patients=600, months=6, seed=3)


def digest(folder: Path) -> str:
    files = sorted(folder.iterdir())
    assert files
    return hashlib.sha256(b"".join(f.name.encode() + f.read_bytes() for f in files)).hexdigest()


@pytest.mark.parametrize("write", [write_hl7v2, write_records, write_fhir, write_sql, write_xlsx])
def test_files_repeat(tmp_path: Path, write: Any) -> None:
    short = replace(SMALL, months=1)
    write(short, tmp_path / "one", jobs=1)
    write(short, tmp_path / "two", jobs=2)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


@pytest.mark.parametrize("change", [{"seed": 4}, {"months": 7}, {"until": date(2024, 3, 16)}])
def test_other_settings_are_another_hospital(tmp_path: Path, change: dict[str, object]) -> None:
    few = replace(SMALL, patients=50)
    write_hl7v2(few, tmp_path / "one")
    write_hl7v2(replace(few, **change), tmp_path / "two")  # type: ignore[arg-type]
    assert digest(tmp_path / "one") != digest(tmp_path / "two")


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    few = replace(SMALL, patients=10)
    write_hl7v2(few, tmp_path)
    with pytest.raises(UsageError, match="already holds"):
        write_hl7v2(few, tmp_path)


@pytest.mark.parametrize("wrong", [{"patients": 0}, {"months": 0}, {"until": date(1960, 1, 1)}])
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must lie"):
        replace(SMALL, **wrong)  # type: ignore[arg-type]
