"""Correct a customer by hand: the edit becomes a message, is written to the audit trail, lands and is folded.

The order is such that nothing is lost: an edit that has landed stands in the trail, and one that was not folded at once
is folded by whoever works off the inbox next.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.identity.golden import fields_of
from hcrm_core.intake.accept import accept_in
from hcrm_core.intake.claims import pass_over
from hcrm_core.intake.fold import Folder
from hcrm_core.intake.land import Arrival, land
from hcrm_core.model.adapters import SourceSettings
from hcrm_core.model.manual import Edit, Judgement, Manual
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.store import audit
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import customers, inbox, links
from hcrm_core.store.queries.facts import FactRow
from hcrm_core.store.queries.log import versions

ADAPTER = Manual(MANUAL, SourceSettings(adapter=MANUAL))


class Change(NamedTuple):
    """What is to become of a customer's fields.

    Attributes:
        set: Field → value.
        clear: Fields of which nothing is known.
        release: Fields that are left to the other sources again.
    """

    set: Mapping[str, Any]
    clear: Sequence[str] = ()
    release: Sequence[str] = ()


def edit(store: Store, patient_id: str, change: Change, *, by: str, reason: str, now: int) -> int:
    """Make an edit and fold it.

    Args:
        store: The workspace's.
        patient_id: The patient it corrects, and with it the customer that this one belongs to. Where patients of the
            customer are parted later, the edit goes with this one.
        change: What is to become of the fields.
        by: Who makes it.
        reason: Why.
        now: Microseconds since 1970 UTC.

    Returns:
        The message's number.

    Raises:
        UsageError: It clears or releases what the edits of another patient of the customer say.
    """
    return _make(store, _drafted(store, patient_id, change, by=by, reason=reason, now=now), now)


def undo(store: Store, customer_id: str, message: str, *, by: str, reason: str, now: int) -> int:
    """Take an edit back: its fields become what the customer's other edits make of them.

    Args:
        store, customer_id, by, reason, now: As for `edit`.
        message: The number or control id of the edit's message.

    Returns:
        The number of the message that takes it back.

    Raises:
        NotFoundError: This customer has no such edit, or its bytes have been pruned.
        UsageError: It is taken back already, or takes one back itself.
    """
    made = edits_of(store, customer_id)
    undone = next((one for number, one in made if message in (str(number), one.id)), None)
    if undone is None:
        raise NotFoundError(
            f"This customer has no edit {message!r}. Its edits: {', '.join(one.id for _, one in made) or 'none'}."
        )
    back = {one.undoes for _, one in made}
    if undone.id in back:
        raise UsageError(f"The edit {undone.id} is taken back already.")
    if undone.undoes:
        raise UsageError(f"The edit {undone.id} takes another back. Make the edit anew instead.")
    values: dict[str, Any] = {}
    cleared: set[str] = set()
    for _, one in made:
        if one.id not in back and one.id != undone.id and one.undoes is None and one.patient == undone.patient:
            for name in one.touched:
                values.pop(name, None)
                cleared.discard(name)
            values |= one.set
            cleared |= set(one.clear)
    fields = undone.touched
    change = Change(
        {name: values[name] for name in fields if name in values},
        [name for name in fields if name in cleared],
        [name for name in fields if name not in values and name not in cleared],
    )
    draft = _drafted(store, undone.customer, change, by=by, reason=reason, now=now, patient=undone.patient)
    return _make(store, msgspec.structs.replace(draft, undoes=undone.id), now)


def edits_of(store: Store, customer_id: str) -> list[tuple[int, Edit]]:
    """The edits of a customer with the numbers of their messages, oldest statement first; without those pruned."""
    with store.read() as connection:
        own = [row.fact_id for row in _patients(connection, customer_id) if row.source == MANUAL]
        said = sorted((one for rows in versions(connection, own).values() for one in rows), key=lambda one: one.stamp)
    with store.read_inbox() as connection:
        messages = {one.id: one for one in inbox.read_all(connection, sorted({one.message_id for one in said}))}
    return [
        (one.message_id, msgspec.json.decode(store.codec.open(body), type=Edit))
        for one in said
        if (body := messages[one.message_id].payload) is not None
    ]


def record_of(row: FactRow, codec: Codec) -> str:
    """The id of the patient that a patient of this source holds the edits of."""
    return codec.open(bytes(row.key)).decode().partition(":")[0]


def _drafted(
    store: Store, patient_id: str, change: Change, *, by: str, reason: str, now: int, patient: str | None = None
) -> Edit:
    """The edit as a message."""
    with store.read() as connection:
        customer_id = links.customers_of(connection, [patient_id]).get(patient_id, patient_id)
        edited = [row for row in _patients(connection, customer_id) if row.source == MANUAL and not row.void]
    edited.sort(key=lambda row: row.stamp)
    keys = {store.codec.open(bytes(row.key)).decode(): row for row in edited}
    own = [key for key in keys if key.partition(":")[0] == patient_id]
    key = patient or next(reversed(own), None) or _key(store, patient_id)
    known = fields_of(keys[key], store.codec) if key in keys else {}
    others = {one: _spoken_of(row, store.codec) for one, row in keys.items() if one != key}
    if patient is None:
        _require_own(change, _spoken_of(keys[key], store.codec) if key in keys else set(), others)
    # What was said since of the customer by the edits of other patients stands; this edit's instant would outweigh it.
    outdated = {
        name for one, said in others.items() if key in keys and keys[one].stamp > keys[key].stamp for name in said
    }
    outdated &= _spoken_of(keys[key], store.codec) if key in keys else set()
    release = [*change.release, *sorted(outdated.difference(change.set, change.clear, change.release))]
    left = set(known.get("cleared") or ()) - {*change.set, *release}
    said_at = max([now, *(row.said_at + 1 for row in edited)])
    return Edit(
        id=f"E{store.codec.token('edit', key, str(said_at))[:12]}",
        said_at=said_at,
        by=by,
        reason=reason,
        patient=key,
        customer=key.partition(":")[0],
        set=dict(change.set),
        clear=tuple(change.clear),
        release=tuple(release),
        cleared=tuple(sorted(left | set(change.clear))),
    )


def _spoken_of(row: FactRow, codec: Codec) -> set[str]:
    """The fields that the edits of a patient say something of; the numbers of all count side by side."""
    said = fields_of(row, codec)
    return ({*said} - {"cleared", "identifier"}) | set(said.get("cleared") or ())


def _require_own(change: Change, own: set[str], others: Mapping[str, set[str]]) -> None:
    """Refuse to clear or release what another patient's edits say: it would stand, and nobody would know why."""
    for name in (*change.clear, *change.release):
        option = "--clear" if name in change.clear else "--release"
        there = sorted({key.partition(":")[0] for key, said in others.items() if name in said})
        if name not in own and there:
            raise UsageError(
                f"{option} {name}: it was edited of another record of this customer. "
                f"Name that: hcrm customers edit {there[0]} {option} {name}"
            )


