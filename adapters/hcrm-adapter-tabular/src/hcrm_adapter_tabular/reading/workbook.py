"""XLSX, XLS and ODS by calamine, once it is known that they unpack to what memory can hold."""

import io
from collections.abc import Iterator
from typing import Any

from hcrm_adapter_tabular.reading import Grid, Line
from hcrm_adapter_tabular.reading.guard import counts_from_1904, guard
from hcrm_adapter_tabular.rows import Cell, cell
from hcrm_core.api import InputError


def grids(data: bytes) -> Iterator[Grid]:
    """The sheets of a workbook, hidden ones too: a formula is what it came to last, a cell in error is empty.

    Raises:
        InputError: It is no workbook, is locked by a password, or would unpack to more than memory holds.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, ZipError

    guard(data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        since_1904 = counts_from_1904(data)
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            first = (sheet.start or (0, 0))[1]
            merged = tuple(
                (top + 1, bottom + 1, left)
                for (top, left), (bottom, _) in sheet.merged_cell_ranges or ()
                if bottom > top
            )
            yield Grid(name, _lines(sheet.iter_rows(), first), since_1904=since_1904, merged=merged)
    except PasswordError:
        raise InputError("it is locked by a password; save it without one") from None
    except (CalamineError, ZipError, OSError, ValueError):
        raise InputError("it is no workbook that can be read; open it and save it anew") from None


def _lines(rows: Iterator[list[Any]], first: int) -> Iterator[Line]:
    before: tuple[Cell, ...] = (None,) * first
    for number, row in enumerate(rows, 1):
        cells = tuple(map(cell, row))
        if any(one is not None for one in cells):
            yield Line(number, before + cells)
