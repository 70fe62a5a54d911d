"""What a value can be: text, the HL7 null, or not mentioned; and how it is cut out of a field."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, TypeAlias

from .delimiters import Delimiters


class Null(Enum):
    """The type of :data:`NULL`; an enum, so that ``is NULL`` narrows types."""

    NULL = '""'

    def __bool__(self) -> bool:
        """Return False: a null has no text to use."""
        return False

    def __repr__(self) -> str:
        """Return ``NULL``."""
        return "NULL"


NULL: Final = Null.NULL
"""The sender says the value is to be deleted: two double quotes in the message (HL7 v2.5.1 §2.5.3)."""

Value: TypeAlias = str | Literal[Null.NULL] | None
"""Text; :data:`NULL` when the sender deletes the value; None when the message does not mention it."""


def leaf(field: str, delimiters: Delimiters, repetition: int, component: int, subcomponent: int) -> str:
    """Return the raw text of one subcomponent of a field, empty when it is not there.

    A field or component that is the HL7 null as a whole is null in each of its parts.
    """
    text = field
    for separator, number in (
        (delimiters.repetition, repetition),
        (delimiters.component, component),
        (delimiters.subcomponent, subcomponent),
    ):
        if text == '""':
            return text
        text = part(text, separator, number)
    return text


def part(text: str, separator: str, number: int) -> str:
    """Return the part of a text with this number, counting from 1; empty when it is not there."""
    if separator not in text:
        return text if number == 1 else ""
    parts = text.split(separator, number)
    return parts[number - 1] if len(parts) >= number else ""
