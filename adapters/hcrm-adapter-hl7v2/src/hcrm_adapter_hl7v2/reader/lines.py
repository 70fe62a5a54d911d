"""From the text of a message to its segments' lines, in the order received (HL7 v2.5.1 §2.5.1).

Lines end at CR, LF or CRLF only: U+0085, U+2028 and the like are characters of values.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from .report import Repair, UnreadableMessage, Where

_SEGMENT_ID: Final = re.compile(r"[A-Z][A-Z0-9]{2}\Z")
# A line shaped like a segment with a wrong id (`pid|`, `ZZ|`, `P 1|`) is not the tail of a text.
_NEAR_ID: Final = re.compile(r"[A-Za-z0-9]{2,4}\Z")
_TEXT_BEARING: Final = ("OBX", "NTE")
_BLANK: Final = " \t"
_MOST_PROVEN: Final = 4096

# Starts (id and field separator) met before and found good.
_proven: set[str] = set()


Lines: TypeAlias = tuple[list[str], list[str], list[int] | None, list[Repair]]
"""The segments of a message as text, their starts, their line numbers, and what was put right.

A start is the id and the field separator, such as ``PID|``; it is empty for a malformed line. The numbers
are None when every line is a segment. A plain tuple, since one is made per message.
"""


def cut(text: str, field: str) -> Lines:
    """Cut a message into segments.

    Args:
        text: The decoded message; begins with ``MSH``.
        field: Its field separator.

    Raises:
        UnreadableMessage: A second MSH stands in it: two messages were sent as one.
    """
    if "\n" not in text:
        segments = text.split("\r")
        if not segments[-1]:
            segments.pop()
        starts = [segment[:4] for segment in segments]
        if _proven.issuperset(starts) and starts.count("MSH" + field) == 1:
            return segments, starts, None, []
    return _Cutter(field).cut(text)


class _Cutter:
    """Cuts a message with anything unusual in it, line by line."""

    def __init__(self, field: str) -> None:
        self.field = field
        self.segments: list[str] = []
        self.starts: list[str] = []
        self.numbers: list[int] = []
        self.repairs: list[Repair] = []
        self.blank: list[int] = []
        self.pending = 0

    def cut(self, text: str) -> Lines:
        if "\n" in text:
            sentence = "lines end with LF or CRLF instead of CR"
            self.repair("line-ends", None, sentence)
        raw_lines = text.replace("\r\n", "\r").replace("\n", "\r").split("\r")
        if not raw_lines[-1]:
            raw_lines.pop()
        for number, line in enumerate(raw_lines, start=1):
            self.take(number, line)
        if self.blank:
            sentence = f"{len(self.blank)} blank lines between segments were ignored"
            self.repair("blank-lines", self.blank[0], sentence)
        every_line = self.numbers == list(range(1, len(raw_lines) + 1))
        return self.segments, self.starts, None if every_line else self.numbers, self.repairs

    def take(self, number: int, line: str) -> None:
        if not line.strip(_BLANK):
            self.blank.append(number)
            self.pending += 1
            return
        start = self.start_of(line)
        if start is None and line[0] in _BLANK:
            unindented = line.lstrip(_BLANK)
            start = self.start_of(unindented)
            if start is not None:
                line = unindented
                self.repair("leading-blanks", number, "blanks before the segment id were removed", line[:3])
        if start is not None:
            if line.startswith("MSH") and number > 1:
                reason = "a second message begins inside this one; they must be split before they are read"
                raise UnreadableMessage(reason, Where(line=number))
            self.add(number, line, start)
        elif self.is_continuation(line):
            self.join(number, line)
        else:
            sentence = "the line does not begin with a segment id; it was kept and is not used"
            self.repair("malformed-segment", number, sentence)
            self.add(number, line, "")
        self.pending = 0

    def start_of(self, line: str) -> str | None:
        """Return the start of a well-formed segment line, else None."""
        name, after = line[:3], line[3:4]
        if _SEGMENT_ID.match(name) is None or after not in ("", self.field):
            return None
        start = name + self.field
        if len(_proven) < _MOST_PROVEN:
            _proven.add(start)
        return start

    def is_continuation(self, line: str) -> bool:
        """Tell whether a line is clearly the rest of a text broken by a raw line end."""
        if not self.segments or not self.starts[-1].startswith(_TEXT_BEARING):
            return False
        return _NEAR_ID.match(line.partition(self.field)[0]) is None or self.field not in line

    def join(self, number: int, line: str) -> None:
        """Give a line back to the text before it, with the blank lines between."""
        self.segments[-1] += "\n" * (self.pending + 1) + line
        if self.pending:
            del self.blank[-self.pending :]
        name = self.segments[-1][:3]
        self.repair("joined-line", number, "the line has no segment id and was joined to the text before it", name)

    def add(self, number: int, line: str, start: str) -> None:
        self.segments.append(line)
        self.starts.append(start)
        self.numbers.append(number)

    def repair(self, code: str, line: int | None, sentence: str, segment: str | None = None) -> None:
        self.repairs.append(Repair(code, Where(line=line, segment=segment), sentence))
