"""Bodies of answers as they come: unpacked, capped, and cut into pieces of whole lines."""

import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hcrm_core.errors import FetchError, UnavailableError

CHUNK = 1 << 16
PIECE_BYTES = 1 << 20
PIECE_LINES = 500


class Piece(NamedTuple):
    """Whole lines of a body.

    Attributes:
        line: Number of the first, from 0.
        body: The lines, as they came.
        last: Whether no more follow.
    """

    line: int
    body: bytes
    last: bool


def unpacked(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The chunks of a body without the content encoding, each of bounded size however well it was packed.

    Raises:
        FetchError: The encoding is none we asked for.
        UnavailableError: It was packed badly, or ends in the middle.
    """
    if encoding in ("", "identity"):
        yield from chunks
        return
    if encoding not in ("gzip", "x-gzip"):
        raise FetchError(f"The server packs its answer as {encoding[:40]!r}, which we did not ask for (gzip at most).")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            while chunk:
                if unpacker.eof:  # a further member
                    unpacker = zlib.decompressobj(wbits=31)
                yield unpacker.decompress(chunk, CHUNK)
                chunk = unpacker.unconsumed_tail or unpacker.unused_data
        while rest := unpacker.decompress(b"", CHUNK):
            yield rest
    except zlib.error:
        raise UnavailableError("The server's answer is packed badly.") from None
    if not unpacker.eof:
        raise UnavailableError("The server's answer ends in the middle.")


def whole(chunks: Iterator[bytes], limit: int) -> bytes:
    """A body in one.

    Raises:
        FetchError: It is longer than the limit.
    """
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise FetchError(
                f"The server's answer is longer than {limit:,} bytes, unpacked. Let it give less at once, or raise the "
                "source's pull.page_bytes."
            )
    return bytes(body)


def pieces(chunks: Iterator[bytes], skip: int, limit: int) -> Iterator[Piece]:
    """A body of any length in pieces of whole lines; at least one, and the last is known as such.

    Args:
        chunks: As they come.
        skip: How many lines to pass over.
        limit: The longest line in bytes.

    Raises:
        FetchError: A line is longer.
    """
    first, lines, size = skip, list[bytes](), 0
    for number, line in enumerate(_lines(chunks, limit)):
        if number < skip:
            continue
        if len(lines) >= PIECE_LINES or size >= PIECE_BYTES:
            yield Piece(first, b"".join(lines), last=False)
            first, lines, size = number, [], 0
        lines.append(line)
        size += len(line)
    yield Piece(first, b"".join(lines), last=True)


def _lines(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    number, begun = 0, bytearray()
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            begun += part + b"\n"
            _require(len(begun), limit, number)
            yield bytes(begun)
            begun.clear()
            number += 1
        begun += rest
        _require(len(begun), limit, number)
    if begun:
        yield bytes(begun)


def _require(size: int, limit: int, number: int) -> None:
    if size > limit:
        raise FetchError(
            f"Line {number + 1:,} of the server's answer is longer than {limit:,} bytes. If its messages are so long, "
            "raise the source's pull.line_bytes."
        )


def arriving(read: Callable[[int], bytes], monotonic: Callable[[], float], seconds: float) -> Iterator[bytes]:
    """The chunks of a body as a connection gives them.

    Args:
        read: Gives what has come, at most so many bytes; none at the end.
        monotonic: A clock.
        seconds: How long each 64 KiB may take, so that nobody holds us by a byte a minute.

    Raises:
        UnavailableError: They took longer.
    """
    came, waited = 0, 0.0
    while True:
        before = monotonic()
        chunk = read(CHUNK)
        waited += monotonic() - before  # and not what is done with it meanwhile
        if not chunk:
            return
        came += len(chunk)
        if came >= CHUNK:
            came, waited = 0, 0.0
        elif waited > seconds:
            raise UnavailableError(f"The server's answer comes too slowly: less than 64 KiB in {seconds:g} seconds.")
        yield chunk
