"""The pure fold: what a fact is, given everything that was ever said of it.

Statements are put in one total order by their stamp and applied one after the other. The order never looks at arrival,
so any permutation and any number of redeliveries give the same fact.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from struct import Struct as Layout
from typing import Any, NamedTuple

from hcrm_core.model.translation import Statement

Fields = Mapping[str, Any]

_HEAD = Layout(">QI")
_SIGN = 1 << 63
_HASH_BYTES = 12
_RUNS = re.compile(r"\d+|\D+")


def stamp(statement: Statement, content_hash: bytes) -> bytes:
    """Encode a statement's place in the order as bytes that sort as the statements do.

    Statement time, then the sequence number, then a rising control id in natural order (`M9` before `M10`), then the
    rank (a cancel after what it cancels), then the content hash.
    """
    head = _HEAD.pack(statement.said_at + _SIGN, min(max(statement.sequence, -1), 0xFFFFFFFE) + 1)
    return head + _natural(statement.rising) + bytes((0, statement.rank)) + content_hash[:_HASH_BYTES]


def said_at(stamp: bytes) -> int:
    """The statement time inside a stamp, in microseconds since 1970 UTC."""
    return int(_HEAD.unpack_from(stamp)[0]) - _SIGN


def earliest_stamp(said_at: int) -> bytes:
    """A stamp that sorts before every statement made at `said_at` or later."""
    return _HEAD.pack(said_at + _SIGN, 0)


def _natural(text: str) -> bytes:
    parts = []
    for part in groupby(_RUNS.findall(text), str.isdigit):
        for run in part[1]:
            if part[0]:
                digits = run.lstrip("0")[:255]
                # A number sorts by its length first; 1 keeps it below letters and above the terminator.
                parts.append(b"\x01" + bytes((len(digits),)) + digits.encode("utf-8"))
            else:
                parts.append(run.replace("\0", "").encode("utf-8"))
    return b"".join(parts)


class Event(NamedTuple):
    """One statement about a fact: its mentioned fields, or `None` where a complete set left the fact out."""

    stamp: bytes
    fields: Fields | None


class Folded(NamedTuple):
    """A fact after its last statement: the fields that are said and not empty, and whether it is void."""

    fields: dict[str, Any]
    void: bool
    stamp: bytes


def fold(events: Iterable[Event], start: Folded | None = None, by_namespace: Collection[str] = ()) -> Folded | None:
    """Apply statements in their order; `None` when there is none at all.

    A complete set's statement and the mention of a member in the same message carry the same stamp: such a set does not
    leave the member out and says nothing of it. A fact that was left out and is mentioned again begins anew.

    Args:
        events: Any order; those of `start` are not among them and all lie after it.
        start: The fact as folded so far.
        by_namespace: Fields that hold identifiers: a statement replaces those of the namespaces it names and leaves
            the others, since a system that knows a person by one number says nothing of the numbers others gave.
    """
    fields: dict[str, Any] = dict(start.fields) if start else {}
    void = start.void if start else True
    last = start.stamp if start else b""
    any_event = start is not None
    ordered = sorted(events, key=itemgetter(0))
    mentioned = {event.stamp for event in ordered if event.fields is not None}
    for event in ordered:
        any_event = True
        last = event.stamp
        if event.fields is None:
            if event.stamp not in mentioned:
                fields, void = {}, True
            continue
        void = False
        for name, value in event.fields.items():
            if value is None:
                fields.pop(name, None)
            elif name in by_namespace and name in fields:
                named = {_namespace(identifier) for identifier in value}
                fields[name] = [one for one in fields[name] if _namespace(one) not in named] + list(value)
            else:
                fields[name] = value
    return Folded(fields, void, last) if any_event else None


def leaves_as_it_is(late: Fields, now: Fields, newest: Fields, by_namespace: Collection[str] = ()) -> bool:
    """Whether a late statement about a fact that is not void changes nothing of it.

    That is so where each of its fields has that value already, or is said by the newest statement, which comes after
    it: the last mention of a field counts.

    Args:
        late: The fields it mentions.
        now: The fact.
        newest: The fields that the fact's newest statement mentions.
        by_namespace: As in `fold`.
    """
    for name, value in late.items():
        if now.get(name) == value:
            continue
        if name not in newest:
            return False
        if name in by_namespace and newest[name] is not None:
            again = {_namespace(identifier) for identifier in newest[name]}
            if value is None or not again.issuperset(map(_namespace, value)):
                return False
    return True


def _namespace(identifier: Mapping[str, Any]) -> tuple[str, str | None]:
    return identifier["system"], identifier.get("type")
