"""Chance that is the same for the same name, and quick: simulating draws it some hundred times a person."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Chance(Random):
    """`random.Random` with draws that cost one call; their bias below 2⁻³⁰ does not matter here."""

    def below(self, most: int) -> int:
        """A whole number from 0 up to, not including, `most`."""
        return int(self.random() * most)

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def pick(self, things: Sequence[T]) -> T:
        """One of the things."""
        return things[int(self.random() * len(things))]
