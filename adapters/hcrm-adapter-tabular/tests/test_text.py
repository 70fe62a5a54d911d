"""Text files: charset and dialect are found, headings stand below titles, and no row is lost."""

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcrm_adapter_tabular.adapter import TabularAdapter, TabularSettings
from hcrm_adapter_tabular.reading import records
from hcrm_core.api import InputError, RawMessage

LINES = (
    "患者ID,姓名,性别,出生日期,手机号",
    "00012345,王芳芳,女,1990-03-07,13812345678",
    '2,"欧阳,小明",男,1980-02-14,"138 1234\n5678"',
)
PLAIN = "\n".join(LINES) + "\n"


def adapter(**more: object) -> TabularAdapter:
    return TabularAdapter("his", TabularSettings(adapter="tabular", **more))  # type: ignore[arg-type]


def split(data: bytes, name: str = "患者.csv", **more: object) -> list[RawMessage]:
    return list(adapter(**more).split(data, name))


def cells(message: RawMessage) -> dict[str, object]:
    found: dict[str, object] = json.loads(message.payload)["cells"]
    return found


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_a_file_says_the_same_in_every_charset(codec: str) -> None:
    data = {
        "utf-16-le-bom": b"\xff\xfe" + PLAIN.encode("utf-16-le"),
        "utf-16-be-bom": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    }
    messages = split(data.get(codec) or PLAIN.encode(codec))
    assert [(one.payload, one.place) for one in messages] == [(one.payload, one.place) for one in split(PLAIN.encode())]
    assert cells(messages[0]) == {
        "患者ID": "00012345",
        "姓名": "王芳芳",
        "性别": "女",
        "出生日期": "1990-03-07",
        "手机号": "13812345678",
    }


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separator_and_line_ends_are_found(separator: str, end: str) -> None:
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(
        csv.reader(io.StringIO(PLAIN))
    )
    assert [cells(one) for one in split(stream.getvalue().encode())] == [cells(one) for one in split(PLAIN.encode())]


def test_the_settings_overrule_what_would_be_found() -> None:
    odd = "患者ID#姓名#手机号\n1#'王#芳'#1,2;3\n"
    (one,) = split(odd.encode(), separator="#", quote="'")
    assert cells(one) == {"患者ID": "1", "姓名": "王#芳", "手机号": "1,2;3"}
    (one,) = split('患者ID,姓名,手机号\n1,"王,2\n'.encode(), quote="")
    assert cells(one)["姓名"] == '"王'
    latin = "患者ID,name,mobile\n1,Jos\xe9,2\n".encode().replace("é".encode(), b"\xe9")
    assert cells(split(latin.replace("患者ID".encode(), b"patient_id"), charset="latin-1")[0])["name"] == "José"


def test_headings_are_found_below_titles_and_repeated_ones_are_passed_over() -> None:
    page = f"某某医院患者名单,,,,\n制表日期：2026-06-01,,,,\n\n{PLAIN}{LINES[0]}\n3,李四,男,1970-01-01,\n"
    messages = split(page.encode())
    assert [cells(one)["患者ID"] for one in messages] == ["00012345", "2", "3"]
    assert [one.place for one in messages] == ["row 5", "row 6", "row 8"]
    (only,) = split(f"姓名,性别,患者ID\n{page}".encode(), header_row=5)[-1:]
    assert cells(only)["患者ID"] == "3"


def test_the_day_of_a_file_is_part_of_its_rows_and_a_row_that_is_dated_needs_none() -> None:
    day = split(PLAIN.encode(), "患者_20260601.csv")
    assert [json.loads(one.payload).get("as_of") for one in day] == ["2026-06-01"] * 2
    assert day == split(PLAIN.encode(), "患者_20260601.csv")
    dated = PLAIN.replace("手机号", "更新时间").replace("13812345678", "2026-05-01 10:00")
    first, _ = split(dated.encode(), "患者 2026-06-01.csv")
    assert "as_of" not in json.loads(first.payload)
    translated = [adapter().translate(one.payload) for one in split(PLAIN.encode(), "患者_202606010930.csv")]
    assert {one.statement.said_at for one in translated if one.statement} == {1_780_277_400_000_000}


def test_a_row_out_of_step_is_quarantined_and_its_neighbours_are_not() -> None:
    broken = f"{LINES[0]}\n1,王,芳,女,1990-01-01,138\n2,张伟,男,1980-01-01,139\n3,李,男\n"
    outcomes = [adapter().translate(one.payload) for one in split(broken.encode())]
    assert [one.quarantine.code if one.quarantine else None for one in outcomes] == ["out-of-step", None, "out-of-step"]


def people(*numbers: int) -> str:
    return "".join(f"{n},病人{n},男,1980-02-14,139\n" for n in numbers)


def read(data: str) -> list[str]:
    """Of each row its number, or why it was not taken."""
    outcomes = [(one, adapter().translate(one.payload).quarantine) for one in split(data.encode())]
    return [f"{one.place}: {said.code}" if said else str(cells(one)["患者ID"]) for one, said in outcomes]


