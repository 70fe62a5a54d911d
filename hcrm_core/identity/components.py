"""Groups of patients that belong together: the connected components of numbers, links and scored pairs."""

from collections.abc import Iterable, Mapping, Set

from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import links
from hcrm_core.store.queries.pairs import pairs_of

Apart = Mapping[str, Set[str]]
"""Patient → those who were said to be other people than it."""

NOBODY: frozenset[str] = frozenset()


def apart_of(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Who is kept from whom, by the pairs that were said to be different people."""
    found: dict[str, set[str]] = {}
    for one, other in pairs:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found


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

    def join_all(self, group: Iterable[str], apart: Apart) -> None:
        """Make those of a group one who are not kept apart by all others of it."""
        left = sorted(group)
        reached: list[str] = []
        while left:
            one = reached.pop() if reached else left.pop()
            self.add(one)
            kept_from = apart.get(one, NOBODY)
            near = [other for other in left if other not in kept_from]
            left = [other for other in left if other in kept_from] if kept_from else []
            for other in near:
                self.join(one, other)
            reached += near

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
    parted = links.any_distinct(connection)
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
        met = set[str]().union(*groups)
        apart = apart_of((row.low_id, row.high_id) for row in links.distinct_of(connection, met)) if parted else {}
        for group in groups:
            components.join_all(group, apart)
        frontier = met - known
    return components.leaders()
