"""`hcrm customers merge`, `unmerge`, `split` and `review`: on the terminal and by spreadsheet."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from support.ward import NOW, hcrm, message, told, workspace, write

from hcrm_core.cli import review_sheet
from hcrm_core.identity.compare import LEVELS


def registered(number: str, name: str, born: str, more: str = "") -> bytes:
    who = f"PID|1||{number}^^^RMYY^MR{more}||{name}||{born}|F"
    return message("A31", f"M{number}", "20260301090000", who)


def people() -> dict[str, bytes]:
    """Two pairs of namesakes born on one day, and two who share a card."""
    made = (
        registered("0001", "王^芳", "19900317"),
        registered("0002", "王^芳", "19900317"),
        registered("0003", "李^伟", "19851102"),
        registered("0004", "李^伟", "19851102"),
        registered("0005", "=cmd^赵", "19720101", "~4711^^^BANK^PI"),
        registered("0006", "孙^兰", "19730101", "~4711^^^BANK^PI"),
    )
    return {f"M{number}": payload for number, payload in enumerate(made)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("model") / "workspace"
    with workspace(root, people()):
        return root


@pytest.fixture(autouse=True)
def ward(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HCRM_NOW", NOW)
    root = shutil.copytree(model, tmp_path / "workspace")
    monkeypatch.chdir(root)
    return root


def queue() -> list[Any]:
    return told("customers", "review", "list")


def filled(path: Path, rows: list[list[str]]) -> Path:
    """The sheet with other rows."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


def cells(path: Path) -> list[list[str]]:
    return [[str(cell) for cell in row] for row in CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()]


def test_the_likeliest_pair_comes_first_with_both_records_and_weights() -> None:
    found = queue()
    assert len(found) == 2
    assert found[0]["bits"] >= found[1]["bits"]
    shown = told("customers", "review", "show", found[0]["pair"])
    assert shown == found[0]
    by_field = {one["field"]: one for one in shown["fields"]}
    assert by_field["name"]["level"] == "same"
    assert by_field["name"]["records"][0] in ("王芳", "李伟")
    assert told("customers", "review", "list", "--limit", 1, "--page", 2) == found[1:]
    text = hcrm("customers", "review").stdout
    assert "王芳" in text and "name same, birth same" in text
    assert "Pairs 1 to 1 of 2" in (first := hcrm("customers", "review", "list", "--limit", 1).stdout)
    assert "hcrm customers review list --limit 1 --page 2" in first
    last = hcrm("customers", "review", "list", "--limit", 1, "--page", 2).stdout
    assert "Pairs 2 to 2 of 2" in last and "--page 3" not in last


def test_the_bits_of_the_fields_and_the_prior_add_up() -> None:
    for found in queue():
        assert found["prior_bits"] < -5
        fields = [one["bits"] for one in found["fields"] if one["bits"] is not None]
        assert sum(fields) + found["prior_bits"] == pytest.approx(found["bits"])
        text = hcrm("customers", "review", "show", found["pair"]).stdout
        assert f"{found['prior_bits']:+.1f}" in next(
            line for line in text.splitlines() if line.startswith("prior odds")
        )


def test_any_two_records_are_shown_by_their_names() -> None:
    waiting = next(one for one in queue() if "RMYY|MR|0001" in one["records"])
    assert told("customers", "review", "show", "RMYY|MR|0002", "RMYY|MR|0001") == waiting
    assert sorted(waiting["records"]) == ["RMYY|MR|0001", "RMYY|MR|0002"] and waiting["sources"] == ["his", "his"]
    apart = told("customers", "review", "show", "RMYY|MR|0001", "RMYY|MR|0003")
    assert apart["verdict"] == "separate" and apart["bits"] < 5
    assert {one["field"]: one["level"] for one in apart["fields"]}["birth"] == "different"
    tied = hcrm("customers", "review", "show", "RMYY|MR|0005", "RMYY|MR|0006").stdout
    assert "they are one customer" in tied and "BANK|PI|4711" in tied
    assert "2 patients fit" in hcrm("customers", "review", "show", "BANK|PI|4711", "RMYY|MR|0001").stderr
    assert hcrm("customers", "review", "accept", "RMYY|MR|0001", "RMYY|MR|0003").exit_code == 2
    done = hcrm("customers", "review", "accept", "RMYY|MR|0001", "RMYY|MR|0002", "--reason", "both cards seen")
    assert "they are one person" in done.stdout


