"""`hcrm simulate` as a person and as a program meet it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hcrm_adapter_simulator import register_commands
from hcrm_core.api import UsageError

COMMAND, PEOPLE = register_commands()
SMALL = ["--patients", "40", "--months", "3", "--until", "2025-02-28", "--jobs", "1"]


THINGS = {"hl7v2": "messages", "fhir": "resources", "sql": "rows", "xlsx": "rows", "records": "records"}


@pytest.mark.parametrize(("form", "things"), THINGS.items())
def test_json(tmp_path: Path, form: str, things: str) -> None:
    result = CliRunner().invoke(COMMAND, ["-o", str(tmp_path), "--format", form, "--json", *SMALL])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document[things] > 100
    assert document["files"] == len(list(tmp_path.iterdir()))
    assert document["truth"]["persons"] == 40
    assert document["until"] == "2025-02-28"


def test_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(COMMAND, ["-o", str(tmp_path), *SMALL])
    assert result.exit_code == 0, result.output
    assert f"hcrm ingest {tmp_path}" in result.stdout


@pytest.mark.parametrize(("form", "file"), [("fhir", "Patient.ndjson"), ("sql", "hospital.db"), ("xlsx", "x.xlsx")])
def test_a_folder_in_use_is_refused(tmp_path: Path, form: str, file: str) -> None:
    (tmp_path / file).write_bytes(b"of somebody else")
    result = CliRunner().invoke(COMMAND, ["-o", str(tmp_path), "--format", form, *SMALL])
    assert isinstance(result.exception, UsageError)
    assert "already holds" in str(result.exception)
    assert (tmp_path / file).read_bytes() == b"of somebody else"


@pytest.mark.parametrize(
    "wrong",
    [
        ["--patients", "0"],
        ["--months", "999"],
        ["--format", "records", "--charset", "GB18030"],
        ["--format", "fhir", "--charset", "GB18030"],
    ],
)
def test_wrong_use_is_a_sentence(tmp_path: Path, wrong: list[str]) -> None:
    result = CliRunner().invoke(COMMAND, ["-o", str(tmp_path), *wrong])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception).endswith(".")
