"""References to values as HL7 people write them: ``PID-3[2].4.1``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_PATH: Final = re.compile(
    r"(?P<segment>[A-Z][A-Z0-9]{2})(?:\[(?P<occurrence>[1-9][0-9]{0,4})\])?"
    r"-(?P<field>[1-9][0-9]{0,3})(?:\[(?P<repetition>[1-9][0-9]{0,4})\])?"
    r"(?:\.(?P<component>[1-9][0-9]{0,3})(?:\.(?P<subcomponent>[1-9][0-9]{0,3}))?)?"
)

HEADERS: Final = frozenset({"MSH", "FHS", "BHS"})
"""Segments whose first field is the field separator itself, so that splitting yields one field less."""


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed reference. Numbers count from 1; what a reference leaves out is 1.

    Attributes:
        segment: Segment id.
        occurrence: Which of the segments with this id.
        field: Field number, MSH-1 being the field separator.
        repetition: Which repetition of the field.
        component: Which component.
        subcomponent: Which subcomponent.
        depth: How far the reference goes: 1 field, 2 component, 3 subcomponent.
        index: Where the field is in the segment's text split at the field separator.
    """

    segment: str
    occurrence: int
    field: int
    repetition: int
    component: int
    subcomponent: int
    depth: int
    index: int


@lru_cache(maxsize=4096)
def parse_path(reference: str) -> Path:
    """Return a reference taken apart.

    Args:
        reference: ``SEG-field``, ``SEG-field.component`` or ``SEG-field.component.subcomponent``. ``[n]``
            behind the field is a repetition (``PID-3[2].1``), behind the segment an occurrence (``OBX[3]-5``).

    Raises:
        ValueError: The text is no such reference.
    """
    match = _PATH.fullmatch(reference)
    if match is None:
        raise ValueError(f"`{reference}` is not a reference such as PID-3, PID-5.1 or PID-3[2].4.1")
    part = match.groupdict(default="")
    depth = 3 if part["subcomponent"] else 2 if part["component"] else 1
    occurrence, field, repetition, component, subcomponent = (
        int(part[name] or 1) for name in ("occurrence", "field", "repetition", "component", "subcomponent")
    )
    index = field - 1 if part["segment"] in HEADERS else field
    return Path(part["segment"], occurrence, field, repetition, component, subcomponent, depth, index)


@lru_cache(maxsize=4096)
def leaf_path(segment: str, field: int, repetition: int, component: int, subcomponent: int) -> Path:
    """Return the reference to one subcomponent of a segment at hand."""
    index = field - 1 if segment in HEADERS else field
    return Path(segment, 1, field, repetition, component, subcomponent, 3, index)