def test_a_sheet_in_chinese_holds_no_english_and_names_the_records(tmp_path: Path) -> None:
    sheet = tmp_path / "review.xlsx"
    hcrm("customers", "review", "export", "-o", sheet)
    head, *rows = cells(sheet)
    column = {name: [row[at] for row in rows] for at, name in enumerate(head)}
    assert {*column["来源与记录 1"], *column["来源与记录 2"]} == {f"his RMYY|MR|000{n}" for n in (1, 2, 3, 4)}
    assert set(column["性别 1"]) == {"女"} and column["性别: 一致程度"][0].startswith("一致 (+")
    assert set(column["证件号码 1"]) == {""} and "RMYY|MR|0001" in {*column["院内号码 1"], *column["院内号码 2"]}
    words = [cell for row in rows for cell in row[1:] if "RMYY" not in cell]
    assert not [cell for cell in words if any("a" <= letter <= "z" for letter in cell.casefold())]
    with zipfile.ZipFile(sheet) as book:
        assert "请勿填写人员姓名或号码" in book.read("xl/worksheets/sheet1.xml").decode()
    assert all(level in review_sheet._LEVELS for levels in LEVELS.values() for level in levels)


def test_a_sheet_that_may_be_filled_in_is_not_overwritten_unasked(tmp_path: Path) -> None:
    sheet = tmp_path / "review.xlsx"
    sheet.write_bytes(b"filled in")
    refused = hcrm("customers", "review", "export", "-o", sheet)
    assert (refused.exit_code, sheet.read_bytes()) == (2, b"filled in")
    assert "--force" in refused.stderr
    done = hcrm("customers", "review", "export", "-o", sheet, "--force", "--limit", 1)
    assert done.exit_code == 0 and len(cells(sheet)) == 2
    assert "Left out: 1 pair;" in done.stderr and "--limit 2" in done.stderr


def test_why_patients_are_one_customer_and_who_said_so_is_shown() -> None:
    shared = told("customers", "show", "RMYY|MR|0005")
    assert [one["record"] for one in sorted(shared["patients"], key=lambda one: one["record"])] == [
        "RMYY|MR|0005", "RMYY|MR|0006"
    ]  # fmt: skip
    assert "孙兰" in [one["name"] for one in shared["patients"]]
    (tie,) = shared["ties"]
    assert (tie["kind"], tie["says"]) == ("number", "Both carry one number of the kind BANK|PI")
    hcrm("customers", "merge", "RMYY|MR|0001", "RMYY|MR|0003", "--reason", "both cards seen", "--by", "desk-3")
    merged = told("customers", "show", "RMYY|MR|0001")
    (tie,) = merged["ties"]
    assert (tie["kind"], tie["by"], tie["reason"]) == ("judgement", "desk-3", "both cards seen") and tie["message"]
    text = hcrm("customers", "show", "RMYY|MR|0001").stdout
    assert "RMYY|MR|0003" in text and "One customer, since:" in text and "both cards seen" in text
    hcrm("customers", "unmerge", "RMYY|MR|0001", "--reason", "her sister's", "--by", "desk-4")
    hcrm("customers", "edit", "RMYY|MR|0001", "--set", "gender=female", "--reason", "she called", "--by", "desk-5")
    history = told("customers", "history", "RMYY|MR|0001")
    assert [(one["says"], one["by"], one["reason"]) for one in history] == [
        ("one person", "desk-3", "both cards seen"),
        ("taken back", "desk-4", "her sister's"),
        ("corrected", "desk-5", "she called"),
    ]
    assert all(one["message"] for one in history) and history[2]["fields"] == ["gender"]
    assert [one["by"] for one in told("customers", "show", "RMYY|MR|0003")["by_hand"]] == ["desk-3", "desk-4"]
    assert "her sister's" in hcrm("customers", "history", "RMYY|MR|0003").stdout
    assert "Nobody has said" in hcrm("customers", "history", "RMYY|MR|0002").stdout


