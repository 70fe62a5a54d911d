"""Workbooks: what stands in their sheets is read, and what they would unpack to is known before."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import xlsxwriter

from hcrm_adapter_tabular.adapter import TabularAdapter, TabularSettings
from hcrm_adapter_tabular.reading import guard, workbook
from hcrm_core.api import ChargeItem, Encounter, InputError, Patient, RawMessage

HEADINGS = ["患者ID", "姓名", "性别", "出生日期", "身份证号"]
ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
<office:body><office:spreadsheet><table:table table:name="患者">{rows}</table:table></office:spreadsheet></office:body>
</office:document-content>"""


def adapter(**settings: Any) -> TabularAdapter:
    return TabularAdapter("his", TabularSettings(adapter="tabular", **settings))


def book(fill: Callable[[xlsxwriter.Workbook], None], **options: Any) -> bytes:
    stream = io.BytesIO()
    made = xlsxwriter.Workbook(stream, options)
    fill(made)
    made.close()
    return stream.getvalue()


def sheet(name: str, *rows: list[Any]) -> Callable[[xlsxwriter.Workbook], None]:
    def fill(made: xlsxwriter.Workbook) -> None:
        made_sheet = made.add_worksheet(name)
        for number, row in enumerate(rows):
            made_sheet.write_row(number, 0, row)

    return fill


def ods(rows: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:x"/>')
        archive.writestr("content.xml", ODS.format(rows=rows))
    return stream.getvalue()


def ods_row(*cells: str, repeated: str = "") -> str:
    inner = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{one}</text:p></table:table-cell>' for one in cells
    )
    return f"<table:table-row{repeated}>{inner}</table:table-row>"


