"""Pairs in review as people see them: both records, how each field agrees and what that weighs; and their judging."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from hcrm_core.cli.context import Opened
from hcrm_core.cli.customer_shown import brief
from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.identity.compare import LEVELS
from hcrm_core.identity.golden import display_name, fields_of
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
}
"""Field that is compared → field of the patient."""

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


def shown(connection: Connection, space: Opened, pairs: Iterable[PairRow]) -> list[dict[str, Any]]:
    """Pairs side by side, in the order given."""
    wanted = list(pairs)
    rows = facts.facts(connection, {end for pair in wanted for end in (pair.low_id, pair.high_id)})
    customers = links.customers_of(connection, rows)
    codec = space.store.codec
    known = {one: fields_of(row, codec) for one, row in rows.items()}
    return [
        {
            "pair": pair_name(pair),
            "verdict": pair.verdict,
            "bits": pair.score / 1000,
            "customers": [customers.get(end) for end in (pair.low_id, pair.high_id)],
            "patients": [pair.low_id, pair.high_id],
            "sources": [rows[end].source if end in rows else None for end in (pair.low_id, pair.high_id)],
            "fields": _fields(pair, *(known.get(end, {}) for end in (pair.low_id, pair.high_id))),
        }
        for pair in wanted
    ]


def _fields(pair: PairRow, one: Mapping[str, Any], other: Mapping[str, Any]) -> list[dict[str, Any]]:
    evidence: dict[str, tuple[str, int]] = msgspec.json.decode(pair.evidence)
    return [
        {
            "field": field,
            "records": [_value(field, one), _value(field, other)],
            "level": evidence[field][0] if field in evidence else None,
            "bits": evidence[field][1] / 1000 if field in evidence else None,
        }
        for field in LEVELS
    ]


def _value(field: str, fields: Mapping[str, Any]) -> str:
    value = fields.get(_SAID_IN[field])
    if not value:
        return ""
    if field == "name":
        return display_name(value)
    if field in ("phone", "document"):
        return "; ".join(str(one.get("value") or "") for one in value)
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
