"""Landing: whatever is delivered, as often as it is delivered, is kept once and counted honestly."""

import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from support.streams import clear

from hcrm_core.intake.land import BATCH, LandedCount, land_all
from hcrm_core.model.translation import Problem, RawMessage
from hcrm_core.store import engine, schema
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import inbox
from hcrm_core.store.tables import message, payload

_WHOLE = select(message, payload.c.body).where(payload.c.message_id == message.c.id).order_by(message.c.id)


def kept(store: Store) -> list[tuple[str, str, bytes]]:
    """(source, control id, payload) of the inbox in landing order."""
    with store.read_inbox() as connection:
        rows = connection.execute(_WHOLE).all()
    return [(row.source, row.control_id, store.codec.open(row.body)) for row in rows]


def test_a_redelivered_message_lands_once(store: Store) -> None:
    one = RawMessage(b"MSH|^~\\&|1", "M1")
    assert land_all(store, "his", [one], now=1) == LandedCount(1, 1, 0)
    assert land_all(store, "his", [one, one], now=2) == LandedCount(2, 0, 2)
    assert kept(store) == [("his", "M1", b"MSH|^~\\&|1")]


def test_a_message_twice_in_one_delivery_lands_once(store: Store) -> None:
    one = RawMessage(b"MSH|^~\\&|1", "M1")
    assert land_all(store, "his", [one] * (BATCH + 3), now=1) == LandedCount(BATCH + 3, 1, BATCH + 2)


def test_the_same_control_id_with_another_body_is_another_message(store: Store) -> None:
    bodies = [f"MSH|^~\\&|{number}".encode() for number in range(200)]
    assert land_all(store, "his", [RawMessage(body, "M1") for body in bodies], now=1).landed == 200
    assert [payload for *_, payload in kept(store)] == bodies


def test_the_same_message_from_another_source_is_another_message(store: Store) -> None:
    one = RawMessage(b"MSH|^~\\&|1", "M1")
    assert land_all(store, "his", [one], now=1).landed + land_all(store, "lis", [one], now=1).landed == 2


def test_the_first_arrival_and_its_repairs_stay(store: Store) -> None:
    land_all(store, "his", [RawMessage(b"x", "M1", (Problem("stray-line", "line 2", "Left out."),))], now=1)
    land_all(store, "his", [RawMessage(b"x", "M1")], now=2)
    with store.read_inbox() as connection:
        row = connection.execute(select(message)).one()
    assert row.received_at == 1
    assert "stray-line" in row.remarks


def test_messages_are_read_in_the_order_they_landed(store: Store) -> None:
    bodies = [str(number).encode() for number in range(1_234)]
    random.Random(5).shuffle(bodies)
    land_all(store, "his", (RawMessage(body, body.decode()) for body in bodies), now=1)
    assert [payload for *_, payload in kept(store)] == bodies
    with store.read_inbox() as landed:
        waiting = inbox.after(landed, 0, 10_000)
    assert [store.codec.open(row.payload or b"") for row in waiting] == bodies


@settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    deliveries=st.lists(
        st.lists(st.tuples(st.sampled_from(("M1", "M2", "", "消息")), st.binary(max_size=3)), max_size=12), max_size=4
    )
)
def test_messages_are_landed_or_duplicates_and_nothing_else(
    store: Store, deliveries: list[list[tuple[str, bytes]]]
) -> None:
    clear(store)
    landed = 0
    for number, delivery in enumerate(deliveries):
        count = land_all(store, "his", [RawMessage(body, control) for control, body in delivery], now=number)
        assert count.messages == len(delivery) == count.landed + count.duplicates
        landed += count.landed
    assert landed == len({pair for delivery in deliveries for pair in delivery}) == len(kept(store))


def test_eight_senders_landing_the_same_messages_at_once_land_each_once(store: Store) -> None:
    """Each delivers them in an order of its own; together they count every message as landed exactly once."""
    messages = [RawMessage(f"MSH|^~\\&|HIS|||||||{number}".encode(), f"M{number}") for number in range(500)]

    def deliver(seed: int) -> LandedCount:
        order = list(messages)
        random.Random(seed).shuffle(order)
        counts = [land_all(store, "his", order[start : start + 50], now=seed) for start in range(0, len(order), 50)]
        return LandedCount(*(sum(column) for column in zip(*counts, strict=True)))

    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(deliver, range(8)))
    with store.read_inbox() as connection:
        assert connection.scalar(select(func.count()).select_from(message)) == 500
    assert all(count.messages == 500 == count.landed + count.duplicates for count in counts)
    assert sum(count.landed for count in counts) == 500


def test_a_database_that_another_program_locks_is_unavailable_and_no_surprise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0)
    store = Store(f"sqlite:///{tmp_path}/store.db", f"sqlite:///{tmp_path}/inbox.db", Codec(b"\x07" * 32))
    schema.upgrade(store)
    for name, transaction in (("store.db", store.write), ("inbox.db", store.write_inbox)):
        with closing(sqlite3.connect(tmp_path / name, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(engine.UNAVAILABLE), transaction():
                raise AssertionError("the lock was not asked for")
    store.close()
