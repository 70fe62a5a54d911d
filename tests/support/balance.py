"""What a workspace holds against what its senders were told: nothing lost, nothing twice."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import func, select

from hcrm_core.cli.context import Opened
from hcrm_core.intake.land import Arrival, land
from hcrm_core.intake.process import Intake
from hcrm_core.model.translation import Translation
from hcrm_core.registry.loader import Loader
from hcrm_core.store import schema
from hcrm_core.store.dump import dump
from hcrm_core.store.engine import Store
from hcrm_core.store.packing import unpack
from hcrm_core.store.queries import coverage, inbox, processing
from hcrm_core.store.tables import content, fact, message, statement, version
from support.daemon import wait_for
from support.feed import Acknowledged

SOURCE = "his"


class Balance(NamedTuple):
    """How many messages are there, how many acknowledged ones are not, and how many things are there twice."""

    messages: int
    lost: int
    doubled: int


def settled(root: Path, seconds: float = 300) -> None:
    """Wait until everything that has landed by now is done."""
    space = Opened(root)
    with space.store.read_inbox() as landed:
        last = inbox.highest(landed)

    def done() -> bool:
        with space.store.read() as connection:
            waiting = [row for row in processing.due(connection, 2**62, 1) if row.message_id <= last]
            return processing.claimed_to(connection) >= last and not waiting

    try:
        wait_for(done, "everything that has landed is done", seconds)
    finally:
        space.store.close()


def lost(store: Store, acknowledged: Sequence[Acknowledged]) -> list[Acknowledged]:
    """The acknowledged messages that are not in the inbox byte by byte under the number their sender was told."""
    with store.read_inbox() as landed:
        found = {one.id: one for one in inbox.read_all(landed, {one.number for one in acknowledged})}
    bodies = {number: store.codec.open(one.payload or b"") for number, one in found.items()}
    return [one for one in acknowledged if bodies.get(one.number) != one.payload]


def audit(root: Path, acknowledged: Sequence[Acknowledged], sent: Sequence[bytes]) -> Balance:
    """Compare a workspace with what its senders were told, and with a store that was told everything once.

    Args:
        root: The workspace, settled.
        acknowledged: What was answered as stored, repetitions too.
        sent: Every message once; all were acknowledged in the end, and all are well-formed.
    """
    space = Opened(root)
    other = reference(space, root.parent / f"{root.name}-reference", sent)
    try:
        assert {one.payload for one in acknowledged} == set(sent)
        missing = lost(space.store, acknowledged)
        with space.store.read() as connection:
            assert processing.counts(connection) == {"folded": _landed(space.store)}
        ours, once = _said(space.store), _said(other)
        twice = sum((ours - once).values()) + abs(_landed(space.store) - len(sent))
        assert not once - ours, "something that was said is not in the log"
        told = list(dump(space.store))
        assert told == list(dump(other)), "the facts differ from those of a store that was told everything once"
        assert "\N{REPLACEMENT CHARACTER}".encode() not in b"".join(told)
        check_integrity(space.store)
        return Balance(len(sent), len(missing), twice)
    finally:
        space.store.close()
        other.close()


def check_integrity(store: Store) -> None:
    """Have SQLite look through both of its files."""
    for engine in {store.engine, store.inbox}:
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def _landed(store: Store) -> int:
    with store.read_inbox() as landed:
        return int(landed.scalar(select(func.count()).select_from(message)) or 0)


def _said(store: Store) -> Counter[tuple[Any, ...]]:
    """Every statement in the log and every count of the coverage, voided ones among them."""
    with store.read() as connection:
        log = (
            select(fact.c.fact_id, statement.c.stamp, content.c.body, content.c.sealed, statement.c.voided_at)
            .join(version, version.c.fact_number == fact.c.number)
            .join(statement, statement.c.id == version.c.statement_id)
            .join(content, content.c.id == version.c.content_id)
        )
        rows: Counter[tuple[Any, ...]] = Counter(row[:5] for row in coverage.read(connection))
        for fact_id, stamp, body, sealed, voided in connection.execute(log):
            opened = store.codec.open(sealed) if sealed is not None else None
            rows[fact_id, bytes(stamp), unpack(body), opened, voided] += 1
        return rows


def reference(space: Opened, folder: Path, payloads: Sequence[bytes]) -> Store:
    """A store with the same key that was told each message once, in this process."""
    folder.mkdir()
    store = Store(f"sqlite:///{folder}/store.db", f"sqlite:///{folder}/inbox.db", space.store.codec)
    schema.upgrade(store)
    source = space.source_of(SOURCE)
    adapter = Loader(space.configuration).adapter(source.plugin, source.name, SOURCE)

    def here(source: object, batch: Sequence[bytes]) -> "Future[list[Translation]]":
        future: Future[list[Translation]] = Future()
        future.set_result([adapter.translate(payload) for payload in batch])
        return future

    for start in range(0, len(payloads), 500):
        batch = payloads[start : start + 500]
        land(store, [Arrival(SOURCE, payload, f"{start + place}") for place, payload in enumerate(batch)], now=1)
    intake = Intake(store, here, lambda name: source, lambda: 1)
    intake.begin()
    intake.settle()
    return store
