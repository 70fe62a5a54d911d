"""Short texts made small: by Zstandard (RFC 8878), with a vocabulary both sides know, since a record or a message is
too short to have its own.

What is packed stays readable for ever, so a vocabulary is never changed: a better one gets another mark. How one is
made is in `vocabulary.py`.
"""

import threading
from pathlib import Path

import zstandard

RECORDS = "records"
MESSAGES = "messages"
"""The vocabularies: JSON of records' fields; messages as received."""

_FOLDER = Path(__file__).parent / "data"
_LEVEL = 3
_PLAIN = b"\x00"
_MARKS = {RECORDS: b"\x03", MESSAGES: b"\x04"}
_NAMES = {mark[0]: name for name, mark in _MARKS.items()}


def vocabulary_file(name: str) -> Path:
    """Where a vocabulary lies."""
    return _FOLDER / f"{name}.zstd-dictionary"


class _Packers(threading.local):
    """One vocabulary's packer and unpacker; each thread has its own, as neither may be shared."""

    def __init__(self, text: bytes) -> None:
        vocabulary = zstandard.ZstdCompressionDict(text)
        magicless = zstandard.FORMAT_ZSTD1_MAGICLESS  # the mark says what it is, in one byte and not in four
        parameters = zstandard.ZstdCompressionParameters.from_level(
            _LEVEL, format=magicless, write_content_size=True, write_checksum=False, write_dict_id=False
        )
        # What is worked out from a vocabulary once costs more than packing a record.
        vocabulary.precompute_compress(compression_params=parameters)
        self.pack = zstandard.ZstdCompressor(compression_params=parameters, dict_data=vocabulary).compress
        self.unpack = zstandard.ZstdDecompressor(dict_data=vocabulary, format=magicless).decompress


_PACKERS = {name: _Packers(vocabulary_file(name).read_bytes()) for name in _MARKS}


def pack(plain: bytes, vocabulary: str = RECORDS) -> bytes:
    """Make a short text small; equal texts give equal bytes."""
    packed = _PACKERS[vocabulary].pack(plain)
    return _MARKS[vocabulary] + packed if len(packed) < len(plain) else _PLAIN + plain


def unpack(packed: bytes) -> bytes:
    """The text that was given to `pack`, whatever its vocabulary."""
    name = _NAMES.get(packed[0])
    return _PACKERS[name].unpack(packed[1:]) if name else packed[1:]
