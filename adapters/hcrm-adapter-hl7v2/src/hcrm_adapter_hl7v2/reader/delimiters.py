"""The delimiters a message declares for itself in MSH-1 and MSH-2 (HL7 v2.5.1 §2.5.4)."""

from __future__ import annotations

import string
from typing import Final, NamedTuple

from .report import Repair, UnreadableMessage, Where

ABSENT: Final = "\r"
"""Stands for a delimiter that MSH-2 does not define: segments never contain a CR, so it never matches."""

_STANDARD: Final = "^~\\&"
_MSH_2: Final = Where(line=1, segment="MSH", field=2)
_MOST_KEPT: Final = 256
_PUNCTUATION: Final = frozenset(string.punctuation)


class Delimiters(NamedTuple):
    """The delimiters of one message, each one character or :data:`ABSENT`.

    Attributes:
        field: MSH-1, usually ``|``.
        component: First character of MSH-2, usually ``^``.
        repetition: Second, usually ``~``.
        escape: Third, usually a backslash.
        subcomponent: Fourth, usually ``&``.
        truncation: Fifth, usually ``#`` (HL7 v2.7 §2.5.5.2, and sent in older versions too).
        encoding: MSH-2 as received.
        repairs: What had to be put right to get them.
    """

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str
    encoding: str
    repairs: tuple[Repair, ...]


_known: dict[str, Delimiters] = {}


def delimiters_of(text: str) -> Delimiters:
    """Return the delimiters of a message.

    Args:
        text: The decoded message; begins with ``MSH``.

    Raises:
        UnreadableMessage: MSH-1 or MSH-2 cannot be delimiters.
    """
    # Nearly all messages of a site share these few characters, so they are judged once.
    end = text.find(text[3:4], 4) if len(text) > 4 else -1
    head = text[3:end] if end > 0 else ""
    found = _known.get(head)
    if found is None:
        found = _judge(text)
        if len(_known) >= _MOST_KEPT:
            _known.clear()
        if found.field + found.encoding == head:
            _known[head] = found
    return found


def _judge(text: str) -> Delimiters:
    first_line = text.partition("\r")[0].partition("\n")[0]
    field = first_line[3:4]
    if not first_line.startswith("MSH") or field not in _PUNCTUATION:
        raise UnreadableMessage(
            "the message must begin with MSH and a delimiter", Where(line=1, segment="MSH", field=1)
        )
    encoding = first_line[4:].partition(field)[0]
    repairs = []
    chosen = encoding.strip(" ")
    if not chosen:
        chosen = _STANDARD
        repairs.append(Repair("no-delimiters", _MSH_2, "MSH-2 is empty; the standard's delimiters were taken"))
    if not _PUNCTUATION.issuperset(chosen):
        raise UnreadableMessage("MSH-2 must hold delimiters and holds other characters", _MSH_2)
    if chosen[2:4] == "\\\\":
        chosen = chosen[:3] + chosen[4:]
        repairs.append(Repair("doubled-escape", _MSH_2, "MSH-2 holds the escape character twice; one was ignored"))
    if len(chosen) > 5:
        chosen = chosen[:5]
        repairs.append(Repair("long-delimiters", _MSH_2, "MSH-2 is longer than five characters; the rest was ignored"))
    if len(chosen) == 5 and chosen[4] in field + chosen[:4]:
        chosen = chosen[:4]
        repairs.append(
            Repair("truncation-character", _MSH_2, "the truncation character is a delimiter; it was ignored")
        )
    if len({field, *chosen}) != len(chosen) + 1:
        raise UnreadableMessage("MSH-1 and MSH-2 use one character for two purposes", _MSH_2)
    component, repetition, escape, subcomponent, truncation = [*list(chosen), *[ABSENT] * (5 - len(chosen))]
    return Delimiters(field, component, repetition, escape, subcomponent, truncation, encoding, tuple(repairs))
