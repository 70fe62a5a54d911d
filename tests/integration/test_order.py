"""Any order, any number of redeliveries, the same state."""

import pytest
from hypothesis import strategies as st
from support.orders import drawn, orders
from support.streams import ADAPTER, clear, streams, tell

from hcrm_core.intake.accept import accept
from hcrm_core.intake.fold import Folder
from hcrm_core.store.dump import dump
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import inbox


def check(store: Store, data: st.DataObject) -> None:
    stream = data.draw(streams)
    clear(store)
    expected = tell(store, stream, batch=len(stream))
    order = data.draw(st.permutations([*stream, *data.draw(st.lists(st.sampled_from(stream), max_size=4))]))
    clear(store)
    assert tell(store, order, batch=data.draw(st.integers(1, 6))) == expected


@drawn(30)
def test_any_permutation_and_duplication_gives_one_dump(store: Store, data: st.DataObject) -> None:
    check(store, data)


@pytest.mark.prove
@drawn(5_000, everywhere=True)
def test_any_permutation_and_duplication_gives_one_dump_5000_times(store: Store, data: st.DataObject) -> None:
    check(store, data)


def adt(event: str, time: str, *, pv1: str = "", evn6: str = "", extra: tuple[str, ...] = ()) -> bytes:
    stay = f"PV1||I|内科^1||||||||||||||||V1^^^HOSP^VN|||||||||||||||||||||||||202603010800|{pv1}"
    return "\r".join(
        (
            f"MSH|^~\\&|HIS|HOSP|HCRM||20260301{time}||ADT^{event}|{event}{time}|P|2.5",
            f"EVN|{event}|20260301{time}||||{evn6}",
            "PID|||P1^^^HOSP^MR||王^芳",
            stay,
            *extra,
        )
    ).encode()


def fields_of(lines: list[bytes], kind: str) -> dict[str, object]:
    import msgspec

    found = [fact for line in lines if (fact := msgspec.json.decode(line)).get("kind") == kind]
    assert len(found) == 1
    return found[0]["fields"]


def test_a13_about_ten_oclock_takes_back_the_discharge_that_a08_repeated_at_five_past(store: Store) -> None:
    """A03 10:00, A08 10:05 repeating PV1-45, A13 said 10:10 about 10:00: event time never orders."""
    stream = (
        adt("A03", "1000", pv1="202603011000"),
        adt("A08", "1005", pv1="202603011000"),
        adt("A13", "1010", pv1="202603011000", evn6="202603011000"),
    )
    dumps = set()
    for order in orders(store, stream):
        clear(store)
        lines = tell(store, order, batch=1)
        stay = fields_of(lines, "Encounter")
        assert stay["status"] == "in-progress"
        assert "period_end" not in stay
        dumps.add(tuple(lines))
    assert len(dumps) == 1


@pytest.mark.parametrize("bed", range(8))
def test_a_cancel_said_at_the_same_instant_comes_after_what_it_cancels(store: Store, bed: int) -> None:
    """Whatever the content hashes are: eight different ones cannot all fall right by chance."""
    discharge = adt("A03", "1000", pv1="202603011000", extra=(f"NTE|{bed}",))
    for order in orders(store, (discharge, adt("A13", "1000"))):
        clear(store)
        stay = fields_of(tell(store, order, batch=1), "Encounter")
        assert stay["status"] == "in-progress"
        assert "period_end" not in stay


def test_a_discharge_said_after_its_cancellation_holds(store: Store) -> None:
    stream = (adt("A03", "1000", pv1="202603011000"), adt("A13", "1010"), adt("A03", "1100", pv1="202603011100"))
    for order in orders(store, stream):
        clear(store)
        stay = fields_of(tell(store, order, batch=1), "Encounter")
        assert stay["status"] == "finished"
        assert stay["period_end"] == "2026-03-01T11:00:00+08:00"


def test_said_empty_and_not_mentioned_are_three_things(store: Store) -> None:
    first = adt("A01", "1000", extra=("PV2|||Z^胸痛",))
    silent = adt("A08", "1001")
    emptied = adt("A08", "1002", extra=('PV2|||""',))
    assert "reason" in fields_of(tell(store, (first, silent)), "Encounter")
    clear(store)
    assert "reason" not in fields_of(tell(store, (emptied, silent, first)), "Encounter")


