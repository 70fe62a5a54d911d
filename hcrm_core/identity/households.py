"""Households: customers connected by ties of enough strength; a pure function of the facts, kept up to date.

A household's id is its least customer id. More than `LARGEST` customers are no household but a mistake or a mass of
data that looks alike: none of them is in one.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from hcrm_core.identity.components import Components
from hcrm_core.identity.marks import SHARED, Told, marks_of
from hcrm_core.identity.ties import HOUSEHOLD, MOST, Tie, tie
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import households as store
from hcrm_core.store.queries import links
from hcrm_core.store.queries.households import MarkRow

LARGEST = 12
"""Customers in a household."""


def update(
    connection: Connection, told: Mapping[str, Told], moved: Collection[str], codec: Codec, now: int
) -> set[str]:
    """Bring marks and households up to date; customers are up to date already.

    Args:
        connection: A write transaction on the store.
        told: Fact → what changed, of the kinds that give marks.
        moved: Patients whose customer changed.
        codec: Of the store.
        now: When that came to be known, microseconds UTC.

    Returns:
        The patients whose household changed.
    """
    known = {one for fact in told.values() for one in (fact.patient_id, fact.former_id) if one}
    then = {row for row in store.marks(connection, known) if row.fact_id in told}
    since = {row for fact_id, fact in told.items() for row in marks_of(fact_id, fact, codec.token)}
    gone, come = then - since, since - then
    new = {fact_id for fact_id, fact in told.items() if fact.kind == "Patient" and fact.former_id is None}
    if not gone and not come and not moved:
        return set()
    store.change_marks(connection, gone, come)
    touched = {row.patient_id for row in (*gone, *come)} | set(moved)
    touched |= _others(connection, gone, come)
    before = store.households_of(connection, touched)
    touched |= store.patients_in(connection, before.values()).keys()
    around = Neighbourhood(connection)
    wanted = around.households(touched)
    before = store.households_of(connection, wanted)
    for one in store.patients_in(connection, before.values()):
        wanted.setdefault(one, None)  # of a household that came to be too large to be one
    before = store.households_of(connection, wanted)
    rows = [(one, household) for one, household in wanted.items() if household != before.get(one)]
    store.move(connection, rows, before, new, now)
    return {one for one, _ in rows}


def _others(connection: Connection, gone: Iterable[MarkRow], come: Iterable[MarkRow]) -> set[str]:
    """Who may have lost a tie: those who share a mark that went, or one that has come to be shared by too many."""
    lost = {row.token for row in gone if row.kind in SHARED}
    won: dict[int, set[str]] = {}
    for row in come:
        if row.kind in SHARED:
            won.setdefault(row.token, set()).add(row.patient_id)
    most = MOST + max(map(len, won.values()), default=0)
    found: set[str] = set()
    for token, those in store.holders(connection, lost | won.keys(), most).items():
        if token in lost or MOST < len(those) <= most:
            found |= those
    return found


class Neighbourhood:
    """Customers and those they are tied to, read from the store as far as somebody asks."""

    def __init__(self, connection: Connection) -> None:
        """Args: connection: a transaction on the store."""
        self._connection = connection
        self._customers: dict[str, str] = {}
        self._members: dict[str, set[str]] = {}
        self._marks: dict[str, list[MarkRow]] = {}
        self._holders: dict[int, set[str]] = {}

    def households(self, patients: Iterable[str]) -> dict[str, str | None]:
        """Patient → household, of all who are connected with some; `None` for who is in none."""
        groups = Components()
        seen: set[str] = set()
        frontier = self._customers_of(patients)
        for one in frontier:
            groups.add(one)
        while frontier:
            seen |= frontier
            reached = set()
            for one, other, found in self.ties(frontier):
                if found.points >= HOUSEHOLD:
                    groups.join(one, other)
                    reached.add(other)
            leaders = groups.leaders()
            sizes = Counter(leaders.values())
            frontier = {one for one in reached - seen if sizes[leaders[one]] <= LARGEST}
        leaders = groups.leaders()
        sizes = Counter(leaders.values())
        self._read(leaders)
        return {
            patient: leader if 1 < sizes[leader] <= LARGEST else None
            for customer, leader in leaders.items()
            for patient in self._members[customer]
        }

    def ties(self, customers: Collection[str]) -> list[tuple[str, str, Tie]]:
        """(one of these customers, another customer, what ties them), of all their ties."""
        self._read(customers)
        tokens = {row.token for one in customers for row in self._marks[one] if row.kind in SHARED}
        unknown = tokens - self._holders.keys()
        self._holders |= store.holders(self._connection, unknown, MOST)
        counting = {token for token in tokens if 1 < len(self._holders[token]) <= MOST}
        meetings: set[tuple[str, str]] = set()
        others = self._customers_of({one for token in counting for one in self._holders[token]})
        self._read(others)
        for one in customers:
            for token in {row.token for row in self._marks[one]} & counting:
                meetings |= {(one, self._customers[holder]) for holder in self._holders[token]}
        return [
            (one, other, found)
            for one, other in sorted(meetings)
            if one != other and (found := tie(self._marks[one], self._marks[other], counting))
        ]

    def marks(self, customer: str) -> Sequence[MarkRow]:
        """All marks of a customer."""
        self._read((customer,))
        return self._marks[customer]

    def _customers_of(self, patients: Iterable[str]) -> set[str]:
        wanted = set(patients)
        unknown = wanted - self._customers.keys()
        self._customers |= {one: one for one in unknown} | links.customers_of(self._connection, unknown)
        return {self._customers[one] for one in wanted}

    def _read(self, customers: Collection[str]) -> None:
        """Members and marks of customers."""
        unknown = [one for one in customers if one not in self._members]
        if not unknown:
            return
        members = links.members_of(self._connection, unknown)
        for one in unknown:
            self._members[one] = set()
            self._marks[one] = []
        for patient, customer in members.items():
            self._members[customer].add(patient)
        for one in unknown:
            self._members[one] = self._members[one] or {one}
        whose = {patient: customer for customer in unknown for patient in self._members[customer]}
        self._customers |= whose
        for row in store.marks(self._connection, whose):
            self._marks[whose[row.patient_id]].append(row)


def of_everybody(
    facts: Iterable[tuple[str, Told]], customers: Mapping[str, str], token: Callable[..., str]
) -> dict[str, str]:
    """Patient → household of a whole population at once: the same rules over facts instead of the store.

    Args:
        facts: (fact id, what it says) of all facts that give marks.
        customers: Patient → customer.
        token: `Codec.token`.
    """
    own: dict[str, list[MarkRow]] = {customer: [] for customer in customers.values()}
    holders: dict[int, set[str]] = {}
    for fact_id, told in facts:
        for row in marks_of(fact_id, told, token):
            own.setdefault(customers.get(row.patient_id, row.patient_id), []).append(row)
            if row.kind in SHARED:
                holders.setdefault(row.token, set()).add(row.patient_id)
    counting = {one: those for one, those in holders.items() if 1 < len(those) <= MOST}
    meetings = {
        (customers.get(one, one), customers.get(other, other))
        for those in counting.values()
        for one in those
        for other in those
    }
    groups = Components()
    for one, other in meetings:
        if one < other and (found := tie(own[one], own[other], counting)) and found.points >= HOUSEHOLD:
            groups.join(one, other)
    leaders = groups.leaders()
    sizes = Counter(leaders.values())
    return {
        patient: leaders[customer]
        for patient, customer in customers.items()
        if customer in leaders and sizes[leaders[customer]] <= LARGEST
    }
