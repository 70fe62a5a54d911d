"""Who is whom: links by number and by merge, on both databases; facts stay where they were said."""

import pytest
from sqlalchemy import select
from support.orders import orders
from support.streams import clear, tell

from hcrm_core.intake.fold import Accepted, Folder
from hcrm_core.model.fold import stamp
from hcrm_core.model.records import Patient, PatientLink
from hcrm_core.model.translation import Statement
from hcrm_core.model.values import Identifier
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import customers
from hcrm_core.store.tables import fact, patient_customer

ID_CARD = "11010119900307002X"


def message(event: str, *segments: str, time: str = "20260301100000") -> bytes:
    head = f"MSH|^~\\&|HIS|HOSP|HCRM||{time}||ADT^{event}|{event}{time}|P|2.5"
    return "\r".join((head, f"EVN|{event}|{time}", *segments)).encode()


def person(number: str, name: str = "王^芳", born: str = "19900307", time: str = "20260301100000") -> bytes:
    return message("A31", f"PID|||{number}||{name}||{born}|F", time=time)


def merge(gone: str, into: str, time: str = "20260301110000") -> bytes:
    return message("A40", f"PID|||{into}^^^HOSP^MR", f"MRG|{gone}^^^HOSP^MR", time=time)


def patient_id(store: Store, number: str, system: str = "HOSP", kind: str = "MR") -> str:
    return store.codec.token("Patient", "his", f"{system}|{kind}|{number}")


def groups(store: Store) -> list[set[str]]:
    """The patients of each customer; every customer's id is checked to be its least patient's."""
    found: dict[str, set[str]] = {}
    with store.read() as connection:
        for row in connection.execute(select(patient_customer)):
            found.setdefault(row.customer_id, set()).add(row.patient_id)
    assert all(customer == min(members) for customer, members in found.items())
    return sorted(found.values(), key=min)


def together(store: Store, *numbers: str) -> bool:
    wanted = {patient_id(store, number) for number in numbers}
    return any(wanted <= group for group in groups(store))


# --- by number --------------------------------------------------------------------------------------------------------


def test_patients_with_one_identity_number_are_one_customer_whatever_their_names(store: Store) -> None:
    for order in orders(
        store,
        (
            person(f"1001^^^HOSP^MR~{ID_CARD}^^^PRC^NI"),
            person(f"2002^^^HOSP^MR~{ID_CARD}^^^PRC^NI", name="王^方"),
            person("3003^^^HOSP^MR"),
        ),
    ):
        clear(store)
        tell(store, order, batch=1)
        assert together(store, "1001", "2002")
        assert not together(store, "1001", "3003")


def test_the_same_number_of_another_authority_links_nobody(store: Store) -> None:
    tell(store, (person("1001^^^HOSP^MR~4711^^^EAST^PI"), person("2002^^^HOSP^MR~4711^^^WEST^PI")))
    assert len(groups(store)) == 2


def test_a_visit_number_links_nobody(store: Store) -> None:
    tell(store, (person("1001^^^HOSP^MR~V9^^^HOSP^VN"), person("2002^^^HOSP^MR~V9^^^HOSP^VN")))
    assert len(groups(store)) == 2


def test_an_identity_number_with_a_wrong_check_digit_links_nobody(store: Store) -> None:
    wrong = ID_CARD[:-1] + "1"
    others = person(f"2002^^^HOSP^MR~{wrong}^^^PRC^NI", name="李^四", born="19850611")
    tell(store, (person(f"1001^^^HOSP^MR~{wrong}^^^PRC^NI"), others))
    assert len(groups(store)) == 2


@pytest.mark.parametrize(("name", "born", "linked"), [("王^芳", "19900307", True), ("李^四", "19900307", False),
                                                      ("王^芳", "19900308", False), ("王^芳", "", False)])  # fmt: skip
def test_a_number_without_authority_links_only_with_agreeing_name_and_birth_date(
    store: Store, name: str, born: str, linked: bool
) -> None:
    tell(store, (person("1001^^^HOSP^MR~4711^^^^PI"), person("2002^^^HOSP^MR~4711^^^^PI", name=name, born=born)))
    assert together(store, "1001", "2002") == linked