@pytest.mark.parametrize(
    "later",
    [
        "",
        '30,"李四",男,1980-02-14,139\n',
        '30,5"寸,男,1980-02-14,139\n',
        '30,"李四,男,1980-02-14,139\n',
        '30,"李\n四",男,1980-02-14,"a ""b"""\n',
        '30,,男,"",139\n',
    ],
)
def test_a_quotation_mark_that_is_never_closed_costs_its_row(later: str) -> None:
    """Whatever stands behind it: nothing that closes it, a quoted cell, a mark within a text, another such mark."""
    data = f'{LINES[0]}\n{people(1, 2)}3,"王,女,1990-03-07,138\n{people(*range(4, 30))}{later}{people(31, 32)}'
    last = later.count('"') == 1 and ',"' in later
    told = ["row 31: unclosed-quote"] if last else ["30"] if later else []
    assert read(data) == ["1", "2", "row 4: unclosed-quote", *map(str, range(4, 30)), *told, "31", "32"]


def test_a_quotation_mark_that_the_next_line_closes_costs_no_row_but_its_own() -> None:
    data = f'{LINES[0]}\n{people(1)}3,"王,女,1990-03-07,138\n4,"李四",男,1980-02-14,139\n{people(5)}'
    assert read(data) == ["1", "row 3: unclosed-quote", "4", "5"]


def test_a_cell_of_many_lines_is_one_cell() -> None:
    letter = "\n".join(f"第{n}条，主诉, 现病史" for n in range(400))
    data = f'{LINES[0]}\n{people(1)}2,王,女,1990-03-07,"{letter}"\n{people(3)}'
    assert read(data) == ["1", "2", "3"]
    assert cells(split(data.encode())[1])["手机号"] == letter


def test_a_cell_longer_than_a_cell_may_be_costs_its_row() -> None:
    one, many = "x" * (records.CELL + 1), ("x" * 9_999 + "\n") * 106
    data = f'{LINES[0]}\n2,"{one}",女,1990-03-07,1\n3,"王\n{many}"\n{people(4)}'
    assert read(data)[:2] == ["row 2: unclosed-quote", "row 3: unclosed-quote"]
    assert read(data)[-1] == "4"


def test_bytes_that_are_no_text_cost_one_row() -> None:
    data = PLAIN.encode("gb18030") + b"4,\xff\xff,\xc4\xd0,1970-01-01,1\n" + "5,李四,男,1970-01-01,\n".encode("gb18030")
    outcomes = [adapter().translate(one.payload) for one in split(data)]
    assert [one.quarantine.code if one.quarantine else None for one in outcomes] == [None, None, "bad-encoding", None]
    kept = json.loads(split(data)[2].payload)["undecodable"]
    assert b"\xff\xff" in bytes.fromhex(kept)


def test_a_row_in_another_charset_costs_itself_however_short_the_file() -> None:
    data = f"{LINES[0]}\n{people(1)}".encode() + people(2).encode("gbk") + people(3).encode()
    outcomes = [adapter().translate(one.payload).quarantine for one in split(data)]
    assert [one.code if one else None for one in outcomes] == [None, "bad-encoding", None]
    other = f"{LINES[0]}\n{people(1)}".encode("gbk") + people(2).encode() + people(3, 4).encode("gbk")
    assert cells(split(other)[0])["姓名"] == "病人1"


def test_a_zero_byte_costs_its_row_which_is_named() -> None:
    data = f"{LINES[0]}\n{people(1)}2,王\0芳,女,1990-03-07,138\n{people(*range(3, 9))}"
    assert read(data) == ["1", "row 3: bad-encoding", *map(str, range(3, 9))]
    told = adapter().translate(split(data.encode())[1].payload).quarantine
    assert told is not None and "zero byte" in told.text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no row"),
        (b"\n\n", "no row"),
        ("甲,乙\n1,2\n".encode(), "its headings fit none"),
        (b"a\x00b\x00", "zero bytes"),
        (LINES[0].encode() + b"\n", "no row"),
        (b"\xff\xfea", "UTF-16"),
    ],
)
def test_a_file_that_is_none_is_refused_by_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        split(data, "名单.csv")


def test_a_name_of_a_file_may_be_given_a_table() -> None:
    data = "患者ID,姓名\n1,王芳\n".encode()
    with pytest.raises(InputError):
        split(data, "X01.csv")
    (one,) = split(data, "X01.csv", tables={"X*.csv": "patients"})
    assert json.loads(one.payload)["table"] == "patients"


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "gb18030", "utf-16"]),
)
def test_every_cell_that_a_writer_writes_is_read(rows: list[list[str]], separator: str, codec: str) -> None:
    stream = io.StringIO()
    headed = [["患者ID", "姓名", "手机号"], *rows]
    csv.writer(stream, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(headed)
    try:
        messages = split(stream.getvalue().encode(codec), charset=codec, separator=separator)
    except InputError:
        messages = []
    wanted = [row for row in rows if any(one.strip() for one in row) and [one.strip() for one in row] != headed[0]]
    assert [[one or "" for one in cells(message).values()] for message in messages] == wanted


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    for head in (b"", LINES[0].encode() + b"\n", LINES[0].encode("gb18030") + b"\n"):
        try:
            messages = split(head + data)
        except InputError:
            continue
        for message in messages:
            adapter().translate(message.payload)
