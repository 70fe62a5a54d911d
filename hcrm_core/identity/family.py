"""One customer's family as it is known: the household, every tie, the guardians of a minor, and group contracts."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple

from hcrm_core.identity.golden import fields_of
from hcrm_core.identity.households import Neighbourhood
from hcrm_core.identity.kinship import relation_of
from hcrm_core.identity.ties import HOUSEHOLD, MOST, Tie
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import households as store
from hcrm_core.store.queries import links
from hcrm_core.store.queries.facts import FactRow, facts_of_patients

OF_AGE = 18
"""Years: Civil Code of the People's Republic of China, article 17."""


class Tied(NamedTuple):
    """Two customers and what ties them."""

    one: str
    other: str
    tie: Tie

    @property
    def counts(self) -> bool:
        """Whether it makes a household."""
        return self.tie.points >= HOUSEHOLD


class Guardian(NamedTuple):
    """Who answers for a minor: a customer, or somebody who was only named; and the facts that say so."""

    customer_id: str | None
    relation: str
    facts: tuple[str, ...]


class Contract(NamedTuple):
    """The contract of a group, such as a company that sends its people: its number was stated, or more patients share
    one policy than a family has."""

    fact_id: str
    patients: int


class Family(NamedTuple):
    """What is known of a customer's family.

    Attributes:
        customer_id: Whose.
        household: The household's id; `None` for who is in none.
        members: Customers of the household in order; none where there is none.
        ties: Those among the members, and all others of the customer.
        contracts: Of the customer.
    """

    customer_id: str
    household: str | None
    members: tuple[str, ...]
    ties: tuple[Tied, ...]
    contracts: tuple[Contract, ...]


def family_of(connection: Connection, customer_id: str) -> Family:
    """The family of a customer."""
    around = Neighbourhood(connection)
    mine = links.members_of(connection, (customer_id,))
    household = next(iter(sorted(store.households_of(connection, mine).values())), None)
    members = members_of(connection, household) if household else ()
    ties = [
        Tied(*one)
        for one in around.ties({customer_id, *members})
        if one[0] == customer_id or (one[1] in members and one[1] != customer_id and one[0] < one[1])
    ]
    stated = {
        row.token: row
        for row in sorted(around.marks(customer_id), key=lambda one: one.fact_id)
        if row.kind in ("policy", "group")
    }
    sizes = store.sizes(connection, stated)
    grouped = {row.fact_id for row in stated.values() if row.kind == "group"}
    contracts = [
        Contract(row.fact_id, sizes[token])
        for token, row in stated.items()
        if row.kind == "group" or (sizes[token] > MOST and row.fact_id not in grouped)
    ]
    return Family(customer_id, household, tuple(members), tuple(sorted(ties)), tuple(sorted(contracts)))


def members_of(connection: Connection, household: str) -> list[str]:
    """The customers of a household, in order."""
    patients = store.patients_in(connection, (household,))
    return sorted(set(links.customers_of(connection, patients).values()))


def largest_of(connection: Connection, households: Iterable[str]) -> list[str]:
    """The customers of the largest of some households; of several, of the first."""
    return max((members_of(connection, one) for one in households), key=len, default=[])


def guardians(
    connection: Connection, codec: Codec, family: Family, births: Mapping[str, str | None], today: date
) -> list[Guardian]:
    """Who answers for a customer who is a minor; nobody for who is of age, or of whom no birth date is known.

    A guardian who is named as such comes before parents; a customer before somebody who was only named.

    Args:
        connection: A transaction on the store.
        codec: Of the store.
        family: The customer's.
        births: Customer → birth date as far as it is known.
        today: From which day ages are counted.
    """
    me = family.customer_id
    if not is_minor(births.get(me), today):
        return []
    own = [one for one in family.ties if one.one == me and one.counts]
    named = list(_named(facts_of_patients(connection, links.members_of(connection, (me,)), "RelatedPerson"), codec))
    for relation in ("guardian", "parent"):
        found = [
            Guardian(one.other, relation, _facts(one.tie))
            for one in own
            if one.tie.relation == relation and not is_minor(births.get(one.other), today)
        ]
        cited = {fact for guardian in found for fact in guardian.facts}
        found += [Guardian(None, relation, (fact,)) for fact, said in named if said == relation and fact not in cited]
        if found:
            return found
    return []


def is_minor(birth: str | None, today: date) -> bool:
    """Whether somebody born then is under age; of a year alone the last day counts."""
    digits = (birth or "").replace("-", "")
    if len(digits) < 4 or not digits.isdecimal():
        return False
    born = (digits + "1231"[len(digits) - 4 :])[:8]
    return f"{today.year - OF_AGE:04d}{today:%m%d}" < born


def _named(rows: Iterable[FactRow], codec: Codec) -> Iterable[tuple[str, str]]:
    for row in rows:
        if not row.void:
            yield row.fact_id, relation_of(fields_of(row, codec))


def _facts(tie: Tie) -> tuple[str, ...]:
    found: Collection[str] = {fact for one in tie.evidence for fact in one.facts}
    return tuple(sorted(found))
