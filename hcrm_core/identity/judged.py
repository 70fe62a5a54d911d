"""What people said of pairs of patients: of each pair the judgements that were not taken back, the last one last.

A judgement that takes back ends the last before it that counts, and the one before that counts again.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from hcrm_core.model.manual import Judgement, pair_key
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection, Store
from hcrm_core.store.queries import inbox
from hcrm_core.store.queries.log import VersionRow, versions

Pair = tuple[str, str]
"""The ids of two patients, the lesser first."""


class Judged(NamedTuple):
    """A judgement, and the number of its message."""

    message_id: int
    judgement: Judgement


def fact_of(codec: Codec, pair: Pair) -> str:
    """The id of the fact in which all judgements of two patients meet."""
    return codec.token("PatientLink", MANUAL, pair_key(*pair))


def judged(store: Store, connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, list[Judged]]:
    """The judgements of each pair that count or will count again, oldest first; pairs without any are left out.

    What was said before a message whose bytes have been pruned is forgotten with it.

    Args:
        store: The workspace's, for the messages themselves.
        connection: On the store, for what they said.
        pairs: Of patients.
    """
    facts = {fact_of(store.codec, pair): pair for pair in pairs}
    log = versions(connection, facts)
    with store.read_inbox() as landed:
        messages = {
            one.id: one for one in inbox.read_all(landed, {row.message_id for of in log.values() for row in of})
        }
    read = {
        number: msgspec.json.decode(store.codec.open(one.payload), type=Judgement)
        for number, one in messages.items()
        if one.payload is not None
    }
    found = {pair: _counting(log.get(fact_id, ()), read) for fact_id, pair in sorted(facts.items())}
    return {pair: said for pair, said in found.items() if said}


def _counting(log: Iterable[VersionRow], read: dict[int, Judgement]) -> list[Judged]:
    counting: list[Judged] = []
    for row in sorted(log, key=lambda one: one.stamp):
        made = read.get(row.message_id)
        if made is None:
            counting.clear()
        elif made.says != "nothing":
            counting.append(Judged(row.message_id, made))
        elif counting:
            counting.pop()
    return counting
