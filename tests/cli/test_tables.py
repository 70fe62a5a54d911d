"""`hcrm ingest` of spreadsheets: a bad row is named by file, row and column, and its neighbours are facts."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from support.ward import NOW, hcrm, told

from hcrm_core.intake import line_pieces

PATIENTS = "患者ID,姓名,性别,出生日期,手机号,更新时间\n"


@pytest.fixture(autouse=True)
def configured(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCRM_NOW", NOW)
    with (workspace / "hcrm.toml").open("a", encoding="utf-8") as file:
        file.write('\n[sources.office]\nadapter = "tabular"\n')


def ingest(*paths: object, exit_code: int = 0) -> Any:
    return told("ingest", *paths, "--source", "office", exit_code=exit_code)


def person(number: int, name: str = "") -> str:
    return f"{number:05},{name or f'病人{number}'},男,1980-02-14,139{number:08},2026-03-01 08:00\n"


def workbook(*rows: list[Any]) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    sheet = book.add_worksheet("费用明细")
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return stream.getvalue()


def test_each_kind_of_bad_row_is_named_and_costs_no_other(workspace: Path) -> None:
    rows = [person(1), "2,乱\n", ",无号,男,1980-01-01,,\n", "3,多,男,1980-01-01,1,2026-03-01,x\n", person(4)]
    (workspace / "患者.csv").write_bytes((PATIENTS + "".join(rows)).encode("gb18030") + b"5,\xff\xff,\xc4\xd0,,,\n")
    bill = workbook(
        ["费用流水号", "患者ID", "收费项目", "费用金额", "收费时间"],
        ["F1", "00001", "床位费", 1234.5, "2026-03-01"],
        ["F2", "00001", "护理费", "一百", "2026-03-01"],
        ["F3", "00004", "药费", "¥8.00", "2026年3月1日"],
    )
    with zipfile.ZipFile(workspace / "月报.zip", "w") as archive:
        archive.writestr("三月/费用.xlsx", bill)
        archive.writestr("../../逃.csv", PATIENTS + person(6))
    done = ingest("患者.csv", "月报.zip", exit_code=3)
    assert (done["messages"], done["translated"], done["quarantined"], done["rejected"]) == (10, 5, 5, [])
    assert {row["reason"].partition(": ")[0] for row in told("messages", "list", "--state", "quarantined")} == {
        "患者.csv, row 3", "患者.csv, row 4", "患者.csv, row 5", "患者.csv, row 7",
        "月报.zip!三月/费用.xlsx, sheet 费用明细, row 3, 费用金额",
    }  # fmt: skip
    assert {row["place"] for row in told("messages", "list", "--state", "folded")} == {
        "患者.csv, row 2", "患者.csv, row 6", "月报.zip!../../逃.csv, row 2",
        "月报.zip!三月/费用.xlsx, sheet 费用明细, row 2", "月报.zip!三月/费用.xlsx, sheet 费用明细, row 4",
    }  # fmt: skip
    assert sorted(path.name for path in workspace.parent.rglob("逃*")) == []
    assert done["patients"] == 3
    listed = hcrm("messages", "list").stdout
    assert "月报.zip!三月/费用.xlsx, sheet 费用明细, row 2" in listed


def test_a_workbook_that_would_fill_memory_is_refused_within_an_archive_too(workspace: Path) -> None:
    sound = workbook(["费用流水号", "患者ID", "费用金额"], ["F1", "00001", 8])
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sound)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            data = old.read(member)
            if member.filename.endswith("sheet1.xml"):
                data = data.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"/></row></sheetData>')
            new.writestr(member, data)
    with zipfile.ZipFile(workspace / "月报.zip", "w") as archive:
        archive.writestr("a.xlsx", stream.getvalue())
        archive.writestr("b.xlsx", sound)
    done = ingest("月报.zip", exit_code=3)
    assert done["landed"] == 1 and len(done["rejected"]) == 1
    assert "月报.zip!a.xlsx: no message: a sheet spans more than" in done["rejected"][0]


def test_a_corrected_row_is_the_only_one_that_is_new_and_then_what_was_said(workspace: Path) -> None:
    file = workspace / "患者_20260301.csv"
    file.write_text(PATIENTS + person(1) + "00002,王芳,女,03/02/1975,138,\n", encoding="utf-8")
    first = ingest(file)
    assert (first["landed"], first["quarantined"]) == (2, 0)
    file.write_text(PATIENTS + person(1) + "00002,王芳,女,1975-02-03,138,\n", encoding="utf-8")
    second = ingest(file)
    assert (second["landed"], second["duplicates"]) == (1, 1)
    assert {one["birth_date"] for one in told("customers", "list")} == {"1980-02-14", "1975-02-03"}


def test_a_file_that_is_no_table_is_rejected_and_the_next_one_read(workspace: Path) -> None:
    (workspace / "甲.csv").write_text("甲,乙\n1,2\n", encoding="utf-8")
    (workspace / "患者.csv").write_text(PATIENTS + person(1), encoding="utf-8")
    done = ingest("甲.csv", "患者.csv", exit_code=3)
    assert (done["landed"], done["files"], len(done["rejected"])) == (1, 1, 1)
    assert "甲.csv: no message: no table of the mapping has its name" in done["rejected"][0]


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16"])
def test_a_long_table_is_read_in_pieces_as_it_would_be_whole(
    codec: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"名单,,,,,\n{PATIENTS}" + "".join(person(n, f'"病\n人，""{n}"""' if n % 7 == 0 else "") for n in range(400))
    (workspace / "患者.csv").write_bytes(text.encode(codec))
    monkeypatch.setattr(line_pieces, "PIECE", 3_000)
    monkeypatch.setattr(line_pieces, "_CHUNK", 1_000)
    done = ingest("患者.csv")
    assert (done["files"], done["landed"], done["quarantined"], done["patients"]) == (1, 400, 0, 400)
    monkeypatch.setattr(line_pieces, "PIECE", 1 << 22)
    again = ingest("患者.csv")
    assert (again["landed"], again["duplicates"]) == (0, 400)
    pieces = [row["place"] for row in told("messages", "list") if "after line" in row["place"]]
    assert bool(pieces) is (codec != "utf-16")


