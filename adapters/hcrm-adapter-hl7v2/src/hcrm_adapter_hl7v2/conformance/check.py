"""Hold one message against an abstract message: its segments and groups, then each field."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from hl7apy import get_default_encoding_chars
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_segments

from hcrm_adapter_hl7v2.conformance import structures
from hcrm_adapter_hl7v2.conformance.fields import Fields
from hcrm_adapter_hl7v2.conformance.structures import Reference, Structure
from hcrm_adapter_hl7v2.reader import Message
from hcrm_core.api import Problem

MOST_SEGMENTS = 5_000
MOST_FINDINGS = 200
"""Of one message; where there are more, it is another kind of message than it says."""

_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")


def conformance(message: Message, profile: Structure | None = None) -> list[Problem]:
    """Where a message departs from the standard of the version in MSH-12, or from a message profile."""
    found: dict[Problem, None] = {}
    try:
        for problem in _problems(message, profile):
            found[problem] = None
            if len(found) >= MOST_FINDINGS:
                break
    except Exception as error:  # hl7apy's dictionaries and readers raise what they like
        text = f"The rest of the message could not be checked: hl7apy failed on it ({type(error).__name__})."
        found[Problem("not-checked", "", text)] = None
    return list(found)


def _problems(message: Message, profile: Structure | None) -> Iterator[Problem]:
    version = _text(message, "MSH-12.1")
    if not structures.supported(version):
        known = "there are dictionaries of the versions 2.1 to 2.8.2"
        text = (
            f"MSH-12 names a version of its own; {known}, so the message could not be checked. Look at a message of it "
            "with `hcrm messages show`."
            if version
            else f"MSH-12 names no version; {known}, so the message could not be checked. Have the sender fill it."
        )
        yield Problem("version-not-checked", "MSH-12", text)
        return
    stated = structures.structure(version, *(_text(message, f"MSH-9.{part}") for part in (3, 1, 2)))
    if profile is not None:
        if stated.name not in ("", profile.name):
            text = f"The message is {_a(stated.name)}, and the profile is of {profile.name}; it was not checked."
            yield Problem("profile-not-checked", "MSH-9", text)
            return
        stated = profile._replace(version=version)
    if stated.reference is None:
        text = (
            f"Version {version} knows no structure of the type in MSH-9, so the order of the segments could not be "
            "checked; their fields were."
        )
        yield Problem("structure-not-checked", "MSH-9", text)
    elif len(message.lines) > MOST_SEGMENTS:
        text = f"The message has more than {MOST_SEGMENTS:,} segments: only the fields of the first were checked."
        yield Problem("structure-not-checked", "", text)
    else:
        yield from _structure(message, stated)
    yield from _segments(message, stated)


def _structure(message: Message, stated: Structure) -> Iterator[Problem]:
    """The segments and groups, as hl7apy sorts them; their content is left out of it."""
    names = [name for name in _names(message) if not name.startswith("Z")]
    allowed = structures.segments_of(stated.reference)
    for name, count in sorted(Counter(names).items()):
        if name not in allowed and structures.segment(stated.version, name) is not None:
            told = "a segment" if count == 1 else "segments"
            text = f"{_the(stated)} has no segment {name}; the message has {told} of that name."
            yield Problem("unexpected-segment", name, text)
    body = "\r".join(["MSH|^~\\&", *(f"{name}|" for name in names[1:] if name in allowed)])
    skeleton = structures.skeleton(stated.version, stated.reference) if stated.profile else stated.reference
    # Not `parse_message`: what that makes begins with the time of day.
    sorted_ = parse_segments(
        body, stated.version, get_default_encoding_chars(), VALIDATION_LEVEL.TOLERANT, skeleton, find_groups=True
    )
    yield from _children(sorted_, stated.reference, stated)


def _children(inside: Iterable[Any], reference: Reference, stated: Structure) -> Iterator[Problem]:
    """What is wrong with the segments and groups at one place, and in the groups among them."""
    inside = list(inside)
    counts = Counter(child.name for child in inside)
    bounds: dict[str, tuple[int, int]] = {}
    inner: dict[str, tuple[Reference, str]] = {}
    for name, child, (least, most), kind in reference[1]:
        low, high = bounds.get(name, (0, 0))
        bounds[name] = (low + least, -1 if -1 in (high, most) else high + most)
        inner.setdefault(name, (child, kind))
    for name, (least, most) in bounds.items():
        child, kind = inner[name]
        if counts[name] < least:
            yield _missing(name, child, kind, stated)
        elif most != -1 and counts[name] > most:
            what, where = ("segment", name) if kind == "SEG" else ("group", structures.first_segment(child))
            text = f"{_the(stated)} holds the {what} {_short(name, stated)} at most {_times(most)} in this place."
            yield Problem("too-many-segments", where, text)
    for child in inside:
        if child.name in inner and inner[child.name][1] == "GRP":
            yield from _children(child.children, inner[child.name][0], stated)


def _missing(name: str, reference: Reference, kind: str, stated: Structure) -> Problem:
    if kind == "SEG":
        return Problem("missing-segment", name, f"{_the(stated)} needs the segment {name} here, and it is missing.")
    first = structures.first_segment(reference)
    text = f"{_the(stated)} needs the group {_short(name, stated)} here, with the segment {first}, and it is missing."
    return Problem("missing-segment", first, text)


def _segments(message: Message, stated: Structure) -> Iterator[Problem]:
    """The fields of every segment."""
    own = structures.segments_of(stated.reference) if stated.profile else {}
    fields = Fields(message.delimiters, stated.version, stated.profile)
    for index, name in enumerate(_names(message)[:MOST_SEGMENTS]):
        if name == "":
            yield Problem("no-segment", "", "A line does not begin with the name of a segment; it was not checked.")
        elif not name.startswith("Z"):
            reference = own.get(name)
            if not (reference and reference[1]):  # a profile need not go into every segment
                reference = structures.segment(stated.version, name)
            if reference is None:
                text = f"Version {stated.version} has no segment {name}; its fields could not be checked."
                yield Problem("unknown-segment", name, text)
            else:
                yield from fields.check(name, message.fields_at(index), reference)


def _names(message: Message) -> list[str]:
    """The name of each segment; empty where a line has none that could be one."""
    return [start[:3] if _NAME.fullmatch(start[:3]) else "" for start in message.starts]


def _text(message: Message, reference: str) -> str:
    return str(message.get(reference) or "").strip()


def _the(stated: Structure) -> str:
    return f"The profile of {stated.name}" if stated.profile else f"{stated.name} of version {stated.version}"


def _short(name: str, stated: Structure) -> str:
    return name.removeprefix(f"{stated.name}_")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'AEFHILMNORSX' else 'a'} {name}"
