"""`acknowledge = "application"`: a message is answered as accepted when it is folded, or with why it is not."""

import time
from typing import Any

import pytest
from support.mllp import Listening, Sender, adt, folding, kept, listening, source

from hcrm_core.intake import listen, outcomes
from hcrm_core.store.engine import Store

NOBODY = adt("NOBODY").replace(b"P1^^^HOSP^MR", b"")


def folded(store: Store) -> int:
    """How many messages are."""
    from hcrm_core.store.queries import processing

    with store.read() as connection:
        found = processing.outcomes(connection, range(1, 1000))
    return sum(row.state == "folded" for row in found.values())


def listens(store: Store) -> Any:
    return listening(store, source(acknowledge="application"))


def test_a_message_is_accepted_when_it_is_folded(store: Store) -> None:
    with listens(store) as address, Sender(address) as sender, folding(store):
        for number in range(1, 6):
            assert sender.ask(adt(f"M{number}"))[:2] == ("AA", f"M{number}")
            assert folded(store) == number


def test_until_it_is_folded_there_is_no_answer(store: Store) -> None:
    with listens(store) as address, Sender(address) as sender:
        sender.send(adt("M1"))
        assert not sender.ended(0.5)
        assert [one.control_id for one in kept(store)] == ["M1"]
        with folding(store):
            sender.socket.settimeout(30)
            assert sender.answer()[:2] == ("AA", "M1")


def test_a_quarantined_message_is_answered_with_the_reason(store: Store) -> None:
    with listens(store) as address, Sender(address) as sender, folding(store):
        sender.send(NOBODY, adt("M2"))
        bad, good = sorted(sender.answers(2), key=lambda answer: answer.code, reverse=True)
        assert (bad.code, bad.control_id) == ("AE", "NOBODY") and (good.code, good.control_id) == ("AA", "M2")
        assert b"ERR|||101^Required field missing^HL70357|E|||no-patient PID-3|" in bad.raw
        assert "张".encode() not in bad.raw
        assert sender.ask(NOBODY).raw == bad.raw
        assert sender.ask(adt("M2")).raw == good.raw
    assert len(kept(store)) == 2


def test_both_answers_come_each_in_its_time(store: Store) -> None:
    with listens(store) as address, Sender(address) as sender:
        sender.send(adt("M1", accept="AL", application="AL"))
        assert sender.answer()[:2] == ("CA", "M1")
        with folding(store):
            assert sender.answer()[:2] == ("AA", "M1")


def test_only_trouble_is_told_to_who_asked_for_trouble_only(store: Store) -> None:
    quiet = NOBODY.replace(b"|P|2.5||||", b"|P|2.5|||NE|ER")
    assert quiet != NOBODY
    with listens(store) as address, Sender(address) as sender, folding(store):
        sender.send(adt("M1", accept="NE", application="ER"), quiet)
        assert sender.answer()[:2] == ("AE", "NOBODY")
    assert len(kept(store)) == 2


def test_who_waits_too_long_is_told_to_ask_again_and_then_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "WAIT_SECONDS", 0.3)
    with listens(store) as address, Sender(address) as sender:
        late = sender.ask(adt("M1"))
        assert late.code == "AE" and b"not-yet-processed" in late.raw
        with folding(store):
            until = time.monotonic() + 20
            while (answer := sender.ask(adt("M1"))).code != "AA":
                assert time.monotonic() < until
            assert answer.control_id == "M1"
    assert len(kept(store)) == 1


def test_one_that_waits_does_not_hold_up_what_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen, "STOP_SECONDS", 0.3)
    with listens(store) as address, Sender(address) as sender:
        sender.send(adt("M1"))
        assert sender.ask(b"hello").code == "AR"


def test_who_wants_no_answer_of_the_application_waits_for_none(store: Store) -> None:
    with listens(store) as address, Sender(address) as sender:
        names = [f"M{number}" for number in range(200)]
        sender.send(*(adt(name, accept="AL", application="NE") for name in names))
        assert [answer[:2] for answer in sender.answers(200)] == [("CA", name) for name in names]


def test_who_still_waits_when_the_listener_stops_is_told_to_ask_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "STOP_SECONDS", 0.3)
    running = Listening(store)
    with Sender(running.serve(source(acknowledge="application"))) as sender:
        sender.send(adt("M1"))
        while not kept(store):
            time.sleep(0.02)
        running.stop()
        (answer,) = sender.rest()
        assert answer.code == "AE" and b"not-yet-processed" in answer.raw
