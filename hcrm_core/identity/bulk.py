"""Customers of a whole population at once: the rules of `link.py` and `pairs.py` over rows instead of the store."""

from collections.abc import Callable, Iterable, Mapping, Set
from itertools import combinations
from typing import Any

from hcrm_core.identity.components import NOBODY, Components, apart_of
from hcrm_core.identity.evidence import identifier_rows
from hcrm_core.identity.model import Scorer
from hcrm_core.identity.pairs import scored, tokens
from hcrm_core.identity.profile import Profile, profile_of
from hcrm_core.model.people import DISTINCT
from hcrm_core.store.queries import links as store
from hcrm_core.store.queries.pairs import PairRow

Fields = Mapping[str, Any]


def customers(
    patients: Iterable[tuple[str, Fields]],
    links: Iterable[Fields],
    token: Callable[..., str],
    scorer: Scorer,
    by_hand: Set[str] = NOBODY,
) -> dict[str, str]:
    """Patient id → customer id.

    Args:
        patients: (patient id, folded fields) of everybody.
        links: The folded fields of every PatientLink, its ends as patient ids.
        token: `Codec.token`.
        scorer: Scores pairs.
        by_hand: The patients of edits, which only links tie to others.
    """
    components = Components()
    carriers: dict[str, set[str]] = {}
    stated = [one for one in links if one.get("type") and one.get("patient") and one.get("other")]
    apart = apart_of((one["patient"], one["other"]) for one in stated if one["type"] == DISTINCT)
    known: dict[str, Profile] = {}
    for patient_id, fields in patients:
        components.add(patient_id)
        for row in identifier_rows(patient_id, fields, token, patient_id in by_hand):
            if row.link_token:
                carriers.setdefault(row.link_token, set()).add(patient_id)
        if scorer.enabled and patient_id not in by_hand and (profile := profile_of(fields)):
            known[patient_id] = profile
    for group in carriers.values():
        if len(group) <= store.LARGEST_GROUP:
            components.join_all(group, apart)
    for link in stated:
        components.join_all((link["patient"], link["other"]), apart)
    for pair in scored_pairs(known, token, scorer):
        if pair.verdict == "link":
            components.join_all((pair.low_id, pair.high_id), apart)
    return components.leaders()


def scored_pairs(known: Mapping[str, Profile], token: Callable[..., str], scorer: Scorer) -> set[PairRow]:
    """The pairs of a population that are worth keeping.

    Args:
        known: Patient → profile, of everybody who has one.
        token: `Codec.token`.
        scorer: Scores pairs.
    """
    return scored(meetings(known, token, scorer.largest_block), known, scorer)


def meetings(known: Mapping[str, Profile], token: Callable[..., str], largest_block: int) -> set[tuple[str, str]]:
    """The pairs that share a key which not too many have; the lesser id first."""
    blocks: dict[int, list[str]] = {}
    for patient_id, profile in known.items():
        for one in tokens(profile, token):
            blocks.setdefault(one, []).append(patient_id)
    return {
        (one, other) if one < other else (other, one)
        for members in blocks.values()
        if len(members) <= largest_block
        for one, other in combinations(members, 2)
    }
