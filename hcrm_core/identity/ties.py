"""Ties: what speaks for two customers being of one household, and how strongly.

A tie is a pure function of the marks of both. Each kind of evidence counts once, however often it is found; their sum
is the strength. A mark that more than `MOST` patients share (a company's number, a dormitory, a village's only
telephone) says nothing. Two records with one name are a matter of linking and no tie.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from hcrm_core.identity.kinship import FAMILY, UNKNOWN, inverse
from hcrm_core.store.queries.households import MarkRow

MOST = 12
"""Patients who may share a mark; registrations of one person each count."""

POINTS: dict[str, tuple[int, str]] = {
    "named": (4, "one names the other as family, and name and phone, address or policy fit"),
    "named, unsaid": (2, "the same, without a word on what they are to each other"),
    "policy": (2, "one policy"),
    "address": (2, "one home address, down to the door"),
    "same relative": (2, "both name the same person, with one phone, as family"),
    "phone": (1, "one phone at home or in the pocket"),
    "phone of a relative": (1, "one names somebody with the other's phone"),
    "surname": (1, "one family name, beside any of the others"),
    "no family": (-4, "one names the other as friend, colleague or carer, and it fits"),
}
"""Kind of evidence → its points, and what it says."""

HOUSEHOLD = 3
"""Points from which a tie makes a household."""


class Evidence(NamedTuple):
    """One kind of evidence: its points, and the facts it rests on."""

    kind: str
    points: int
    facts: tuple[str, ...]


class Tie(NamedTuple):
    """What ties two customers.

    Attributes:
        evidence: By kind, the strongest first.
        relation: What the second is to the first; `unknown` where nobody says so.
    """

    evidence: tuple[Evidence, ...]
    relation: str

    @property
    def points(self) -> int:
        """The sum."""
        return sum(one.points for one in self.evidence)

    @property
    def strength(self) -> str:
        """In a word."""
        return "strong" if self.points > HOUSEHOLD else "enough" if self.points == HOUSEHOLD else "weak"


def tie(one: Sequence[MarkRow], other: Sequence[MarkRow], counting: Collection[int]) -> Tie | None:
    """What ties two customers; `None` where nothing does.

    Args:
        one: All marks of the first.
        other: Of the second.
        counting: Tokens of phones, addresses and policies that not too many share.
    """
    found: dict[str, set[str]] = {}

    def note(kind: str, *facts: str) -> None:
        found.setdefault(kind, set()).update(facts)

    for mine, theirs in _meetings(one, other, counting):
        if mine.relation is None and theirs.relation is None:
            note(mine.kind, mine.fact_id, theirs.fact_id)
        elif mine.relation is None or theirs.relation is None:
            if mine.kind == "phone":
                note("phone of a relative", mine.fact_id, theirs.fact_id)
        elif mine.kind == "phone" and mine.person == theirs.person != 0 and {mine.relation, theirs.relation} <= FAMILY:
            note("same relative", mine.fact_id, theirs.fact_id)
    if not found:
        return None
    if _own(one, "person") & _own(other, "person"):
        return None
    relations: set[str] = set()
    for namer, named, backwards in ((one, other, False), (other, one, True)):
        for fact_id, whom, relation in _naming(namer, named):
            if _fits(fact_id, namer, named, counting):
                kind = "named" if relation in FAMILY else "named, unsaid" if relation == UNKNOWN else "no family"
                note(kind, fact_id, whom)
                relations.add(inverse(relation) if backwards else relation)
    if relations:
        found.pop("phone of a relative", None)
    if surnames := _own(one, "surname") & _own(other, "surname"):
        note("surname", *(row.fact_id for row in (*one, *other) if row.relation is None and row.surname in surnames))
    evidence = [Evidence(kind, POINTS[kind][0], tuple(sorted(facts))) for kind, facts in found.items()]
    relation = _relation(relations)
    if relation == UNKNOWN and "same relative" in found and _both(one, other, found["same relative"], "parent"):
        relation = "sibling"
    return Tie(tuple(sorted(evidence, key=lambda e: (-e.points, e.kind))), relation)


def _meetings(
    one: Sequence[MarkRow], other: Sequence[MarkRow], counting: Collection[int]
) -> list[tuple[MarkRow, MarkRow]]:
    theirs: dict[int, list[MarkRow]] = {}
    for row in other:
        if row.kind != "name" and row.token in counting:
            theirs.setdefault(row.token, []).append(row)
    return [(mine, row) for mine in one if mine.kind != "name" for row in theirs.get(mine.token, ())]


def _own(marks: Sequence[MarkRow], column: str) -> set[int]:
    """What a customer's own names are, as `person` or `surname`."""
    return {getattr(row, column) for row in marks if row.relation is None} - {0}


def _naming(one: Sequence[MarkRow], other: Sequence[MarkRow]) -> list[tuple[str, str, str]]:
    """Whom the first names with the second's name: (fact that names, fact that is named, relation)."""
    names = {row.person: row.fact_id for row in other if row.kind == "name" and row.relation is None}
    return [
        (row.fact_id, names[row.person], row.relation)
        for row in one
        if row.kind == "name" and row.relation is not None and row.person in names
    ]


def _fits(naming: str, one: Sequence[MarkRow], other: Sequence[MarkRow], counting: Collection[int]) -> bool:
    """Whether the named one's phone or address, or the namer's address or policy, is the other's."""
    theirs = {row.token for row in other if row.relation is None and row.token in counting}
    return any(
        row.token in theirs and (row.fact_id == naming or row.relation is None) for row in one if row.kind != "name"
    )


def _relation(relations: Collection[str]) -> str:
    """One word of several: the closest family, else what else is known."""
    order = ("spouse", "parent", "child", "sibling", "grandparent", "grandchild", "guardian", "ward", "relative")
    for word in (*order, *sorted(set(relations) - {UNKNOWN})):
        if word in relations:
            return word
    return UNKNOWN


def _both(one: Sequence[MarkRow], other: Sequence[MarkRow], facts: Collection[str], relation: str) -> bool:
    return all(any(row.fact_id in facts and row.relation == relation for row in of) for of in (one, other))