def allergies(lines: list[bytes]) -> list[str]:
    import msgspec

    facts = [msgspec.json.decode(line) for line in lines]
    return sorted(
        fact["fields"]["code"]["coding"][0]["code"]
        for fact in facts
        if fact.get("kind") == "AllergyIntolerance" and not fact["void"]
    )


def test_a_snapshot_voids_the_members_it_leaves_out_and_silence_voids_nothing(store: Store) -> None:
    both = adt("A01", "1000", extra=("AL1|1|DA|P^青霉素", "AL1|2|FA|N^花生"))
    one = adt("A08", "1001", extra=("AL1|1|FA|N^花生",))
    silent = adt("A08", "1002")
    none = adt("A08", "1003", extra=('AL1|1|""|""',))
    for order in orders(store, (both, one, silent)):
        clear(store)
        assert allergies(tell(store, order, batch=1)) == ["N"]
    for order in orders(store, (both, one, none)):
        clear(store)
        assert allergies(tell(store, order, batch=1)) == []


def test_a_member_mentioned_again_in_a_snapshot_keeps_what_the_snapshot_does_not_mention(store: Store) -> None:
    severe = adt("A01", "1000", extra=("AL1|1|DA|P^青霉素|SV",))
    again = adt("A08", "1002", extra=("AL1|1|DA|P^青霉素",))
    for order in orders(store, (severe, again)):
        clear(store)
        (found,) = (line for line in tell(store, order, batch=1) if "青霉素".encode() in line)
        assert b"SV" in found


def test_a_member_left_out_and_mentioned_again_begins_anew(store: Store) -> None:
    severe = adt("A01", "1000", extra=("AL1|1|DA|P^青霉素|SV",))
    without = adt("A08", "1001", extra=("AL1|1|FA|N^花生",))
    again = adt("A08", "1002", extra=("AL1|1|DA|P^青霉素",))
    for order in orders(store, (severe, without, again)):
        clear(store)
        found = [line for line in tell(store, order, batch=1) if "青霉素".encode() in line]
        assert len(found) == 1
        assert b"SV" not in found[0]


def test_repeated_segments_are_known_by_content_not_by_position(store: Store) -> None:
    there = adt("A01", "1000", extra=("AL1|1|DA|P^青霉素", "AL1|2|FA|N^花生"))
    back = adt("A01", "1000", extra=("AL1|1|FA|N^花生", "AL1|2|DA|P^青霉素"))
    first = {line for line in tell(store, (there,)) if b"AllergyIntolerance" in line}
    clear(store)
    second = {line for line in tell(store, (back,)) if b"AllergyIntolerance" in line}
    assert {line.split(b'"stamp"')[0] for line in first} == {line.split(b'"stamp"')[0] for line in second}


def test_a_new_translation_takes_the_place_of_the_old(store: Store) -> None:
    """A replayed message counts once: what only its first translation said is gone, whatever came after."""
    stream = (adt("A01", "1000", extra=("DG1|||I10^高血压", "PV2|||Z^胸痛")), adt("A02", "1005"))
    expected_without_reason = tell(store, (adt("A01", "1000", extra=("DG1|||I10^高血压",)), adt("A02", "1005")))
    clear(store)
    tell(store, stream)
    with store.read_inbox() as landed:
        first = next(
            message
            for number, *_ in inbox.headers(landed)
            if (message := inbox.read(landed, number)) and b"PV2" in store.codec.open(message.payload)
        )
    thinner = ADAPTER.translate(adt("A01", "1000", extra=("DG1|||I10^高血压",)))
    accept(store, Folder(store.codec), "hl7v2 1", [first], [thinner], now=99, replay=True)
    again = list(dump(store))
    assert fields_of(again, "Encounter") == fields_of(expected_without_reason, "Encounter")
    accept(store, Folder(store.codec), "hl7v2 1", [first], [thinner], now=100, replay=True)
    assert list(dump(store)) == again