def xls(name: str, *rows: list[str | float]) -> bytes:
    """An .xls workbook of one sheet: BIFF8 records (MS-XLS) in one stream of a compound file (MS-CFB)."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def text(value: str, size: str) -> bytes:
        return struct.pack(size, len(value)) + b"\x01" + value.encode("utf-16-le")

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 0, 0, 0))

    def bound(at: int) -> bytes:
        return record(0x0085, struct.pack("<IBB", at, 0, 0) + text(name, "<B"))

    def entry(called: str, kind: int, start: int, size: int, child: int) -> bytes:
        raw = f"{called}\0".encode("utf-16-le")
        links = struct.pack("<HBBIII", len(raw), kind, 1, free, free, child) + bytes(36)
        return raw.ljust(64, b"\0") + links + struct.pack("<IQ", start, size)

    end, free = 0xFFFFFFFE, 0xFFFFFFFF
    body = record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0))
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            at = struct.pack("<HHH", number, column, 0)
            if isinstance(value, float):
                body += record(0x0203, at + struct.pack("<d", value))
            else:
                body += record(0x0204, at + text(value, "<H"))
    head = begin(0x0005) + record(0x0042, struct.pack("<H", 1200))
    book = (
        head + bound(len(head) + len(bound(0)) + 4) + record(0x000A, b"") + begin(0x0010) + body + record(0x000A, b"")
    )
    book = book.ljust(max(4096, -(-len(book) // 512) * 512), b"\0")
    table = [0xFFFFFFFD, end, *range(3, len(book) // 512 + 2), end]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<10I", 0, 1, 1, 0, 4096, end, 0, end, 0, 0) + struct.pack("<I", free) * 108
    directory = entry("Root Entry", 5, end, 0, 1) + entry("Workbook", 2, 2, len(book), free) + bytes(256)
    return header + struct.pack(f"<{len(table)}I", *table).ljust(512, b"\xff") + directory + book


def cells(message: RawMessage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message.payload)["cells"]
    return found


def records(message: RawMessage, kind: type, **settings: Any) -> list[Any]:
    return [one for one in adapter(**settings).translate(message.payload).records if type(one) is kind]


@pytest.mark.parametrize("since_1904", [False, True])
def test_dates_times_numbers_and_formulas_are_what_the_sheet_shows(since_1904: bool) -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        title = made.add_format({"align": "center"})
        day, moment = made.add_format({"num_format": "yyyy/m/d"}), made.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        one = made.add_worksheet("住院记录")
        one.merge_range("A1:G1", "2026年6月出院患者", title)
        one.write_row(2, 0, ["住院号", "患者ID", "姓名", "出生日期", "入院时间", "出院日期", "预计住院天数"])
        one.write_row(3, 0, [20260001, 12345, "王芳"])
        one.write_datetime(3, 3, date(1990, 3, 7), day)
        one.write_datetime(3, 4, datetime(2026, 6, 1, 9, 30), moment)
        one.write_number(3, 5, 46181 - (1462 if since_1904 else 0))
        one.write_formula(3, 6, "=3+4", None, 7)
        one.set_row(3, None, None, {"hidden": True})

    (one,) = adapter().split(book(fill, date_1904=since_1904), "a.xlsx")
    assert one.place == "sheet 住院记录, row 4"
    assert cells(one)["住院号"] == 20260001
    assert cells(one)["出生日期"] == "1990-03-07"
    (stay,) = records(one, Encounter)
    assert stay.key == "his|IP|20260001"
    assert (stay.period_start, stay.period_end) == ("2026-06-01T09:30:00+08:00", "2026-06-08")
    assert stay.expected_end == "2026-06-08T09:30:00+08:00"
    (patient,) = records(one, Patient)
    assert (patient.key, patient.birth_date) == ("his|PI|12345", "1990-03-07")


def test_every_sheet_that_is_a_table_is_read_and_others_are_told() -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        sheet("说明", ["本表由信息科维护"])(made)
        sheet("空", [])(made)
        sheet("患者", HEADINGS, ["1", "王芳", "女", "1990-03-07", ""])(made)
        sheet("费用明细", ["费用流水号", "患者ID", "费用金额", "收费时间"], ["F1", "1", 0.1 + 0.2, "2026-06-01"])(made)

    found = list(adapter().split(book(fill), "导出.xlsx"))
    assert [one.place for one in found] == ["sheet 患者, row 2", "sheet 费用明细, row 2"]
    assert [(one.code, one.where) for one in found[0].repairs] == [("no-table", "sheet 说明")]
    assert records(found[1], ChargeItem)[0].price.amount == 30
    assert records(found[1], ChargeItem, money="minor") == []


def test_a_sheet_without_a_telling_name_is_known_by_the_file_else_by_its_headings() -> None:
    data = book(sheet("Sheet1", ["住院号", "患者ID", "姓名", "入院日期"], ["Z1", "1", "王芳", "2026-06-01"]))
    for name in ("住院记录202606.xlsx", "x.xlsx"):
        assert [json.loads(one.payload)["table"] for one in adapter().split(data, name)] == ["encounters"]
    (one,) = adapter(tables={"Sheet1": "appointments"}, mapping=None).split(
        book(sheet("Sheet1", ["患者ID", "预约时间"], ["1", "2026-06-01"])), "x.xlsx"
    )
    assert json.loads(one.payload)["table"] == "appointments"


def test_a_number_that_lost_its_digits_is_no_identity_number() -> None:
    (one,) = adapter().split(book(sheet("患者", HEADINGS, ["1", "王芳", "女", "", 110101199003076543])), "a.xlsx")
    translation = adapter().translate(one.payload)
    assert [(problem.code, problem.where) for problem in translation.problems if problem.where] == [
        ("digits-lost", "身份证号")
    ]
    assert [identifier.type for identifier in translation.records[0].identifier] == ["PI"]


def test_headings_in_two_rows_are_read_where_cells_span_them() -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        one = made.add_worksheet("患者")
        one.merge_range("A1:E1", "某某医院")
        for place, heading in (("A2:A3", "患者ID"), ("B2:B3", "姓名"), ("C2:D2", "联系方式"), ("E2:E3", "性别")):
            one.merge_range(place, heading)
        one.write_row(2, 2, ["手机号", "家庭电话"])
        one.write_row(3, 0, ["1", "张伟", "13900000001", "010-1", "男"])
        one.merge_range("A5:A6", "2")
        one.write_row(4, 1, ["王芳", "13900000002", "010-2", "女"])

    first, second = list(adapter().split(book(fill), "a.xlsx"))[:2]
    assert first.place == "sheet 患者, row 4"
    assert cells(first) == {
        "患者ID": "1", "姓名": "张伟", "手机号": "13900000001", "家庭电话": "010-1", "性别": "男"
    }  # fmt: skip
    assert records(second, Patient)[0].key == "his|PI|2"


def test_cells_beside_a_table_are_told_in_the_words_of_a_sheet() -> None:
    (one,) = adapter().split(book(sheet("患者", HEADINGS, ["1", "王芳", "女", "", "", "", "备注"])), "a.xlsx")
    told = adapter().translate(one.payload).quarantine
    assert told is not None and told.code == "out-of-step" and "to the right of the last heading" in told.text


@pytest.mark.parametrize(
    "data",
    [b"<html><table><tr><td>1</td></tr></table></html>", b'\xef\xbb\xbf\n<?xml version="1.0"?><Workbook/>',
     b'<meta charset="gbk"><table>', b"<!DOCTYPE html>"],
)  # fmt: skip
def test_a_web_page_that_is_called_a_workbook_is_told_as_that(data: bytes) -> None:
    with pytest.raises(InputError, match="save it as XLSX"):
        list(adapter().split(data, "a.xls"))


def test_an_ods_sheet_is_read() -> None:
    data = ods(ods_row(*HEADINGS) + ods_row("00012", "王芳", "女", "1990-03-07", "11010119900307654X"))
    (one,) = adapter().split(data, "a.ods")
    assert cells(one) == dict(zip(HEADINGS, ["00012", "王芳", "女", "1990-03-07", "11010119900307654X"], strict=True))


def test_an_xls_sheet_is_read() -> None:
    data = xls("患者", ["患者名单"], ["患者ID", "姓名", "性别"], ["00012", "王芳", "女"], [7.0, "李四", "男"])
    first, second = adapter().split(data, "a.xls")
    assert (first.place, cells(first)) == ("sheet 患者, row 3", {"患者ID": "00012", "姓名": "王芳", "性别": "女"})
    assert records(second, Patient)[0].key == "his|PI|7"


def test_a_parquet_file_is_read() -> None:
    stream = io.BytesIO()
    columns = {
        "患者ID": ["1", "2"],
        "姓名": ["王芳", None],
        "更新时间": [datetime(2026, 6, 1, 9), None],
        "性别": ["女", "男"],
    }
    parquet.write_table(pa.table(columns), stream)
    first, second = adapter().split(stream.getvalue(), "患者.parquet")
    assert (first.place, second.place) == ("row 2", "row 3")
    assert cells(first) == {"患者ID": "1", "姓名": "王芳", "更新时间": "2026-06-01T09:00:00", "性别": "女"}


def bomb(member: str, size: int, told: int | None = None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, bytes(size))
    data = bytearray(stream.getvalue())
    if told is not None:
        at = data.rindex(b"PK\x01\x02")
        data[at + 24 : at + 28] = told.to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize("told", [None, 100])
def test_what_unpacks_to_too_much_is_refused_whatever_it_says_of_itself(
    told: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "UNPACKED", 16 << 20)
    with pytest.raises(InputError, match="unpacks to more than 16 MiB"):
        list(workbook.grids(bomb("xl/worksheets/sheet1.xml", 32 << 20, told)))


def test_a_cell_in_the_last_corner_does_not_make_a_grid_of_all_there_is() -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        one = made.add_worksheet("患者")
        one.write_row(0, 0, HEADINGS)
        one.write(1_048_575, 16_383, "x")

    with pytest.raises(InputError, match="spans more than"):
        list(adapter().split(book(fill), "a.xlsx"))


def test_repeated_cells_of_an_ods_are_counted_and_empty_ones_are_not() -> None:
    many = ods_row(*HEADINGS) + ods_row("1", "王", "女", "", "", repeated=' table:number-rows-repeated="90000000"')
    with pytest.raises(InputError, match="spans more than"):
        list(adapter().split(ods(many), "a.ods"))
    empty = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    assert len(list(adapter().split(ods(ods_row(*HEADINGS) + ods_row("1", "王", "女", "", "") + empty), "a.ods"))) == 1


@pytest.mark.parametrize(
    "entity",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_entities_are_neither_fetched_nor_unfolded(entity: str) -> None:
    data = book(sheet("患者", HEADINGS, ["1", "王芳", "女", "", ""]))
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.infolist():
            text = old.read(member).decode()
            if member.filename == "xl/sharedStrings.xml":
                text = text.replace("?>", f"?>{entity}", 1).replace(
                    "王芳", "王&a;芳" if "ENTITY a" in entity else "王芳"
                )
            new.writestr(member, text)
    try:
        found = [cells(one)["姓名"] for one in adapter().split(stream.getvalue(), "a.xlsx")]
    except InputError:
        found = []
    assert not any("aaaa" in str(one) or "root" in str(one) for one in found)
    with pytest.raises(InputError):
        list(adapter().split(ods(entity + ods_row(*HEADINGS)), "a.ods"))


@pytest.mark.parametrize("keep", [10, 100, 1000, -30])
def test_a_damaged_workbook_is_refused_by_a_sentence(keep: int) -> None:
    data = book(sheet("患者", HEADINGS, ["1", "王芳", "女", "", ""]))
    with pytest.raises(InputError, match="workbook"):
        list(adapter().split(data[:keep], "a.xlsx"))
    with pytest.raises(InputError):
        list(adapter().split(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.xls"))
    with pytest.raises(InputError, match="Parquet"):
        list(adapter().split(b"PAR1" + bytes(600), "a.parquet"))
