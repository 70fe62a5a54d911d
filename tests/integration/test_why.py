"""Why patients are one customer: every kind of tie, and the shortest way where they are not tied to each other."""

from support.streams import tell

from hcrm_core.identity.why import Tie, why
from hcrm_core.intake.edits import Change, edit
from hcrm_core.intake.judgements import Who, judge, to_part
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import links

T0 = 1_772_330_400_000_000  # 2026-03-01 10:00 +08:00
WHO = Who("desk-3", "both cards seen", T0)


def adt(event: str, number: str, name: str, born: str, *segments: str, card: str = "") -> bytes:
    head = f"MSH|^~\\&|HIS|HOSP|HCRM||20260301100000||ADT^{event}|{event}{number}|P|2.5"
    numbers = f"{number}^^^HOSP^MR" + (f"~{card}^^^BANK^PI" if card else "")
    return "\r".join((head, f"EVN|{event}|20260301100000", f"PID|||{numbers}||{name}||{born}|F", *segments)).encode()


def patient(store: Store, number: str) -> str:
    return store.codec.token("Patient", "his", f"HOSP|MR|{number}")


def both(store: Store, one: str, other: str) -> tuple[str, str]:
    low, high = sorted((patient(store, one), patient(store, other)))
    return low, high


def ties(store: Store, *numbers: str) -> list[Tie]:
    with store.read() as connection:
        return why(store, connection, [patient(store, number) for number in numbers])


def test_each_tie_is_a_sentence_with_who_and_when_and_without_the_number(store: Store) -> None:
    tell(
        store,
        [
            adt("A31", "P1", "王^芳", "19900307", card="4711"),
            adt("A31", "P2", "李^四", "19850101", card="4711"),
            adt("A31", "P3", "赵^六", "19720101"),
            adt("A40", "P2", "李^四", "19850101", "MRG|P3^^^HOSP^MR"),
        ],
    )
    (card,) = ties(store, "P1", "P2")
    assert card == Tie(*both(store, "P1", "P2"), "number", "Both carry one number of the kind BANK|PI")
    (merge,) = ties(store, "P2", "P3")
    assert (merge.kind, merge.by, merge.said_at, merge.message_id) == ("statement", "his", T0, 4)
    assert merge.says == f"his merged {patient(store, 'P3')} into {patient(store, 'P2')}"
    assert ties(store, "P1", "P3") in ([card, merge], [merge, card]), "over the one between"
    assert {card, merge} == set(ties(store, "P1", "P2", "P3"))
    tell(store, [adt("A31", "P4", "钱^七", "19600101")])
    number = judge(store, [both(store, "P4", "P3")], "same", WHO)
    (said,) = ties(store, "P4", "P3")
    assert said == Tie(
        *both(store, "P4", "P3"),
        "judgement",
        "A person said that both are one",
        "desk-3",
        T0,
        "both cards seen",
        number,
    )
    assert len(ties(store, "P4", "P1")) == 3


def test_a_score_is_told_by_fields_and_bits(store: Store) -> None:
    who = "王^芳||19900307|F|||^^北京^^^^^^朝阳区||13812345678"
    for number in ("P1", "P2"):
        pid = f"PID|||{number}^^^HOSP^MR||{who}"
        tell(
            store,
            ["\r".join((f"MSH|^~\\&|HIS|HOSP|||20260301100000||ADT^A31|{number}|P|2.5", "EVN|A31", pid)).encode()],
        )
    (tie,) = ties(store, "P1", "P2")
    assert tie.kind == "score" and tie.says.startswith("Their records agree by ") and "name same" in tie.says
    assert tie.by is None and tie.message_id is None


def test_what_an_edit_holds_is_tied_to_the_record_it_corrects(store: Store) -> None:
    tell(store, [adt("A31", "P1", "王^芳", "19900307")])
    number = edit(store, patient(store, "P1"), Change({"gender": "male"}), by="desk-5", reason="card", now=T0)
    with store.read() as connection:
        members = links.members_of(connection, links.customers_of(connection, [patient(store, "P1")]).values())
        (tie,) = why(store, connection, members)
    assert (tie.kind, tie.by, tie.reason, tie.message_id) == ("edit", "desk-5", "card", number)


def test_what_was_told_apart_is_no_tie(store: Store) -> None:
    """Two of three who carry a card are told apart: the way leads over the third."""
    tell(store, [adt("A31", number, "王^芳", f"19{number[1]}00307", card="4711") for number in ("P1", "P2")])
    customer = min(both(store, "P1", "P2"))
    judge(store, to_part(store, customer, [patient(store, "P2")]), "different", WHO)
    assert ties(store, "P1", "P2") == [], "they are two customers"
    tell(store, [adt("A31", "P3", "赵^六", "19720101", card="4711")])
    found = ties(store, "P1", "P2")
    assert [tie.kind for tie in found] == ["number", "number"]
    assert all(patient(store, "P3") in (tie.low_id, tie.high_id) for tie in found)
