"""Merging, parting and taking back by hand: in any order, beside what sources and scores say, on both databases."""

from itertools import permutations

import pytest
from hypothesis import strategies as st
from support.orders import drawn
from support.streams import clear, streams, tell, work_off

from hcrm_core.identity.bulk import customers
from hcrm_core.identity.golden import fields_of
from hcrm_core.identity.judged import judged
from hcrm_core.identity.model import scorer_of
from hcrm_core.intake.accept import accept
from hcrm_core.intake.edits import ADAPTER as MANUAL
from hcrm_core.intake.fold import Folder
from hcrm_core.intake.judgements import Who, across, judge, merged_by_hand, to_part
from hcrm_core.intake.land import Arrival, land
from hcrm_core.model.manual import Judgement, Says
from hcrm_core.store import audit
from hcrm_core.store.dump import dump
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import inbox, links, processing, review
from hcrm_core.store.queries.facts import of_kind

T0 = 1_772_330_400_000_000  # 2026-03-01 10:00 +08:00
WHO = Who("desk-3", "both cards seen", T0)
NUMBERS = ("P1", "P2", "P3", "P4")


def patient(store: Store, number: str) -> str:
    return store.codec.token("Patient", "his", f"HOSP|MR|{number}")


def registered(number: str, card: str = "", name: str = "王^芳") -> bytes:
    numbers = f"{number}^^^HOSP^MR" + (f"~{card}^^^BANK^PI" if card else "")
    head = f"MSH|^~\\&|HIS|HOSP|HCRM||20260301100000||ADT^A31|{number}|P|2.5"
    return "\r".join((head, "EVN|A31|20260301100000", f"PID|||{numbers}||{name}||19900307|F")).encode()


def groups(store: Store) -> list[set[str]]:
    names = {patient(store, number): number for number in NUMBERS}
    found: dict[str, set[str]] = {}
    with store.read() as connection:
        for one, customer in links.everybody(connection).items():
            found.setdefault(customer, set()).add(names[one])
    return sorted(found.values(), key=min)


def pair(store: Store, one: str, other: str) -> tuple[str, str]:
    low, high = sorted((patient(store, one), patient(store, other)))
    return low, high


def said(store: Store, says: Says, one: str, other: str, said_at: int) -> bytes:
    """A judgement as a message."""
    made = Judgement(
        id=f"L{said_at}", said_at=said_at, by="desk-3", reason="seen", says=says, pairs=(pair(store, one, other),)
    )
    return made.payload()


def hear(store: Store, payload: bytes) -> None:
    """Land and fold one message, of whichever source it is."""
    if not payload.startswith(b"{"):
        land(store, [Arrival("his", payload)], now=T0)
        work_off(store, now=T0)
        return
    with store.write():
        (receipt,) = land(store, [Arrival("manual", payload, "")], T0)
    with store.read_inbox() as connection:
        (message,) = inbox.read_all(connection, [receipt.message_id])
    folder = Folder(store.codec, store.identity)
    accept(store, folder, "manual 1", [message], [MANUAL.translate(payload)], T0)


def payloads(store: Store) -> list[bytes]:
    """What was said by hand, as the messages it became."""
    with store.read_inbox() as connection:
        landed = inbox.read_all(connection, range(1, inbox.highest(connection) + 1))
    return [store.codec.open(one.payload) for one in landed if one.source == "manual" and one.payload]


def concluded(store: Store) -> list[bytes]:
    """The canonical dump without the facts that judgements themselves are."""
    return [line for line in dump(store) if b'"source":"manual"' not in line]


def test_a_merge_by_hand_holds_and_is_taken_back(store: Store) -> None:
    tell(store, [registered("P1"), registered("P2", name="李^四")])
    before = concluded(store)
    judge(store, [pair(store, "P1", "P2")], "same", WHO)
    assert groups(store) == [{"P1", "P2"}]
    assert merged_by_hand(store, min(pair(store, "P1", "P2"))) == [pair(store, "P1", "P2")]
    judge(store, [pair(store, "P1", "P2")], "nothing", WHO)
    assert concluded(store) == before
    with store.read() as connection:
        assert [(row.action, row.by) for row in audit.trail(connection)[-2:]] == [
            ("customers.merge", "desk-3"),
            ("customers.unmerge", "desk-3"),
        ]


