"""The names senders write in MSH-18 (HL7 table 0211), and the Python codec each one means."""

from __future__ import annotations

import re
from typing import Final

# GB2312 and GBK are subsets of GB 18030, and senders that declare the old names send characters of
# the new one (names of people), so all three read as GB 18030. Likewise cp950 and cp949 hold all of
# BIG-5 and KS X 1001.
_CODECS: Final[dict[str, tuple[str, ...]]] = {
    "ascii": ("ASCII", "USASCII", "ANSIX34", "ISO646", "ISOIR6", "ISO646US", "7BIT"),
    "utf-8": ("UNICODEUTF8", "UTF8", "UNICODE", "UNICODEUTF", "ISO10646UTF8"),
    "gb18030": (
        "GB180302000",
        "GB180302005",
        "GB180302022",
        "GB18030",
        "GBK",
        "CP936",
        "WINDOWS936",
        "GB2312",
        "GB23121980",
        "GB231280",
        "EUCCN",
        "ISOIR58",
    ),
    "cp950": ("BIG5", "CP950", "WINDOWS950"),
    "big5hkscs": ("BIG5HKSCS", "HKSCS"),
    "cp949": ("KSX1001", "KSC5601", "EUCKR", "CP949", "UHC", "ISOIR149"),
    "iso2022_jp_ext": (
        "ISOIR14",
        "ISOIR13",
        "ISOIR87",
        "ISOIR159",
        "JISX0201",
        "JISX0208",
        "JISX0212",
        "JISX02081990",
        "JISX02121990",
        "ISO2022JP",
    ),
    "cp932": ("SHIFTJIS", "SJIS", "CP932", "WINDOWS31J"),
    "euc_jp": ("EUCJP",),
    "koi8-r": ("KOI8R",),
    "tis-620": ("TIS620",),
}
_PARTS_OF_8859: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)
_WINDOWS: Final = (1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258)
_ISO_IR_OF_8859: Final = {100: 1, 101: 2, 109: 3, 110: 4, 144: 5, 127: 6, 126: 7, 138: 8, 148: 9}
_8859_OF_LATIN: Final = (1, 2, 3, 4, 9, 10, 13, 14, 15)

WIDE: Final = frozenset(
    {
        "UNICODEUTF16",
        "UNICODEUTF32",
        "UTF16",
        "UTF32",
        "UTF16LE",
        "UTF16BE",
        "UTF32LE",
        "UTF32BE",
        "UCS2",
        "UCS4",
        "ISO10646UCS2",
        "UNICODEUTF16LE",
        "UNICODEUTF16BE",
    }
)
"""Names (as :func:`key` writes them) of the encodings whose delimiters are not single bytes."""

_NOISE: Final = re.compile(r"[^0-9A-Z]+")


def key(name: str) -> str:
    """Return the spelling that names are compared by: upper case, without spaces and punctuation."""
    return _NOISE.sub("", name.upper())


def _table() -> dict[str, str]:
    table = {name: codec for codec, names in _CODECS.items() for name in names}
    for part in _PARTS_OF_8859:
        table.update(dict.fromkeys((f"8859{part}", f"ISO8859{part}", f"ISOIEC8859{part}"), f"iso8859-{part}"))
    for number in _WINDOWS:
        table.update(dict.fromkeys((f"CP{number}", f"WINDOWS{number}"), f"cp{number}"))
    for number, part in _ISO_IR_OF_8859.items():
        table[f"ISOIR{number}"] = f"iso8859-{part}"
    for number, part in enumerate(_8859_OF_LATIN, start=1):
        table[f"LATIN{number}"] = f"iso8859-{part}"
    return table


_BY_KEY: Final = _table()


def codec_of(name: str) -> str | None:
    """Return the Python codec a charset name means, or None when the reader does not know the name.

    Args:
        name: HL7's own name (``GB 18030-2000``, ``UNICODE UTF-8``, ``8859/1``; HL7 v2.5.1 §2.15.9.18,
            table 0211) or a common other spelling (``utf8``, ``GBK``, ``ISO-8859-1``).

    Returns:
        A codec for :meth:`bytes.decode`; None for an unknown name and for UTF-16 and UTF-32, which
        the reader refuses.
    """
    return _BY_KEY.get(key(name))
