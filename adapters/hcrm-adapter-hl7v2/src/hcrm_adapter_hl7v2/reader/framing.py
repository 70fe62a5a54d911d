"""From the bytes of a file to the messages in it.

Line ends are found at byte level: in no charset the reader accepts can CR, LF or a control byte of the
framing be part of a character. Fields are not looked at here, except the count in a batch trailer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from .filetypes import why_not_hl7
from .report import Repair, Where

# What may stand before a message on its own line: blanks, framing, a byte order mark, `[SOM]`-like marks.
_JUNK: Final = rb"(?P<junk>(?:[ \t\x00\x0b\x1a\x1c]|\xef\xbb\xbf|[\[<({][^\r\n\[\]<>(){}|]{1,32}[\])}>]){0,16})"
# `MSH-3 is missing` in the text of a result must not start a message: a delimiter other than `|` is
# believed only if it also ends an MSH-2 made of punctuation.
_MARK: Final = (
    rb"(?P<id>MSH|FHS|BHS|BTS|FTS)"
    rb"(?:(?=\|)|(?=(?P<fs>[!-/:-@\[-`{-~])[!-/:-@\[-`{-~]{1,8}(?P=fs))|(?<=TS)(?=[\r\n]|\Z))"
)
_FIRST: Final = re.compile(_JUNK + _MARK)
_LATER: Final = re.compile(rb"[\r\n\x0b]" + _JUNK + _MARK)
_BURIED: Final = re.compile(
    rb"(?P<junk>[^\r\n]{1,256}?)(?P<id>MSH)(?=(?P<fs>[!-/:-@\[-`{-~])[!-/:-@\[-`{-~]{3,6}(?P=fs))"
)
_FRAME_END: Final = re.compile(rb"\x1c(?=[\r\n]|\Z)")
_FILLER: Final = b"\r\n \t\x00\x0b\x1a\x1c"
_CLOSES: Final = {b"BTS": b"BHS", b"FTS": b"FHS"}


class RawMessage(NamedTuple):
    """One message as received.

    Attributes:
        raw: Its bytes from ``MSH`` to the end of its last segment, line end included, unchanged.
        where: The line and byte of the file it begins at.
        repairs: What had to be overlooked to find it.
    """

    raw: bytes
    where: Where
    repairs: list[Repair]


class FileRemark(NamedTuple):
    """Something in a file that is no message: bytes nothing could be made of, or a wrapper that does not add up.

    Attributes:
        code: ``not-hl7``, ``stray-bytes``, ``no-trailer``, ``no-header`` or ``count``.
        where: The line and byte it begins at.
        text: One sentence, free of content.
        raw: The bytes, for keeping; empty when nothing is left over.
    """

    code: str
    where: Where
    text: str
    raw: bytes


def split_messages(data: bytes, thing: str = "file") -> Iterator[RawMessage | FileRemark]:
    """Yield every message of a file, and a remark on everything in it that is none.

    Reads a single message, several in a row, batch and file wrappers (FHS, BHS, BTS, FTS; HL7 v2.5.1
    §2.10.3) with or without all their parts, and MLLP framing left in a file. Segments that follow a
    wrapper segment without an MSH of their own are never joined to the message before: they may be
    another patient's.

    Args:
        data: The whole file.
        thing: What sentences call it where no message is in it.

    Yields:
        Messages and remarks in the file's order. A file without any message yields one remark that says why.
    """
    marks = list(_marks(data))
    if not any(mark["id"] == b"MSH" for mark in marks):
        yield FileRemark("not-hl7", Where(line=1, byte=0), why_not_hl7(data, bool(marks), thing), data)
        return
    yield from _stray(data[: marks[0].start()], Where(line=1, byte=0))
    wrappers = _Wrappers()
    line, counted = 1, 0
    for number, mark in enumerate(marks):
        start = mark.start("id")
        end = marks[number + 1].start("junk") if number + 1 < len(marks) else len(data)
        line += _line_ends(data, counted, start)
        counted = start
        where = Where(line=line, byte=start)
        if mark["id"] == b"MSH":
            wrappers.messages += 1
            yield from _message(data[start:end], where, mark["junk"])
        else:
            segment, rest = _first_line(data[start:end])
            yield from wrappers.meet(mark["id"], segment, where)
            yield from _stray(rest, Where(line=line + 1, byte=start + len(segment)))
    yield from wrappers.close()


def _marks(data: bytes) -> Iterator[re.Match[bytes]]:
    """Find where each message and wrapper segment begins."""
    first = _FIRST.match(data) or _BURIED.match(data)
    if first is not None:
        yield first
    yield from _LATER.finditer(data, first.end() if first is not None else 0)


def _message(body: bytes, where: Where, junk: bytes) -> Iterator[RawMessage | FileRemark]:
    """Cut one message from its framing; ``body`` runs up to the next mark."""
    repairs = _junk_repairs(junk, where)
    rest = b""
    frame_end = _FRAME_END.search(body) if b"\x1c" in body else None
    if frame_end is not None:
        body, rest = body[: frame_end.start()], body[frame_end.end() :]
        if not any(repair.code == "mllp-framing" for repair in repairs):
            repairs.append(Repair("mllp-framing", where, "MLLP framing bytes around the message were removed"))
    length = len(body.rstrip(_FILLER))
    # Blanks behind the last value are data as received; what follows the line end is not.
    length += len(body[length:]) - len(body[length:].lstrip(b" \t"))
    tail = body[length : length + 2]
    ends = 2 if tail == b"\r\n" else 1 if tail[:1] in (b"\r", b"\n") else 0
    if body[length:].strip(b"\r\n \t"):
        repairs.append(Repair("trailing-bytes", where, "control bytes behind the message were removed"))
    yield RawMessage(body[: length + ends], where, repairs)
    yield from _stray(rest, where)


def _junk_repairs(junk: bytes, where: Where) -> list[Repair]:
    repairs = []
    if b"\xef\xbb\xbf" in junk:
        repairs.append(Repair("byte-order-mark", where, "a byte order mark before MSH was removed"))
    if b"\x0b" in junk:
        repairs.append(Repair("mllp-framing", where, "MLLP framing bytes around the message were removed"))
    if junk.replace(b"\xef\xbb\xbf", b"").strip(b"\x0b"):
        repairs.append(Repair("leading-text", where, f"{len(junk)} bytes before MSH on its line were removed"))
    return repairs


def _stray(rest: bytes, where: Where) -> Iterator[FileRemark]:
    if rest.replace(b"\xef\xbb\xbf", b"").strip(_FILLER):
        yield FileRemark("stray-bytes", where, f"{len(rest)} bytes here belong to no message and were set aside", rest)


def _first_line(piece: bytes) -> tuple[bytes, bytes]:
    line = piece.partition(b"\r")[0].partition(b"\n")[0]
    return line, piece[len(line) :]


def _line_ends(data: bytes, start: int, end: int) -> int:
    return data.count(b"\r", start, end) + data.count(b"\n", start, end) - data.count(b"\r\n", start, end)


class _Wrappers:
    """Checks that headers and trailers pair up and that a batch holds as many messages as it says."""

    def __init__(self) -> None:
        self.messages = 0
        self._open: dict[bytes, Where] = {}

    def meet(self, name: bytes, segment: bytes, where: Where) -> Iterator[FileRemark]:
        """Take note of a wrapper segment."""
        header = _CLOSES.get(name)
        if header is None:
            if name in self._open:
                yield from self._unclosed(name)
            self._open[name] = where
            if name == b"BHS":
                self.messages = 0
            return
        if self._open.pop(header, None) is None:
            text = f"{name.decode()} has no {header.decode()} before it; the file may lack its beginning"
            yield FileRemark("no-header", where, text, b"")
        said = segment[4:].split(segment[3:4])[0].strip() if len(segment) > 4 else b""
        if name == b"BTS" and said.isdigit() and len(said) < 10 and int(said) != self.messages:
            text = f"the batch trailer counts {int(said)} messages and {self.messages} were found"
            yield FileRemark("count", where, text, b"")
        if name == b"BTS":
            self.messages = 0

    def close(self) -> Iterator[FileRemark]:
        """Report the headers that were never closed."""
        for name in list(self._open):
            yield from self._unclosed(name)

    def _unclosed(self, name: bytes) -> Iterator[FileRemark]:
        trailer = "BTS" if name == b"BHS" else "FTS"
        text = f"{name.decode()} has no {trailer} behind it; the file may be cut short"
        yield FileRemark("no-trailer", self._open.pop(name), text, b"")
