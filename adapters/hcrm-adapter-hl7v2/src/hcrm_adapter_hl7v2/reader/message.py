"""A message that is read only where it is asked: segments are cut when it is made, fields when used."""

from __future__ import annotations

from collections.abc import Iterator

from .charset import decode_parts
from .delimiters import Delimiters, delimiters_of
from .escapes import unescape
from .framing import RawMessage, split_messages
from .lines import cut
from .path import HEADERS, Path, parse_path
from .report import Repair, UnreadableMessage, Where
from .segment import Segment
from .values import NULL, Value, leaf, part


def read_message(
    raw: bytes | RawMessage, default_charset: str | None = None, *, override_charset: bool = False
) -> Message:
    """Return the message in these bytes.

    Args:
        raw: One message as received, or as :func:`split_messages` gave it. MLLP framing, a byte order
            mark and blank lines around it are overlooked and reported.
        default_charset: The source's charset; see :func:`decode`.
        override_charset: Read by ``default_charset`` whatever MSH-18 says.

    Raises:
        UnreadableMessage: There is no message, more than one, or its charset or delimiters make it unreadable.
        ValueError: ``default_charset`` is not a charset name the reader knows.
    """
    if isinstance(raw, RawMessage):
        text, charset, repairs = decode_parts(raw.raw, default_charset, override_charset)
        return Message(text, charset, raw.repairs + repairs)
    cut_free: list[Repair] = []
    if not raw.startswith(b"MSH") or raw.endswith(b"\0"):
        raw, cut_free = _only_message(raw)
    text, charset, repairs = decode_parts(raw, default_charset, override_charset)
    # Framing inside may hide a second message. It is looked for in the text because that is faster.
    if "\x1c" in text or "\x0b" in text:
        raw, more = _only_message(raw)
        cut_free = cut_free + more
        text, charset, repairs = decode_parts(raw, default_charset, override_charset)
    return Message(text, charset, cut_free + repairs)


def _only_message(raw: bytes) -> tuple[bytes, list[Repair]]:
    found: list[RawMessage] = []
    for item in split_messages(raw):
        if isinstance(item, RawMessage):
            found.append(item)
        elif item.code in ("not-hl7", "stray-bytes"):
            raise UnreadableMessage(item.text, item.where)
    if len(found) != 1:
        raise UnreadableMessage("several messages stand here; they must be split before they are read", found[1].where)
    return found[0].raw, found[0].repairs


