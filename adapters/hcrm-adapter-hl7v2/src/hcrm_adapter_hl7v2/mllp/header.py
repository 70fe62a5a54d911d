"""What an acknowledgment takes over from the header of the message it answers (HL7 v2.5.1 §2.15.9)."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from hcrm_adapter_hl7v2.reader import Delimiters, UnreadableMessage, decode
from hcrm_adapter_hl7v2.reader.delimiters import delimiters_of
from hcrm_adapter_hl7v2.splitting import header_line

# An answer is not to grow with the question, and no header is so long.
_LONGEST: Final = 65_536
_FIELDS: Final = 18
_FRAMING: Final = str.maketrans("", "", "\x0b\x1c")
_VERSION: Final = re.compile(r"2\.(\d)(?:\.(\d))?\b")
_TEXT_OF_NOTHING: Final = "MSH|^~\\&|||HCRM|" + "|" * 11


class Header(NamedTuple):
    """The header of a message.

    Attributes:
        fields: Raw text of MSH-1 to MSH-18, so that MSH-3 is ``fields[2]``; empty where absent.
        delimiters: Those it declares.
        codec: What it was decoded with.
        version: Of HL7, (5, 1) being 2.5.1; that where MSH-12 does not say.
    """

    fields: list[str]
    delimiters: Delimiters
    codec: str
    version: tuple[int, int]


def read_header(payload: bytes, charset: str | None, override: bool) -> Header:
    """Read the header of a message, or an empty one sent to `HCRM` where the bytes have none that is readable.

    Text is decoded before it is split: in GB 18030 a character's second byte can equal a delimiter.

    Args:
        payload: The message; may be empty or cut short.
        charset: The source's charset, for headers that declare none.
        override: Whether that holds whatever MSH-18 says.
    """
    start = payload[:_LONGEST]
    line = header_line(start)
    text, codec = _decoded(line, charset, override)
    try:
        delimiters = delimiters_of(text)
    except UnreadableMessage:
        text, codec = _TEXT_OF_NOTHING, "ascii"
        delimiters = delimiters_of(text)
    fields = text.split(delimiters.field, _FIELDS)
    if len(fields) < 11 and len(line) == len(start):
        # The line has no end and nothing behind MSH-10: the half of an id would acknowledge another message.
        del fields[9:]
    fields[0] = delimiters.field
    fields += [""] * (_FIELDS - len(fields))
    return Header(fields, delimiters, codec, _version(fields[11]))


def _decoded(line: bytes, charset: str | None, override: bool) -> tuple[str, str]:
    if line.isascii() and b"\x1b" not in line:
        text, codec = line.decode("ascii"), "ascii"
    else:
        try:
            text, codec, _ = decode(line, charset, override=override)
        except UnreadableMessage:
            text, codec = line.decode("latin-1"), "latin-1"
    return text.translate(_FRAMING) if "\x0b" in text or "\x1c" in text else text, codec


@lru_cache(maxsize=64)
def _version(said: str) -> tuple[int, int]:
    found = _VERSION.match(said)
    return (int(found[1]), int(found[2] or 0)) if found else (5, 1)
