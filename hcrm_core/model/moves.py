"""Where a stay is after everything that was said of where it went."""

from collections.abc import Callable
from typing import NamedTuple

from hcrm_core.model.records import REFERENCES

FOLLOWERS = frozenset({"Encounter"} | {kind for kind, targets in REFERENCES.items() if "encounter" in targets})
"""Kinds whose facts follow a stay, the stay itself among them."""


class Move(NamedTuple):
    """Where one stay went, as ids.

    Attributes:
        fact_id: The `EncounterMove` that states it.
        encounter_id, patient_id: The stay as it was named, and whose it was thought to be.
        target_id, owner_id: The stay as it is named, and whose it is.
        stamp: Of the statement.
    """

    fact_id: str
    encounter_id: str
    patient_id: str
    target_id: str
    owner_id: str
    stamp: bytes

    @property
    def place(self) -> tuple[bytes, str]:
        """Its place in the order of moves: the last one said holds."""
        return self.stamp, self.fact_id


def follow(encounter_id: str, patient_id: str, onward: Callable[[str, str], Move | None]) -> tuple[str, str]:
    """The stay and the patient that a statement about a stay and a patient is about.

    Args:
        encounter_id: Of the stay, as it was stated.
        patient_id: Of the patient, as it was stated.
        onward: Where a stay of a patient went; `None` where it stayed.
    """
    passed: list[Move] = []
    at = encounter_id, patient_id
    while move := onward(*at):
        if move in passed:
            # The source went back and forth: what it said last holds.
            move = max(passed[passed.index(move) :], key=lambda one: one.place)
            return move.target_id, move.owner_id
        passed.append(move)
        at = move.target_id, move.owner_id
    return at
