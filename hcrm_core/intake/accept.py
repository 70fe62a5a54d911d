"""Accept translations: fold them and record what became of their messages, in one transaction."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from hcrm_core.failpoints import fp
from hcrm_core.intake.fold import Accepted, Folder
from hcrm_core.intake.ledger import Ledger
from hcrm_core.model.fold import stamp
from hcrm_core.model.translation import Problem, Translation
from hcrm_core.store.engine import Connection, Store
from hcrm_core.store.queries import processing
from hcrm_core.store.queries.inbox import Landed
from hcrm_core.store.queries.processing import ProcessingRow

DAY = 24 * 60 * 60 * 1_000_000
"""Microseconds by which the clocks of a sender and of this machine may differ."""

IN_FUTURE = Problem(
    "time-in-future",
    "",
    "It says that it was said more than a day after it arrived, and so it overrules what is said until then. Have the "
    "sender mend its clock.",
)


class Processed(NamedTuple):
    """What working off messages came to."""

    translated: int
    quarantined: int
    records: int

    def __add__(self, other: object) -> "Processed":
        assert isinstance(other, Processed)
        return Processed(*(a + b for a, b in zip(self, other, strict=True)))


NOTHING = Processed(0, 0, 0)


def accept(
    store: Store,
    folder: Folder,
    by: str,
    messages: Sequence[Landed],
    translations: Sequence[Translation],
    now: int,
    *,
    replay: bool = False,
) -> Processed:
    """Fold the translations of messages and record their outcomes.

    A message that has its outcome already was worked off by another process meanwhile and is left alone; with `replay`
    it is translated anew, and what it said before no longer counts.

    Args:
        store: The workspace's store.
        folder: Folds.
        by: Name and version of the adapter that translated them.
        messages: Of any sources.
        translations: One for each.
        now: Microseconds UTC.
        replay: Whether messages that are done are taken too.
    """
    with store.write() as connection:
        done = accept_in(connection, folder, by, messages, translations, now, replay=replay, zone=store.timezone)
        fp("fold-commit")
    fp("folded")
    return done


def accept_in(
    connection: Connection,
    folder: Folder,
    by: str,
    messages: Sequence[Landed],
    translations: Sequence[Translation],
    now: int,
    *,
    replay: bool = False,
    zone: str = "UTC",
) -> Processed:
    """Do what `accept` says in the caller's write transaction; `zone` is the one whose days the coverage counts by."""
    before = processing.outcomes(connection, [message.id for message in messages])
    outcomes, accepted = [], []
    ledger = Ledger(zone)
    for message, translation in zip(messages, translations, strict=True):
        known = before.get(message.id)
        if known and known.due_at is None and not replay:
            continue
        outcome = _outcome(message, translation, known, by, now)
        if translation.quarantine is None and translation.statement is not None:
            place = stamp(translation.statement, message.content_hash)
            accepted.append(Accepted(message.id, message.source, place, translation.records, translation.complete))
            outcome = outcome._replace(shape_id=ledger.count(message, translation, outcome.shape_id))
        outcomes.append(outcome)
    # Only an accepted translation takes its predecessor's place; a quarantined one leaves it standing.
    translated = {number for number, row in before.items() if row.translation}
    replaced = sorted(one.message_id for one in accepted if one.message_id in translated)
    records = folder.apply(connection, accepted, now, voided=replaced)
    fp("outcome")
    processing.put(connection, outcomes)
    ledger.write(connection)
    quarantined = sum(outcome.state == "quarantined" for outcome in outcomes)
    return Processed(len(outcomes) - quarantined, quarantined, records)


def _outcome(
    message: Landed, translation: Translation, known: ProcessingRow | None, by: str, now: int
) -> ProcessingRow:
    reason = translation.quarantine
    if reason is None and translation.statement is None:
        reason = Problem("adapter-failed", "", f"The adapter {by} gave no statement time. Report it to its author.")
    remarks = msgspec.json.decode(message.remarks, type=tuple[Problem, ...]) if message.remarks else ()
    problems = (*remarks, *translation.problems)
    if translation.statement is not None and translation.statement.said_at > message.received_at + DAY:
        problems += (IN_FUTURE,)
    return ProcessingRow(
        message.id,
        "quarantined" if reason else "folded",
        translation.message_type,
        known.translation + 1 if known else 1,
        by,
        0 if reason else len(translation.records),
        msgspec.json.encode(reason).decode() if reason else None,
        msgspec.json.encode(problems).decode() if problems else None,
        now,
        known.attempts if known else 1,
        shape_id=known.shape_id if known else None,  # what stands of a quarantined message is what was accepted
    )
