"""Why patients are one customer, in lines for people."""

from collections.abc import Iterable
from typing import Any

from hcrm_core import env
from hcrm_core.cli.context import Opened
from hcrm_core.cli.patient_named import record_name
from hcrm_core.identity.why import Tie
from hcrm_core.store.queries import facts


def names(space: Opened, patient_ids: Iterable[str]) -> dict[str, str]:
    """Patient → its source and the number its source knows it by, and the id: `his QHYY|MR|1001 (12ab…)`."""
    with space.store.read() as connection:
        rows = facts.facts(connection, patient_ids)
    known = {one: f"{row.source} {record_name(row, space.store.codec)}".strip() for one, row in rows.items()}
    return {one: f"{known[one]} ({one})" if one in known else one for one in sorted(patient_ids)}


def lines(space: Opened, ties: Iterable[Tie]) -> list[str]:
    """A line for each tie: the two patients, the tie in a sentence, and who said so, when, by which message and why."""
    found = list(ties)
    called = names(space, {end for tie in found for end in (tie.low_id, tie.high_id)})
    return [f"{called[tie.low_id]} and {called[tie.high_id]}: {tie.says}{_said(space, tie)}" for tie in found]


def as_members(space: Opened, tie: Tie) -> dict[str, Any]:
    """A tie as JSON."""
    said_at = None if tie.said_at is None else env.shown(tie.said_at, space.timezone)
    return {
        "patients": [tie.low_id, tie.high_id],
        "kind": tie.kind,
        "says": tie.says,
        "by": tie.by,
        "said_at": said_at,
        "reason": tie.reason,
        "message": tie.message_id,
    }


def _said(space: Opened, tie: Tie) -> str:
    parts = [] if tie.kind == "statement" or tie.by is None else [tie.by]
    if tie.said_at is not None:
        parts.append(env.shown(tie.said_at, space.timezone))
    if tie.message_id is not None:
        parts.append(f"message {tie.message_id}")
    if tie.reason:
        parts.append(tie.reason)
    return f" [{', '.join(parts)}]" if parts else ""
