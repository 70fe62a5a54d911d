"""Back-tests and dry runs on the command line: documents of days, days that are over, files that cannot be written."""

from pathlib import Path

import pytest
from support.ward import hcrm, hospital, sentence, told, workspace

FIRST, LAST = "2026-02-01", "2026-03-13"


@pytest.fixture(scope="module", autouse=True)
def ward(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("backtest") / "workspace"
    with workspace(root, hospital()), pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        yield root


def test_a_back_test_is_a_document_of_days() -> None:
    found = told("backtest", "followup.discharge", "--from", FIRST, "--to", LAST, "--basis", "said")
    assert found["days"][0]["day"] == FIRST and found["days"][-1]["day"] == LAST
    assert sum(day["new"] for day in found["days"]) > 0
    due = {(row["day"], row["owner"]): row["tasks"] for row in found["workload"]}
    assert due and all(FIRST <= day <= LAST for day, _ in due)


def test_by_what_was_known_before_anything_had_arrived_it_says_how_to_look() -> None:
    result = hcrm("backtest", "rfm", "--from", FIRST, "--to", FIRST)
    assert "add --basis said" in result.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", FIRST, "--to", "2030-01-01"), "--to lies in the future. Name days up to today."),
        (("--from", FIRST, "--to", FIRST, "-o", "nowhere/chart.svg"), "there is no folder nowhere. Make it first."),
        (("--from", FIRST, "--to", FIRST, "-o", "chart.png"), "Give -o a name that ends with .svg."),
        (("--from", LAST, "--to", FIRST), "--to lies before --from."),
        (("--from", FIRST, "--to", FIRST, "--against", "bad.sql"), "With bad.sql in place of what is enabled: rfm"),
    ],
)
def test_what_cannot_be_run_is_said_in_a_sentence(ward: Path, options: tuple[str, ...], said: str) -> None:
    (ward / "bad.sql").write_text("SELECT 1 AS one", encoding="utf-8")
    result = hcrm("backtest", "rfm", *options)
    assert said in sentence(result, result.exit_code) and result.exit_code != 0


def test_days_in_a_dry_run_are_json() -> None:
    found = told("decide", "followup.discharge", "--dry-run")
    rows = found["strategies"][0]["differences"]
    assert rows and all(row["after"]["due_on"][4] == "-" for row in rows)


def test_a_strategy_that_does_not_exist_is_not_one_that_has_not_run() -> None:
    customer = told("customers", "list")[0]["id"]
    result = hcrm("explain", "segment", customer, "--strategy", "rmf")
    assert "There is no strategy 'rmf'. Did you mean 'rfm'?" in sentence(result, 1)
