"""What a person says of who is whom: two patients are one person, or two, or nothing is said of them any more.

A judgement is a message of the source `manual`, landed and folded like an edit. All judgements of two patients meet in
one fact, so the last word counts, whatever the order of arrival. What takes a judgement back says what was said before
it, which counts again; so taken back it is as if it had never been.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hcrm_core.errors import UsageError
from hcrm_core.identity.judged import Pair, fact_of, judged
from hcrm_core.intake.edits import record_of, say
from hcrm_core.model.manual import Judgement, Says, pair_key
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.store.engine import Connection, Store
from hcrm_core.store.queries import facts, links
from hcrm_core.store.queries.pairs import pairs_of

ACTIONS: Mapping[Says, str] = {
    "same": "customers.merge",
    "different": "customers.split",
    "nothing": "customers.unmerge",
}
"""What the audit trail calls it."""


class Who(NamedTuple):
    """Who judges, why, and when: microseconds since 1970 UTC."""

    by: str
    reason: str
    now: int


def judge(store: Store, pairs: Iterable[Pair], says: Says, who: Who) -> int:
    """Say of pairs of patients what they are; returns the message's number.

    Args:
        store: The workspace's.
        pairs: Of patients.
        says: `nothing` takes back the last judgement of each pair that counts; the one before it counts again.
        who: Who says so.

    Raises:
        UsageError: No pair, or a patient and itself.
    """
    wanted = sorted({(min(pair), max(pair)) for pair in pairs})
    if not wanted or any(low == high for low, high in wanted):
        raise UsageError("Name two patients: nobody is another person than themselves, or the same again.")
    with store.read() as connection:
        said = facts.facts(connection, [fact_of(store.codec, pair) for pair in wanted]).values()
        counting = judged(store, connection, wanted) if says == "nothing" else {}
    said_at = max([who.now, *(row.said_at + 1 for row in said)])
    restores = {pair_key(*pair): made[-2].judgement.says for pair, made in counting.items() if len(made) > 1}
    made = Judgement(
        id=f"L{store.codec.token('judgement', says, str(said_at), *map('+'.join, wanted))[:12]}",
        said_at=said_at,
        by=who.by,
        reason=who.reason,
        says=says,
        pairs=tuple(wanted),
        restores=restores,
    )
    subject = f"patients {pair_key(*wanted[0])}" + (f" and {len(wanted) - 1} more pairs" if len(wanted) > 1 else "")
    detail = {"says": says, "pairs": [pair_key(*pair) for pair in wanted]} | (
        {"restores": restores} if restores else {}
    )
    return say(store, made, who.now, action=ACTIONS[says], subject=subject, detail=detail)


def across(store: Store, one: str, other: str) -> list[Pair]:
    """Every patient of one customer with every patient of the other."""
    with store.read() as connection:
        members = links.members_of(connection, {one, other})
    return [
        (mine, theirs)
        for mine, first in members.items()
        for theirs, second in members.items()
        if (first, second) == (one, other)
    ]


def merged_by_hand(store: Store, customer_id: str) -> list[Pair]:
    """The pairs of a customer's patients of which a person said that they are one."""
    with store.read() as connection:
        rows = links.links_of(connection, links.members_of(connection, {customer_id}))
    stated = {row.fact_id: (min(row.patient_id, row.other_id), max(row.patient_id, row.other_id)) for row in rows}
    return sorted(pair for fact_id, pair in stated.items() if fact_of(store.codec, pair) == fact_id)


def parted_by_hand(store: Store, one: str, other: str) -> list[Pair]:
    """The pairs among the patients of two customers of which a person said that they are different."""
    with store.read() as connection:
        members = set(links.members_of(connection, {one, other}))
        rows = links.distinct_of(connection, members)
    stated = {row.fact_id: (row.low_id, row.high_id) for row in rows if members.issuperset((row.low_id, row.high_id))}
    return sorted(pair for fact_id, pair in stated.items() if fact_of(store.codec, pair) == fact_id)


def to_part(store: Store, customer_id: str, leaving: Iterable[str]) -> list[Pair]:
    """The pairs to be called different so that patients leave a customer: all that tie them to those who stay.

    What was edited of a patient who leaves goes along.

    Raises:
        UsageError: One of them is no patient of the customer, or nobody would stay.
    """
    gone = set(leaving)
    with store.read() as connection:
        members = set(links.members_of(connection, {customer_id}))
        if strangers := sorted(gone - members):
            raise UsageError(f"{strangers[0]} is no patient of customer {customer_id}. See: hcrm customers show")
        tied = ties(connection, members)
        rows = facts.facts(connection, members)
    edits = {one: record_of(row, store.codec) for one, row in rows.items() if row.source == MANUAL}
    gone |= {one for one, record in edits.items() if record in gone}
    if gone == members:
        raise UsageError("Nobody would stay with the customer. Name only the patients that are somebody else.")
    return sorted(pair for pair in tied if (pair[0] in gone) != (pair[1] in gone))


def ties(connection: Connection, members: set[str]) -> set[Pair]:
    """The pairs among patients that a number, a statement or a score ties or may tie."""
    tokens = {row.link_token for row in links.identifiers(connection, members) if row.link_token}
    found = {
        (low, high)
        for group in links.patients_with(connection, tokens).values()
        for low in group
        for high in group
        if low < high
    }
    rows = links.links_of(connection, members)
    found |= {(min(row.patient_id, row.other_id), max(row.patient_id, row.other_id)) for row in rows}
    found |= {(pair.low_id, pair.high_id) for pair in pairs_of(connection, members)}
    return {pair for pair in found if members.issuperset(pair)}