def _key(store: Store, patient_id: str) -> str:
    """The key of a new patient of this source, such that whom it corrects keeps the customer's id, alone or not."""
    number = 0
    while store.codec.token("Patient", MANUAL, f"{patient_id}:{number}") < patient_id:
        number += 1
    return f"{patient_id}:{number}"


def _make(store: Store, made: Edit, now: int) -> int:
    fields: dict[str, Iterable[str]] = {
        "set": sorted(made.set),
        "clear": made.clear,
        "release": made.release,
        "undoes": [made.undoes] if made.undoes else (),
    }
    detail = {key: list(some) for key, some in fields.items()}
    return say(store, made, now, action="customers.edit", subject=f"patient {made.customer}", detail=detail)


def say(store: Store, made: Edit | Judgement, now: int, *, action: str, subject: str, detail: Mapping[str, Any]) -> int:
    """Write what a person says to the audit trail, land it and fold it.

    Returns:
        The message's number.
    """
    payload = made.payload()
    with store.write() as connection:
        audit.record(
            connection,
            store.codec,
            at=now,
            by=made.by,
            action=action,
            subject=subject,
            detail={"message": made.id, "reason": made.reason, **detail},
        )
        (receipt,) = land(store, [Arrival(MANUAL, payload, made.id)], now)
    with store.read_inbox() as landed:
        (message,) = inbox.read_all(landed, [receipt.message_id])
    folder = Folder(store.codec, store.identity)
    with store.write() as connection:
        by = f"{ADAPTER.name} {ADAPTER.version}"
        said = ADAPTER.translate(payload)
        accept_in(connection, folder, by, [message], [said], now, zone=store.timezone)
        pass_over(store, connection, message.id)
    return receipt.message_id


def _patients(connection: Any, customer_id: str) -> list[FactRow]:
    return [row for _, row in customers.patients_of(connection, [customer_id])]
