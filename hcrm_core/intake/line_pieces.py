"""Files of lines, in pieces of whole lines: memory stays bounded, however long the file is."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

PIECE = 4 * 1024**2
"""Bytes at which a piece ends with its line."""

LONGEST = 64 * 1024**2
"""Bytes of a line; a longer one is taken for a file that holds no lines."""

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
        if (len(held) >= PIECE and not whole) or ending:
            # What stands behind the last line end is half a line, unless the file ends there.
            stop = len(held) if ending and failure is None else _last_end(held, quoted)
            if stop:
                yield Piece(before, bytes(held[:stop]))
                before += held.count(b"\n", 0, stop)
                del held[:stop]
            elif len(held) > LONGEST:
                raise ValueError(f"line {before + 1:,} is longer than {LONGEST // 1024**2} MiB")
        if failure is not None:
            raise failure
        if ending:
            return


def _last_end(held: bytearray, quoted: bool) -> int:
    """Where the last whole line ends; 0 where none does."""
    last = stop = held.rfind(b"\n") + 1
    if not quoted:
        return stop
    within = held.count(b'"', 0, stop) % 2
    while stop and within:
        before = held.rfind(b"\n", 0, stop - 1) + 1
        within ^= held.count(b'"', before, stop) % 2
        stop = before
    # A mark that is never closed must not keep a file from being read.
    return stop or (last if len(held) > LONGEST else 0)
