"""Limits: no sender, slow, large, many or silent, harms another."""

import socket
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.daemon import wait_until
from support.mllp import START, Daemon, Listening, Sender, adt, framed, kept, listening, source, together

from hcrm_core.intake import commit, listen, port
from hcrm_core.store.engine import Store


@pytest.fixture(autouse=True)
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for what is overdue more often than a hospital needs it."""
    monkeypatch.setattr(listen, "TICK", 0.05)


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """Limits are the listener's; the database does not matter."""
    return sqlite_store


def test_a_message_that_is_not_complete_in_time_ends_the_connection(store: Store) -> None:
    with listening(store, source(frame_seconds=0.4)) as address, Sender(address) as sender:
        assert sender.ask(adt("M1")).code == "AA"
        began = time.monotonic()
        for byte in framed(adt("M2")):
            try:
                sender.socket.sendall(bytes([byte]))
            except OSError:
                break
            time.sleep(0.05)
        assert sender.ended(1)
        assert 0.3 < time.monotonic() - began < 5
    assert [one.control_id for one in kept(store)] == ["M1"]


def test_a_silent_connection_ends(store: Store) -> None:
    with listening(store, source(idle_seconds=0.4)) as address, Sender(address) as sender:
        for _ in range(5):
            sender.ask(adt("M1"))
            time.sleep(0.2)
        began = time.monotonic()
        assert sender.ended(5)
        assert time.monotonic() - began > 0.1


def test_an_old_connection_ends_at_a_quiet_moment_and_not_within_a_message(store: Store) -> None:
    with listening(store, source(total_seconds=0.4)) as address, Sender(address) as sender:
        whole = framed(adt("M1"))
        sender.socket.sendall(whole[:20])
        time.sleep(0.8)
        sender.socket.sendall(whole[20:])
        assert sender.answer().code == "AA"
        assert sender.ended(5)


def test_a_message_that_is_too_long_is_refused_in_its_turn_and_its_beginning_kept(store: Store) -> None:
    with listening(store, source(frame_bytes=5000)) as address, Sender(address) as sender:
        long = adt("LONG", name="王" * 3000)
        sender.send(adt("M1"), long, adt("M2"))
        assert [answer[:2] for answer in sender.answers(3)] == [("AA", "M1"), ("AR", "LONG"), ("AA", "M2")]
        assert sender.ask(adt("LONG")).code == "AA"
    found = kept(store)
    assert [one.form for one in found] == ["message", "refused", "message", "message"]
    assert found[1].payload == long[:4096] and "too-long" in found[1].remarks
    assert "control-id-reused" not in found[3].remarks


def test_a_message_that_does_not_end_is_cut_at_the_cap_and_answered_after_those_before_it(store: Store) -> None:
    with listening(store, source(frame_bytes=5000)) as address, Sender(address) as sender:
        sender.socket.sendall(framed(adt("M1")) + START + b"MSH|" + b"x" * 6000)
        assert [answer[:2] for answer in sender.rest()] == [("AA", "M1"), ("AR", "")]


def test_a_gigabyte_that_never_ends_is_cut_at_the_cap_and_costs_little_memory(workspace: Path) -> None:
    with (workspace / "hcrm.toml").open("a") as file:
        file.write('listen = "127.0.0.1:0"\n')
    with Daemon(workspace, "listen") as daemon, Sender(daemon.address) as good:
        good.ask(adt("M0"))
        process = psutil.Process(daemon.process.pid)
        before, most = process.memory_info().rss, 0
        for number in range(4):
            with Sender(daemon.address) as sender:
                sent = 0
                try:
                    sender.socket.sendall(START + b"MSH|^~\\&|HIS|")
                    while sent < 1 << 30:
                        sent += sender.socket.send(b"x" * (1 << 20))
                        most = max(most, process.memory_info().rss)
                except OSError:
                    pass
                assert sent < 64 << 20, "nobody takes so much of a message of at most 8 MiB"
            assert good.ask(adt(f"M{number}")).code == "AA"
        assert most - before < 64 << 20


def test_a_port_holds_so_many_connections_and_no_more(store: Store) -> None:
    with listening(store, source(connections=3)) as address:
        held = [Sender(address) for _ in range(3)]
        assert all(sender.ask(adt("M1")).code == "AA" for sender in held)
        with Sender(address) as one_more:
            assert one_more.ended(5)
        held.pop().socket.close()
        time.sleep(0.2)
        with Sender(address) as sender:
            assert sender.ask(adt("M1")).code == "AA"
        for sender in held:
            sender.socket.close()


def test_one_address_holds_so_many_connections_and_others_still_connect(store: Store) -> None:
    with listening(store, source(connections_per_address=2)) as address:
        host, _, number = address.partition(":")
        with Sender(address) as first, Sender(address) as second, Sender(address) as third:
            assert first.ask(adt("M1")).code == second.ask(adt("M2")).code == "AA"
            assert third.ended(5)
            other = socket.create_connection((host, int(number)), 5, source_address=("127.0.0.2", 0))
            other.sendall(framed(adt("M3")))
            assert b"|M3" in other.recv(4096)
            other.close()


