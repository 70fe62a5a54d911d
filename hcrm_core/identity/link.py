"""Customers as the connected components of patients: a pure function of the facts, kept up to date for those changed.

A customer's id is its least patient id, so it depends on nothing but who belongs together.
"""

from collections.abc import Iterable, Mapping, Set
from types import MappingProxyType
from typing import Any, NamedTuple

from hcrm_core.identity import pairs
from hcrm_core.identity.components import NOBODY, Apart, Components, apart_of, components_of
from hcrm_core.identity.evidence import identifier_rows
from hcrm_core.identity.marks import Told
from hcrm_core.identity.model import Scorer
from hcrm_core.identity.rebuild import everybody
from hcrm_core.model.people import DISTINCT
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import links
from hcrm_core.store.queries import pairs as pair_queries
from hcrm_core.store.queries.links import DistinctRow, IdentifierRow, LinkRow


class Changed(NamedTuple):
    """The facts of a batch that bear on identity.

    Attributes:
        patients: Patient id → folded fields, empty where the fact became void.
        statements: PatientLink fact id → its folded fields, empty where void.
        mentioned: Patients that facts of any kind are about.
        told: Fact id → what may tie its patient to a family.
        by_hand: Of the patients, those of edits: only a statement ties them to somebody.
    """

    patients: Mapping[str, Mapping[str, Any]]
    statements: Mapping[str, Mapping[str, Any]]
    mentioned: set[str]
    told: Mapping[str, Told] = MappingProxyType({})
    by_hand: Set[str] = NOBODY


class _Edges:
    """What a batch did to the ties between patients."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        """Pairs that became one."""
        self.cut: set[str] = set()
        """Patients that lost a tie, on both its ends; and those that gained one beside somebody they are kept from."""

    def part(self, apart: Apart) -> None:
        """Take ties back that were made between patients who are said to be different people."""
        kept = {(one, other) for one, other in self.made if other in apart.get(one, NOBODY)}
        self.made = [pair for pair in self.made if pair not in kept]
        self.cut |= {end for pair in kept for end in pair}


def relink(connection: Connection, changed: Changed, codec: Codec, scorer: Scorer, now: int) -> set[str]:
    """Bring links and customers up to date.

    Args:
        connection: A write transaction on the store.
        changed: By the batch.
        codec: Of the store.
        scorer: Scores pairs that no number links.
        now: When the batch came to be known, microseconds UTC.

    Returns:
        The patients whose customer changed.
    """
    edges = _Edges()
    _update_identifiers(connection, changed, codec, edges)
    _update_links(connection, changed.statements, edges)
    if (linked_by := pair_queries.linked_by(connection)) != scorer.version:
        pair_queries.set_linked_by(connection, scorer.version)
        if linked_by is not None:
            return everybody(connection, changed.patients.keys() | changed.mentioned, scorer, codec, now)
    if scorer.enabled and changed.patients:
        by_sources = {one: fields for one, fields in changed.patients.items() if one not in changed.by_hand}
        moves = pairs.update(connection, by_sources, scorer, codec)
        edges.made += sorted(moves.made)
        edges.cut |= {end for pair in moves.cut for end in pair}
    if edges.made and links.any_distinct(connection):
        said = links.distinct_of(connection, {end for pair in edges.made for end in pair})
        edges.part(apart_of((row.low_id, row.high_id) for row in said))
    touched = set(changed.patients) | changed.mentioned | {end for pair in edges.made for end in pair}
    touched |= {
        fields[end] for fields in changed.statements.values() for end in ("patient", "other") if fields.get(end)
    }
    known = links.customers_of(connection, touched | edges.cut)
    moved = _grow(connection, touched, known, edges.made)
    if edges.cut:
        # Each piece of a group that fell apart holds one of the ends.
        links.assign_customers(connection, list(moved.items()), now)
        after = components_of(connection, edges.cut)
        before = links.customers_of(connection, after)
        fallen = {patient: customer for patient, customer in after.items() if before.get(patient) != customer}
        links.assign_customers(connection, list(fallen.items()), now)
        return moved.keys() | fallen.keys()
    links.assign_customers(connection, list(moved.items()), now)
    return set(moved)


def _grow(
    connection: Connection, patients: Iterable[str], known: Mapping[str, str], made: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Patient → new customer, where patients came or customers became one; customers stand for all their members."""
    customers = Components()
    for patient in patients:
        customers.add(known.get(patient, patient))
    for one, other in made:
        customers.join(known.get(one, one), known.get(other, other))
    leaders = customers.leaders()
    moved = {patient: leaders[patient] for patient in patients if patient not in known}
    led = {customer for customer, leader in leaders.items() if customer != leader}
    for patient, customer in links.members_of(connection, led).items():
        moved[patient] = leaders[customer]
    return moved


