"""Our own reader of HL7 v2: from bytes to values, lenient in what it accepts and strict in reporting it.

``split_messages`` cuts a file into messages, ``read_message`` makes one readable, and ``Message.get``
or the functions of ``compile_paths`` and ``compile_rows`` read values by HL7's own references.
Whatever the bytes are, the only exception is :class:`UnreadableMessage`.
"""

from .charset import Decoded, decode, default_codec
from .delimiters import Delimiters
from .framing import FileRemark, RawMessage, split_messages
from .message import Message, read_message
from .path import Path, parse_path
from .prepared import compile_paths, compile_rows
from .report import Repair, UnreadableMessage, Where
from .segment import Segment
from .values import NULL, Null, Value
from .written import encode

__all__ = [
    "NULL",
    "Decoded",
    "Delimiters",
    "FileRemark",
    "Message",
    "Null",
    "Path",
    "RawMessage",
    "Repair",
    "Segment",
    "UnreadableMessage",
    "Value",
    "Where",
    "compile_paths",
    "compile_rows",
    "decode",
    "default_codec",
    "encode",
    "parse_path",
    "read_message",
    "split_messages",
]
