"""What is acknowledged is stored, whatever way it was delivered."""

import random
import socket
import time
from collections.abc import Sequence
from itertools import chain

import pytest
from support.mllp import Sender, adt, framed, kept, listening, share, source, together
from support.streams import clear, tell, work_off

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter
from hcrm_core.intake import commit
from hcrm_core.intake.land import Arrival, Receipt
from hcrm_core.model.listening import Connection, Received, Verdict
from hcrm_core.model.translation import Problem
from hcrm_core.store.dump import dump
from hcrm_core.store.engine import Store


def test_a_message_is_in_the_inbox_when_its_answer_arrives(store: Store) -> None:
    with listening(store) as address, Sender(address) as sender:
        for number in range(20):
            answer = sender.ask(adt(f"M{number}"))
            assert answer[:2] == ("AA", f"M{number}")
            assert kept(store)[-1][:4] == ("his", f"M{number}", adt(f"M{number}"), "message")


def test_pipelined_messages_are_answered_one_by_one_and_in_their_order(store: Store) -> None:
    names = [f"M{number}" for number in range(300)]
    with listening(store) as address, Sender(address) as sender:
        sender.send(*map(adt, names))
        assert [answer.control_id for answer in sender.answers(300)] == names
    assert [one.control_id for one in kept(store)] == names


def test_a_sender_that_says_no_more_is_still_answered(store: Store) -> None:
    with listening(store) as address, Sender(address) as sender:
        sender.send(adt("M1"), adt("M2"))
        sender.socket.shutdown(socket.SHUT_WR)
        assert [answer.control_id for answer in sender.answers(2)] == ["M1", "M2"]
        assert sender.ended()


def test_nobody_waits_in_vain_where_the_disk_cannot_be_asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Store) -> bool:
        raise OSError(5, "Input/output error")

    with listening(store) as address, Sender(address) as sender:
        with monkeypatch.context() as patched:
            patched.setattr(commit.durable, "has_room", broken)
            assert sender.ask(adt("M1"))[:2] == ("AE", "M1")
        assert sender.ask(adt("M1"))[:2] == ("AA", "M1")


def test_a_frame_may_come_byte_by_byte(store: Store) -> None:
    with listening(store) as address, Sender(address) as sender:
        for byte in framed(adt("M1"), adt("M2")):
            sender.socket.sendall(bytes([byte]))
        assert [answer.control_id for answer in sender.answers(2)] == ["M1", "M2"]


def test_frames_are_found_however_they_are_cut(store: Store) -> None:
    chance = random.Random(7)
    stream = framed(*(adt(f"M{number}", name="王" * chance.randint(1, 900)) for number in range(60)))
    with listening(store) as address, Sender(address) as sender:
        at = 0
        while at < len(stream):
            step = chance.choice((1, 3, 100, 5000))
            sender.socket.sendall(stream[at : at + step])
            at += step
        assert [answer.control_id for answer in sender.answers(60)] == [f"M{number}" for number in range(60)]
    assert len(kept(store)) == 60


@pytest.mark.parametrize("count", [8, 64])
def test_every_message_of_many_connections_at_once_is_answered_and_kept(store: Store, count: int) -> None:
    with listening(store, source(connections_per_address=64)) as address:

        def deliver(number: int) -> list[str]:
            with Sender(address) as sender:
                return [sender.ask(adt(f"{number}-{place}")).control_id for place in range(10)]

        answered = together(count, deliver)
    wanted = [[f"{number}-{place}" for place in range(10)] for number in range(count)]
    assert answered == wanted
    assert sorted(one.control_id for one in kept(store)) == sorted(chain(*wanted))


def redeliver(store: Store, count: int) -> None:
    """Deliver each message one to five times over eight connections; compare with one delivery."""
    chance = random.Random(count)
    sent = [adt(f"M{number}", f"P{number % 97}", f"名{number}") for number in range(count)]
    again = [one for one in sent for _ in range(chance.randint(1, 5))]
    chance.shuffle(again)
    with listening(store) as address:

        def deliver(part: list[bytes]) -> list[tuple[str, bytes]]:
            with Sender(address) as sender:
                found = []
                for start in range(0, len(part), 50):
                    sender.send(*part[start : start + 50])
                    found += [
                        (answer.control_id, answer.raw) for answer in sender.answers(len(part[start : start + 50]))
                    ]
                return found

        parts = share(again, 8)
        answers = list(chain(*together(8, lambda number: deliver(parts[number]))))
    assert len(answers) == len(again)
    assert len(set(answers)) == count, "a repetition is answered with the same bytes"
    assert sorted(one.payload for one in kept(store)) == sorted(sent)
    work_off(store)
    repeatedly = list(dump(store))
    clear(store)
    assert repeatedly == tell(store, sent, batch=1000)


def test_repetitions_get_the_same_answer_and_change_nothing(store: Store) -> None:
    redeliver(store, 500)


@pytest.mark.prove
def test_ten_thousand_messages_one_to_five_times_over_eight_connections_come_to_the_same_state(store: Store) -> None:
    redeliver(store, 10_000)


