"""From the bytes of one message to its text, strictly: a wrong charset is refused, never guessed away.

Text is decoded before anything is split, because in GBK, GB 18030, BIG-5, Shift-JIS and ISO 2022 the
second byte of a character can equal a delimiter: 464 GBK ideographs end in a backslash, ``^``, ``|``
or ``~``. MSH-18, which names the charset, stands behind such text itself; see :func:`_declared`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .charset_names import WIDE, codec_of, key
from .report import Repair, UnreadableMessage, Where

MSH_18: Final = Where(line=1, segment="MSH", field=18)

# The codecs whose characters may contain the byte of a delimiter; no other can hide MSH-18.
_COLLIDING: Final = ("gb18030", "cp950", "big5hkscs", "cp932", "iso2022_jp_ext")
_SINGLE_BYTE: Final = ("iso8859-", "cp125", "koi8-r", "tis-620")
_SHOWN_NAME: Final = 24
_SET: Final = "set `charset` of the source to the one the sender really uses"
_ADVICE: Final = f"{_SET}, and `ignore_msh_18 = true`"

# MSH-18 as bytes → its codec, for the names under which no character can hide a delimiter.
_PLAIN: Final[dict[bytes, str]] = dict.fromkeys((b"UNICODE UTF-8", b"UTF-8", b"UTF8", b"utf-8", b"UNICODE"), "utf-8")


class Decoded(NamedTuple):
    """The text of one message.

    Attributes:
        text: The message; begins with ``MSH``.
        charset: The Python codec it was decoded with.
        repairs: Fallbacks taken and doubts about the declared charset.
    """

    text: str
    charset: str
    repairs: list[Repair]


def decode(raw: bytes, default_charset: str | None = None, *, override: bool = False) -> Decoded:
    """Return the text of one message, decoded strictly by the charset it declares.

    A message that declares nothing or ASCII (HL7 v2.5.1 §2.15.9.18: the default) but holds other
    bytes is read as UTF-8 if it is valid UTF-8, else by the source's charset; both are reported. A
    message that declares any other charset is read by that charset alone.

    Args:
        raw: The message from its ``MSH`` on, without MLLP framing or byte order mark.
        default_charset: The charset configured for the source, by any name of table 0211, for
            messages that do not declare theirs.
        override: Take ``default_charset`` whatever MSH-18 says, for a sender known to declare a wrong one.

    Returns:
        The text, the codec used and the repairs.

    Raises:
        UnreadableMessage: The bytes are not text of the charset, the charset is unknown or UTF-16/32,
            or the message holds NUL bytes.
        ValueError: ``default_charset`` is not a charset name the reader knows.
    """
    return Decoded(*decode_parts(raw, default_charset, override))


def decode_parts(raw: bytes, default_charset: str | None, override: bool) -> tuple[str, str, list[Repair]]:
    """Do what :func:`decode` says; apart from it because a named tuple costs a tenth of the decoding."""
    if len(raw) < 4 or not raw.startswith(b"MSH"):
        raise UnreadableMessage("the message must begin with MSH and a delimiter", Where(byte=0))
    end = raw.find(b"\r")
    head = raw[:end] if end > 0 else raw
    if b"\n" in head:
        head = head.partition(b"\n")[0]
    fields = head.split(raw[3:4], 18)
    plain = _PLAIN.get(fields[17]) if len(fields) > 17 else None
    if plain is not None and not override:
        try:
            text = raw.decode(plain)
        except UnicodeDecodeError as error:
            raise _refuse_bytes(error, fields[17].decode("ascii")) from None
        if "\0" in text:
            raise _refuse_nul(raw)
        return text, plain, _lost(text)
    if b"\0" in raw:
        raise _refuse_nul(raw)
    default = default_codec(default_charset)
    if override and default is not None:
        return _strictly(raw, default, "the charset set for the source", [])
    return _decode_declared(raw, _declared(head, default), default)


def default_codec(name: str | None) -> str | None:
    """Return the codec of a configured charset name; None stays None.

    Raises:
        ValueError: The name is not known.
    """
    if name is None:
        return None
    codec = codec_of(name)
    if codec is None:
        raise ValueError(f"`{name}` is not a charset HCRM knows; write for example GB18030 or UTF-8")
    return codec


def codec_declared(header: str) -> str | None:
    """Return the codec that MSH-18 of a header segment asks for; None where its name is not known."""
    return _codec_of_field(_field_18(header))


def _declared(head: bytes, default: str | None) -> str:
    """Return MSH-18 as text, found even when characters before it hide or fake delimiters.

    A byte-level split is trusted only if decoding by the charset it finds gives the same answer.
    Otherwise each charset that can hide delimiters is tried, and the one under which MSH-18 names that
    very charset is right: it is the only reading that agrees with itself.
    """
    found = _field_18(head.decode("latin-1"))
    if head.isascii() and b"\x1b" not in head:
        return found
    codec = _codec_of_field(found)
    # ISO 2022 is ASCII to the eye: a header with its escape sequences agrees with ASCII whatever they hide.
    hidden = codec == "ascii" and b"\x1b" in head
    if codec is not None and not hidden and _reads_as(head, codec) == found:
        return found
    for candidate in _COLLIDING:
        name = _reads_as(head, candidate)
        if name is not None and _codec_of_field(name) == candidate:
            return name
    name = _reads_as(head, default) if default is not None else None
    return found if name is None else name


def _field_18(head: str) -> str:
    if len(head) < 4:
        return ""
    fields = head.split(head[3], 18)
    return fields[17].strip() if len(fields) > 17 else ""


def _reads_as(head: bytes, codec: str) -> str | None:
    try:
        return _field_18(head.decode(codec))
    except UnicodeDecodeError:
        return None


def _codec_of_field(name: str) -> str | None:
    """Return the codec MSH-18 asks for; its repetitions after the first are charsets switched to."""
    names = name.split("~")
    codecs = [codec_of(each) if each.strip() else "ascii" for each in names]
    # ISO 2022 starts in ASCII and switches by escape sequences: its codec covers the first name too.
    return "iso2022_jp_ext" if "iso2022_jp_ext" in codecs else codecs[0]


def _decode_declared(raw: bytes, name: str, default: str | None) -> Decoded:
    codec = _codec_of_field(name)
    if raw.isascii() and codec != "iso2022_jp_ext":
        return _decode_ascii(raw, name, codec, default)
    if codec is None:
        raise _refuse_name(name)
    if codec == "ascii":
        return _decode_undeclared(raw, "declares ASCII" if name else "declares no charset", default)
    repairs = []
    if codec.startswith((*_SINGLE_BYTE, "gb18030", "cp950")) and _try(raw, "utf-8") is not None:
        text = f"declares {_shown(name)} but is also valid UTF-8; it was read as declared: check the sender"
        repairs.append(Repair("charset-doubt", MSH_18, text))
    return _strictly(raw, codec, _shown(name), repairs)


def _decode_ascii(raw: bytes, name: str, codec: str | None, default: str | None) -> Decoded:
    """Read a message without a single non-ASCII byte: every charset known here agrees on it."""
    repairs = []
    if codec is None:
        text = f"{_shown(name)} is not a charset HCRM reads; the message holds ASCII only and was read as that"
        repairs.append(Repair("charset-unknown", MSH_18, text))
    charset = codec if codec not in (None, "ascii") else default
    return Decoded(raw.decode("ascii"), charset or "ascii", repairs)


def _decode_undeclared(raw: bytes, what: str, default: str | None) -> Decoded:
    """Read a message with non-ASCII bytes that declares ASCII or nothing."""
    text = _try(raw, "utf-8")
    if text is not None and default not in (None, "utf-8", "ascii") and max(text) < "\u0800":
        # A short Chinese name in GBK can by chance be valid UTF-8, but then reads as two-byte
        # letters (Cyrillic, Arabic); a source set to a charset that also fits is believed first.
        other = _try(raw, str(default))
        if other is not None:
            note = f"{what}; its bytes fit UTF-8 and the source's {default}: read as the source's charset"
            return Decoded(other, str(default), [Repair("charset-ambiguous", MSH_18, note)])
    if text is not None:
        repair = Repair("charset-fallback", MSH_18, f"{what} but holds other bytes, which are UTF-8: read as that")
        return Decoded(text, "utf-8", [repair, *_lost(text)])
    if default in (None, "utf-8", "ascii"):
        start = _first_misfit(raw)
        reason = f"the message {what}, and its bytes are neither ASCII nor UTF-8; {_SET}"
        raise UnreadableMessage(reason, Where(byte=start))
    repair = Repair("charset-fallback", MSH_18, f"{what} but holds other bytes: read as the source's {default}")
    return _strictly(raw, str(default), f"the source's {default}", [repair])


def _strictly(raw: bytes, codec: str, shown: str, repairs: list[Repair]) -> Decoded:
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError as error:
        raise _refuse_bytes(error, shown) from None
    if not text.startswith("MSH"):
        raise UnreadableMessage(f"the message does not begin with MSH when read as {shown}; {_ADVICE}")
    return Decoded(text, codec, repairs + _lost(text))


def _try(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError:
        return None


def _first_misfit(raw: bytes) -> int:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _lost(text: str) -> list[Repair]:
    if "\ufffd" not in text:
        return []
    sentence = "the sender's text already holds replacement characters (U+FFFD): something was lost before it came"
    return [Repair("lost-characters", Where(), sentence)]


def _shown(name: str) -> str:
    """Return a declared charset for a sentence; what is too long to be one might be a patient's data."""
    return f"`{name}`" if len(name) <= _SHOWN_NAME and name.isascii() else f"a name of {len(name)} characters"


