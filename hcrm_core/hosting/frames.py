"""Frames between the core and a host: a four-byte length, then one msgpack value."""

import socket
import time
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

_CHUNK = 1 << 20


class Request(Struct, array_like=True):
    """What a host is asked.

    Attributes:
        verb: One of its verbs.
        seconds: How long the answer may take.
        body: The verb's argument, encoded.
    """

    verb: str
    seconds: float
    body: msgspec.Raw


class Answer(Struct, array_like=True):
    """What a host answers.

    Attributes:
        body: The result, encoded.
        more: Whether a further answer to the same request follows.
        error: The name of an error of `hcrm_core.errors`, where the request could not be met; then `text` says why.
        text: One or more sentences for people.
    """

    body: msgspec.Raw = msgspec.Raw(b"\xc0")
    more: bool = False
    error: str = ""
    text: str = ""


encode: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(Request).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode


def send(line: socket.socket, value: Any) -> None:
    """Write one frame."""
    body = encode(value)
    line.sendall(len(body).to_bytes(4, "big"))
    line.sendall(body)


def receive(line: socket.socket, until: float | None = None, limit: int = 1 << 31) -> bytes | None:
    """Read one frame; `None` at the end of the stream, also where it ends inside a frame.

    Args:
        line: The socket.
        until: Give up then (`time.monotonic`).
        limit: The longest frame in bytes.

    Raises:
        TimeoutError: It did not come in time.
        ValueError: It is longer than the limit.
    """
    head = _exactly(line, 4, until)
    if head is None:
        return None
    length = int.from_bytes(head, "big")
    if length > limit:
        raise ValueError(f"a frame of {length:,} bytes is longer than {limit:,}")
    body = _exactly(line, length, until)
    return None if body is None else bytes(body)


def _exactly(line: socket.socket, length: int, until: float | None) -> bytearray | None:
    # Grown as it comes: a length alone must not cost memory.
    read = bytearray()
    while len(read) < length:
        if until is not None:
            line.settimeout(max(until - time.monotonic(), 0.001))
        chunk = line.recv(min(length - len(read), _CHUNK))
        if not chunk:
            return None
        read += chunk
    return read
