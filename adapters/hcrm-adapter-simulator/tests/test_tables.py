"""The database and the workbooks hold the same rows, in the types their columns have."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from hcrm_adapter_simulator import Settings, write_sql, write_xlsx
from hcrm_adapter_simulator.tables import TABLES, Table
from hcrm_core.api import TextFile


@pytest.fixture(scope="module")
def few(settings: Settings) -> Settings:
    return replace(settings, patients=80)


@pytest.fixture(scope="module")
def database(few: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    folder = tmp_path_factory.mktemp("database")
    write_sql(few, folder)
    connection = sqlite3.connect(folder / "hospital.db")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def sheets(few: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[Any]]]:
    calamine = pytest.importorskip("python_calamine")
    folder = tmp_path_factory.mktemp("workbooks")
    write_xlsx(few, folder)
    book = calamine.CalamineWorkbook.from_path(folder / "hospital-000.xlsx")
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_views_and_sheets_hold_the_same_rows(
    database: sqlite3.Connection, sheets: dict[str, list[list[Any]]], table: Table
) -> None:
    english = database.execute(f"SELECT * FROM {table.name} ORDER BY row_number")
    chinese = database.execute(f'SELECT * FROM "{table.title}" ORDER BY 1')
    assert [one[0] for one in english.description] == [column.name for column in table.columns]
    assert [one[0] for one in chinese.description] == [column.heading for column in table.columns]
    rows = chinese.fetchall()
    assert english.fetchall() == rows
    headings, *lines = sheets[table.title]
    assert headings == [column.heading for column in table.columns]
    assert rows and [[as_text(cell) for cell in line] for line in lines] == [
        [as_text(cell) for cell in r] for r in rows
    ]


def as_text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else f"{cell:g}" if isinstance(cell, int | float) else cell


def test_days_are_days_and_amounts_are_numbers(sheets: dict[str, list[list[Any]]]) -> None:
    def cells(title: str, heading: str) -> list[Any]:
        headings, *lines = sheets[title]
        return [line[headings.index(heading)] for line in lines]

    assert {type(one) for one in cells("患者", "出生日期")} == {date}
    assert {type(one) for one in cells("费用", "收费时间")} == {datetime}
    assert {type(one) for one in cells("费用", "金额")} == {float}
    assert {type(one) for one in cells("患者", "病案号")} == {str}
    assert any(one.startswith("0") for one in cells("患者", "病案号"))


def test_the_newest_change_is_found_by_the_watermark(database: sqlite3.Connection) -> None:
    newest = database.execute('SELECT max("更新时间") FROM "就诊"').fetchone()[0]
    (row,) = database.execute('SELECT "就诊流水号" FROM "就诊" WHERE "更新时间" >= ?', (newest,)).fetchall()
    assert row[0][:2] in ("MZ", "ZY", "JZ")


def test_the_mapping_reads_every_column_and_has_no_doubts(few: Settings, tmp_path: Path) -> None:
    kind = pytest.importorskip("hcrm_adapter_tabular").register_adapters()[0]
    write_xlsx(replace(few, patients=30), tmp_path)
    mapping = TextFile("mapping.toml", (tmp_path / "mapping.toml").read_text(encoding="utf-8"))
    adapter = kind("office", kind.settings_type(adapter=kind.name, mapping=mapping))
    unknown = set()
    for message in adapter.split((tmp_path / "hospital-000.xlsx").read_bytes(), "hospital-000.xlsx"):
        translation = adapter.translate(message.payload)
        assert (translation.quarantine, translation.problems) == (None, ())
        unknown.update(translation.coverage.unknown)
    assert unknown == set()
