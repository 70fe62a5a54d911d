"""Pairs in review as people see them: both records, how each field agrees and what that weighs; and their judging."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from hcrm_core.cli.context import Opened
from hcrm_core.cli.customer_shown import brief
from hcrm_core.cli.patient_named import patient_of, record_name
from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.identity.compare import LEVELS
from hcrm_core.identity.documents import PERSONAL
from hcrm_core.identity.golden import display_name, fields_of
from hcrm_core.identity.model import BIRTH_ORDER, scorer_of
from hcrm_core.identity.profile import profile_of
from hcrm_core.intake import judgements
from hcrm_core.intake.judgements import Who
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import facts, links, review
from hcrm_core.store.queries.pairs import PairRow

Verdict = Literal["accept", "reject"]

_SAID_IN = {
    "name": "name",
    "birth": "birth_date",
    "sex": "gender",
    "phone": "telecom",
    "document": "identifier",
    "address": "address",
    "numbers": "identifier",
    BIRTH_ORDER: "multiple_birth_order",
}
"""Field that is compared, or shown beside → field of the patient."""

NUMBERS = "numbers"
"""Numbers that a hospital gave and no person brought: shown, not compared."""

_HEX = frozenset("0123456789abcdef")


def pair_name(pair: PairRow) -> str:
    """What a pair is called by."""
    return f"{pair.low_id}-{pair.high_id}"


def find(connection: Connection, wanted: str) -> PairRow:
    """The pair called so, or by the beginnings of both ids.

    Raises:
        NotFoundError: There is none.
        UsageError: It is no name of a pair, or several fit.
    """
    low, dash, high = wanted.strip().partition("-")
    if not (low and dash and high and _HEX.issuperset(low + high)):
        raise UsageError(f"{wanted!r} names no pair. Take it from the first column of: hcrm customers review")
    found = review.scored_pairs(connection, low, high)
    if not found:
        raise NotFoundError(f"There is no pair {wanted}. It may be gone since; see: hcrm customers review")
    if len(found) > 1:
        raise UsageError(f"Several pairs begin with {wanted}. Give more of both ids.")
    return found[0]


def of_two(space: Opened, connection: Connection, one: str, other: str) -> PairRow:
    """The pair of two patients, each by its id or its record; scored now where no score of it is kept.

    Raises:
        HcrmError: One of them is not found, or not the only one.
        UsageError: They are one patient, or one of them has nothing that could be compared.
    """
    low, high = sorted(patient_of(space, connection, wanted) for wanted in (one, other))
    if low == high:
        raise UsageError("Both are one patient of one source.")
    if kept := review.scored_pairs(connection, low, high):
        return kept[0]
    rows = facts.facts(connection, (low, high))
    first, second = (profile_of(fields_of(rows[end], space.store.codec)) for end in (low, high))
    if first is None or second is None:
        raise UsageError("The source has deleted one of the two, so there is nothing to compare.")
    result = scorer_of(space.store.identity).score(first, second)
    return PairRow(low, high, "separate", result.score, msgspec.json.encode(result.evidence).decode())


def shown(connection: Connection, space: Opened, pairs: Iterable[PairRow]) -> list[dict[str, Any]]:
    """Pairs side by side, in the order given.

    The bits of all fields and `prior_bits`, those of any two records, add up to `bits`.
    """
    wanted = list(pairs)
    rows = facts.facts(connection, {end for pair in wanted for end in (pair.low_id, pair.high_id)})
    customers = links.customers_of(connection, rows)
    codec = space.store.codec
    known = {one: fields_of(row, codec) for one, row in rows.items()}
    found = []
    for pair in wanted:
        ends = (pair.low_id, pair.high_id)
        evidence: dict[str, tuple[str, int]] = msgspec.json.decode(pair.evidence)
        found.append(
            {
                "pair": pair_name(pair),
                "verdict": pair.verdict,
                "bits": pair.score / 1000,
                "prior_bits": (pair.score - sum(bits for _, bits in evidence.values())) / 1000,
                "customers": [customers.get(end) for end in ends],
                "patients": list(ends),
                "sources": [rows[end].source if end in rows else None for end in ends],
                "records": [record_name(rows[end], codec) if end in rows else "" for end in ends],
                "fields": _fields(evidence, *(known.get(end, {}) for end in ends)),
            }
        )
    return found


def _fields(
    evidence: Mapping[str, tuple[str, int]], one: Mapping[str, Any], other: Mapping[str, Any]
) -> list[dict[str, Any]]:
    return [
        {
            "field": field,
            "records": [_value(field, one), _value(field, other)],
            "level": evidence[field][0] if field in evidence else None,
            "bits": evidence[field][1] / 1000 if field in evidence else None,
        }
        for field in (*LEVELS, *({BIRTH_ORDER} & evidence.keys()), NUMBERS)
    ]


def _value(field: str, fields: Mapping[str, Any]) -> str:
    value = fields.get(_SAID_IN[field])
    if not value:
        return ""
    if field == "name":
        return display_name(value)
    if field == "phone":
        return "; ".join(str(one.get("value") or "") for one in value)
    if field == "document":
        return "; ".join(one["value"] for one in value if (one.get("type") or "") in PERSONAL)
    if field == NUMBERS:
        own = [one for one in value if (one.get("type") or "") not in PERSONAL]
        return "; ".join("|".join((one["system"], one.get("type") or "", one["value"])) for one in own)
    return brief(value)


def decide(space: Opened, pair: PairRow, verdict: Verdict, who: Who) -> int | None:
    """Accept or reject a pair; the message's number, or `None` where it was said already.

    To reject is to say it of every patient of either customer, so that the two do not come back by others of theirs.
    """
    both = (pair.low_id, pair.high_id)
    with space.store.read() as connection:
        customers = links.customers_of(connection, both)
        apart = any({row.low_id, row.high_id} == set(both) for row in links.distinct_of(connection, both))
    one, other = (customers[end] for end in both)
    if verdict == "accept":
        return None if one == other else judgements.judge(space.store, [both], "same", who)
    if one == other:
        raise UsageError(
            f"The two are one customer by now, {one}. If they are two people: hcrm customers split {one} {pair.high_id}"
        )
    return (
        None if apart else judgements.judge(space.store, judgements.across(space.store, one, other), "different", who)
    )
