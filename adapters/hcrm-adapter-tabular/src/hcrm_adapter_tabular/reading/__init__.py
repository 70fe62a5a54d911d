"""Files as grids of cells: what each format needs, and nothing of what the cells mean."""

from collections.abc import Iterator
from typing import NamedTuple

from hcrm_adapter_tabular.rows import Cell


class Line(NamedTuple):
    """One line of a grid.

    Attributes:
        number: As a spreadsheet shows it, from 1.
        cells: From the first column on.
        undecodable: The line as bytes (hexadecimal), where it is no text of the file's charset.
        unclosed: The line as text, where a quotation mark in it is never closed.
    """

    number: int
    cells: tuple[Cell, ...]
    undecodable: str = ""
    unclosed: str = ""


class Grid(NamedTuple):
    """One sheet.

    Attributes:
        name: The sheet's; empty where the format has none.
        lines: Those that hold anything, from top to bottom.
        ragged: Whether lines end where their last cell does, so that a short one may be broken off.
        since_1904: Whether numbers that stand for days count from that year.
        merged: Cells that span lines: first line, last line and column (from 0); the first line holds what they say.
    """

    name: str
    lines: Iterator[Line]
    ragged: bool = False
    since_1904: bool = False
    merged: tuple[tuple[int, int, int], ...] = ()
