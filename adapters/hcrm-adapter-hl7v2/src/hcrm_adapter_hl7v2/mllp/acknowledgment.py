"""The bytes that answer a message (ACK, HL7 v2.5.1 §2.9.2 and §2.14.1). Pure: there is no clock in it."""

import time
from functools import lru_cache
from typing import Final

from hcrm_core.api import Problem, Verdict

from .conditions import owed
from .header import Header, read_header

_GOOD: Final = ("AA", "CA")
_OWN_MARKS: Final = "^~\\&"
_OWN_VERSION: Final = "2.5.1"
# HL7 table 0357; what has no code of its own there is an internal error, its catch-all.
_CONDITIONS: Final = {
    "not-hl7": ("100", "Segment sequence error"),
    "no-patient": ("101", "Required field missing"),
    "unreadable": ("102", "Data type error"),
}
_CATCH_ALL: Final = ("207", "Application internal error")
_DEFAULTS: Final = {
    "quarantined": Problem("quarantined", "", "The message could not be read and waits for a person to look at it."),
    "refused": Problem("refused", "", "The message was not taken. Sending it again is no use."),
    "unavailable": Problem("unavailable", "", "The message could not be stored. Send it again later."),
}
# The lengths of MSA-3 and of ERR-7 and ERR-8 in v2.5.1.
_LONGEST_MSA_3: Final = 80
_LONGEST_ERR: Final = 250


def acknowledge(
    payload: bytes,
    verdict: Verdict,
    *,
    at_commit: bool,
    charset: str | None = None,
    override_charset: bool = False,
) -> bytes:
    """Return the framed acknowledgments a message is owed; nothing where it is owed none.

    Args:
        payload: The message; a header that cannot be read is answered as an empty one.
        verdict: What became of it.
        at_commit: Whether it counts as accepted by the application once it is stored; else once it is folded.
        charset: The source's charset, for headers that declare none.
        override_charset: Whether that holds whatever MSH-18 says.
    """
    header = read_header(payload, charset, override_charset)
    codes = owed(verdict, header.fields[14], header.fields[15], at_commit)
    return b"".join([_frame(header, verdict, code) for code in codes])


def _frame(header: Header, verdict: Verdict, code: str) -> bytes:
    text = "\x0b" + _msh(header, verdict, code)
    if code in _GOOD:
        text += header.delimiters.field.join(("MSA", code, header.fields[9])) + "\r\x1c\r"
    else:
        text += _trouble(header, verdict, code) + "\x1c\r"
    return text.encode(header.codec, "replace")


def _msh(header: Header, verdict: Verdict, code: str) -> str:
    fields, field = header.fields, header.delimiters.field
    # The accept and the application acknowledgment of one message are two messages.
    control_id = f"HCRM{verdict.message_id}" + ("A" if code[0] == "A" else "")
    said_at = _instant(verdict.received_at // 1_000_000) if verdict.received_at else fields[6]
    start = (
        f"MSH{field}{fields[1].strip() or _OWN_MARKS}",
        fields[4], fields[5], fields[2], fields[3], said_at, "",
        _message_type(header), control_id, fields[10] or "P", fields[11] or _OWN_VERSION,
    )  # fmt: skip
    charset = field * 6 + fields[17] if fields[17] else ""
    return f"{field.join(start)}{charset}\r"


def _message_type(header: Header) -> str:
    """MSH-9: with the trigger event since v2.3.1, with the structure since v2.4."""
    marks = header.delimiters
    event = header.fields[8].split(marks.repetition, 1)[0].split(marks.component, 2)[1:2]
    if not event or not event[0] or header.version < (3, 1):
        return "ACK"
    return marks.component.join(("ACK", event[0]) if header.version < (4, 0) else ("ACK", event[0], "ACK"))


def _trouble(header: Header, verdict: Verdict, code: str) -> str:
    """The MSA and ERR segments of what was not accepted (HL7 v2.5.1 §2.15.5, §2.15.8)."""
    marks = header.delimiters
    problem = verdict.problem or _DEFAULTS.get(verdict.outcome) or Problem("", "", "")
    escapes = _escapes(marks.field, marks.component, marks.repetition, marks.escape, marks.subcomponent)
    msa = ["MSA", code, header.fields[9]]
    if header.version < (7, 0):
        msa.append(_text(problem.text, _LONGEST_MSA_3, escapes))
    segments = marks.field.join(msa) + "\r"
    if header.version >= (5, 0):
        number, name = _CONDITIONS.get(problem.code, _CATCH_ALL)
        condition = marks.component.join((number, name, "HL70357"))
        diagnosis = _text(f"{problem.code} {problem.where}".strip(), _LONGEST_ERR, escapes)
        sentence = _text(problem.text, _LONGEST_ERR, escapes)
        segments += marks.field.join(("ERR", "", "", condition, "E", "", "", diagnosis, sentence)) + "\r"
    return segments


def _text(text: str, longest: int, escapes: dict[int, str]) -> str:
    """Text as a value: ASCII on one line, not longer than the field, delimiters escaped (HL7 v2.5.1 §2.7.1)."""
    plain = " ".join(text.encode("ascii", "replace").decode("ascii").split())
    return plain[:longest].translate(escapes)


@lru_cache(maxsize=64)
def _escapes(field: str, component: str, repetition: str, escape: str, subcomponent: str) -> dict[int, str]:
    letters = ((field, "F"), (component, "S"), (repetition, "R"), (escape, "E"), (subcomponent, "T"))
    return {ord(mark): f"{escape}{letter}{escape}" if escape != "\r" else " " for mark, letter in letters}


@lru_cache(maxsize=64)
def _instant(seconds: int) -> str:
    return time.strftime("%Y%m%d%H%M%S+0000", time.gmtime(seconds))
