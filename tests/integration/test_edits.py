"""Corrections by hand: they outlive what the sources go on saying, can be taken back, and know no order of arrival."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st
from support.orders import drawn, orders
from support.streams import ADAPTER, clear, tell

from hcrm_core.decide.freshness import refresh_mart
from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.identity.golden import golden, values_of
from hcrm_core.intake.accept import accept
from hcrm_core.intake.edits import ADAPTER as EDITS
from hcrm_core.intake.edits import Change, edit, edits_of, undo
from hcrm_core.intake.fold import Folder
from hcrm_core.intake.judgements import Who, judge, to_part
from hcrm_core.intake.land import Arrival, land
from hcrm_core.mart.engine import open_mart
from hcrm_core.store import audit
from hcrm_core.store.dump import dump
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import customers, inbox, links

WHO = {"by": "护士", "reason": "the patient called"}
BORN = Change({"birth_date": "1990-03-07"})
T0 = 1_772_330_400_000_000  # 2026-03-01 10:00 +08:00


def registered(time: str, born: str = "19900317", number: str = "P1", phone: str = "13912345678") -> bytes:
    return "\r".join(
        (
            f"MSH|^~\\&|HIS|HOSP|HCRM||20260301{time}||ADT^A31|{number}{time}|P|2.5",
            f"EVN|A31|20260301{time}",
            f"PID|||{number}^^^HOSP^MR||王^芳||{born}|F|||||{phone}",
        )
    ).encode()


def known(store: Store, customer_id: str) -> dict[str, Any]:
    with store.read() as connection:
        patients = [row for _, row in customers.patients_of(connection, [customer_id])]
    return values_of(golden(patients, store.codec, store.golden))


def everybody(store: Store) -> set[str]:
    with store.read() as connection:
        return set(links.everybody(connection).values())


def corrected(store: Store) -> str:
    """A customer that was registered at ten and corrected at eleven."""
    tell(store, [registered("1000")])
    (customer_id,) = everybody(store)
    edit(store, customer_id, BORN, now=T0 + 3_600_000_000, **WHO)
    return customer_id


def test_a_correction_outlives_what_the_source_goes_on_saying(store: Store) -> None:
    customer_id = corrected(store)
    assert known(store, customer_id)["birth_date"] == "1990-03-07"
    tell(store, [registered("1200"), registered("1000"), registered("1300", phone="13800000000")])
    found = known(store, customer_id)
    assert found["birth_date"] == "1990-03-07"
    assert found["telecom"][0]["value"] == "13800000000", "what was not corrected is the source's"
    assert everybody(store) == {customer_id}, "the customer keeps its id"


def test_a_customer_keeps_its_id_whichever_it_is(store: Store) -> None:
    for number in range(6):
        clear(store)
        tell(store, [registered("1000", number=f"P{number}")])
        before = everybody(store)
        edit(store, *before, BORN, now=T0, **WHO)
        assert everybody(store) == before


def test_a_field_is_cleared_and_released(store: Store) -> None:
    customer_id = corrected(store)
    edit(store, customer_id, Change({}, clear=["telecom"]), now=T0 + 2, **WHO)
    assert "telecom" not in known(store, customer_id)
    tell(store, [registered("1500")])
    edit(store, customer_id, Change({}, clear=["gender"]), now=T0 + 3, **WHO)
    assert not {"telecom", "gender"} & known(store, customer_id).keys(), "a second one leaves the first"
    edit(store, customer_id, Change({}, release=["telecom", "birth_date"]), now=T0 + 4, **WHO)
    found = known(store, customer_id)
    assert (found["telecom"][0]["value"], found["birth_date"]) == ("13912345678", "1990-03-17")
    edit(store, customer_id, Change({"gender": "other"}), now=T0 + 5, **WHO)
    assert known(store, customer_id)["gender"] == "other"


def test_an_edit_is_taken_back_and_what_other_edits_say_stands(store: Store) -> None:
    customer_id = corrected(store)
    later = edit(store, customer_id, Change({"birth_date": "1991-01-01", "district": "西城"}), now=T0, **WHO)
    first, second = edits_of(store, customer_id)
    assert second[0] == later
    undo(store, customer_id, str(later), now=T0 + 9, **WHO)
    found = known(store, customer_id)
    assert found["birth_date"] == "1990-03-07" and "district" not in found
    undo(store, customer_id, first[1].id, now=T0 + 10, **WHO)
    assert known(store, customer_id)["birth_date"] == "1990-03-17"
    with pytest.raises(UsageError, match="taken back already"):
        undo(store, customer_id, first[1].id, now=T0 + 11, **WHO)
    with pytest.raises(UsageError, match="takes another back"):
        undo(store, customer_id, edits_of(store, customer_id)[-1][1].id, now=T0 + 11, **WHO)
    with pytest.raises(NotFoundError, match="no edit '4711'"):
        undo(store, customer_id, "4711", now=T0 + 11, **WHO)


def merged(store: Store) -> tuple[str, str]:
    """Two patients that were merged by hand, those whose customer's id they are and are not."""
    tell(store, [registered("1000"), registered("1001", born="19850101", number="P2", phone="13800000000")])
    low, high = sorted(everybody(store))
    judge(store, [(low, high)], "same", Who("desk-3", "a slip", T0))
    assert everybody(store) == {low}
    return low, high