def test_who_shares_a_number_is_parted_by_hand_and_joined_again(store: Store) -> None:
    tell(store, [registered("P1", "4711"), registered("P2", "4711", name="李^四")])
    assert groups(store) == [{"P1", "P2"}]
    customer = min(pair(store, "P1", "P2"))
    judge(store, to_part(store, customer, [patient(store, "P2")]), "different", WHO)
    assert groups(store) == [{"P1"}, {"P2"}]
    tell(store, [registered("P2", "4711", name="李^四五")])
    assert groups(store) == [{"P1"}, {"P2"}], "the source's repeating itself changes nothing"
    judge(store, [pair(store, "P1", "P2")], "same", WHO)
    assert groups(store) == [{"P1", "P2"}]


@pytest.mark.parametrize(
    ("story", "left"),
    [
        (("different", "same", "nothing"), ["different"]),
        (("same", "different", "nothing"), ["same"]),
        (("different", "same", "nothing", "nothing"), []),
        (("different", "same", "nothing", "same", "nothing"), ["different"]),
        (("same", "different", "same", "nothing", "nothing"), ["same"]),
        (("nothing", "same"), ["same"]),
    ],
    ids=" ".join,
)
def test_taken_back_what_was_said_before_counts_again(store: Store, story: tuple[Says, ...], left: list[Says]) -> None:
    both = [pair(store, "P1", "P2")]
    registrations = [registered("P1", "4711"), registered("P2", "4711")]
    tell(store, registrations)
    for says in left:
        judge(store, both, says, WHO)
    expected = concluded(store)
    clear(store)
    tell(store, registrations)
    for says in story:
        judge(store, both, says, WHO)
    assert concluded(store) == expected
    with store.read() as connection:
        counting = judged(store, connection, both).get(both[0], [])
        assert [one.judgement.says for one in counting] == left


def test_a_pair_rejected_merged_by_a_slip_and_taken_back_stays_out_of_the_queue(store: Store) -> None:
    tell(store, [registered("P1"), registered("P2")])
    both = pair(store, "P1", "P2")
    judge(store, across(store, *both), "different", WHO)
    judge(store, [both], "same", WHO)
    judge(store, [both], "nothing", WHO)
    with store.read() as connection:
        assert list(review.queue(connection)) == []
    assert groups(store) == [{"P1"}, {"P2"}]


def test_what_was_said_before_a_pruned_message_is_forgotten_with_it(store: Store) -> None:
    tell(store, [registered("P1"), registered("P2", name="李^四")])
    both = [pair(store, "P1", "P2")]
    judge(store, both, "different", WHO)
    number = judge(store, both, "same", WHO)
    with store.write_inbox() as connection:
        inbox.prune(connection, [number])
    judge(store, both, "nothing", WHO)
    assert groups(store) == [{"P1"}, {"P2"}]
    with store.read() as connection:
        assert judged(store, connection, both) == {} and links.distinct_of(connection, both[0]) == []


def test_a_judgement_is_worked_off_when_it_is_made(store: Store) -> None:
    """Nobody finds it unfinished, and nobody works it off again, whether others wait before it or not."""
    tell(store, [registered("P1"), registered("P2", name="李^四")])
    both = [pair(store, "P1", "P2")]
    number = judge(store, both, "same", WHO)
    with store.read() as connection:
        assert processing.claimed_to(connection) == number
    land(store, [Arrival("his", registered("P3"))], now=T0)
    later = judge(store, both, "nothing", WHO)
    before = concluded(store)
    with store.read() as connection:
        done = processing.outcomes(connection, [number, later])
        assert processing.claimed_to(connection) == number, "somebody waits before it"
    work_off(store, now=T0)
    with store.read() as connection:
        assert processing.outcomes(connection, [number, later]) == done
        assert processing.claimed_to(connection) == later
    assert before != concluded(store) and groups(store) == [{"P1"}, {"P2"}, {"P3"}]
    judge(store, both, "same", WHO)
    land(store, [Arrival("his", registered("P4"))], now=T0)
    work_off(store, now=T0)
    assert groups(store) == [{"P1", "P2"}, {"P3"}, {"P4"}]