def test_what_is_accepted_is_one_customer_and_what_is_rejected_never_comes_back(ward: Path) -> None:
    first, second = queue()
    hcrm("customers", "review", "accept", first["pair"], "--reason", "both cards seen")
    assert len(told("customers", "show", first["patients"][1])["patients"]) == 2
    hcrm("customers", "review", "reject", second["pair"])
    assert queue() == []
    configuration = ward / "hcrm.toml"
    text = configuration.read_text(encoding="utf-8").replace("[identity]\n", "")
    configuration.write_text(text + "\n[identity]\nlink = 6.0\nreview = 1.0\n", encoding="utf-8")
    assert hcrm("customers", "edit", second["patients"][0], "--set", "gender=male", "--reason", "x").exit_code == 0
    assert told("customers", "review", "show", second["pair"])["bits"] > 1, "it is still a likely pair"
    assert queue() == [], "under other thresholds neither"
    one, other = (told("customers", "show", end)["id"] for end in second["patients"])
    assert one != other
    assert "already" in hcrm("customers", "review", "reject", second["pair"]).stdout
    told("customers", "unsplit", one, other, "--reason", "x")
    assert [found["pair"] for found in queue()] == [second["pair"]], "until it is taken back"


def test_who_shares_a_number_is_split_and_a_merge_by_hand_is_taken_back() -> None:
    both = told("customers", "show", "RMYY|MR|0005")["patients"]
    leaving = max(one["id"] if isinstance(one, dict) else one for one in both)
    parted = told("customers", "split", "RMYY|MR|0005", leaving, "--reason", "a card was lent")
    assert sorted(parted["customers"].values()) == [1, 1]
    staying, gone = parted["customers"]
    again = told("customers", "unsplit", staying, gone, "--reason", "no, two names of one person")
    assert list(again["customers"].values()) == [2], "the card links them again"
    merged = told("customers", "merge", "RMYY|MR|0001", "RMYY|MR|0003", "--reason", "x")
    assert list(merged["customers"].values()) == [2]
    back = told("customers", "unmerge", "RMYY|MR|0003", "--reason", "x")
    assert sorted(back["customers"].values()) == [1, 1]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_registrar_works_on_a_spreadsheet_and_imports_it_twice(tmp_path: Path, language: str) -> None:
    found = queue()
    sheet = tmp_path / "review.xlsx"
    assert hcrm("customers", "review", "export", "-o", sheet, "--lang", language).exit_code == 0
    rows = cells(sheet)
    assert [row[0] for row in rows[1:]] == [one["pair"] for one in found]
    assert {"王芳", "李伟"} <= {cell for row in rows for cell in row}
    rows[1][1:3] = ["同一人" if language == "zh" else "accept", "两张证件都看过"]
    rows[2][1:3] = ["不同人" if language == "zh" else "reject", ""]
    filled(sheet, rows)
    counts = told("customers", "review", "import", sheet)
    assert counts == {"accept": 1, "reject": 1, "later": 0, "said": 0, "wrong": []}
    assert queue() == []
    messages = len(told("messages", "list"))
    assert told("customers", "review", "import", sheet)["said"] == 2
    assert len(told("messages", "list")) == messages


def test_a_bad_row_is_told_and_costs_no_other(tmp_path: Path) -> None:
    first, second = queue()
    rows = [
        ["pair", "decision", "reason"],
        ["nobody", "accept", ""],
        [first["pair"], "perhaps", ""],
        [second["pair"], "reject", ""],
    ]
    result = hcrm("customers", "review", "import", filled(tmp_path / "review.xlsx", rows))
    assert result.exit_code == 3, "what is understood is done"
    assert "1 rejected" in result.stdout
    assert "row 2, column 'pair'" in result.stderr
    assert "row 3, column 'decision': 'perhaps' is no decision" in result.stderr
    assert queue() == [first]


