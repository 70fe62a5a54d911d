"""What a fact was from when until when, by the order in which its statements became known.

`fold.py` says what a fact is, given statements; here the same is asked for every instant at which another statement
came to be known or ceased to count. It is pure, and its last state is the fold of all that counts.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from hcrm_core.model.fold import Event, Fields, Folded, fold


class Heard(NamedTuple):
    """One statement about a fact and when it counted.

    Attributes:
        stamp: Its place in the order of statements.
        fields: What it mentions; `None` where a complete set left the fact out.
        known_at: From when on it counts, microseconds since 1970 UTC.
        voided_at: Until when; `None` where it still does.
    """

    stamp: bytes
    fields: Fields | None
    known_at: int
    voided_at: int | None = None


class State(NamedTuple):
    """What a fact was from an instant on.

    Attributes:
        known_at: When it came to be so, microseconds since 1970 UTC.
        fields: Those said and not empty; `None` while it is void.
        stamp: Of the last statement, empty before the first.
    """

    known_at: int
    fields: Fields | None
    stamp: bytes


def states(heard: Iterable[Heard], by_namespace: Collection[str] = (), *, restated: bool = True) -> list[State]:
    """The states of one fact, each until the next; none before its first mention.

    Args:
        heard: Every statement that ever counted, in any order.
        by_namespace: As for `fold`.
        restated: Whether saying again what is so makes another state, said later.
    """
    found: list[State] = []
    for known_at, folded in _folds(sorted(heard, key=lambda one: one.known_at), by_namespace):
        void = folded is None or folded.void
        state = State(known_at, None if folded is None or void else folded.fields, folded.stamp if folded else b"")
        last = found[-1] if found else None
        if last is None:
            if state.fields is not None:
                found.append(state)
        elif last.fields != state.fields or (restated and state.fields is not None and last.stamp != state.stamp):
            found.append(state)
    return found


def _folds(heard: Sequence[Heard], by_namespace: Collection[str]) -> Iterator[tuple[int, Folded | None]]:
    """What the fact was from each instant on at which something began or ceased to count."""
    live: list[Heard] = []
    folded: Folded | None = None
    position = 0
    for now in sorted({one.known_at for one in heard} | {one.voided_at for one in heard if one.voided_at is not None}):
        arrived = position
        while position < len(heard) and heard[position].known_at <= now:
            position += 1
        new = [one for one in heard[arrived:position] if one.voided_at is None or one.voided_at > now]
        kept = [one for one in live if one.voided_at is None or one.voided_at > now]
        in_order = len(kept) == len(live) and (folded is None or all(one.stamp > folded.stamp for one in new))
        live = kept + new
        if in_order:
            folded = fold((Event(one.stamp, one.fields) for one in new), folded, by_namespace)
        else:
            folded = fold((Event(one.stamp, one.fields) for one in live), None, by_namespace)
        yield now, folded
