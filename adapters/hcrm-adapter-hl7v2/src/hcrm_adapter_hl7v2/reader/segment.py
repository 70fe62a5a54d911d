"""One segment of a message, as the mapping walks over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .path import HEADERS, leaf_path
from .values import Value

if TYPE_CHECKING:
    from .message import Message


class Segment:
    """One segment of a message, split only when a field of it is asked for.

    Attributes:
        message: The message it belongs to.
        index: Its position among the message's segments, from 0.
    """

    __slots__ = ("index", "message")

    def __init__(self, message: Message, index: int) -> None:
        """Point at a segment; :meth:`Message.segments` makes these."""
        self.message = message
        self.index = index

    @property
    def id(self) -> str:
        """The segment id; of a malformed line whatever stands in its place."""
        return self.raw[:3]

    @property
    def line(self) -> int:
        """The line of the message it stands on, 1 being MSH."""
        return self.message.line_at(self.index)

    @property
    def raw(self) -> str:
        """Its whole text, escapes and all."""
        return self.message.lines[self.index]

    def field(self, number: int) -> str:
        """Return a field's raw text with all repetitions; empty when absent. MSH-1 is the separator."""
        if number < 1:
            raise ValueError("fields are counted from 1")
        if self.id in HEADERS:
            if number == 1:
                return self.message.delimiters.field
            number -= 1
        fields = self.message.fields_at(self.index)
        return fields[number] if number < len(fields) else ""

    def repetitions(self, number: int) -> list[str]:
        """Return a field's repetitions as raw text; an empty list when the field is absent or empty."""
        text = self.field(number)
        if not text:
            return []
        return [text] if self._is_marks(number) else text.split(self.message.delimiters.repetition)

    def components(self, number: int, repetition: int = 1) -> list[str]:
        """Return the components of one repetition as raw text; an empty list when it is absent or empty."""
        found = self.repetitions(number)
        if repetition > len(found) or not found[repetition - 1]:
            return []
        return found if self._is_marks(number) else found[repetition - 1].split(self.message.delimiters.component)

    def subcomponents(self, number: int, component: int = 1, repetition: int = 1) -> list[str]:
        """Return the subcomponents of one component as raw text; an empty list when it is absent or empty."""
        found = self.components(number, repetition)
        if component > len(found) or not found[component - 1]:
            return []
        return found if self._is_marks(number) else found[component - 1].split(self.message.delimiters.subcomponent)

    def value(self, number: int, component: int = 1, subcomponent: int = 1, repetition: int = 1) -> Value:
        """Return one value, unescaped; the three states are those of :meth:`Message.get`."""
        path = leaf_path(self.id, number, repetition, component, subcomponent)
        return self.message.value_at(self.index, path)

    def unescape(self, text: str, number: int) -> str:
        """Return raw text of this segment's field ``number`` with its escape sequences replaced."""
        return self.message.unescape(text, self.index, number)

    def filled(self) -> list[int]:
        """Return the numbers of the fields that hold anything, for telling what a mapping left unused."""
        shift = 1 if self.id in HEADERS else 0
        found = [n + shift for n, text in enumerate(self.message.fields_at(self.index)) if text and n]
        return [1, *found] if shift else found

    def _is_marks(self, number: int) -> bool:
        return number <= 2 and self.id in HEADERS
