"""A file into rows: which table a sheet holds, where its headings stand, and a message for every row below them."""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import chain, islice
from typing import NamedTuple

import msgspec
from msgspec import Struct

from hcrm_adapter_tabular import rows
from hcrm_adapter_tabular.headings import day_of, unique
from hcrm_adapter_tabular.mapping.compiled import Layouts
from hcrm_adapter_tabular.reading import Grid, Line, parquet, text, workbook
from hcrm_core.api import InputError, Problem, RawMessage

LOOKED_AT = 50
"""Lines among which headings are looked for."""

_WORKBOOK = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_PARQUET = b"PAR1"
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|meta|table|style|\?xml)\b", re.IGNORECASE)
_BEGINNING = b'{"beginning":'


class Reading(NamedTuple):
    """How a source's files are to be read; what is `None` is found out."""

    charset: str | None
    separator: str | None
    quote: str | None
    header_row: int | None
    tables: Mapping[str, str]


class _Head(NamedTuple):
    """Which table a grid is, its headings, and the lines below them."""

    table: str
    headings: list[str]
    lines: Iterator[Line]


def messages(data: bytes, name: str, reading: Reading, layouts: Layouts) -> Iterator[RawMessage]:
    """The rows of a file, sheet by sheet.

    Args:
        data: The file.
        name: Its own name, which may say the table and the day.
        reading: The settings.
        layouts: The mapping's.

    Raises:
        InputError: No table of the mapping is in it, or it cannot be read.
    """
    if data.startswith(_BEGINNING):
        yield from _piece(data, name, reading, layouts)
        return
    day = day_of(name)
    passed_over: list[Problem] = []
    found = False
    for grid, only in _grids(data, reading):
        head = _head(grid, name if only else "", reading, layouts)
        if isinstance(head, Problem):
            passed_over.append(head)
        if not isinstance(head, _Head):
            continue
        for row, place in _rows(grid, head, day, layouts):
            found = True
            yield RawMessage(rows.payload(row), "", tuple(passed_over), place)
            passed_over.clear()
    if not found:
        raise _refusal(passed_over)


class Beginning(Struct, frozen=True):
    """What was found out of a text file, for the pieces of it that follow."""

    beginning: str
    """Of which table it is."""
    headings: list[str]
    separator: str
    charset: str | None


def beginning(data: bytes, name: str, reading: Reading, layouts: Layouts) -> bytes:
    """What was found out of a text file by its first piece, as a line to stand before another; raises as `messages`."""
    grid = text.grid(data, reading.charset, reading.separator, reading.quote)
    head = _head(grid, name, reading, layouts)
    if not isinstance(head, _Head):
        raise _refusal([head] if head else [])
    codec, separator = text.dialect(data, reading.charset, reading.separator, reading.quote)
    # The charset of what is ASCII so far may show further on.
    found = Beginning(head.table, head.headings, separator, None if data.isascii() else codec)
    return msgspec.json.encode(found) + b"\n"


def _piece(data: bytes, name: str, reading: Reading, layouts: Layouts) -> Iterator[RawMessage]:
    line, _, rest = data.partition(b"\n")
    try:
        begun = msgspec.json.decode(line, type=Beginning)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InputError("it is a piece of a table whose beginning cannot be read") from None
    grid = text.grid(rest, begun.charset or reading.charset, begun.separator, reading.quote)
    head = _Head(begun.beginning, begun.headings, grid.lines)
    for row, place in _rows(grid, head, day_of(name), layouts):
        yield RawMessage(rows.payload(row), place=place)


def _refusal(passed_over: list[Problem]) -> InputError:
    reason = " ".join(one.text for one in passed_over[:1]) or "it holds no row below its headings"
    return InputError(reason[0].lower() + reason[1:].rstrip("."))


def _grids(data: bytes, reading: Reading) -> Iterator[tuple[Grid, bool]]:
    """The grids of a file, each with whether there is no other."""
    if data.startswith(_WORKBOOK):
        sheets = workbook.grids(data)
        first = list(islice(sheets, 2))
        yield from ((one, len(first) == 1) for one in chain(first, sheets))
    elif data.startswith(_PARQUET):
        yield parquet.grid(data), True
    elif _MARKUP.match(data):
        raise InputError("it is a web page or XML that is called a table; open it in Excel or WPS and save it as XLSX")
    else:
        yield text.grid(data, reading.charset, reading.separator, reading.quote), True


