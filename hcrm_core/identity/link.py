"""Customers as the connected components of patients: a pure function of the facts, kept up to date for those changed.

A customer's id is its least patient id, so it depends on nothing but who belongs together.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hcrm_core.identity.evidence import identifier_rows
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import links
from hcrm_core.store.queries.links import IdentifierRow, LinkRow


class Changed(NamedTuple):
    """The facts of a batch that bear on identity.

    Attributes:
        patients: Patient id → folded fields, empty where the fact became void.
        statements: PatientLink fact id → its folded fields, empty where void.
        mentioned: Patients that facts of any kind are about.
    """

    patients: Mapping[str, Mapping[str, Any]]
    statements: Mapping[str, Mapping[str, Any]]
    mentioned: set[str]


def relink(connection: Connection, changed: Changed, codec: Codec) -> set[str]:
    """Bring links and customers up to date.

    Returns:
        The patients whose customer changed.
    """
    seeds = set(changed.patients) | changed.mentioned
    seeds |= _update_identifiers(connection, changed.patients, codec)
    seeds |= _update_links(connection, changed.statements)
    # Both ends of every edge that came or went are seeds, so each piece of a group that fell apart holds one.
    after = _components(connection, seeds)
    before = links.customers_of(connection, after)
    moved = {patient: customer for patient, customer in after.items() if before.get(patient) != customer}
    links.assign_customers(connection, list(moved.items()))
    return set(moved)


def _update_identifiers(connection: Connection, patients: Mapping[str, Mapping[str, Any]], codec: Codec) -> set[str]:
    """Store the numbers of changed patients; return those who share one with them, before or after."""
    before: dict[str, set[IdentifierRow]] = {}
    for row in links.identifiers(connection, patients):
        before.setdefault(row.patient_id, set()).add(row)
    rows: list[IdentifierRow] = []
    replaced: list[str] = []
    tokens: set[str] = set()
    for patient_id, fields in patients.items():
        now = set(identifier_rows(patient_id, fields, codec.token))
        if now != before.get(patient_id, set()):
            replaced.append(patient_id)
            rows += now
            tokens |= {row.link_token for row in now ^ before.get(patient_id, set()) if row.link_token}
    links.replace_identifiers(connection, replaced, rows)
    sharing = links.patients_with(connection, tokens)
    return set().union(*sharing.values()) if sharing else set()


def _update_links(connection: Connection, statements: Mapping[str, Mapping[str, Any]]) -> set[str]:
    if not statements:
        return set()
    rows = [
        LinkRow(fact_id, fields["patient"], fields["other"])
        for fact_id, fields in statements.items()
        if fields.get("type") and fields.get("patient") and fields.get("other")
        and fields["patient"] != fields["other"]
    ]  # fmt: skip
    # A statement that became void no longer names the two it had linked.
    named = {end for link in links.stated_by(connection, statements) for end in (link.patient_id, link.other_id)}
    links.replace_links(connection, statements, rows)
    return named | {fields[end] for fields in statements.values() for end in ("patient", "other") if fields.get(end)}


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


def _components(connection: Connection, seeds: Iterable[str]) -> dict[str, str]:
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
        for group in groups:
            first, *others = sorted(group)
            for other in others:
                components.join(first, other)
        frontier = set().union(*groups) - known
    return components.leaders()
