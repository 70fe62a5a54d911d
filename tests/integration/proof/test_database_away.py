"""The database goes away amid everything, and comes back: senders wait, nothing acknowledged is lost or doubled."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url
from support.balance import Balance, audit, settled
from support.daemon import Daemon, free_port, wait_for, workspace
from support.database import Server, Wire
from support.feed import Feed, messages
from support.network import THERE, FarEnd

RECOVERED = 30
"""So many seconds after the database is back everything must go on."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def balance(root: Path, feed: Feed, daemon: Daemon) -> Balance:
    """Let senders and daemon finish, and compare what they hold."""
    feed.finish()
    settled(root)
    daemon.stop()
    return audit(root, feed.acknowledged, feed.sent)


def goes_on(feed: Feed, seconds: float = RECOVERED) -> None:
    """Wait until more is acknowledged."""
    wanted = len(feed.acknowledged) + 20
    wait_for(lambda: len(feed.acknowledged) >= wanted, "messages are acknowledged again", seconds)


@pytest.mark.postgresql
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.prove)])
def test_a_killed_postgresql_loses_nothing_that_was_acknowledged(
    kills: int, server: Server, tmp_path: Path, tally: Callable[..., None]
) -> None:
    port = free_port()
    root = workspace(tmp_path / "hospital", port, server.url, deciding=True)
    moments = random.Random(kills)
    slowest = 0.0
    with Daemon(root) as daemon:
        daemon.listening()
        feed = Feed(port, messages())
        for _ in range(kills):
            goes_on(feed)
            time.sleep(moments.uniform(0, 0.5))
            server.kill()
            time.sleep(moments.uniform(0, 3))
            server.start()
            back = time.monotonic()
            goes_on(feed)
            slowest = max(slowest, time.monotonic() - back)
        found = balance(root, feed, daemon)
    tally("PostgreSQL kill -9", kills=kills, messages=found.messages, lost=found.lost, doubled=found.doubled)
    assert (found.lost, found.doubled) == (0, 0)
    assert slowest < RECOVERED


@pytest.mark.postgresql
@pytest.mark.parametrize("cuts", [10, pytest.param(100, marks=pytest.mark.prove)])
def test_a_commit_of_which_nobody_knows_whether_it_happened_stores_a_message_once(
    cuts: int, server: Server, tmp_path: Path, tally: Callable[..., None]
) -> None:
    wire = Wire(server)
    port = free_port()
    root = workspace(tmp_path / "hospital", port, wire.url)
    with Daemon(root) as daemon:
        daemon.listening()
        feed = Feed(port, messages())
        for number in range(cuts):
            wire.cut(("before", "after")[number % 2])
            wait_for(lambda number=number: wire.cuts > number, "a COMMIT was cut")
            goes_on(feed)
        found = balance(root, feed, daemon)
    wire.close()
    tally("ambiguous COMMIT", cuts=wire.cuts, messages=found.messages, lost=found.lost, doubled=found.doubled)
    assert (found.lost, found.doubled) == (0, 0)


@pytest.mark.prove
@pytest.mark.postgresql
def test_a_postgresql_that_is_cut_off_without_a_word_is_given_up_and_found_again(
    server: Server, tmp_path: Path, tally: Callable[..., None]
) -> None:
    port = free_port()
    with FarEnd(server.socket) as far:
        url = make_url(server.url).set(host=THERE, port=5432, query={}).render_as_string(hide_password=False)
        root = workspace(tmp_path / "hospital", port, url)
        with Daemon(root) as daemon:
            daemon.listening()
            feed = Feed(port, messages(), patience=120)
            goes_on(feed)
            far.cut()
            time.sleep(60)
            assert set(feed.refused) == {"AE"}, "senders are told within a minute"
            far.mend()
            goes_on(feed)
            found = balance(root, feed, daemon)
    tally("PostgreSQL cut off", minutes=1, messages=found.messages, lost=found.lost, doubled=found.doubled)
    assert (found.lost, found.doubled) == (0, 0)


@pytest.mark.parametrize(
    ("seconds", "refused"), [(3, set()), pytest.param(45, {"AE"}, marks=pytest.mark.prove)], ids=["short", "long"]
)
def test_while_another_program_locks_the_inbox_senders_wait_or_are_told_to_come_again(
    seconds: int, refused: set[str], listening: Callable[[str], tuple[Path, int]]
) -> None:
    root, port = listening("sqlite")
    with Daemon(root) as daemon:
        daemon.listening()
        feed = Feed(port, messages(), patience=120)
        goes_on(feed)
        other = sqlite3.connect(root / "inbox.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(0.2)  # for what was committed already and is only now acknowledged
        before = len(feed.acknowledged)
        time.sleep(seconds)
        assert len(feed.acknowledged) == before
        other.execute("ROLLBACK")
        other.close()
        goes_on(feed)
        assert set(feed.refused) == refused
        found = balance(root, feed, daemon)
    assert (found.lost, found.doubled) == (0, 0)