def event(kind: str, minute: int, patient_number: str, *segments: str) -> bytes:
    time = f"2026030110{minute:02d}00"
    head = f"MSH|^~\\&|HIS|HOSP|HCRM||{time}||{kind}|M{minute}|P|2.5"
    evn = (f"EVN||{time}",) if kind.startswith("ADT") else ()
    return "\r".join((head, *evn, f"PID|||{patient_number}^^^HOSP^MR", *segments)).encode()


STAY = "PV1||I|||||||||||||||||V9^^^HOSP^VN"
MERGED = event("ADT^A40", 10, "P2", "MRG|P1^^^HOSP^MR")
UNDER_THE_SURVIVOR = event("ORU^R01", 20, "P2", STAY, "OBR||O9||K^K", "OBX||NM|K^K||7.1|mmol/L|||HH|||F")
STAY_MOVED = event("ADT^A45", 30, "P1", "MRG|P2^^^HOSP^MR||||V9^^^HOSP^VN", STAY)
NUMBER_MOVED = event("ADT^A43", 40, "P1", "MRG|P2^^^HOSP^MR")


@pytest.mark.parametrize(
    ("moves", "owner"),
    [((), "P2"), ((NUMBER_MOVED,), "P2"), ((STAY_MOVED,), "P1"), ((STAY_MOVED, NUMBER_MOVED), "P1")],
    ids=["not-moved", "a-number-moved", "the-stay-moved", "both"],
)
def test_what_was_sent_under_the_survivor_of_a_merge_stays_until_the_source_moves_it(
    store: Store, moves: tuple[bytes, ...], owner: str
) -> None:
    told = (registered("P1"), registered("P2", name="李^四"), MERGED, UNDER_THE_SURVIVOR, *moves)
    dumps = set()
    for order in (told, told[::-1], (*told[2:], *told[:2])):
        clear(store)
        for one in order:
            hear(store, one)
        assert groups(store) == [{"P1", "P2"}]
        judge(store, [pair(store, "P1", "P2")], "different", WHO)
        assert groups(store) == [{"P1"}, {"P2"}], "a source's merge is parted by hand"
        with store.read() as connection:
            (result,) = [row for row in of_kind(connection, "DiagnosticReport") if not row.void]
        assert result.patient_id == patient(store, owner)
        dumps.add(tuple(concluded(store)))
    assert len(dumps) == 1


def test_the_queue_holds_a_pair_until_somebody_has_said(store: Store) -> None:
    tell(store, [registered("P1"), registered("P2")])
    both = pair(store, "P1", "P2")
    with store.read() as connection:
        (waiting,) = review.queue(connection)
        assert (waiting.pair.low_id, waiting.pair.high_id) == both
        assert review.scored_pairs(connection, both[0][:6], both[1][:6]) == [waiting.pair]
        assert review.least_likely(connection, 3) == []
    judge(store, across(store, *both), "different", WHO)
    with store.read() as connection:
        assert list(review.queue(connection)) == []


@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_a_third_with_the_number_joins_both_whatever_the_order(store: Store, order: tuple[int, ...]) -> None:
    story = (
        registered("P1", "4711"),
        registered("P2", "4711", name="李^四"),
        registered("P3", "4711", name="赵^六"),
        said(store, "different", "P1", "P2", T0),
    )
    for number in order:
        hear(store, story[number])
    assert groups(store) == [{"P1", "P2", "P3"}]
    hear(store, said(store, "different", "P3", "P1", T0 + 1))
    assert groups(store) == [{"P1"}, {"P2", "P3"}]