class Message:
    """One HL7 v2 message.

    Attributes:
        text: The decoded message.
        charset: The Python codec it was decoded with.
        delimiters: What it declares in MSH-1 and MSH-2.
        lines: The text of each segment, in order.
        starts: For each segment its id and the field separator, such as ``PID|``; empty for a malformed line.
        repairs: Every departure from the standard met so far. Escape sequences are looked at when their
            value is read, so reading may add to it.
    """

    __slots__ = ("_fields", "_numbers", "charset", "delimiters", "lines", "repairs", "starts", "text")

    def __init__(self, text: str, charset: str = "utf-8", repairs: list[Repair] | None = None) -> None:
        """Cut a decoded message into segments; :func:`read_message` starts from bytes.

        Args:
            text: The message; begins with ``MSH``.
            charset: The codec that hex escapes in it are decoded with.
            repairs: What was already put right.

        Raises:
            UnreadableMessage: MSH-1 and MSH-2 are no delimiters, or a second message begins inside.
        """
        self.text = text
        self.charset = charset
        self.delimiters: Delimiters = delimiters_of(text)
        self.lines, self.starts, self._numbers, self.repairs = cut(text, self.delimiters.field)
        self._fields: dict[int, list[str]] = {}
        if repairs or self.delimiters.repairs:
            self.repairs = [*(repairs or ()), *self.delimiters.repairs, *self.repairs]

    def get(self, reference: str) -> Value:
        """Return one value, unescaped.

        What the reference leaves out is the first: ``PID-5`` is PID-5[1].1.1, the reading HL7 v2.5.1
        §2.8 asks of receivers that know a field by an older, simpler type. :meth:`get_text` returns
        a field or component as a whole.

        Args:
            reference: Such as ``PID-3.1``, ``PID-3[2].4.1`` or ``OBX[3]-5``.

        Returns:
            Text, NULL if the sender deletes the value, None if the message does not mention it.

        Raises:
            ValueError: The reference is malformed.
        """
        path = parse_path(reference)
        index = self.find(path.segment, path.occurrence)
        return None if index is None else self.value_at(index, path)

    def get_text(self, reference: str) -> Value:
        """Return a field or component as one text, unescaped, with the delimiters that stand in it.

        For free text (OBX-5 of type ST, TX or FT) from senders that do not escape ``&`` and ``^``.

        Args:
            reference: As for :meth:`get`; it is followed no deeper than it is written.

        Raises:
            ValueError: The reference is malformed.
        """
        path = parse_path(reference)
        index = self.find(path.segment, path.occurrence)
        if index is None:
            return None
        fields = self.fields_at(index)
        if path.index >= len(fields) or (path.segment in HEADERS and path.field <= 2):
            return self.value_at(index, path)
        text, marks = fields[path.index], self.delimiters
        numbers = (path.repetition, path.component, path.subcomponent)[: path.depth]
        for separator, number in zip((marks.repetition, marks.component, marks.subcomponent), numbers, strict=False):
            text = text if text == '""' else part(text, separator, number)
        return self.meaning(text, index, path.field)

    def segments(self, name: str | None = None) -> list[Segment]:
        """Return the segments with this id, or all, malformed lines included, in the message's order."""
        if name is None:
            return [Segment(self, index) for index in range(len(self.lines))]
        start = name + self.delimiters.field
        return [Segment(self, index) for index, each in enumerate(self.starts) if each == start]

    def segment(self, name: str, occurrence: int = 1) -> Segment | None:
        """Return one segment, or None when the message has no such."""
        index = self.find(name, occurrence)
        return None if index is None else Segment(self, index)

    def __iter__(self) -> Iterator[Segment]:
        """Iterate over all segments, malformed lines included."""
        return iter(self.segments())

    def find(self, name: str, occurrence: int = 1) -> int | None:
        """Return the position of a segment among the message's segments, from 0, or None."""
        start = name + self.delimiters.field
        index = -1
        try:
            for _ in range(occurrence):
                index = self.starts.index(start, index + 1)
        except ValueError:
            return None
        return index

    def line_at(self, index: int) -> int:
        """Return the line number of a segment in the message, 1 being MSH."""
        return index + 1 if self._numbers is None else self._numbers[index]

    def fields_at(self, index: int) -> list[str]:
        """Return a segment split at the field separator, its id first."""
        fields = self._fields.get(index)
        if fields is None:
            fields = self._fields[index] = self.lines[index].split(self.delimiters.field)
        return fields

    def value_at(self, index: int, path: Path) -> Value:
        """Return the value a reference has in the segment at a position."""
        if path.segment in HEADERS and path.field <= 2:
            return _header_field(self.fields_at(index), self.delimiters, path)
        fields = self.fields_at(index)
        if path.index >= len(fields):
            return None
        text = fields[path.index]
        if not text:
            return None
        return self.meaning(
            leaf(text, self.delimiters, path.repetition, path.component, path.subcomponent), index, path.field
        )

    def meaning(self, text: str, index: int, field: int) -> Value:
        """Return what a raw value means: escapes replaced, ``""`` as NULL, nothing as None."""
        if not text:
            return None
        if self.delimiters.escape in text:
            return self.unescape(text, index, field)
        return NULL if text == '""' else text

    def unescape(self, text: str, index: int, field: int) -> str:
        """Return raw text with its escape sequences replaced; what could not be is reported once.

        Args:
            text: Raw text of the message.
            index: The segment's position, for the report.
            field: The field's number, for the report.
        """
        plain, kept = unescape(text, self.delimiters, self.charset)
        if kept:
            where = Where(line=self.line_at(index), segment=self.lines[index][:3], field=field)
            repair = Repair("escape", where, "an escape sequence is unknown or broken and was kept as it came")
            if repair not in self.repairs:
                self.repairs.append(repair)
        return plain


def _header_field(fields: list[str], delimiters: Delimiters, path: Path) -> Value:
    """Return MSH-1 or MSH-2, which are their own text and have no parts."""
    if (path.repetition, path.component, path.subcomponent) != (1, 1, 1):
        return None
    return delimiters.field if path.field == 1 else (fields[1] if len(fields) > 1 else "") or None
