"""Land: commit raw messages to the inbox before anything else happens to them."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from hcrm_core.errors import FetchError
from hcrm_core.failpoints import fp
from hcrm_core.model.translation import Problem, RawMessage
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import inbox, positions
from hcrm_core.store.queries.inbox import Landing
from hcrm_core.store.queries.positions import Reached

BATCH = 500

REUSED = Problem(
    "control-id-reused",
    "",
    "The source has used this control id (HL7 v2: MSH-10) before for a message with other content. Both are kept and "
    "translated; let the sender number its messages.",
)


class Arrival(NamedTuple):
    """A message that has arrived.

    Attributes:
        source: The source it came from.
        payload: The bytes as received.
        control_id: The source's own id of it, or empty.
        remarks: What had to be mended around it; of a refused message the first says why.
        form: `message`; `refused`: kept for people to see, never translated; `records`: a record file.
        place: Where it stood, for people: `患者.xlsx, sheet 患者, row 17`; empty where it came in no file.
    """

    source: str
    payload: bytes
    control_id: str = ""
    remarks: tuple[Problem, ...] = ()
    form: str = "message"
    place: str = ""


class Receipt(NamedTuple):
    """Proof that a message is stored.

    Attributes:
        message_id: Its number in the inbox.
        received_at: When it arrived first, microseconds UTC.
        repeated: Whether it had landed before, by source, control id and bytes.
    """

    message_id: int
    received_at: int
    repeated: bool


class Step(NamedTuple):
    """A pull that has got on; kept in the transaction of what it brought.

    Attributes:
        source: The source that is pulled.
        begun: Where the pull was.
        reached: Where it is now.
        finished: Whether it has come to its end for now.
        unread: What could not be read on the way there.
    """

    source: str
    begun: str
    reached: str
    finished: bool = False
    unread: tuple[str, ...] = ()


class LandedCount(NamedTuple):
    """What landing a stream of messages came to; `messages = landed + duplicates`."""

    messages: int
    landed: int
    duplicates: int


def land(store: Store, arrivals: Sequence[Arrival], now: int, step: Step | None = None) -> list[Receipt]:
    """Commit messages to the inbox in one transaction; when it returns they are durable.

    A message with the same source, control id and bytes as one that is there already is not kept twice. The same
    control id with other bytes is another message, and remarked upon.

    Args:
        store: The workspace's store.
        arrivals: In order, of any sources.
        now: Arrival, microseconds UTC.
        step: Of the pull that brought them.

    Returns:
        A receipt for each, in order.

    Raises:
        FetchError: The pull is elsewhere by now, since somebody else pulls the source too; nothing was landed.
    """
    keys = [(one.source, one.control_id, hashlib.sha256(one.payload).digest()) for one in arrivals]
    sealed = [store.codec.seal(one.payload) for one in arrivals]
    receipts: dict[tuple[str, str, bytes], Receipt] = {}
    fresh: dict[tuple[str, str, bytes], Landing] = {}
    numbered: set[tuple[str, str]] = set()
    fp("pre-insert")
    with store.write_inbox() as connection:
        inbox.take_turn(connection)
        for one, key, body, before in zip(arrivals, keys, sealed, inbox.known(connection, keys), strict=True):
            if key in receipts or key in fresh:
                continue
            if before.message_id is not None:
                receipts[key] = Receipt(before.message_id, before.received_at, True)
                continue
            reused = before.reused or (key[1] != "" and key[:2] in numbered)
            remarks = (*one.remarks, REUSED) if reused else one.remarks
            noted = msgspec.json.encode(remarks).decode() if remarks else None
            fresh[key] = Landing(*key, now, one.form, noted, one.place or None, body)
            numbered.add(key[:2])
        numbers = inbox.land(connection, list(fresh.values()))
        if step:
            _get_on(store, connection, step, now)
        fp("post-insert")
        fp("pre-commit")
    fp("post-commit")
    given = []
    made = dict(zip(fresh, numbers, strict=True))
    for key in keys:
        if (receipt := receipts.get(key)) is None:
            receipt = Receipt(made[key], now, False)
            receipts[key] = receipt._replace(repeated=True)
        given.append(receipt)
    return given


def land_all(store: Store, source: str, messages: Iterable[RawMessage], now: int, file: str = "") -> LandedCount:
    """Land a stream of one source's messages in batches.

    Args:
        store: The workspace's store.
        source: The source they came from.
        messages: In order.
        now: Arrival, microseconds UTC.
        file: The name of the file they stand in, for people.
    """
    total = landed = 0
    for batch in _batches(iter(messages)):
        arrivals = [arrival(source, one, file) for one in batch]
        receipts = land(store, arrivals, now)
        total += len(receipts)
        landed += sum(not receipt.repeated for receipt in receipts)
    return LandedCount(total, landed, total - landed)


def reached(store: Store, source: str) -> str:
    """Where the pull of a source is; empty where it has not begun."""
    with store.read_inbox() as connection:
        return _opened(store, positions.read(connection, source))


def _opened(store: Store, known: Reached | None) -> str:
    return store.codec.open(known.body).decode() if known else ""


def _get_on(store: Store, connection: Any, step: Step, now: int) -> None:
    known = positions.read(connection, step.source)
    if _opened(store, known) != step.begun:
        raise FetchError(
            f"The source {step.source} is being pulled by somebody else, who is further on or has begun anew. This "
            "pull ends here; what it has landed is kept."
        )
    finished_at = now if step.finished and not step.unread else known and known.finished_at
    unread = ", ".join(step.unread) or None if step.finished else known and known.unread
    body = store.codec.seal(step.reached.encode())
    positions.write(connection, step.source, Reached(body, now, finished_at, unread))


def arrival(source: str, message: RawMessage, file: str = "") -> Arrival:
    """A message that an adapter has cut out of something: its place is the file's, and where in it the adapter says."""
    place = ", ".join(filter(None, (file, message.place)))
    return Arrival(source, message.payload, message.control_id, message.repairs, place=place)


def _batches(messages: Iterator[RawMessage]) -> Iterator[list[RawMessage]]:
    while batch := list(islice(messages, BATCH)):
        yield batch
