"""Pruning: the disk is freed while messages land, what is open is kept, and what arrived once stays known."""

import random
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from support.streams import work_off

from hcrm_core.intake.land import Arrival, Receipt, land
from hcrm_core.intake.prune import Pruned, prune
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import inbox, processing
from hcrm_core.store.queries.processing import ProcessingRow
from hcrm_core.store.tables import inbox as inbox_tables

OLD, NOW = 1_000, 2_000


def big(count: int, start: int = 0) -> list[Arrival]:
    """Messages of some kilobytes that no compression makes small."""
    chance = random.Random(start)
    return [
        Arrival("his" if number % 2 else "lis", b"%d" % number + chance.randbytes(3_000), f"M{number}")
        for number in range(start, start + count)
    ]


def in_states(store: Store, receipts: list[Receipt], *states: str | None) -> list[int]:
    """Give messages states in turn; their numbers."""
    numbers = [receipt.message_id for receipt in receipts]
    given = [(number, states[place % len(states)]) for place, number in enumerate(numbers)]
    with store.write() as connection:
        processing.put(connection, [ProcessingRow(number, state) for number, state in given if state])
        processing.set_claimed_to(connection, numbers[-1])
    return numbers


def size(store: Store) -> int:
    if store.inbox.dialect.name == "postgresql":
        with store.inbox.connect() as connection:
            return int(connection.scalar(text("SELECT pg_total_relation_size('payload')")) or 0)
    path = Path(store.inbox.url.database or "")
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))


def kept(store: Store, numbers: list[int]) -> set[int]:
    with store.read_inbox() as connection:
        return inbox.kept(connection, numbers)


def test_the_bytes_of_what_is_done_go_and_what_is_open_stays(store: Store) -> None:
    states = ("folded", "quarantined", "rejected", "claimed", "translated", "received", None)
    numbers = in_states(store, land(store, big(140), OLD), *states)
    rehearsed = prune(store, NOW, dry_run=True)
    assert kept(store, numbers) == set(numbers)
    done = prune(store, NOW)
    assert done == rehearsed and (done.messages, done.kept) == (40, 100)
    assert 40 * 3_000 < done.bytes < 40 * 3_100
    assert kept(store, numbers) == {number for place, number in enumerate(numbers) if place % 7 not in (0, 2)}
    assert prune(store, NOW) == Pruned(0, 100, 0)


def test_only_what_is_older_and_of_the_source_named_goes(store: Store) -> None:
    old = in_states(store, land(store, big(20), OLD), "folded")
    new = in_states(store, land(store, big(20, 20), NOW), "folded")
    assert prune(store, NOW, "his").messages == 10
    assert kept(store, old + new) == {*old[::2], *new}
    assert prune(store, NOW).messages == 10
    assert kept(store, old + new) == set(new)


def test_a_pruned_message_that_comes_again_is_a_repetition(store: Store) -> None:
    arrivals = big(30)
    numbers = in_states(store, land(store, arrivals, OLD), "folded")
    prune(store, NOW)
    again = land(store, arrivals, NOW)
    assert [(receipt.message_id, receipt.received_at, receipt.repeated) for receipt in again] == [
        (number, OLD, True) for number in numbers
    ]
    work_off(store)
    assert kept(store, numbers) == set()
    with store.read() as connection:
        assert processing.counts(connection) == {"folded": 30}


def test_the_disk_is_freed_while_messages_go_on_landing(store: Store) -> None:
    in_states(store, land(store, big(2_500), OLD), "folded")
    full = size(store)
    ended = threading.Event()
    landed: list[Receipt] = []

    def deliver() -> None:
        for number in range(400):
            if ended.is_set():
                return
            landed.extend(land(store, big(1, 10_000 + number), NOW))

    thread = threading.Thread(target=deliver)
    thread.start()
    done = prune(store, NOW)
    ended.set()
    thread.join()
    assert done.messages == 2_500 and done.bytes > 7_500_000
    if store.inbox.dialect.name == "postgresql":  # whose space is used by what lands next
        land(store, big(2_000, 20_000), NOW)
        assert size(store) < full * 1.1
    else:
        assert size(store) < full / 10 + 20_000 * len(landed)
    assert landed and kept(store, [one.message_id for one in landed]) == {one.message_id for one in landed}


def test_a_file_that_cannot_shrink_is_pruned_all_the_same(tmp_path: Path) -> None:
    """One that was made by other means than ours: its pages are used again, and nothing waits for ever."""
    store = Store(f"sqlite:///{tmp_path}/store.db", f"sqlite:///{tmp_path}/inbox.db", Codec(b"\x07" * 32))
    import sqlite3

    database = sqlite3.connect(tmp_path / "inbox.db")
    database.executescript("PRAGMA auto_vacuum = NONE; CREATE TABLE other (x)")
    database.close()
    with store.engine.begin() as connection:
        processing.processing.metadata.create_all(connection)
    with store.inbox.begin() as connection:
        inbox_tables.create_all(connection)
    in_states(store, land(store, big(500), OLD), "folded")
    assert prune(store, NOW).messages == 500
    store.close()


@pytest.mark.parametrize("count", [1, 999, 1_000, 1_001, 2_001])
def test_chunks_leave_none_out(store: Store, count: int) -> None:
    arrivals = [Arrival("his", b"%d" % number, f"M{number}") for number in range(count)]
    in_states(store, land(store, arrivals, OLD), "folded", "quarantined")
    seen: list[int] = []
    done = prune(store, NOW, progress=seen.append)
    assert (done.messages, done.kept) == ((count + 1) // 2, count // 2)
    assert sum(seen) == count and max(seen) <= 1_000
