"""Checks of what only the author can show by example: empty and unmentioned, repetitions, complete sets."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hcrm_core.api import KINDS, UNSET, CompleteSet, Translation
from hcrm_core.testing.adapters.case import AdapterCase, Says, said
from hcrm_core.testing.adapters.suite import SUITE
from hcrm_core.testing.adapters.translation import known_kinds
from hcrm_core.testing.checks import NotGiven


@SUITE.check(
    "A12",
    "Said, said to be empty and not mentioned are three things",
    reason="What is not mentioned keeps what it had; what is said to be empty is cleared. Who takes one for the other "
    "loses data or keeps what the hospital has deleted.",
    fix="Give the value where there is one, None where the source says there is none, UNSET where it says nothing.",
)
def three_states(case: AdapterCase) -> Iterator[str]:
    if not case.says:
        raise NotGiven(
            "Pass says=(kind, field, said, empty, silent): a field and three messages, one that gives it a value, one "
            "that says there is none and one that does not mention it. A format that cannot say so is exempt."
        )
    for kind, field, *messages in _all(case.says):
        if kind not in KINDS or field not in {one.encode_name for one in msgspec.structs.fields(KINDS[kind])}:
            yield f"There is no {kind}.{field}; kinds are {known_kinds()}."
            continue
        for payload, state in zip(messages, ("a value", "None", "UNSET"), strict=True):
            found = _states(case.used.translate(payload), kind, field)
            if found != {state}:
                instead = " and ".join(sorted(found)) or f"no {kind}"
                yield f"{kind}.{field} should be {state} in the message passed for it, and is {instead}."


def _all(says: Says | Sequence[Says]) -> Sequence[Any]:
    return [says] if isinstance(says[0], str) else says


def _states(translation: Translation, kind: str, field: str) -> set[str]:
    values = [said(record).get(field, UNSET) for record in translation.records if type(record).__name__ == kind]
    return {"None" if value is None else "UNSET" if value is UNSET else "a value" for value in values}


@SUITE.check(
    "A13",
    "Repetitions are known by content and not by position",
    reason="Sources reorder what repeats. A key made of a position then names another thing, and facts are mixed.",
    fix="Make keys of what the repeating part says (code, role, number), never of its place or set id.",
)
def repetitions(case: AdapterCase) -> Iterator[str]:
    if case.shuffled is None:
        raise NotGiven(
            "Pass shuffled=(message, reordered): a message with repeating parts and the same with them in another "
            "order. A format in which nothing repeats is exempt."
        )
    if case.shuffled[0] == case.shuffled[1]:
        yield "The two messages passed as shuffled are the same."
        return
    first, second = (case.used.translate(payload) for payload in case.shuffled)
    records = [{_known(record): msgspec.json.encode(record) for record in made.records} for made in (first, second)]
    if len(records[0]) < 2 or not {kind for kind, _ in records[0]} - {"Patient"}:
        yield "The message passed as shuffled has no repeating records, which proves nothing."
    for kind in sorted({kind for kind, _ in records[0].keys() ^ records[1].keys()}):
        yield f"Keys of {kind} change with the order."
    for kind in sorted({known[0] for known in records[0].keys() & records[1].keys() if _differ(records, known)}):
        yield f"Records of {kind} change with the order."
    if set(first.complete) != set(second.complete):
        yield "The complete sets change with the order."


def _known(record: Any) -> tuple[str, str]:
    return type(record).__name__, record.key


def _differ(records: Sequence[dict[tuple[str, str], bytes]], known: tuple[str, str]) -> bool:
    return records[0][known] != records[1][known]


@SUITE.check(
    "A14",
    "Complete sets are stated with all their members",
    reason="Members that a complete set does not mention are made void. A set that is not whole, or that its members "
    "do not name, makes void what still holds, or nothing.",
    fix="State CompleteSet(kind, group) only where the message lists all, and give its records the same group.",
)
def complete_sets(case: AdapterCase) -> Iterator[str]:
    for name, translation in case.translations.items():
        for one in translation.complete:
            groups = {record.group for record in translation.records if type(record).__name__ == one.kind}
            if one.kind not in KINDS:
                yield f"Of {name}: {one.kind!r} is no kind; kinds are {known_kinds()}."
            elif groups and one.group not in groups:
                yield f"Of {name}: a set of {one.kind} is stated, but no record of that kind has its group."
    if case.complete is None:
        raise NotGiven(
            "Pass complete=(whole, fewer): a message that states a set whole and one that states the same set with "
            "fewer members. A format that never lists all of something is exempt."
        )
    whole, fewer = (case.used.translate(payload) for payload in case.complete)
    if not whole.complete:
        yield "The message passed as whole states no complete set."
    for one in whole.complete:
        if one not in fewer.complete:
            yield f"The message with fewer members does not state the set of {one.kind}."
        if not _members(whole, one):
            yield f"The set of {one.kind} has no members in the message passed as whole."
    if whole.complete and not any(_members(fewer, one) < _members(whole, one) for one in whole.complete):
        yield "The message passed as fewer has no set that lacks a member of the other and holds no other."


def _members(translation: Translation, one: CompleteSet) -> set[str]:
    return {r.key for r in translation.records if type(r).__name__ == one.kind and r.group == one.group}