def test_the_patient_who_joined_two_others_parts_them_when_it_leaves(store: Store) -> None:
    bridge = f"2002^^^HOSP^MR~{ID_CARD}^^^PRC^NI~4711^^^BANK^PI"
    tell(store, (person(f"1001^^^HOSP^MR~{ID_CARD}^^^PRC^NI"), person("3003^^^HOSP^MR~4711^^^BANK^PI")))
    assert not together(store, "1001", "3003")
    tell(store, (person(bridge, time="20260301100100"),))
    assert together(store, "1001", "2002", "3003")
    tell(store, (person("2002^^^HOSP^MR~110101199003070011^^^PRC^NI~4712^^^BANK^PI", time="20260301100200"),))
    assert len(groups(store)) == 3


# --- by merge ---------------------------------------------------------------------------------------------------------


def test_a_chain_of_merges_is_one_customer_in_any_order(store: Store) -> None:
    story = (merge("1001", "2002"), merge("2002", "3003", "20260301120000"), person("4004^^^HOSP^MR"))
    for order in orders(store, story):
        clear(store)
        tell(store, order, batch=1)
        assert together(store, "1001", "2002", "3003")
        assert not together(store, "1001", "4004")


def test_a_cycle_of_merges_ends(store: Store) -> None:
    story = (merge("1001", "2002"), merge("2002", "3003", "20260301120000"), merge("3003", "1001", "20260301130000"))
    for order in orders(store, story):
        clear(store)
        tell(store, order, batch=1)
        assert together(store, "1001", "2002", "3003")


def test_a_merge_of_a_patient_into_itself_links_nobody(store: Store) -> None:
    tell(store, (merge("1001", "1001"),))
    assert groups(store) == [{patient_id(store, "1001")}]


def test_a_merge_told_before_either_patient_was_known_holds(store: Store) -> None:
    tell(store, (merge("1001", "2002"), person("1001^^^HOSP^MR"), person("2002^^^HOSP^MR")), batch=1)
    assert together(store, "1001", "2002")


def link(store: Store, patient: str, other: str, said_at: int, kind: str | None, message_id: int) -> None:
    """One statement of a link, as any adapter may make it; a kind of `None` takes it back."""
    record = PatientLink(key=f"{patient}>{other}", patient=patient, other=other, type=kind)
    place = stamp(Statement(said_at), message_id.to_bytes(32, "big"))
    with store.write() as connection:
        Folder(store.codec).apply(connection, [Accepted(message_id, "his", place, [record], ())], now=said_at)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_link_taken_back_parts_the_two_whenever_it_is_heard(store: Store, order: tuple[int, int]) -> None:
    statements = (("replaced-by", 10), (None, 20))
    for number in order:
        kind, said_at = statements[number]
        link(store, "HOSP|MR|1001", "HOSP|MR|2002", said_at, kind, message_id=number + 1)
    assert not together(store, "1001", "2002")
    assert len(groups(store)) == 2


@pytest.mark.parametrize("batch", [1, 3])
def test_a_link_whose_only_message_is_translated_anew_without_it_is_gone(store: Store, batch: int) -> None:
    link(store, "HOSP|MR|1001", "HOSP|MR|2002", 10, "replaced-by", message_id=1)
    link(store, "HOSP|MR|2002", "HOSP|MR|3003", 11, "replaced-by", message_id=2)
    assert together(store, "1001", "2002", "3003")
    with store.write() as connection:
        Folder(store.codec).apply(connection, [], now=12, voided=[1])
    assert not together(store, "1001", "2002")
    assert together(store, "2002", "3003")


# --- finding a customer -----------------------------------------------------------------------------------------------


def test_any_member_s_id_and_any_number_finds_the_customer(store: Store) -> None:
    tell(store, (person(f"1001^^^HOSP^MR~{ID_CARD}^^^PRC^NI"), merge("1001", "2002"), merge("2002", "3003")))
    members = sorted(patient_id(store, number) for number in ("1001", "2002", "3003"))
    with store.read() as connection:
        for member in members:
            assert customers.find(connection, member, []) == [members[0]]
        for number in (("PRC", "NI", ID_CARD), ("HOSP", "MR", "1001")):
            assert customers.find(connection, "no id", [store.codec.token("identifier", *number)]) == [members[0]]
        assert customers.find(connection, "%", []) == []


# --- facts never move -------------------------------------------------------------------------------------------------


