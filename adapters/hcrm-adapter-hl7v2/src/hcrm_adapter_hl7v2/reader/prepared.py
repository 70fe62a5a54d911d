"""Reading the same values from many messages: references are prepared once, not taken apart per message.

This is the hot path of every import. A segment's values are matched by one regular expression that is
written for ordinary segments only: it fails, rather than be wrong, as soon as a wanted value holds an
escape, a quote or anything else special. Then :meth:`Message.value_at` reads, which knows everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import TypeAlias

from .delimiters import Delimiters
from .message import Message
from .path import HEADERS, Path, parse_path
from .values import Value

Reader: TypeAlias = Callable[[Message], tuple[Value, ...]]
RowReader: TypeAlias = Callable[[Message], list[tuple[Value, ...]]]

_LAST_MATCHED_FIELD = 64
_LAST_MATCHED_COMPONENT = 16


def compile_paths(references: Sequence[str]) -> Reader:
    """Return a function that reads these values from a message.

    Args:
        references: As for :meth:`Message.get`.

    Returns:
        A function from a message to a tuple with one value per reference, each what
        :meth:`Message.get` returns.

    Raises:
        ValueError: A reference is malformed.
    """
    paths = [parse_path(reference) for reference in references]
    places = sorted({(path.segment, path.occurrence) for path in paths})
    groups = [_Row([p for p in paths if (p.segment, p.occurrence) == place]) for place in places]
    in_order = _reorder([path for group in groups for path in group.paths], paths)

    def read(message: Message) -> tuple[Value, ...]:
        values: tuple[Value, ...] = ()
        for group in groups:
            values += group.read_from(message)
        return in_order(values)

    return read


def compile_rows(segment: str, references: Sequence[str]) -> RowReader:
    """Return a function that reads these values from every segment with one id.

    Args:
        segment: Segment id, such as ``OBX``.
        references: As for :meth:`Message.get`, all of that segment and without an occurrence.

    Returns:
        A function from a message to a list with one tuple per segment, one value per reference.

    Raises:
        ValueError: A reference is malformed or of another segment.
    """
    paths = [parse_path(reference) for reference in references]
    if not paths or any(path.segment != segment or path.occurrence != 1 for path in paths):
        raise ValueError(f"every reference must be to {segment} and name no occurrence")
    row = _Row(paths)
    if row.paths == paths:
        return row.read_all
    in_order = _reorder(row.paths, paths)
    return lambda message: [in_order(values) for values in row.read_all(message)]


def _reorder(have: list[Path], want: list[Path]) -> Callable[[tuple[Value, ...]], tuple[Value, ...]]:
    """Return a function that brings values from the order of ``have`` into that of ``want``."""
    order = [have.index(path) for path in want]
    if order == list(range(len(have))):
        return lambda values: values
    if len(order) == 1:
        return lambda values: (values[order[0]],)
    pick: Callable[[tuple[Value, ...]], tuple[Value, ...]] = itemgetter(*order)
    return pick


class _Row:
    """Reads some values of one segment, in the order fields and components have in it."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = sorted(set(paths), key=_in_segment)
        self.segment, self.occurrence = paths[0].segment, paths[0].occurrence
        self.nothing: tuple[Value, ...] = (None,) * len(self.paths)
        self.padding = max(path.index for path in self.paths) + 1
        self.ordinary = self.padding <= _LAST_MATCHED_FIELD and all(_is_ordinary(path) for path in self.paths)
        self.places = tuple(dict.fromkeys((path.index, path.component) for path in self.paths))
        # PID-5, PID-5.1 and PID-5.1.1 are one place; the expression yields one value for it.
        self.ordinary = self.ordinary and len(self.places) == len(self.paths)
        self.memo: tuple[Delimiters | None, str, re.Pattern[str]] = (None, "", re.compile("(?!)"))

    def read_from(self, message: Message) -> tuple[Value, ...]:
        """Return the values of the segment that the paths name; Nones when the message has no such."""
        marks, start, pattern = self.memo
        if marks is not message.delimiters:
            start, pattern = self.prepare(message.delimiters)
        starts = message.starts
        if start not in starts:
            return self.nothing
        index = starts.index(start)
        for _ in range(self.occurrence - 1):
            try:
                index = starts.index(start, index + 1)
            except ValueError:
                return self.nothing
        found = pattern.match(message.lines[index])
        return found.groups() if found else self.carefully(message, index, pattern)

    def read_all(self, message: Message) -> list[tuple[Value, ...]]:
        """Return the values of every segment with the id."""
        marks, start, pattern = self.memo
        if marks is not message.delimiters:
            start, pattern = self.prepare(message.delimiters)
        if start not in message.starts:
            return []
        match = pattern.match
        return [
            found.groups() if (found := match(line)) else self.carefully(message, index, pattern)
            for index, (each, line) in enumerate(zip(message.starts, message.lines, strict=True))
            if each == start
        ]

    def carefully(self, message: Message, index: int, pattern: re.Pattern[str]) -> tuple[Value, ...]:
        """Read a segment the expression did not match: one that is short, or not ordinary."""
        found = pattern.match(message.lines[index] + message.delimiters.field * self.padding)
        if found:
            return found.groups()
        return tuple(message.value_at(index, path) for path in self.paths)

    def prepare(self, marks: Delimiters) -> tuple[str, re.Pattern[str]]:
        """Write the expression for a message's delimiters, and keep it for the next message."""
        start = self.segment + marks.field
        pattern = _expression(self.places, marks[:5]) if self.ordinary else re.compile("(?!)")
        self.memo = (marks, start, pattern)
        return start, pattern


def _in_segment(path: Path) -> tuple[int, ...]:
    return path.field, path.component, path.repetition, path.subcomponent, path.depth


def _is_ordinary(path: Path) -> bool:
    delimiters_themselves = path.segment in HEADERS and path.field <= 2
    return (
        path.repetition == path.subcomponent == 1
        and path.component <= _LAST_MATCHED_COMPONENT
        and (not delimiters_themselves)
    )


@lru_cache(maxsize=512)
def _expression(places: tuple[tuple[int, int], ...], marks: tuple[str, ...]) -> re.Pattern[str]:
    """Return an expression whose groups are the first subcomponents at these places, None when empty.

    Args:
        places: Index of the field in the split segment, and component; ascending.
        marks: Field, component, repetition, escape and subcomponent delimiter.
    """
    field, component, repetition, escape, subcomponent = (re.escape(mark) for mark in marks)
    # A value ends where any delimiter but the escape stands, or with the segment.
    wanted = (
        f'([^{field}{component}{repetition}{escape}{subcomponent}"]++)?+'
        f"(?=[{field}{component}{repetition}{subcomponent}]|\\Z)"
    )
    rest = f'[^{field}{component}{repetition}"]*+'
    no_more = f"(?=[{field}{repetition}]|\\Z)"
    skipped_field = f"[^{field}]*+{field}"
    text, done = "", 0
    for index in sorted({place[0] for place in places}):
        components = {place[1] for place in places if place[0] == index}
        inner = ""
        for number in range(max(components), 0, -1):
            this = wanted if number in components else ""
            inner = this + (rest + f"(?:{component}{inner}|{no_more})" if inner else "")
        text += skipped_field * (index - done) + inner
        done = index
    return re.compile(text)