def parted(store: Store, low: str, high: str, way: str) -> None:
    who = Who("desk-3", "two people", T0 + 99)
    if way == "unmerge":
        judge(store, [(low, high)], "nothing", who)
    else:
        judge(store, to_part(store, low, [high]), "different", who)
    assert everybody(store) == {low, high}


@pytest.mark.parametrize("way", ["unmerge", "split"])
@pytest.mark.parametrize("which", [0, 1])
def test_an_edit_goes_with_the_patient_that_was_named(store: Store, way: str, which: int) -> None:
    both = merged(store)
    edit(store, both[which], Change({"birth_date": "1999-09-09"}), now=T0 + 1, **WHO)
    assert known(store, both[0])["birth_date"] == "1999-09-09"
    parted(store, *both, way)
    assert known(store, both[which])["birth_date"] == "1999-09-09"
    assert known(store, both[1 - which])["birth_date"] in ("1990-03-17", "1985-01-01")


def test_the_last_edit_of_a_field_stands_whichever_patient_it_hangs_on(store: Store) -> None:
    low, high = merged(store)
    edit(store, low, Change({"birth_date": "1991-01-01"}), now=T0 + 1, **WHO)
    edit(store, high, Change({"birth_date": "1992-02-02"}), now=T0 + 2, **WHO)
    edit(store, low, Change({"district": "西城"}), now=T0 + 3, **WHO)
    found = known(store, low)
    assert (found["birth_date"], found["district"]) == ("1992-02-02", "西城"), (
        "an edit of one field brings back no other"
    )
    with pytest.raises(UsageError, match=f"Name that: hcrm customers edit {high} --clear birth_date"):
        edit(store, low, Change({}, clear=["birth_date"]), now=T0 + 4, **WHO)
    edit(store, high, Change({}, clear=["birth_date"]), now=T0 + 4, **WHO)
    edit(store, low, Change({"gender": "male"}), now=T0 + 5, **WHO)
    assert "birth_date" not in known(store, low)


def test_a_field_that_was_edited_of_another_patient_is_released_there(store: Store) -> None:
    low, high = merged(store)
    edit(store, high, Change({"birth_date": "1992-02-02"}), now=T0 + 1, **WHO)
    with pytest.raises(UsageError, match=f"Name that: hcrm customers edit {high} --release birth_date"):
        edit(store, low, Change({}, release=["birth_date"]), now=T0 + 2, **WHO)
    edit(store, high, Change({}, release=["birth_date"]), now=T0 + 2, **WHO)
    assert known(store, low)["birth_date"] in ("1990-03-17", "1985-01-01")
    (number, made), *_ = edits_of(store, low)
    undo(store, low, str(number), now=T0 + 3, **WHO)
    assert made.customer == high


def test_an_edit_stands_in_the_audit_trail_with_who_when_and_why_and_without_what(store: Store) -> None:
    customer_id = corrected(store)
    with store.read() as connection:
        (row,) = audit.trail(connection)
        assert audit.first_broken(connection, store.codec) is None
    (made,) = (one for _, one in edits_of(store, customer_id))
    assert (row.by, row.action, row.subject) == ("护士", "customers.edit", f"patient {customer_id}")
    detail = msgspec.json.decode(row.detail)
    assert (detail["message"], detail["reason"], detail["set"]) == (made.id, "the patient called", ["birth_date"])
    assert "1990" not in row.detail


