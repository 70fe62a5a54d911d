"""MLLP framing (HL7 v2.5.1 Appendix C.4; MLLP Release 1): 0x0B, the message, 0x1C 0x0D.

No charset the reader accepts has a control byte of the framing, a CR or an LF within a character.
"""

from typing import Final

from hcrm_adapter_hl7v2.splitting import control_id, raw_messages
from hcrm_core.api import Connection, InputError, Problem, Received

_START: Final = b"\x0b"
_END: Final = b"\x1c"
_HEADER: Final = b"MSH"
_BLANKS: Final = b" \t\r\n"
# Whatever one of these stands in is left to the reader, which tells the mark of a message from a word in a text.
_MARKS: Final = (b"FHS", b"BHS", b"BTS", b"FTS")
_FILLER: Final = b"\r\n \t\x00\x0b\x1a\x1c"

_EMPTY: Final = Problem("empty-frame", "", "A frame held no message and was dropped.")


class MllpConnection(Connection):
    """What one sender has said: whole frames become messages, an unfinished one is held, the rest is reported.

    Lenient where nothing is at stake: a frame ends at its first 0x1C, and blanks between frames mean nothing. A 0x0B
    that begins a line of an unfinished frame, or stands directly before ``MSH``, begins a new frame: the sender gave
    the other one up, and as it was never acknowledged it will come again. Any other 0x0B in a frame is content.
    However the bytes are cut into pieces, the results are the same.
    """

    def __init__(self) -> None:
        """Begin outside of any frame."""
        # Empty, or an unfinished frame from its 0x0B on, known to hold no end and no new beginning up to `_searched`.
        self._held = bytearray()
        self._searched = 0
        self._stray = 0

    @property
    def pending(self) -> int:
        """How many bytes of an unfinished frame are held, its 0x0B included; 0 between frames."""
        return len(self._held)

    def receive(self, data: bytes) -> list[Received | Problem]:
        """Take the next bytes and give what they complete.

        Returns:
            Messages, in order. Between them problems: `stray-bytes`, once for all bytes between two frames and told
            when the second begins; `empty-frame`; `cut-short`, a frame that was given up. A frame without a message
            is one `Received` with the refusal `not-hl7`.
        """
        held = self._held
        held += data
        found: list[Received | Problem] = []
        begin, searched = 0, self._searched
        while begin < len(held):
            if held[begin] != _START[0]:
                begin, searched = self._skip(begin)
                continue
            if self._stray:
                found.append(_stray_bytes(self._stray))
                self._stray = 0
            searched = max(searched, begin + 1)
            end = held.find(_END, searched)
            while (again := self._new_start(begin, searched, end)) is not None:
                at, certain = again
                if not certain:
                    searched = at
                    break
                found.append(_given_up(bytes(held[begin + 1 : at])))
                begin, searched = at, at + 1
            else:
                searched = len(held)
            if end < 0:
                break
            found += _received(bytes(held[begin + 1 : end]))
            begin = searched = end + 1
        del held[:begin]
        self._searched = searched - begin
        return found

    def end(self) -> list[Problem]:
        """Tell what the connection's end leaves behind, `stray-bytes` or `cut-short`, and forget it."""
        left = [_stray_bytes(self._stray)] if self._stray else []
        if self._held:
            text = f"{len(self._held) - 1} bytes of a frame were dropped: the connection ended. It should come again."
            left.append(Problem("cut-short", "", text))
        self._held.clear()
        self._searched = self._stray = 0
        return left

    def _skip(self, begin: int) -> tuple[int, int]:
        """Pass over bytes outside of frames; return where the next frame begins, and where to search it from."""
        start = self._held.find(_START, begin)
        if start < 0:
            start = len(self._held)
        self._stray += len(self._held[begin:start].translate(None, _BLANKS))
        return start, start + 1

    def _new_start(self, begin: int, searched: int, end: int) -> tuple[int, bool] | None:
        """Find where a frame is begun anew before it ends, and whether that is certain or hangs on bytes to come."""
        held = self._held
        limit = end if end >= 0 else len(held)
        at = held.find(_START, searched, limit)
        while at >= 0:
            if at == begin + 1 or held[at - 1] in b"\r\n" or held.startswith(_HEADER, at + 1):
                return at, True
            if end < 0 and _HEADER.startswith(held[at + 1 : at + 4]):
                return at, False
            at = held.find(_START, at + 1, limit)
        return None


def _received(body: bytes) -> list[Received | Problem]:
    """The messages of one frame."""
    # Nearly every frame is one message and nothing else, for which the reader's splitting gives the same bytes.
    if body.startswith(b"MSH|") and body.find(_HEADER, 4) < 0 and not any(mark in body for mark in _MARKS):
        behind = len(body) - len(body.rstrip(_FILLER))
        if behind == 0 or (behind == 1 and body.endswith(b"\r")):
            return [Received(body, control_id(body))]
    if not body.strip(_BLANKS):
        return [_EMPTY]
    try:
        return [Received(item.payload, item.control_id, item.repairs) for item in raw_messages(body, "frame")]
    except InputError as error:
        return [Received(body, refusal=Problem("not-hl7", "", f"No message is in the frame: {error}."))]


def _given_up(body: bytes) -> Problem:
    if not body.strip(_BLANKS):
        return _EMPTY
    text = f"{len(body)} bytes of a frame were dropped: it did not end before the next began. It should come again."
    return Problem("cut-short", "", text)


def _stray_bytes(count: int) -> Problem:
    return Problem("stray-bytes", "", f"{count} bytes outside of any frame were dropped.")
