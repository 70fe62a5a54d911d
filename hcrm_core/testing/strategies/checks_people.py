"""Checks of identity: two patients turn out to be one person, and then not to be."""

from collections.abc import Iterator

from hcrm_core.testing.checks import NotGiven
from hcrm_core.testing.strategies.bench import Examined, Row, differences
from hcrm_core.testing.strategies.checks_time import histories, standing
from hcrm_core.testing.strategies.history import key_of
from hcrm_core.testing.strategies.suite import check
from hcrm_core.testing.strategies.wards import Ward

_ANCHORED = ("task", "points")


@check(
    "S25",
    "When two patients become one customer, every key is still unique and the subject is the joint customer",
    reason="Customers are joined every day. What is decided for an id that is nobody's any more reaches nobody.",
    fix="Return customer_id as subject, never patient_id, and group by customer_id.",
)
def merged_is_one(examined: Examined) -> Iterator[str]:
    """On the world, and where some of its patients are others."""
    _need_pairs(examined)
    for ward, when in ((examined.wards.whole, ""), (examined.wards.merged, " after patients were merged")):
        known = _customers(examined, ward)
        for subject in sorted({row["subject"] for row in examined.on(ward)} - known):
            yield f"It decides about {subject}, which is no customer{when}."


@check(
    "S26",
    "A merge that is taken back leaves nothing behind",
    reason="Links are made in error. Who was taken for somebody else must be treated as if it had never been so.",
    fix="Decide from facts; do not read the strategy's own earlier decisions.",
)
def unmerged_is_as_before(examined: Examined) -> Iterator[str]:
    """Evaluated, and applied while they were one."""
    _need_pairs(examined)
    yield from differences(examined.key, examined.usual, examined.on(examined.wards.unmerged))
    known = histories(examined.bench)
    before, after = standing(examined, known.jump), standing(examined, known.taken_back)
    if error := known.errors.get(examined.strategy.name):
        yield error
    yield from differences(key_of(examined.strategy), before, after)


@check(
    "S27",
    "Keys do not depend on who the subject is",
    reason="Anchor, step and occurrence find a decision again. If they change when patients become one customer, "
    "what was done already is to be done again.",
    fix="Take the id of the fact that the decision hangs on as anchor, and number occurrences within the anchor. Where "
    "there is no fact but the person, as for a birthday, exempt the check and say so.",
)
def keys_stay(examined: Examined) -> Iterator[str]:
    """Anchors are facts, and have the same keys before and after a merge."""
    if examined.strategy.kind not in _ANCHORED:
        return
    _need_pairs(examined)
    people = _customers(examined, examined.wards.whole)
    for row in examined.usual:
        if row["anchor"] in people or row["subject"] in row["step"]:
            yield f"The key of {row['anchor']}, {row['step']}, {row['occurrence']} is made of the customer."
            return
    before, after = _keys(examined.usual), _keys(examined.on(examined.wards.merged))
    for anchor in sorted(before.keys() & after.keys()):
        gone, come = sorted(before[anchor] - after[anchor]), sorted(after[anchor] - before[anchor])
        if gone and come:
            yield f"At the anchor {anchor}, {gone[0]} has become {come[0]} since two patients are one customer."


def _need_pairs(examined: Examined) -> None:
    if not examined.wards.world.pairs:
        raise NotGiven("Pass a world whose `pairs` name patients that can be merged.")


def _customers(examined: Examined, ward: Ward) -> set[str]:
    rows = examined.bench.scene(ward).mart.execute("SELECT customer_id FROM customer").fetchall()
    return {customer for (customer,) in rows}


def _keys(rows: list[Row]) -> dict[str, set[tuple[str, int]]]:
    found: dict[str, set[tuple[str, int]]] = {}
    for row in rows:
        found.setdefault(row["anchor"], set()).add((row["step"], row["occurrence"]))
    return found
