"""Groups of patients that belong together: the connected components of numbers, links and scored pairs."""

from collections.abc import Iterable

from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import links
from hcrm_core.store.queries.pairs import pairs_of


class Components:
    """Groups of patients that belong together, each led by its least id."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def add(self, patient: str) -> None:
        """Know a patient, alone until joined."""
        self._parent.setdefault(patient, patient)

    def join(self, one: str, other: str) -> None:
        """Make two patients one."""
        self.add(one)
        self.add(other)
        low, high = sorted((self._leader(one), self._leader(other)))
        self._parent[high] = low

    def leaders(self) -> dict[str, str]:
        """Patient → least patient of its group."""
        return {patient: self._leader(patient) for patient in self._parent}

    def _leader(self, patient: str) -> str:
        while (parent := self._parent[patient]) != patient:
            self._parent[patient] = parent = self._parent[parent]
            patient = parent
        return patient


def components_of(connection: Connection, seeds: Iterable[str]) -> dict[str, str]:
    """Patient → least patient of its component, for every patient reachable from a seed."""
    components = Components()
    known: set[str] = set()
    tokens_seen: set[str] = set()
    frontier = set(seeds)
    while frontier:
        known |= frontier
        for patient in frontier:
            components.add(patient)
        carried = links.identifiers(connection, frontier)
        tokens = {row.link_token for row in carried if row.link_token} - tokens_seen
        tokens_seen |= tokens
        groups = [set(group) for group in links.patients_with(connection, tokens).values()]
        groups += [{link.patient_id, link.other_id} for link in links.links_of(connection, frontier)]
        groups += [{pair.low_id, pair.high_id} for pair in pairs_of(connection, frontier, "link")]
        for group in groups:
            first, *others = sorted(group)
            for other in others:
                components.join(first, other)
        frontier = set().union(*groups) - known
    return components.leaders()
