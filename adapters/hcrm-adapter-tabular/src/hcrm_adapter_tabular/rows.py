"""One row as a message: the table it belongs to and its cells, as JSON that is the same whenever the row is."""

from typing import Any

import msgspec
from msgspec import Struct

Cell = str | int | float | None
"""Text as written, a number, or nothing."""


class Row(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One row.

    Attributes:
        table: The table of the mapping it belongs to.
        cells: Heading → cell, in the order of the columns.
        as_of: When the view says it was written; or the day or time the file says it is of, where the row says none.
        since_1904: Whether numbers that stand for days count from that year.
        beyond: Cells without a heading; such a row is out of step.
        in_sheet: Whether it is such a row of a workbook, in which cells keep their columns.
        missing: How many of the last headings have no cell; such a row is out of step.
        undecodable: Its cells as bytes (hexadecimal), where they are no text of the file's charset.
        unclosed: Its line as it stands, where a quotation mark in it is never closed.
        change: Of a table of changes, what became of the row: `I`, `U` or `D`.
        sequence: Of a table of changes or a view, where the row stands in the order.
    """

    table: str
    cells: dict[str, Cell] = {}
    as_of: str = ""
    since_1904: bool = False
    beyond: tuple[Cell, ...] = ()
    in_sheet: bool = False
    missing: int = 0
    undecodable: str = ""
    unclosed: str = ""
    change: str = ""
    sequence: int = -1


BEGINNING = b'{"table":'
"""Of every message."""

_decoder = msgspec.json.Decoder(Row)


def payload(row: Row) -> bytes:
    """A row as the bytes of a message."""
    return msgspec.json.encode(row)


def read(payload: bytes) -> Row:
    """The row that a message holds.

    Raises:
        ValueError: It holds none.
    """
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError from None


def cell(value: Any) -> Cell:
    """A cell as a database, a workbook or a Parquet file gives it.

    Numbers lose the `.0` that every number of a workbook has, and the noise of binary fractions behind the fifteenth
    digit, which no spreadsheet keeps either. Days and times become ISO 8601 text, truth `true` or `false`.
    """
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, bytes):
        return value.hex() or None
    iso = getattr(value, "isoformat", None)
    if iso is not None:
        text = str(iso())
        return text.removesuffix("T00:00:00")
    return str(value) or None


def _number(value: float) -> Cell:
    if value != value or value in (float("inf"), float("-inf")):
        return None
    if value.is_integer() and abs(value) < 2**53:
        return int(value)
    return float(f"{value:.15g}")


def text(value: Cell) -> str:
    """A cell as text, without the blanks around it; a number without exponent."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int):
        return str(value)
    return f"{value:.15g}" if 1e-4 <= abs(value) < 1e15 or value == 0 else format(value, "f")


def written(message: str) -> bytes:
    """A row as examples write it: `[table]`, then `heading = cell`, a line each; other columns are not there."""
    table = ""
    cells: dict[str, Cell] = {}
    for line in filter(None, map(str.strip, message.splitlines())):
        heading, mark, value = line.partition("=")
        if line.startswith("[") and line.endswith("]"):
            table = line[1:-1].strip()
        elif mark:
            cells[heading.strip()] = value.strip() or None
    return payload(Row(table=table, cells=cells))