def _head(grid: Grid, file: str, reading: Reading, layouts: Layouts) -> _Head | Problem | None:
    """Where a grid's headings stand and which table they are of; `None` where it is empty."""
    first = list(islice(grid.lines, LOOKED_AT))
    if not first:
        return None
    where = f"sheet {grid.name}" if grid.name else ""
    table = _told(reading.tables, grid.name, file) or next(
        (found for name in (grid.name, file) if name and (found := layouts.tables.table_named(name))), None
    )
    best: tuple[int, int, str] | None = None
    spanned = _spanned(first, grid)
    candidates = [line for line in spanned if reading.header_row in (None, line.number)]
    scores = [
        (score, -place, one)
        for place, line in enumerate(candidates)
        for one in ([table] if table else layouts.tables.tables)
        if (score := layouts.score(one, line.cells, named=table is not None)) > (0 if table else 1)
    ]
    if scores:
        most, place = max(scores)[:2]
        fitting = [one for score, at, one in scores if score == most]
        if len(set(fitting)) > 1:
            text = f"Its headings fit several tables equally well ({', '.join(sorted(set(fitting)))}). Say which under "
            return Problem("table-not-clear", where, text + "`tables` in the settings of the source.")
        best = most, -place, fitting[0]
    if best is None and table:
        text = f"No line of the first {LOOKED_AT} holds headings of the table {table}. Add them to `columns` of the "
        return Problem("no-headings", where, text + "mapping, or say `header_row`.")
    if best is None:
        text = (
            "No table of the mapping has its name, and its headings fit none. If it is to be read, say which table it "
        )
        return Problem("no-table", where, text + "is under `tables` in the settings of the source.")
    line = candidates[best[1]]
    # Headings in two rows end with the lower one.
    ends = max((bottom for top, bottom, _ in grid.merged if top <= line.number <= bottom), default=0)
    line = next((one for one in spanned if one.number == ends), line)
    headings = unique(line.cells)
    while headings and not headings[-1]:
        headings.pop()
    below = chain((one for one in first if one.number > line.number), grid.lines)
    return _Head(best[2], headings, below)


def _spanned(lines: list[Line], grid: Grid) -> list[Line]:
    """Lines with what is said in cells that begin above them, as headings in two rows have it."""
    if not grid.merged:
        return lines
    own = {line.number: line for line in lines}
    filled = []
    for line in lines:
        cells = dict(enumerate(line.cells))
        for top, bottom, column in grid.merged:
            if top < line.number <= bottom and top in own and column < len(own[top].cells):
                cells[column] = own[top].cells[column]
        filled.append(line._replace(cells=tuple(cells.get(at) for at in range(max(cells, default=-1) + 1))))
    return filled


def _told(tables: Mapping[str, str], sheet: str, file: str) -> str | None:
    """The table that the settings give a sheet or file, by a pattern of its name."""
    names = [name for name in (sheet, file) if name]
    return next((table for pattern, table in tables.items() if any(fnmatchcase(one, pattern) for one in names)), None)


def _rows(grid: Grid, head: _Head, day: str, layouts: Layouts) -> Iterator[tuple[rows.Row, str]]:
    headings = head.headings
    own = {at: heading for at, heading in enumerate(headings) if heading}
    layout = layouts.layout(head.table, tuple(own.values()))
    before = f"sheet {grid.name}, " if grid.name else ""
    for line in head.lines:
        place = f"{before}row {line.number}"
        if line.undecodable or line.unclosed:
            yield rows.Row(table=head.table, undecodable=line.undecodable, unclosed=line.unclosed), place
            continue
        cells: dict[str, rows.Cell] = {heading: line.cells[at] for at, heading in own.items() if at < len(line.cells)}
        if [rows.text(one) for one in cells.values()] == [*own.values()]:
            continue  # the headings again, as printed on every page
        dated = any(cells.get(heading) is not None for heading in layout.said_at)
        numbers = grid.since_1904 and any(isinstance(one, int | float) for one in cells.values())
        strays: dict[str, rows.Cell] = {
            f"({place_of(at)})": one for at, one in enumerate(line.cells[: len(headings)]) if at not in own and one
        }
        yield (
            rows.Row(
                table=head.table,
                cells=cells | strays,
                as_of="" if dated else day,
                since_1904=numbers,
                in_sheet=not grid.ragged and any(one is not None for one in line.cells[len(headings) :]),
                beyond=tuple(one for one in line.cells[len(headings) :] if one is not None),
                missing=max(0, len(headings) - len(line.cells)) if grid.ragged else 0,
            ),
            place,
        )


def place_of(column: int) -> str:
    """The letters a spreadsheet calls a column by, from 0: `A`, `Z`, `AA`."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
