"""Escape sequences in values (HL7 v2.5.1 §2.7): what they stand for, and which ones are broken."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from .delimiters import Delimiters

# HL7 names formatting commands for FT fields only (§2.7.6), but senders use them in ST and TX as well.
_LINES: Final = {".br": 1, ".ce": 1, ".sp": 1}
_NO_TEXT: Final = frozenset({"H", "N", ".fi", ".nf", ".in", ".ti"})
_MOST_LINES: Final = 999


class Unescaped(NamedTuple):
    """A value and how many escape characters in it could not be understood and were kept."""

    text: str
    kept: int


def unescape(text: str, delimiters: Delimiters, charset: str) -> Unescaped:
    r"""Replace the escape sequences of a value by what they stand for.

    ``\F\ \S\ \T\ \R\ \E\`` are the delimiters and ``\P\`` the truncation character; ``\X..\`` is bytes of
    the message's charset; ``\.br\`` and ``\.sp\`` are line ends; highlighting is dropped. Sequences of
    sender and receiver's own (``\Z..\``), charset switches (``\C..\``, ``\M..\``) and broken ones are
    kept as they came.

    Args:
        text: A raw value.
        delimiters: Those of its message.
        charset: The codec its message was decoded with.
    """
    escape = delimiters.escape
    kept = 0
    # A run of hex sequences is one text: its characters may be spread over several sequences.
    pieces: list[str] = []
    end = 0
    for match in _sequences(escape).finditer(text):
        meaning = _meaning(match, delimiters, charset)
        if meaning is None:
            kept += 1
            meaning = match[0]
        pieces += (text[end : match.start()], meaning)
        end = match.end()
    pieces.append(text[end:])
    return Unescaped("".join(pieces), kept)


@lru_cache(maxsize=64)
def _sequences(escape: str) -> re.Pattern[str]:
    e = re.escape(escape)
    return re.compile(
        f"(?P<hex>(?:{e}X(?:[0-9A-Fa-f]{{2}})+{e})+)"
        f"|{e}(?P<letter>[FSTREHNP]){e}"
        f"|{e}(?P<command>\\.[a-z]{{2}}) ?(?P<number>[+-]?[0-9]{{0,4}}){e}"
        f"|{e}[CMZ][0-9A-Za-z]{{0,64}}{e}"
        f"|{e}"
    )


def _meaning(match: re.Match[str], delimiters: Delimiters, charset: str) -> str | None:
    """Return what one sequence stands for, or None to keep it."""
    if match["hex"]:
        return _from_hex(match["hex"], delimiters.escape, charset)
    if match["letter"]:
        return _of_letter(match["letter"], delimiters)
    command = match["command"]
    if command in _NO_TEXT:
        return ""
    if command in _LINES:
        return "\n" * min(int(match["number"] or 1), _MOST_LINES)
    if command == ".sk":
        return " " * min(int(match["number"] or 1), _MOST_LINES)
    return None


def _of_letter(letter: str, delimiters: Delimiters) -> str | None:
    if letter in _NO_TEXT:
        return ""
    if letter == "P":
        return delimiters.truncation if delimiters.truncation != "\r" else "#"
    name = {"F": "field", "S": "component", "T": "subcomponent", "R": "repetition", "E": "escape"}[letter]
    character: str = getattr(delimiters, name)
    return character if character != "\r" else None


def _from_hex(sequences: str, escape: str, charset: str) -> str | None:
    digits = sequences.replace(escape, "").replace("X", "")
    try:
        text = bytes.fromhex(digits).decode("utf-8" if charset == "ascii" else charset)
    except UnicodeDecodeError:
        return None
    # Databases refuse NUL in text, and no value means one.
    return None if "\0" in text else text
