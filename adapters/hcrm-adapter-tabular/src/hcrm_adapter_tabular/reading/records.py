"""The rows of a text: a quoted cell may span lines, and one that is never closed ends at its line."""

import csv
import io
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

CELL = 1 << 20
"""Characters a cell may have, and a row that spans lines."""

ALIKE = 10
"""So many lines within one row, each of which looks like a row, are rows, even where the cell is closed properly."""

_LOOKED_AT = 200


class Record(NamedTuple):
    """One row of a text; `unclosed` is its line where a quotation mark in it is never closed, and it has no cells."""

    cells: list[str]
    unclosed: str = ""


def records(lines: Iterator[str], separator: str, quote: str, width: int) -> Iterator[Record]:
    """The rows of a text, one after another.

    A mark that opens a cell and is never closed would make one cell of all that follows, or of all up to the next mark.
    Such a row ends at its line, and the lines behind it are read as what they are.

    Args:
        lines: With their ends.
        separator: One character.
        quote: One character, or empty for none.
        width: How many cells most rows have.
    """
    csv.field_size_limit(CELL)
    feed = _Feed(lines)
    reader = _reader(feed, separator, quote)
    while True:
        feed.begin()
        cells = []
        try:
            cells = next(reader)
            broken = feed.ended
        except StopIteration:
            return
        except (csv.Error, _TooLong):
            broken = True
        if broken or (len(feed.taken) > 1 and _swallowed(feed.taken, cells, separator, quote, width)):
            yield Record([], feed.give_back())
        else:
            yield Record(cells)


def width_of(sample: str, separator: str, quote: str) -> int:
    """How many cells most rows of a text have, of those that are one line; 0 where none is."""
    feed = _Feed(line for line in io.StringIO(sample, newline="") if line.strip())
    counts: Counter[int] = Counter()
    for _ in range(_LOOKED_AT):
        feed.begin()
        try:
            next(_reader(feed, separator, quote))
        except StopIteration:
            break
        except (csv.Error, _TooLong):
            continue
        if len(feed.taken) == 1:
            counts[len(_alone(feed.taken[0], separator, quote))] += 1
    return max(counts, key=lambda one: (counts[one], one), default=0)


class _TooLong(Exception):
    """A row spans more characters than a cell may have."""


class _Feed:
    """Lines for one row after another; those that turn out to belong to none are given again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.begin()

    def begin(self) -> None:
        self.taken: list[str] = []
        self.ended = False
        self._length = 0

    def give_back(self) -> str:
        """All but the first line, which is returned without its end."""
        self._again.extendleft(reversed(self.taken[1:]))
        return self.taken[0].rstrip("\r\n")

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        try:
            line = self._again.popleft() if self._again else next(self._lines)
        except StopIteration:
            self.ended = bool(self.taken)
            raise
        self.taken.append(line)
        self._length += len(line)
        if self._length > CELL and len(self.taken) > 1:
            raise _TooLong
        return line


def _reader(lines: Iterator[str], separator: str, quote: str, strict: bool = False) -> Iterator[list[str]]:
    if not quote:
        return csv.reader(lines, delimiter=separator, quotechar=None, quoting=csv.QUOTE_NONE, strict=strict)
    return csv.reader(lines, delimiter=separator, quotechar=quote, strict=strict)


def _swallowed(lines: list[str], cells: list[str], separator: str, quote: str, width: int) -> bool:
    """Whether a row that spans lines does so by a mark that was not meant to open a cell."""
    try:
        next(_reader(iter(lines), separator, quote, strict=True))
    except csv.Error:
        # Something follows a closing mark: it was the opening mark of another cell.
        return True
    alike = 0
    for line in lines[1:]:
        found = _alone(line, separator, quote)
        if len(found) == width > 1 and 2 * sum(map(bool, found)) >= width:
            alike += 1
            if len(cells) != width or alike == ALIKE:
                return True
    return False


def _alone(line: str, separator: str, quote: str) -> list[str]:
    """The cells of a line that is a whole row by itself; none where a mark in it belongs to another line."""
    try:
        cells = next(_reader(iter((line,)), separator, quote, strict=True), [])
    except csv.Error:
        return []
    return [] if quote and any(quote in one for one in cells) else cells