def test_who_is_not_allowed_is_turned_away_unread(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with listening(store, source(allow=("127.0.0.2", "10.0.0.0/8"))) as address:
        host, _, number = address.partition(":")
        with Sender(address) as sender:
            assert sender.ended(5)
        allowed = socket.create_connection((host, int(number)), 5, source_address=("127.0.0.2", 0))
        allowed.sendall(framed(adt("M1")))
        assert b"MSA|AA|M1" in allowed.recv(4096)
        allowed.close()
    assert f"{address}: a connection from 127.0.0.1 was turned away: its address is not allowed." in caplog.messages


def test_who_knocks_without_end_does_not_fill_the_log(
    store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port, "REFUSALS_SECONDS", 1.0)
    with listening(store, source(allow=("10.0.0.0/8",))) as address:
        for _ in range(port.REFUSALS + 7):
            with Sender(address) as sender:
                assert sender.ended(5)
        turned_away = [text for text in caplog.messages if "turned away" in text]
        assert len(turned_away) == port.REFUSALS
        wait_until(lambda: f"{address}: 7 more from 127.0.0.1 were turned away." in caplog.messages)


def test_a_sender_that_takes_no_answers_is_not_read_from_and_dropped_at_last(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with listening(store, source(frame_seconds=2.0)) as address, Sender(address) as deaf:
        deaf.socket.settimeout(0.5)
        large = framed(adt("M" * 20_000))  # its answer is as large
        with pytest.raises(TimeoutError):
            while True:
                deaf.socket.sendall(large)
        until = time.monotonic() + 20
        while "it did not take its answers for 2 seconds" not in caplog.text:
            assert time.monotonic() < until, caplog.text
            with Sender(address) as good:
                assert good.ask(adt("M2")).code == "AA"
            time.sleep(0.05)


def test_a_message_that_we_do_not_read_on_is_not_late(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    landing = commit.land

    def slowly(*given: Any) -> Any:
        time.sleep(1.2)
        return landing(*given)

    monkeypatch.setattr(commit, "land", slowly)
    with listening(store, source(frame_seconds=1.0, frame_bytes=200_000)) as address, Sender(address) as sender:
        last = framed(adt("M2"))
        sender.socket.sendall(framed(*(adt(f"M{number}", name="王" * 60_000) for number in range(2))) + last[:50])
        assert sender.answer().control_id == "M0"
        time.sleep(0.3)
        sender.socket.sendall(last[50:])
        assert [answer.control_id for answer in sender.answers(2)] == ["M1", "M2"]


def beside_slow_senders(store: Store, slow: int, good: int, messages: int) -> float:
    """The 99th percentile of the good senders' seconds from message to answer."""
    ended = threading.Event()
    with listening(store, source(connections=256, connections_per_address=256)) as address:
        held = [Sender(address) for _ in range(slow)]

        def trickle() -> None:
            for byte in framed(adt("SLOW", name="慢" * 400)):
                for one in held:
                    one.socket.sendall(bytes([byte]))
                if ended.wait(0.02):
                    return

        thread = threading.Thread(target=trickle)
        thread.start()

        def deliver(number: int) -> list[float]:
            with Sender(address) as sender:
                seconds = []
                for place in range(messages):
                    began = time.perf_counter()
                    assert sender.ask(adt(f"{number}-{place}")).control_id == f"{number}-{place}"
                    seconds.append(time.perf_counter() - began)
                    time.sleep(0.01)
                return seconds

        seconds = sorted(second for part in together(good, deliver) for second in part)
        ended.set()
        thread.join()
        for one in held:
            one.socket.close()
    assert len(kept(store)) == good * messages
    return seconds[int(len(seconds) * 0.99)]


def test_slow_senders_do_not_delay_good_ones(store: Store) -> None:
    assert beside_slow_senders(store, slow=20, good=5, messages=40) < 1


@pytest.mark.prove
def test_two_hundred_slow_senders_do_not_delay_fifty_good_ones(store: Store) -> None:
    assert beside_slow_senders(store, slow=200, good=50, messages=100) < 1


def test_when_the_machine_can_open_no_more_files_the_listener_waits_and_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(port, "NO_ROOM_SECONDS", 0.1)
    running = Listening(store)
    try:
        address = running.serve(source())
        accept, failures = port.Port._next, [OSError(24, "Too many open files")] * 2

        async def sometimes(self: port.Port) -> tuple[socket.socket, object]:
            made = await accept(self)
            if failures:
                made[0].close()
                raise failures.pop()
            return made

        monkeypatch.setattr(port.Port, "_next", sometimes)
        for _ in range(3):  # the accept that waits already is not yet replaced
            with Sender(address) as sender:
                sender.ended(0.3)
        with Sender(address) as sender:
            assert sender.ask(adt("M1")).code == "AA"
        assert "nobody can connect now: Too many open files." in caplog.text
    finally:
        running.stop()


def test_a_sender_that_never_falls_silent_does_not_keep_a_listener_from_stopping(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "LAST_BYTES_SECONDS", 0.5)
    running = Listening(store)
    answered = []
    with Sender(running.serve(source())) as sender:

        def deliver() -> None:
            for number in count():
                try:
                    answered.append(sender.ask(adt(f"M{number}")).control_id)
                except (OSError, EOFError):
                    return

        thread = threading.Thread(target=deliver)
        thread.start()
        time.sleep(0.3)
        began = time.monotonic()
        running.stop()
        thread.join()
        assert 0.4 < time.monotonic() - began < 5
    found = [one.control_id for one in kept(store)]
    assert len(found) - len(answered) in (0, 1) and found[: len(answered)] == answered
