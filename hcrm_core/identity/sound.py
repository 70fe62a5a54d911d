"""How Chinese names are written and sound: simplified characters, pinyin without tones, and surnames read as surnames.

The characters come from OpenCC, the readings from pypinyin; both are loaded when the first Chinese name is seen.
"""

import os
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any
from unicodedata import normalize

from msgspec import Struct, convert


class Surnames(Struct, frozen=True):
    """`data/surnames.toml`."""

    compound: frozenset[str]
    as_surname: dict[str, str]
    misread: dict[str, str]


@lru_cache(maxsize=1)
def surnames() -> Surnames:
    """The surnames that need to be known, read at the first call."""
    text = (files(__package__) / "data" / "surnames.toml").read_text("utf-8")
    return convert(tomllib.loads(text), Surnames)


@lru_cache(maxsize=65536)
def simplified(text: str) -> str:
    """A text in simplified characters."""
    return str(_converter().convert(text))


@lru_cache(maxsize=16384)
def syllables(character: str) -> tuple[str, ...]:
    """The readings of a character without tones, the usual one first; ü is u."""
    readings = _readings().get(ord(character), "")
    found = (_toneless(reading) for reading in readings.split(",") if reading)
    return tuple(dict.fromkeys(found)) or (character,)


@lru_cache(maxsize=8192)
def surname_sounds(family: str) -> tuple[str, ...]:
    """How a surname sounds: as a surname, and then as it is read by those who do not know."""
    usual = "".join(syllables(character)[0] for character in family)
    known = surnames()
    found = [known.as_surname.get(family, usual), usual]
    if family in known.misread:
        found.append(known.misread[family])
    if family in known.as_surname and len(family) == 1:
        found += syllables(family)
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=4096)
def _toneless(reading: str) -> str:
    return "".join(letter for letter in normalize("NFD", reading) if letter.isascii())


@lru_cache(maxsize=1)
def _readings() -> dict[int, str]:
    # Names are read character by character: the phrases would cost a tenth of a second and as many megabytes again.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin.constants import PINYIN_DICT

    return PINYIN_DICT


@lru_cache(maxsize=1)
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")