def facts(store: Store) -> set[tuple[str, str, str | None]]:
    with store.read() as connection:
        rows = connection.execute(select(fact).where(fact.c.kind != "PatientLink")).all()
    return {(row.fact_id, row.kind, row.patient_id) for row in rows}


def test_a_merge_moves_no_fact(store: Store) -> None:
    stay = "PV1||I|内科^1||||||||||||||||V1^^^HOSP^VN"
    before = (
        message("A01", "PID|||1001^^^HOSP^MR||王^芳", stay, "AL1||DA|青霉素^青霉素"),
        message("A01", "PID|||2002^^^HOSP^MR||王^芳", stay.replace("|V1^", "|V2^")),
    )
    tell(store, before)
    told = facts(store)
    tell(store, (merge("1001", "2002"),))
    assert together(store, "1001", "2002")
    assert facts(store) == told
    assert {owner for _, kind, owner in told if kind == "Encounter"} == {
        patient_id(store, "1001"),
        patient_id(store, "2002"),
    }


def test_a_merge_says_nothing_of_the_patient_that_is_gone(store: Store) -> None:
    """MRG-1 names the patient by one number; the others it had stay."""
    tell(store, (person(f"1001^^^HOSP^MR~{ID_CARD}^^^PRC^NI"),))
    tell(store, (merge("1001", "2002"),))
    with store.read() as connection:
        token = store.codec.token("identifier", "PRC", "NI", ID_CARD)
        assert len(customers.find(connection, "no id", [token])) == 1


def test_components_are_those_of_the_graph_whatever_the_order_of_the_links(store: Store) -> None:
    """Twelve patients, links in several orders and batches: always the same three customers."""
    pairs = [("1", "2"), ("3", "4"), ("2", "3"), ("5", "6"), ("6", "7"), ("8", "5"), ("9", "10"), ("10", "11"),
             ("11", "12"), ("12", "9")]  # fmt: skip
    seen = set()
    for step in range(4):
        clear(store)
        shuffled = pairs[step * 2 :] + pairs[: step * 2]
        for number, (one, other) in enumerate(shuffled, 1):
            link(store, f"HOSP|MR|{one}", f"HOSP|MR|{other}", 10, "replaced-by", message_id=number)
        seen.add(tuple(frozenset(group) for group in groups(store)))
    assert len(seen) == 1
    assert sorted(map(len, seen.pop())) == [4, 4, 4]


def test_numbers_are_replaced_when_a_patient_is_said_to_have_none(store: Store) -> None:
    record = Patient(key="k", identifier=(Identifier("4711", "HOSP", "PI"),))
    for number, identifiers in ((1, record.identifier), (2, None)):
        place = stamp(Statement(number), number.to_bytes(32, "big"))
        with store.write() as connection:
            batch = [Accepted(number, "his", place, [Patient(key="k", identifier=identifiers)], ())]
            Folder(store.codec).apply(connection, batch, now=number)
    with store.read() as connection:
        assert customers.find(connection, "no id", [store.codec.token("identifier", "HOSP", "PI", "4711")]) == []


def test_a_message_that_knows_one_number_leaves_the_others_and_the_link(store: Store) -> None:
    """A laboratory sends the hospital number alone; that says nothing of the identity number registration stated."""
    registered = person(f"1001^^^HOSP^MR~{ID_CARD}^^^PRC^NI", time="20260301100000")
    elsewhere = person(f"2002^^^HOSP^MR~{ID_CARD}^^^PRC^NI", time="20260301100000")
    laboratory = person("1001^^^HOSP^MR", time="20260301120000")
    for order in orders(store, (registered, elsewhere, laboratory)):
        clear(store)
        tell(store, order, batch=1)
        assert together(store, "1001", "2002")


def test_a_corrected_identity_number_takes_the_place_of_the_wrong_one(store: Store) -> None:
    wrong = person(f"1001^^^HOSP^MR~{ID_CARD}^^^PRC^NI", time="20260301100000")
    elsewhere = person(f"2002^^^HOSP^MR~{ID_CARD}^^^PRC^NI", time="20260301100000")
    right = person("1001^^^HOSP^MR~110101199003070011^^^PRC^NI", time="20260301120000")
    for order in orders(store, (wrong, elsewhere, right)):
        clear(store)
        tell(store, order, batch=1)
        assert not together(store, "1001", "2002")