def test_a_control_id_that_is_used_again_for_another_message_keeps_both_and_says_so(store: Store) -> None:
    bodies = [adt("SAME", name=f"名{number}") for number in range(200)]
    with listening(store) as address:

        def deliver(number: int) -> list[str]:
            with Sender(address) as sender:
                return [sender.ask(body).code for body in bodies[number::8]]

        assert set(chain(*together(8, deliver))) == {"AA"}
    found = kept(store)
    assert sorted(one.payload for one in found) == sorted(bodies)
    assert sum("control-id-reused" in one.remarks for one in found) == 199


@pytest.mark.parametrize(
    ("accept", "application", "codes"),
    [
        ("", "", ["AA"]),
        ("AL", "NE", ["CA"]),
        ("AL", "AL", ["CA", "AA"]),
        ("NE", "AL", ["AA"]),
        ("SU", "ER", ["CA"]),
    ],
)
def test_the_sender_says_which_answers_it_wants(store: Store, accept: str, application: str, codes: list[str]) -> None:
    with listening(store) as address, Sender(address) as sender:
        sender.send(adt("M1", accept=accept, application=application), adt("LAST"))
        answers = sender.answers(len(codes) + 1)
    assert [answer.code for answer in answers] == [*codes, "AA"]
    assert [answer.control_id for answer in answers] == ["M1"] * len(codes) + ["LAST"]


def test_who_wants_no_answer_gets_none_and_is_kept_all_the_same(store: Store) -> None:
    with listening(store) as address, Sender(address) as sender:
        sender.send(adt("QUIET", accept="NE", application="NE"))
        assert sender.ask(adt("M2")).control_id == "M2"
    assert [one.control_id for one in kept(store)] == ["QUIET", "M2"]


def test_what_is_no_message_is_kept_for_people_and_refused(store: Store) -> None:
    with listening(store) as address, Sender(address) as sender:
        assert sender.ask(b"hello").code == "AR"
        assert sender.ask(adt("M1")).code == "AA"
    assert [(one.payload, one.form) for one in kept(store)] == [(b"hello", "refused"), (adt("M1"), "message")]


def test_a_message_that_cannot_be_stored_harms_no_other_of_its_commit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = commit.land

    def unless_bad(store: Store, arrivals: Sequence[Arrival], now: int) -> list[Receipt]:
        time.sleep(0.05)  # so that several wait
        if any(one.control_id == "BAD" for one in arrivals):
            raise ValueError
        return landing(store, arrivals, now)

    monkeypatch.setattr(commit, "land", unless_bad)
    with listening(store) as address, Sender(address) as sender:
        sender.send(*map(adt, ("M1", "M2", "BAD", "M3")))
        answers = sender.answers(4)
    assert [answer.code for answer in answers] == ["AA", "AA", "AE", "AA"]
    assert b"not-stored" in answers[2].raw
    assert [one.control_id for one in kept(store)] == ["M1", "M2", "M3"]


def test_an_adapter_that_cannot_answer_harms_its_own_connection_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    acknowledge = Hl7v2Adapter.acknowledge

    def unless_bad(self: Hl7v2Adapter, payload: bytes, verdict: Verdict) -> bytes:
        if b"|BAD|" in payload:
            raise KeyError("张")
        return acknowledge(self, payload, verdict)

    monkeypatch.setattr(Hl7v2Adapter, "acknowledge", unless_bad)
    with listening(store) as address, Sender(address) as good, Sender(address) as bad:
        bad.send(adt("BAD"))
        good.send(*(adt(f"M{number}") for number in range(50)))
        assert bad.ended()
        assert len(good.answers(50)) == 50
    assert len(kept(store)) == 51
    assert "The adapter hl7v2 could not answer a message (KeyError)" in caplog.text and "张" not in caplog.text


def test_an_adapter_that_fails_over_what_comes_costs_that_connection_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connection = Hl7v2Adapter.connection

    class Failing:
        pending = 0

        def __init__(self, real: Connection) -> None:
            self._real = real

        def receive(self, data: bytes) -> list[Received | Problem]:
            if b"|BAD|" in data:
                raise KeyError("张")
            self.pending = self._real.pending
            return self._real.receive(data)

        def end(self) -> list[Problem]:
            raise KeyError("张")

    monkeypatch.setattr(Hl7v2Adapter, "connection", lambda self: Failing(connection(self)))
    with listening(store) as address, Sender(address) as good, Sender(address) as bad:
        bad.send(adt("BAD"))
        assert good.ask(adt("M1")).code == "AA"
        assert bad.ended()
        assert good.ask(adt("M2")).code == "AA"
    assert len(kept(store)) == 2
    assert "The adapter hl7v2 could not frame what came (KeyError)" in caplog.text and "张" not in caplog.text
    assert "could not end a connection" in caplog.text and "Traceback" not in caplog.text


def test_what_a_sender_had_sent_when_it_went_away_is_kept(store: Store) -> None:
    with listening(store) as address:
        with Sender(address) as sender:
            sender.send(adt("M1"), adt("M2"))
            sender.socket.sendall(framed(adt("HALF"))[:-9])
        with Sender(address) as sender:
            sender.ask(adt("M3"))
    assert {one.control_id for one in kept(store)} == {"M1", "M2", "M3"}
