"""Why patients are one customer: the ties that lead from one of them to the others, each in a sentence.

A tie that is not counted, since the two were told apart, is none. Where several patients lie on the way, the way over
the fewest is told.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import msgspec

from hcrm_core.identity.components import NOBODY, apart_of
from hcrm_core.identity.golden import fields_of
from hcrm_core.identity.judged import Pair, fact_of, judged
from hcrm_core.model.fold import said_at
from hcrm_core.model.manual import Edit
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection, Store
from hcrm_core.store.queries import facts, inbox, links
from hcrm_core.store.queries import pairs as scored
from hcrm_core.store.queries.facts import FactRow
from hcrm_core.store.queries.log import VersionRow, versions
from hcrm_core.store.queries.pairs import PairRow

Kind = Literal["number", "statement", "score", "judgement", "edit"]


class Tie(NamedTuple):
    """What makes two patients one.

    Attributes:
        low_id, high_id: The patients, the lesser id first.
        kind: `number`: both carry it; `statement`: a source says so; `score`: their records agree; `judgement`: a
            person said so; `edit`: one of them holds what was corrected by hand of the other.
        says: The tie in a sentence without its full stop; neither number nor name is in it.
        by: The source or the person who says so; `None` where both records do, by what they hold.
        said_at: When that was said, microseconds since 1970 UTC.
        reason: Why, where a person says so.
        message_id: The message that says so.
    """

    low_id: str
    high_id: str
    kind: Kind
    says: str
    by: str | None = None
    said_at: int | None = None
    reason: str | None = None
    message_id: int | None = None


def why(store: Store, connection: Connection, patient_ids: Iterable[str]) -> list[Tie]:
    """The ties that make patients one customer; none where they are not one.

    Args:
        store: The workspace's.
        connection: On the store.
        patient_ids: Two patients: all ties between each two neighbours on the shortest way from one to the other. More:
            the same from the least id to each of the others; the ids of all patients of a customer tell why it is one.

    Returns:
        The ties in the order of the way.
    """
    first, *others = sorted(set(patient_ids))
    members = links.members_of(connection, set(links.customers_of(connection, [first]).values()))
    ways = _ways(_neighbours(connection, members), first)
    steps: dict[Pair, None] = {}
    for other in others:
        steps |= {(min(step), max(step)): None for step in pairwise(_way(ways, other))}
    return _ties(store, connection, list(steps))


def _neighbours(connection: Connection, members: Iterable[str]) -> dict[str, set[str]]:
    """Patient → those it is tied to directly."""
    known = set(members)
    tokens = {row.link_token for row in links.identifiers(connection, known) if row.link_token}
    groups = [*links.patients_with(connection, tokens).values()]
    groups += [{row.patient_id, row.other_id} for row in links.links_of(connection, known)]
    groups += [{row.low_id, row.high_id} for row in scored.pairs_of(connection, known, "link")]
    apart = apart_of((row.low_id, row.high_id) for row in links.distinct_of(connection, known))
    found: dict[str, set[str]] = {one: set() for one in known}
    for group in groups:
        for one in group & known:
            found[one] |= (group & known) - apart.get(one, NOBODY) - {one}
    return found


def _ways(neighbours: dict[str, set[str]], first: str) -> dict[str, str]:
    """Patient → the one before it on the shortest way from the first, which stands before itself."""
    before = {first: first}
    waiting = deque([first])
    while waiting:
        one = waiting.popleft()
        for other in sorted(neighbours.get(one, NOBODY) - before.keys()):
            before[other] = one
            waiting.append(other)
    return before


def _way(before: dict[str, str], last: str) -> Sequence[str]:
    if last not in before:
        return ()
    way = [last]
    while before[way[-1]] != way[-1]:
        way.append(before[way[-1]])
    return way[::-1]


def _ties(store: Store, connection: Connection, steps: Sequence[Pair]) -> list[Tie]:
    """All ties of pairs, pair by pair in the order given."""
    wanted = set(steps)
    ends = {end for pair in steps for end in pair}
    stated = {
        row.fact_id: pair
        for row in links.links_of(connection, ends)
        if (pair := (min(row.patient_id, row.other_id), max(row.patient_id, row.other_id))) in wanted
    }
    rows = facts.facts(connection, stated)
    log = versions(connection, stated)
    scores = {(row.low_id, row.high_id): row for row in scored.pairs_of(connection, ends, "link")}
    by_hand = judged(store, connection, steps)
    numbers = _numbers(connection, ends, store.codec)
    found: list[Tie] = []
    for pair in steps:
        one, other = (numbers.get(end, {}) for end in pair)
        kinds = sorted({kind for token, kind in one.items() if token in other})
        found += [Tie(*pair, "number", f"Both carry one number of the kind {kind}") for kind in kinds]
        for fact_id in sorted(fact_id for fact_id, of in stated.items() if of == pair):
            if fact_id == fact_of(store.codec, pair):
                found.append(_judgement(pair, rows[fact_id], by_hand))
            elif rows[fact_id].source == MANUAL:
                found.append(_edit(pair, log[fact_id], store))
            else:
                found.append(_statement(pair, rows[fact_id], log[fact_id], store.codec))
        if pair in scores:
            found.append(Tie(*pair, "score", _score(scores[pair])))
    return found


def _numbers(connection: Connection, patient_ids: set[str], codec: Codec) -> dict[str, dict[str, str]]:
    """Patient → the tokens of its numbers that tie, and of which kind each is: `QHYY|MR`."""
    carried = links.identifiers(connection, patient_ids)
    tying = links.patients_with(connection, {row.link_token for row in carried if row.link_token})
    link_of = {row.token: row.link_token for row in carried if row.link_token in tying}
    found: dict[str, dict[str, str]] = {}
    for one, row in facts.facts(connection, patient_ids).items():
        for number in fields_of(row, codec).get("identifier") or ():
            system, kind = number["system"], number.get("type") or ""
            if link := link_of.get(codec.token("identifier", system, kind, number["value"])):
                found.setdefault(one, {})[link] = f"{system}|{kind}"
    return found


def _statement(pair: Pair, row: FactRow, log: Sequence[VersionRow], codec: Codec) -> Tie:
    fields = fields_of(row, codec)
    last = max(log, key=lambda one: one.stamp)
    if fields.get("type") == "replaced-by":
        says = f"{row.source} merged {fields['patient']} into {fields['other']}"
    else:
        says = f"{row.source} says that both are one person"
    return Tie(*pair, "statement", says, row.source, said_at(last.stamp), None, last.message_id)


def _judgement(pair: Pair, row: FactRow, by_hand: dict[Pair, Any]) -> Tie:
    says = "A person said that both are one"
    if not (counting := by_hand.get(pair)):
        return Tie(*pair, "judgement", says, said_at=row.said_at)  # the message was pruned
    number, made = counting[-1]
    return Tie(*pair, "judgement", says, made.by, made.said_at, made.reason or None, number)


def _edit(pair: Pair, log: Sequence[VersionRow], store: Store) -> Tie:
    first = min(log, key=lambda one: one.stamp)
    says = "One holds what was corrected by hand of the other"
    with store.read_inbox() as landed:
        message = inbox.read(landed, first.message_id)
    if message is None or message.payload is None:
        return Tie(*pair, "edit", says, None, said_at(first.stamp), None, first.message_id)
    made = msgspec.json.decode(store.codec.open(message.payload), type=Edit)
    return Tie(*pair, "edit", says, made.by, made.said_at, made.reason, first.message_id)


def _score(row: PairRow) -> str:
    evidence: dict[str, tuple[str, int]] = msgspec.json.decode(row.evidence)
    fields = ", ".join(f"{field} {level}" for field, (level, bits) in evidence.items() if bits > 0)
    return f"Their records agree by {row.score / 1000:.1f} bits ({fields})"