def test_wrong_inputs_are_answered_by_sentences(tmp_path: Path) -> None:
    no_book = tmp_path / "review.xlsx"
    no_book.write_bytes(b"nonsense")
    for arguments, text in (
        (("merge", "RMYY|MR|0001", "RMYY|MR|0001", "--reason", "x"), "already"),
        (("merge", "RMYY|MR|0001", "RMYY|MR|0002", "--reason", " "), "--reason"),
        (("split", "RMYY|MR|0005", "zz", "--reason", "x"), "none of the customer's patients"),
        (("split", "RMYY|MR|0001", "", "--reason", "x"), "Nobody would stay"),
        (("unmerge", "RMYY|MR|0005", "--reason", "x"), "split"),
        (("unsplit", "RMYY|MR|0001", "RMYY|MR|0002", "--reason", "x"), "Nobody has said"),
        (("review", "accept", "nobody"), "names no pair"),
        (("review", "show", "aaaaaaaa-ffffffff"), "no pair"),
        (("review", "import", no_book), "cannot be read"),
        (("review", "export", "-o", tmp_path / "nowhere" / "review.xlsx"), "cannot be written"),
    ):
        result = hcrm("customers", *arguments)
        assert result.exit_code != 0
        assert text in result.stderr, arguments


def test_merges_tie_the_records_that_were_named_and_each_is_taken_back_alone() -> None:
    """Whatever ids the workspace's key gives: 3 with 1, 3 with 2; 3 with 1 taken back leaves 3 with 2."""
    ids = {
        number: told("customers", "show", f"RMYY|MR|{number}")["patients"][0]["id"]
        for number in ("0001", "0003", "0005")
    }
    first = told("customers", "merge", "RMYY|MR|0003", "RMYY|MR|0001", "--reason", "x")
    assert sorted(first["patients"]) == sorted((ids["0003"], ids["0001"]))
    second = hcrm("customers", "merge", "RMYY|MR|0003", ids["0005"], "--reason", "one card", "--by", "desk-3").stdout
    assert f"RMYY|MR|0003 ({ids['0003']})" in second and ids["0005"] in second
    refused = hcrm("customers", "unmerge", "RMYY|MR|0003", "--reason", "x")
    assert refused.exit_code == 2 and "2 merges were made by hand" in refused.stderr and "one card" in refused.stderr
    told("customers", "unmerge", "RMYY|MR|0003", "RMYY|MR|0003", "RMYY|MR|0001", "--reason", "x")
    members = [{one["id"] for one in told("customers", "show", of)["patients"]} for of in ids.values()]
    assert members[0] == {ids["0001"]} and {ids["0003"], ids["0005"]} <= members[1] == members[2]
    again = hcrm("customers", "unmerge", "RMYY|MR|0003", "RMYY|MR|0003", "RMYY|MR|0001", "--reason", "x")
    assert "Nobody has merged these two by hand" in again.stderr or "none of the customer's patients" in again.stderr


def test_two_who_are_still_one_are_told_why_and_what_to_do(ward: Path) -> None:
    told("customers", "merge", "RMYY|MR|0002", "RMYY|MR|0003", "--reason", "x")
    meanwhile = {
        "N2": registered("0002", "王^芳", "19900317", "~4712^^^BANK^PI"),
        "N3": registered("0003", "李^伟", "19851102", "~4712^^^BANK^PI"),
    }
    told("ingest", "--source", "his", write(ward / "later", meanwhile))
    text = hcrm("customers", "unmerge", "RMYY|MR|0002", "--reason", "slip").stdout
    assert "takes back that his RMYY|MR|000" in text and "Now there is one customer" in text
    assert "They are still one, since:" in text and "Both carry one number of the kind BANK|PI" in text
    assert "4712" not in text
    (hint,) = [line for line in text.splitlines() if line.startswith("If they are two people: ")]
    command = hint.partition(": ")[2].removesuffix("TEXT").split()[1:]
    assert len(told(*command, "a card was lent")["customers"]) == 2
    told("customers", "split", "RMYY|MR|0005", "RMYY|MR|0006", "--reason", "a card was lent")
    told("customers", "merge", "RMYY|MR|0005", "RMYY|MR|0001", "--reason", "x")
    told("customers", "merge", "RMYY|MR|0006", "RMYY|MR|0001", "--reason", "y")
    refused = hcrm("customers", "merge", "RMYY|MR|0005", "RMYY|MR|0006", "--reason", "x")
    assert refused.exit_code == 2 and "already, since:" in refused.stderr and refused.stderr.count("A person said") == 2
