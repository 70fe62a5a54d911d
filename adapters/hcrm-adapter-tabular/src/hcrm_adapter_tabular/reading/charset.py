"""Which charset a text file is written in."""

import codecs
from itertools import islice

from hcrm_core.api import InputError

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PIECE = 1 << 20
_LINES = 10_000


def charset_of(data: bytes, told: str | None) -> str:
    """The codec of a text file.

    A byte order mark decides; else the setting; else UTF-8 where the file is that, or most of its lines beyond ASCII
    are; else GB18030 where it is that; else the one of the two in which fewer bytes are wrong.

    Args:
        data: The file.
        told: The setting `charset`.

    Raises:
        InputError: It is no text.
    """
    for mark, codec in BOMS:
        if data.startswith(mark):
            return codec
    if told is not None:
        return told
    # A few zero bytes cost their rows; UTF-16 has one for every sign of ASCII.
    if data[:_PIECE].count(0) * 100 > len(data[:_PIECE]):
        raise InputError("it holds zero bytes, so it is no text, or UTF-16 without its mark; save it as UTF-8")
    if _mostly_utf_8(data):
        return "utf-8"
    wrong = {codec: _wrong(data, codec) for codec in ("utf-8", "gb18030")}
    return min(wrong, key=lambda codec: wrong[codec])


def codec_named(name: str) -> str:
    """The codec of a charset's name.

    Raises:
        ValueError: There is none.
    """
    wanted = {"gbk": "gb18030", "gb2312": "gb18030", "unicode": "utf-16"}.get(name.strip().lower(), name)
    try:
        return codecs.lookup(wanted).name
    except LookupError:
        raise ValueError(f"there is no charset {name!r}; write UTF-8, GB18030 or UTF-16") from None


def _mostly_utf_8(data: bytes) -> bool:
    """Whether more lines beyond ASCII are UTF-8 than are not: a GB18030 text of some length is so by no chance."""
    try:
        data.decode()
    except UnicodeDecodeError:
        pass
    else:
        return True
    more = 0
    for line in islice((one for one in data.splitlines() if not one.isascii()), _LINES):
        try:
            line.decode()
            more += 1
        except UnicodeDecodeError:
            more -= 1
    return more > 0


def _wrong(data: bytes, codec: str) -> int:
    """How many bytes are none of a codec; counting ends where it is clear."""
    count = 0
    decoder = codecs.getincrementaldecoder(codec)("surrogateescape" if codec == "utf-8" else "replace")
    for at in range(0, len(data), _PIECE):
        text = decoder.decode(data[at : at + _PIECE], at + _PIECE >= len(data))
        if not text.isascii():
            lost = "�" if codec != "utf-8" else ""
            count += text.count(lost) if lost else sum("\udc80" <= one <= "\udcff" for one in text)
        if count > 1000:
            break
    return count
