"""Files of lines, in pieces of whole lines: memory stays bounded, however long the file is."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

PIECE = 4 * 1024**2
"""Bytes at which a piece ends with its line."""

LONGEST = 64 * 1024**2
"""Bytes of a line; a longer one is taken for a file that holds no lines."""

WHOLE = 512 * 1024**2
"""Bytes of a file in UTF-16, whose lines are not told apart."""

QUOTED = 4 * 1024**2
"""Bytes between quotation marks; if more follow one, it is never closed."""

_CHUNK = 64 * 1024
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """At most so many; none at the end."""


class Piece(NamedTuple):
    """Some lines of a file, and how many stand before them."""

    before: int
    data: bytes


def pieces(stream: Readable, quoted: bool = False) -> Iterator[Piece]:
    """The lines of a stream in pieces; the last one may lack its line end.

    Whatever reading raises is raised after the whole lines before it were given.

    Args:
        stream: Read from its beginning.
        quoted: Whether a line end between quotation marks ends no line, as in CSV. In UTF-16 lines are not told apart:
            such a file is one piece.

    Raises:
        ValueError: A line is too long.
    """
    before, held = 0, bytearray()
    ends = _Ends(held, quoted)
    whole = False
    while True:
        failure: Exception | None = None
        chunk = b""
        try:
            chunk = stream.read(_CHUNK)
        except Exception as error:
            failure = error
        held += chunk
        whole = whole or (quoted and not before and held.startswith(_UTF_16))
        ending = failure is not None or not chunk
        if whole and len(held) > WHOLE:
            raise ValueError(f"it is UTF-16 of more than {WHOLE // 1024**2} MiB; save it as UTF-8")
        if not whole:
            ends.look()
        if (len(held) >= PIECE and not whole) or ending:
            # What stands behind the last line end is half a line, unless the file ends there.
            stop = len(held) if ending and failure is None else ends.last
            if stop:
                yield Piece(before, bytes(held[:stop]))
                before += held.count(b"\n", 0, stop)
                del held[:stop]
                ends.cut(stop)
            elif len(held) > LONGEST:
                raise ValueError(f"line {before + 1:,} is longer than {LONGEST // 1024**2} MiB")
        if failure is not None:
            raise failure
        if ending:
            return


class _Ends:
    """Where whole lines end in what is held; what has been looked at is not looked at again.

    Attributes:
        last: Where the last whole line ends; 0 where none does.
    """

    def __init__(self, held: bytearray, quoted: bool) -> None:
        self._held = held
        self._quoted = quoted
        self.last = 0
        self._first = 0
        """Where the first line behind `last` ends, between quotation marks; 0 where none does."""
        self._seen = 0
        self._within = 0
        """Whether what has been seen ends between quotation marks."""

    def look(self) -> None:
        """Look at what has come."""
        self._scan()
        while self._first and len(self._held) - self.last > QUOTED:
            # The mark in the first line is never closed, and must not keep what follows from being read.
            self._seen = self.last = self._first
            self._first = self._within = 0
            self._scan()

    def cut(self, stop: int) -> None:
        """So many bytes were taken from the beginning."""
        self.last, self._first, self._seen = (max(place - stop, 0) for place in (self.last, self._first, self._seen))

    def _scan(self) -> None:
        held, begin = self._held, self._seen
        if not self._quoted:
            self.last = held.rfind(b"\n", begin) + 1 or self.last
            self._seen = len(held)
            return
        stop, found = held.rfind(b"\n", begin) + 1, 0
        within = self._within ^ held.count(b'"', begin, stop) % 2
        self._within = within ^ held.count(b'"', max(stop, begin), len(held)) % 2
        self._seen = len(held)
        while stop > begin and not found:
            if not within:
                found = stop
                break
            before = held.rfind(b"\n", begin, stop - 1) + 1
            within ^= held.count(b'"', before, stop) % 2
            stop = before
        if found:
            self.last, self._first = found, 0
        if not self._first:
            self._first = held.find(b"\n", max(self.last, begin)) + 1
