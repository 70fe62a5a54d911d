"""The standard's own names of fields, from hl7apy's dictionaries. They are for people; the hot path never asks."""

from functools import cache

VERSIONS = ("2.8", "2.5.1", "2.3", "2.1")
"""Dictionaries asked in turn: the newest first, then those that still have what later versions withdrew."""


@cache
def field_name(reference: str) -> str | None:
    """The standard's name of a field, such as `Citizenship` for `PID-26`; `None` for Z segments and unknown fields.

    Args:
        reference: Segment and field number.
    """
    from hl7apy import load_library
    from hl7apy.exceptions import ChildNotFound

    for version in VERSIONS:
        try:
            entry = load_library(version).get(reference.replace("-", "_"), "Field")
        except (ChildNotFound, KeyError):
            continue
        return readable(entry[3])
    return None


@cache
def last_field(segment: str) -> int:
    """The highest number that a field of a segment has in any version; 0 where none has the segment."""
    from hl7apy import SUPPORTED_LIBRARIES, load_library

    found = 0
    for version in SUPPORTED_LIBRARIES:
        fields = load_library(version).SEGMENTS.get(segment, ("", ()))[1]
        found = max([found, *(int(name.rpartition("_")[2]) for name, *_ in fields)])
    return found


@cache
def is_set_id(reference: str) -> bool:
    """Whether a field is one that counts segments (the data type SI) in any version.

    Args:
        reference: Segment and field number.
    """
    from hl7apy import SUPPORTED_LIBRARIES, load_library
    from hl7apy.exceptions import ChildNotFound

    for version in SUPPORTED_LIBRARIES:
        try:
            entry = load_library(version).get(reference.replace("-", "_"), "Field")
        except (ChildNotFound, KeyError):
            continue
        if entry[2:3] == ("SI",):
            return True
    return False


def readable(name: str | None) -> str:
    """A name of hl7apy's for people: `Patient identifier list`."""
    return " ".join((name or "").replace("_", " ").split()).capitalize()
