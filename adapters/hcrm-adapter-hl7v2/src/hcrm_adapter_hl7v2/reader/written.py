"""A message that a person wrote as text, as the bytes a sender would send."""

from __future__ import annotations

import re

from .charset import codec_declared, default_codec


def encode(text: str, default_charset: str | None = None, override: bool = False) -> bytes:
    """Return the bytes that :func:`decode`, asked with the same charset, reads as this text.

    Args:
        text: A message; its segments end at any line break, and blanks before them do not count.
        default_charset: Of the source.
        override: Whether it holds whatever MSH-18 says.
    """
    lines = [line.lstrip() for line in re.split(r"\r\n|\r|\n", text.strip())]
    default = default_codec(default_charset)
    codec = default if override else codec_declared(lines[0])
    if codec in (None, "ascii"):
        codec = default or "utf-8"
    whole = "\r".join(lines)
    try:
        return whole.encode(str(codec))
    except UnicodeEncodeError:  # reading it says what is wrong
        return whole.encode()