def test_the_mart_shows_the_correction_whether_it_is_brought_up_to_date_or_written_anew(
    store: Store, tmp_path: Path
) -> None:
    tell(store, [registered("1000")])
    (customer_id,) = everybody(store)
    refresh_mart(store, tmp_path / "mart", now_us=T0, timezone="Asia/Shanghai")
    edit(store, customer_id, Change({"birth_date": "1989-03-07"}), now=T0, **WHO)
    for mart in ("mart", "anew"):
        refresh_mart(store, tmp_path / mart, now_us=T0 + 1, timezone="Asia/Shanghai")
        with open_mart(tmp_path / mart) as opened:
            assert opened.execute("SELECT customer_id, birth_year, patients FROM customer").fetchall() == [
                (customer_id, 1989, 2)
            ]


def test_another_order_of_trust_makes_the_mart_s_customers_anew(store: Store, tmp_path: Path) -> None:
    customer_id = corrected(store)
    edit(store, customer_id, Change({"birth_date": "1989-03-07"}), now=T0, **WHO)
    born = []
    for trust in (("manual",), ("his", "manual")):
        store.golden = msgspec.structs.replace(store.golden, trust=trust)
        refresh_mart(store, tmp_path / "mart", now_us=T0, timezone="Asia/Shanghai")
        with open_mart(tmp_path / "mart") as opened:
            born += opened.execute("SELECT birth_year FROM customer").fetchone()
        assert known(store, customer_id)["birth_date"][:4] == str(born[-1])
    assert born == [1989, 1990]


def replayed(store: Store, stream: list[tuple[str, bytes]], batch: int) -> list[bytes]:
    """What becomes of messages of both sources that arrive so."""
    clear(store)
    for start in range(0, len(stream), batch):
        arrivals = [Arrival(source, payload) for source, payload in stream[start : start + batch]]
        numbers = [receipt.message_id for receipt in land(store, arrivals, now=start)]
        with store.read_inbox() as landed:
            messages = inbox.read_all(landed, numbers)
        for message in messages:
            adapter = EDITS if message.source == "manual" else ADAPTER
            translation = adapter.translate(store.codec.open(message.payload or b""))
            accept(store, Folder(store.codec, store.identity), "test 1", [message], [translation], start)
    return list(dump(store))


@pytest.fixture
def stream(store: Store) -> list[tuple[str, bytes]]:
    """What a ward and a nurse said of two people, one of them registered twice."""
    clear(store)
    told = [registered("1000"), registered("1130"), registered("1200", number="P2", phone="13800000000")]
    tell(store, told)
    first = store.codec.token("Patient", "his", "HOSP|MR|P1")
    with store.read() as connection:
        customer_id = links.customers_of(connection, [first])[first]
    made = [
        edit(store, customer_id, BORN, now=T0 + 1, **WHO),
        edit(store, customer_id, Change({"district": "西城"}, clear=["telecom"]), now=T0 + 2, **WHO),
        edit(store, customer_id, Change({}, release=["birth_date"]), now=T0 + 3, **WHO),
    ]
    made.append(undo(store, customer_id, str(made[1]), now=T0 + 4, **WHO))
    with store.read_inbox() as connection:
        edits = [("manual", store.codec.open(one.payload or b"")) for one in inbox.read_all(connection, made)]
    return [("his", payload) for payload in told] + edits


@drawn(20)
def test_any_order_and_any_number_of_redeliveries_give_one_state(
    store: Store, stream: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    expected = replayed(store, stream, len(stream))
    again = data.draw(st.lists(st.sampled_from(stream), max_size=3))
    order = data.draw(st.permutations([*stream, *again]))
    assert replayed(store, order, data.draw(st.integers(1, 4))) == expected


def test_an_edit_that_comes_before_whom_it_corrects_waits_for_nobody(store: Store) -> None:
    customer_id = corrected(store)
    with store.read_inbox() as connection:
        payload = store.codec.open(inbox.read_all(connection, [edits_of(store, customer_id)[0][0]])[0].payload or b"")
    both = [("manual", payload), ("his", registered("1000"))]
    for order in orders(store, both):
        replayed(store, list(order), 1)
        assert everybody(store) == {customer_id}
        assert known(store, customer_id)["birth_date"] == "1990-03-07"


def test_what_is_no_edit_is_quarantined() -> None:
    for payload in (b"", b"{}", b'{"id": 1}', "王".encode("gb18030"), EDITS.translate.__doc__.encode()):
        translation = EDITS.translate(payload)
        assert translation.quarantine is not None and translation.records == ()