def test_one_stray_quotation_mark_costs_one_row_of_a_long_table(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [person(n, '"病人' if n == 10 else "") for n in range(400)]
    (workspace / "患者.csv").write_text(PATIENTS + "".join(lines), encoding="utf-8")
    for size in (1 << 22, 4_000):
        monkeypatch.setattr(line_pieces, "PIECE", size)
        monkeypatch.setattr(line_pieces, "QUOTED", size)
        monkeypatch.setattr(line_pieces, "_CHUNK", 1_000)
        done = ingest("患者.csv", exit_code=3 if size > 4_000 else 0)
        assert (done["messages"], done["patients"]) == (400, 399)
    (left,) = told("messages", "list", "--state", "quarantined")
    assert left["reason"].startswith("患者.csv, row 12: A quotation mark opens a cell in this line and is never closed")


def test_pieces_of_what_is_no_table_are_refused_once(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / "甲.csv").write_text("甲,乙\n" + "1,2\n" * 2_000, encoding="utf-8")
    monkeypatch.setattr(line_pieces, "PIECE", 1_000)
    monkeypatch.setattr(line_pieces, "_CHUNK", 1_000)
    assert len(ingest("甲.csv", exit_code=3)["rejected"]) == 1


def test_birth_date_and_sex_come_from_the_identity_number_where_columns_are_missing(workspace: Path) -> None:
    toml = workspace / "hcrm.toml"
    toml.write_text(toml.read_text("utf-8").replace("plugins = [", 'plugins = ["resident-identity", ', 1), "utf-8")
    rows = "1,王芳,110101199003076544\n2,李娜,110101199003076545\n3,张伟,110101199003076536\n"
    (workspace / "患者.csv").write_text(f"患者ID,姓名,身份证号\n{rows}", encoding="utf-8")
    ingest("患者.csv")
    read = []
    for number in range(1, 4):
        shown = told("messages", "show", f"#{number}", "--unmask")["mapped"]
        read.append({one["field"]: one["value"] for one in shown if one["field"] in ("birth_date", "gender")})
    # The check digit of the second does not hold.
    assert read == [
        {"birth_date": "1990-03-07", "gender": "female"}, {}, {"birth_date": "1990-03-07", "gender": "male"},
    ]  # fmt: skip
