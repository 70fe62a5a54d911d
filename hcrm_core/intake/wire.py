"""The frames between the core and its translation workers: a four-byte length, then one msgpack value."""

from typing import IO, Any

import msgspec
from msgspec import Struct

from hcrm_core.intake.said import Told

_encoder = msgspec.msgpack.Encoder()


class Job(Struct, array_like=True):
    """Payloads of one source to translate."""

    source: str
    adapter: str | None
    payloads: list[bytes]


class Answer(Struct, array_like=True):
    """What a job came to: encoded translations in the order of its payloads, or the sentence why there are none."""

    translations: list[msgspec.Raw]
    error: str | None = None


def encode(told: Told) -> msgspec.Raw:
    """A translation as it travels."""
    return msgspec.Raw(_encoder.encode(told))


def send(stream: IO[bytes], value: Any) -> None:
    """Write one frame."""
    body = _encoder.encode(value)
    stream.write(len(body).to_bytes(4, "big") + body)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Read one frame's body; `None` at the end of the stream, also when it ends inside a frame."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    length = int.from_bytes(head, "big")
    body = stream.read(length)
    return body if len(body) == length else None


decode_job = msgspec.msgpack.Decoder(Job).decode
decode_translation = msgspec.msgpack.Decoder(Told).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode
