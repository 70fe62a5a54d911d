"""Whole JSON values out of bytes that are no JSON document: several in a row, or one that breaks off."""

import re
from collections.abc import Iterator

_OPENING, _CLOSING = frozenset(b"{["), frozenset(b"}]")
_QUOTE, _ESCAPE = ord('"'), ord("\\")
_BETWEEN = b" \t\r\n,"
_bracket = re.compile(rb"[{}\[\]]").search


def values(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """The objects and lists in a row, each with whether its brackets close; other text between them as pieces that do
    not. A closing bracket that opened nowhere ends the row.

    Brackets are counted in one pass; what they hold may still be no JSON.
    """
    at, end = 0, len(data)
    while at < end:
        if data[at] in _BETWEEN:
            at += 1
        elif data[at] in _CLOSING:
            return
        elif data[at] in _OPENING:
            stop = _close(data, at)
            yield (data[at:stop], True) if stop > 0 else (data[at:].rstrip(_BETWEEN), False)
            at = stop if stop > 0 else end
        else:
            found = _bracket(data, at)
            stop = found.start() if found else end
            text = data[at:stop].rstrip(_BETWEEN)
            if text:
                yield text, False
            at = stop


def _close(data: bytes, start: int) -> int:
    """The place after the bracket that closes the one at `start`, 0 where none does."""
    depth, at, end = 0, start, len(data)
    while at < end:
        byte = data[at]
        if byte == _QUOTE:
            at = _end_of_string(data, at + 1)
            if at == 0:
                return 0
            continue
        if byte in _OPENING:
            depth += 1
        elif byte in _CLOSING:
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return 0


def _end_of_string(data: bytes, at: int) -> int:
    while (quote := data.find(b'"', at)) >= 0:
        slashes, before = 0, quote - 1
        while before >= at and data[before] == _ESCAPE:
            slashes, before = slashes + 1, before - 1
        if slashes % 2 == 0:
            return quote + 1
        at = quote + 1
    return 0