def _refuse_bytes(error: UnicodeDecodeError, shown: str) -> UnreadableMessage:
    return UnreadableMessage(f"the bytes here are not text in {shown}; {_ADVICE}", Where(byte=error.start))


def _refuse_name(name: str) -> UnreadableMessage:
    if any(key(each) in WIDE for each in name.split("~")):
        return UnreadableMessage("HCRM does not read UTF-16 or UTF-32; let the sender send UTF-8", MSH_18)
    return UnreadableMessage(f"MSH-18 holds {_shown(name)}, which is no charset HCRM reads; {_ADVICE}", MSH_18)


def _refuse_nul(raw: bytes) -> UnreadableMessage:
    at = Where(byte=raw.index(b"\0"))
    if looks_wide(raw):
        return UnreadableMessage("the message is UTF-16 or UTF-32; let the sender send UTF-8", at)
    return UnreadableMessage(
        "the message holds a NUL byte, so it is damaged or no text; ask the sender to repeat it", at
    )


def looks_wide(data: bytes) -> bool:
    """Tell whether the bytes begin as UTF-16 or UTF-32 text does: by a byte order mark or ``MSH`` with NULs."""
    start = data[:64].lstrip(b"\r\n\x0b")[:16]
    if start.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        return True
    return b"\0" in start[:3] and start.replace(b"\0", b"").startswith((b"MSH", b"FHS", b"BHS"))
