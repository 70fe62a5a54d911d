"""SQL views: every row is asked for once, wherever a pull breaks off, and names of columns cannot become SQL."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcrm_adapter_tabular.adapter import TabularAdapter, TabularSettings
from hcrm_core.api import ConfigurationError, InputError, Rows, SqlQuery

PIECE = 2


def adapter(views: dict[str, Any], **settings: Any) -> TabularAdapter:
    made = msgspec.convert({"adapter": "tabular", "views": views, **settings}, TabularSettings)
    return TabularAdapter("his", made)


def his(
    rows: list[tuple[Any, ...]], columns: str = '"BRID", "XM", "GXSJ"', table: str = '"V 患者"'
) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE {table} ({columns})")
    connection.executemany(
        f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})" if rows else "SELECT 1", rows
    )
    return connection


def asked(query: SqlQuery, database: sqlite3.Connection) -> Iterator[Rows]:
    cursor = database.execute(query.statement, query.parameters)
    columns = tuple(one[0] for one in cursor.description)
    found = cursor.fetchall()
    for at in range(0, max(len(found), 1), PIECE):
        yield Rows(columns=columns, rows=tuple(found[at : at + PIECE]), last=at + PIECE >= len(found))


def pull(
    one: TabularAdapter, database: sqlite3.Connection, position: str, pieces: int = 1_000
) -> tuple[list[dict[str, Any]], str]:
    """The rows of one pull, which breaks off behind so many pieces, and the position it was left at."""
    found: list[dict[str, Any]] = []
    while True:
        for piece in asked(one.request(position), database):
            pulled = one.answer(position, piece)
            position = pulled.position
            found += [json.loads(message.payload) for message in pulled.messages]
            pieces -= 1
            if not pieces:
                return found, position
        if pulled.done:
            return found, position


def names(found: list[dict[str, Any]]) -> list[str]:
    return [row["cells"]["XM"] for row in found]


VIEW = {"patients": {"view": "V 患者", "watermark": "GXSJ", "key": "BRID"}}


def test_only_what_is_newer_is_asked_for_and_the_last_instant_again() -> None:
    one, database = adapter(VIEW), his([("1", "甲", "2026-06-01 09:00"), ("2", "乙", "2026-06-01 10:00")])
    first, position = pull(one, database, "")
    assert names(first) == ["甲", "乙"]
    assert first[0] == {
        "table": "patients",
        "cells": {"BRID": "1", "XM": "甲", "GXSJ": "2026-06-01 09:00"},
        "as_of": "2026-06-01 09:00",
    }
    database.execute("INSERT INTO \"V 患者\" VALUES ('0', '丙', '2026-06-01 10:00'), ('3', '丁', '2026-06-02 08:00')")
    second, position = pull(one, database, position)
    assert names(second) == ["丙", "乙", "丁"]
    assert names(pull(one, database, position)[0]) == ["丁"]


def test_an_overlap_reads_again_what_may_have_been_committed_late() -> None:
    view = {"patients": {**VIEW["patients"], "overlap": 3600}}
    one, database = adapter(view), his([("1", "甲", "2026-06-01T09:00:00"), ("2", "乙", "2026-06-01T10:00:00")])
    _, position = pull(one, database, "")
    database.execute("INSERT INTO \"V 患者\" VALUES ('3', '丙', '2026-06-01T09:30:00')")
    assert names(pull(one, database, position)[0]) == ["甲", "丙", "乙"]


@pytest.mark.parametrize(
    ("at", "begin"),
    [
        ("2026-06-01 00:05:30", "2026-05-31 23:55:30"),
        ("2026-06-01T10:00:30.123456+08:00", "2026-06-01T09:50:30.123456+08:00"),
        ("2026/06/01 09:30:00", "2026/06/01 09:20:00"),
        ("2026-06-01 09:30", "2026-06-01 09:20"),
        ("20260601100030", "20260601095030"),
        ("20260601 10:00:30", None),
        (20260601000030, 20260531235030),
        ("20260601", "20260531"),
        ("2026年06月01日 10时00分30秒", "2026年06月01日 09时50分30秒"),
        ("1000.5", "0400.5"),
        (1000, 400),
        ("2026/6/1 9:30", None),
        ("01/06/2026", None),
        ("0x00A1", None),
    ],
)
def test_an_overlap_is_taken_off_a_time_in_the_form_it_has_or_refused(at: str | int, begin: str | int | None) -> None:
    one = adapter({"patients": {**VIEW["patients"], "overlap": 600}})
    answer = Rows(columns=("BRID", "XM", "GXSJ"), rows=(("1", "甲", at),))
    if begin is None:
        with pytest.raises(InputError, match=r"views\.patients\.overlap: GXSJ holds neither times"):
            one.answer("", answer)
        return
    query = one.request(one.answer("", answer).position)
    assert isinstance(query, SqlQuery) and query.parameters == {"w": begin}


NOW = 1_780_300_800_000_000  # 2026-06-01T16:00:00+08:00


@pytest.mark.parametrize("odd", ["9999-12-31 23:59:59", "2026-06-01 16:00:01", "infinity", "2026/6/1", "10000-01-01"])
@pytest.mark.parametrize("overlap", [0, 60])
def test_a_pull_never_goes_on_from_a_time_that_is_to_come_or_is_none(odd: str, overlap: int) -> None:
    one = adapter({"patients": {**VIEW["patients"], "overlap": overlap}})
    answer = Rows(
        columns=("BRID", "XM", "GXSJ"), rows=(("1", "甲", "2026-06-01 15:59:00"), ("2", "乙", odd)), asked_at=NOW
    )
    pulled = one.answer("", answer)
    assert len(pulled.messages) == 2
    assert [problem.code for problem in pulled.problems] == [
        "odd-watermark" if odd[0] in "1" or odd == "2026/6/1" else "future-watermark"
    ]
    assert json.loads(pulled.position)["views"]["patients"]["at"] == "2026-06-01 15:59:00"
    again = one.answer(pulled.position, Rows(columns=answer.columns, rows=answer.rows[1:], asked_at=NOW))
    assert json.loads(again.position)["views"]["patients"]["at"] == "2026-06-01 15:59:00"


def test_two_columns_of_one_name_are_refused() -> None:
    one = adapter({"patients": {"select": "SELECT a.BRID, b.brid FROM a, b"}})
    with pytest.raises(InputError, match=r"views\.patients: two columns are named 'brid'"):
        one.answer("", Rows(columns=("BRID", "brid"), rows=(("1", "2"),)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=12), st.lists(st.integers(1, 4), max_size=6), st.booleans())
def test_wherever_a_pull_breaks_off_every_row_is_asked_for(marks: list[int], breaks: list[int], keyed: bool) -> None:
    view = {"view": "v", "watermark": "GXSJ", **({"key": "BRID"} if keyed else {})}
    one = adapter({"patients": view})
    database = his([(f"{n:02}", f"N{n}", f"2026-06-0{mark}") for n, mark in enumerate(marks)], table="v")
    found, position = [], ""
    for pieces in breaks:
        some, position = pull(one, database, position, pieces)
        found += some
    found += pull(one, database, position)[0]
    assert set(names(found)) == {f"N{n}" for n in range(len(marks))}
    if keyed and not breaks:
        assert len(found) == len(marks)


def test_views_are_read_in_turn_and_a_new_one_from_its_beginning() -> None:
    database = his([("1", "甲", "2026-06-01")])
    database.execute("CREATE VIEW stays AS SELECT '1' AS BRID, 'V1' AS 就诊号, '2026-06-01 09:00' AS 入院时间")
    both = {**VIEW, "encounters": {"select": "SELECT * FROM stays;"}}
    found, position = pull(adapter(both), database, "")
    assert [row["table"] for row in found] == ["patients", "encounters"]
    more = {**both, "again": {"table": "patients", "view": "V 患者"}}
    assert [row["table"] for row in pull(adapter(more), database, position)[0]] == [
        "patients",
        "encounters",
        "patients",
    ]


def test_a_table_of_changes_is_read_by_its_numbers_and_says_what_became_of_a_row() -> None:
    columns = '"SEQ", "OP", "就诊号", "患者ID", "入院时间"'
    rows = [(7, "I", "V1", "1", "2026-06-01 09:00"), (8, "D", "V1", "1", None)]
    one = adapter({"encounters": {"view": "v", "sequence": "SEQ", "operation": "OP"}})
    found, position = pull(one, his(rows, columns, "v"), "")
    assert [(row.get("change"), row["sequence"]) for row in found] == [("I", 7), ("D", 8)]
    translated = [one.translate(json.dumps(row).encode()) for row in found]
    assert [one.statement.rising for one in translated if one.statement] == ["7", "8"]
    assert [getattr(record, "status", "") for record in translated[1].records][-1] == "entered-in-error"
    later = his([*rows, (9, "U", "V2", "2", "2026-06-02 09:00")], columns, "v")
    assert [row["cells"]["就诊号"] for row in pull(one, later, position)[0]] == ["V2"]


def test_names_are_quoted_as_the_database_does() -> None:
    odd = 'V"; DROP TABLE x; --'
    views = {"patients": {"view": f"hcrm.{odd}", "watermark": "a`b]c", "key": "k"}}
    position = '{"next":"patients","views":{"patients":{"at":"1\'; DROP","key":"2"}}}'
    for url, quoted, mark in (
        ("postgresql+psycopg://his/x", '"hcrm"."V""; DROP TABLE x; --"', '"a`b]c"'),
        ("mysql+pymysql://his/x", f"`hcrm`.`{odd}`", "`a``b]c`"),
        ("mssql+pyodbc://his/x", f"[hcrm].[{odd}]", "[a`b]]c]"),
    ):
        query = adapter(views, url=url).request(position)
        assert query.statement.startswith(f"SELECT * FROM {quoted} WHERE {mark} >= :w ORDER BY {mark}, ")
        assert query.parameters == {"w": "1'; DROP"}
        assert "DROP" not in query.statement.replace(odd, "").replace('V""; DROP TABLE x; --', "")


def test_a_row_without_a_watermark_is_told_and_holds_nothing_up() -> None:
    one = adapter(VIEW)
    answer = Rows(columns=("brid", "XM", "gxsj"), rows=(("1", "甲", "2026-06-01"), ("2", "乙", None)))
    pulled = one.answer("", answer)
    assert [problem.code for problem in pulled.problems] == ["no-watermark"]
    assert json.loads(pulled.position)["views"]["patients"]["at"] == "2026-06-01"


@pytest.mark.parametrize(
    ("views", "says"),
    [
        ({"patients": {}}, "views.patients: write view"),
        ({"patients": {"view": "v", "select": "SELECT 1"}}, "views.patients: write view"),
        ({"patients": {"select": "DELETE FROM x"}}, "views.patients.select: write one SELECT"),
        ({"patients": {"select": "SELECT 1; SELECT 2"}}, "views.patients.select: write one SELECT"),
        ({"patients": {"select": "WITH x AS (DELETE FROM y RETURNING *) SELECT * FROM x"}}, "write one SELECT"),
        ({"patient": {"view": "v"}}, "Did you mean 'patients'"),
        ({"patients": {"view": "v", "key": "k"}}, "goes with watermark"),
        ({"patients": {"view": "v", "watermark": "w", "operation": "o"}}, "goes with sequence"),
        ({"patients": {"view": "v", "watermark": "w", "sequence": "s"}}, "not both"),
        ({"patients": {"view": "v", "overlap": 5}}, "goes with watermark or sequence"),
        ({"patients": {"view": "v\n"}}, "no name of a column"),
    ],
)
def test_a_wrong_view_is_refused_by_a_sentence(views: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        adapter(views)


@pytest.mark.parametrize(
    "select",
    [
        "SELECT ';' AS \"DELETE FROM\" FROM v; ",
        "-- all\n(SELECT * FROM v) -- yes",
        "with a as (select 1) select * from a",
    ],
)
def test_one_select_is_taken_however_it_is_written(select: str) -> None:
    assert adapter({"patients": {"select": select}})


def test_what_cannot_be_asked_is_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match="has none"):
        adapter({}).request("")
    with pytest.raises(InputError, match="no column 'GXSJ'"):
        adapter(VIEW).answer("", Rows(columns=("BRID",), rows=(("1",),)))
    with pytest.raises(InputError, match="begin anew"):
        adapter(VIEW).request("nonsense")