def assert_as_in_bulk(store: Store) -> None:
    """Customers kept up to date message by message are those of everybody at once."""
    with store.read() as connection:
        people = [(row.fact_id, fields_of(row, store.codec)) for row in of_kind(connection, "Patient") if not row.void]
        stated = [fields_of(row, store.codec) for row in of_kind(connection, "PatientLink") if not row.void]
        linked = links.everybody(connection)
    found = customers(people, stated, store.codec.token, scorer_of(store.identity))
    # Only judged and never registered, the store knows a patient too.
    assert {one: customer for one, customer in linked.items() if one in found} == found


judgements = st.tuples(
    st.sampled_from(("same", "different", "nothing")), st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)
)


@drawn(10)
def test_judgements_among_every_event_converge_in_any_order(store: Store, data: st.DataObject) -> None:
    """Chains, cycles and self-merges of persons and sources, mixed."""
    made = [
        said(store, says, one, other, T0 + number)  # type: ignore[arg-type]
        for number, (says, one, other) in enumerate(data.draw(st.lists(judgements, min_size=1, max_size=6)))
    ]
    story = [*data.draw(streams), *made]
    clear(store)
    for payload in story:
        hear(store, payload)
    expected = list(dump(store))
    assert_as_in_bulk(store)
    clear(store)
    for payload in data.draw(st.permutations([*story, *made])):
        hear(store, payload)
    assert list(dump(store)) == expected


@drawn(10)
def test_a_judgement_taken_back_has_never_been_later_facts_included(store: Store, data: st.DataObject) -> None:
    stream = [registered(number) for number in NUMBERS] + data.draw(streams)
    one, other = data.draw(st.lists(st.sampled_from(NUMBERS), min_size=2, max_size=2, unique=True))
    says: Says = data.draw(st.sampled_from(("same", "different")))
    both = [said(store, says, one, other, T0), said(store, "nothing", one, other, T0 + 1)]
    clear(store)
    for payload in stream:
        hear(store, payload)
    expected = concluded(store)
    clear(store)
    for payload in data.draw(st.permutations([*stream, *both])):
        hear(store, payload)
    assert concluded(store) == expected


@drawn(10)
def test_whatever_is_taken_back_has_never_been_said_in_any_order_of_arrival(store: Store, data: st.DataObject) -> None:
    """A history of judgements of some pairs, each of them taken back or not: what is left is what those left say."""
    stream = [registered(number, "4711" if number < "P3" else "") for number in NUMBERS] + data.draw(streams)
    history = data.draw(st.lists(judgements.filter(lambda one: one[1] != one[2]), min_size=2, max_size=8))
    left: dict[tuple[str, str], list[Says]] = {}
    clear(store)
    for number, (says, one, other) in enumerate(history):
        both = pair(store, one, other)
        judge(store, [both], says, WHO._replace(now=T0 + number))  # type: ignore[arg-type]
        stack = left.setdefault(both, [])
        if says == "nothing":
            del stack[-1:]
        else:
            stack.append(says)  # type: ignore[arg-type]
    made = payloads(store)
    clear(store)
    for payload in data.draw(st.permutations([*stream, *made])):
        hear(store, payload)
    found, whole = concluded(store), list(dump(store))
    with store.read() as connection:
        counting = judged(store, connection, left)
    assert {both: [one.judgement.says for one in of] for both, of in counting.items()} == {
        both: stack for both, stack in left.items() if stack
    }
    clear(store)
    for payload in data.draw(st.permutations([*stream, *made, *made])):
        hear(store, payload)
    assert list(dump(store)) == whole
    clear(store)
    for payload in stream:
        hear(store, payload)
    for both, stack in left.items():
        for says in stack[-1:]:
            judge(store, [both], says, WHO)
    assert concluded(store) == found
