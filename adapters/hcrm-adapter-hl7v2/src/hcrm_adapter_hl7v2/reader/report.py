"""What the reader says about a message: its repairs, and why it refused one.

No sentence built here may hold a field's content: repairs and refusals reach logs and screens that
people without access to the patient's record can read. Positions, lengths, segment ids and charset
names are the only facts they carry.
"""

from __future__ import annotations

from typing import NamedTuple


class Where(NamedTuple):
    """A place in a message or file. Every part may be unknown.

    Attributes:
        line: Line number, 1 being the first line (in a message: its MSH segment).
        segment: Segment id, such as ``PID``.
        field: HL7 field number, so that ``segment="MSH", field=18`` is MSH-18.
        byte: Offset in bytes, 0 being the first byte.
    """

    line: int | None = None
    segment: str | None = None
    field: int | None = None
    byte: int | None = None

    def __str__(self) -> str:
        """Return the place as people write it: ``PID-5, line 3``."""
        name = self.segment or ""
        if name and self.field is not None:
            name = f"{name}-{self.field}"
        parts = [name] if name else []
        if self.line is not None:
            parts.append(f"line {self.line}")
        if self.byte is not None:
            parts.append(f"byte {self.byte}")
        return ", ".join(parts)


NOWHERE = Where()


class Repair(NamedTuple):
    """One departure from the standard that the reader accepted, and what it did about it.

    Attributes:
        code: A stable word for counting and filtering, such as ``line-ends``.
        where: The place.
        text: One sentence for people, free of message content.
    """

    code: str
    where: Where
    text: str

    def __str__(self) -> str:
        """Return the sentence with its place in front."""
        place = str(self.where)
        return f"{place}: {self.text}" if place else self.text


class UnreadableMessage(ValueError):
    """These bytes cannot be read as an HL7 v2 message; nothing of them was used.

    Attributes:
        reason: One sentence: what is wrong and what to do, free of message content.
        where: The place.
    """

    def __init__(self, reason: str, where: Where = NOWHERE) -> None:
        """Keep the reason and the place; the exception's own text is both."""
        place = str(where)
        super().__init__(f"{place}: {reason}" if place else reason)
        self.reason = reason
        self.where = where
