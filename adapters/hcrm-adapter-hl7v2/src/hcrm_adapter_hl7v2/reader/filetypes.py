"""Why a file holds no HL7 v2 message: what it is instead, in a sentence its owner understands."""

from __future__ import annotations

import re
from typing import Final

from .charset import looks_wide

_MAGIC: Final = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"{\\rtf", "an RTF document"),
)
_XML: Final = re.compile(rb"<[?!A-Za-z]")
_SEGMENT: Final = re.compile(rb"[A-Z][A-Z0-9]{2}\|")


def why_not_hl7(data: bytes, has_wrapper: bool, thing: str = "file") -> str:
    """Return one sentence on why a file without a message start holds no message.

    Args:
        data: The whole file.
        has_wrapper: Whether a batch or file wrapper segment was found in it.
        thing: What the sentence calls it.
    """
    text = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x0b")
    if not data:
        return f"the {thing} is empty"
    if looks_wide(data):
        return f"the {thing} is UTF-16 or UTF-32 text, which HCRM does not read; let the sender write UTF-8"
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return f"the {thing} is {name}, not HL7 v2"
    if not data.strip(b"\0"):
        return f"the {thing} holds nothing but NUL bytes; its writer may have failed half-way"
    if not text.strip():
        return f"the {thing} holds nothing but blanks"
    if has_wrapper:
        return f"the {thing} has a batch or file wrapper but no MSH segment in it, so it carries no message"
    if b"\0" in text:
        return f"the {thing} is binary, not HL7 v2"
    if _XML.match(text):
        return f"the {thing} is XML or HTML; HCRM reads HL7 v2 in its usual encoding with delimiters only"
    if text.startswith((b"{", b"[{")):
        return f"the {thing} is JSON, not HL7 v2"
    if _SEGMENT.match(text):
        return (
            f"the {thing} has segments but no MSH segment, so nothing says how to read them; its beginning may be lost"
        )
    return f"the {thing} is text without an MSH segment, so it is not HL7 v2"