def _update_identifiers(connection: Connection, changed: Changed, codec: Codec, edges: _Edges) -> None:
    """Store the numbers of changed patients.

    A number that more than `LARGEST_GROUP` patients carry ties nobody. So when it comes to be carried by more, or by no
    more any longer, all who carry it are looked at again.
    """
    patients = changed.patients
    before: dict[str, set[IdentifierRow]] = {}
    for row in links.identifiers(connection, patients):
        before.setdefault(row.patient_id, set()).add(row)
    rows: list[IdentifierRow] = []
    replaced: list[str] = []
    gone: dict[str, list[str]] = {}
    come: dict[str, list[str]] = {}
    for patient_id, fields in patients.items():
        now = set(identifier_rows(patient_id, fields, codec.token, patient_id in changed.by_hand))
        then = before.get(patient_id, set())
        if now != then:
            replaced.append(patient_id)
            rows += now
            old, new = ({row.link_token for row in of if row.link_token} for of in (then, now))
            for token in old - new:
                gone.setdefault(token, []).append(patient_id)
            for token in new - old:
                come.setdefault(token, []).append(patient_id)
    carriers = links.carriers(connection, gone.keys() | come.keys(), links.LARGEST_GROUP + len(patients) + 1)
    tied, ties = set[str](), set[str]()
    for token, (count, _) in carriers.items():
        if count <= links.LARGEST_GROUP:
            tied.add(token)
        if count - len(gone.get(token, ())) + len(come.get(token, ())) <= links.LARGEST_GROUP:
            ties.add(token)
    for others in links.patients_with(connection, tied & gone.keys() | tied - ties).values():
        edges.cut |= others
    made = come.keys() & tied & ties
    # Whoever is asked for below may be losing the number in this very batch; then all ends are looked at again.
    edges.cut |= {patient_id for token in gone.keys() & made for patient_id in come[token]}
    if links.any_distinct(connection):
        # Where some who carry a number are kept apart, one of them does not stand for all.
        for token, all_of_them in links.patients_with(connection, made).items():
            if links.distinct_of(connection, all_of_them | set(come[token])):
                edges.cut |= all_of_them | set(come[token])
    for token in sorted(made):
        first = carriers[token].patient_id or come[token][0]
        edges.made += [(first, patient_id) for patient_id in come[token] if patient_id != first]
    links.replace_identifiers(connection, [patient_id for patient_id in replaced if patient_id in before], rows)
    for others in links.patients_with(connection, ties - tied).values():
        edges.cut |= others


def _update_links(connection: Connection, statements: Mapping[str, Mapping[str, Any]], edges: _Edges) -> None:
    if not statements:
        return
    rows: set[LinkRow] = set()
    apart: set[DistinctRow] = set()
    for fact_id, fields in statements.items():
        one, other, type_ = (fields.get(name) for name in ("patient", "other", "type"))
        if type_ and one and other and one != other:
            if type_ == DISTINCT:
                apart.add(DistinctRow(fact_id, min(one, other), max(one, other)))
            else:
                rows.add(LinkRow(fact_id, one, other))
    former = set(links.distinct_by(connection, statements))
    edges.cut |= {end for row in apart ^ former for end in (row.low_id, row.high_id)}
    if apart or former:
        links.replace_distinct(connection, statements, sorted(apart))
    before = set(links.stated_by(connection, statements))
    edges.made += [(link.patient_id, link.other_id) for link in rows - before]
    edges.cut |= {end for link in before - rows for end in (link.patient_id, link.other_id)}
    links.replace_links(connection, statements, sorted(rows))
