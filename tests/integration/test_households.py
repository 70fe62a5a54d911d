"""Households: who is of one family and by what; the same in any order, gone with the evidence, equal in bulk."""

import pytest
from hypothesis import strategies as st
from sqlalchemy import select
from support.families import MOTHER, SON, kin, registration, streams
from support.orders import drawn, orders
from support.streams import clear, tell

from hcrm_core.identity.golden import fields_of
from hcrm_core.identity.households import LARGEST, Neighbourhood, of_everybody
from hcrm_core.identity.marks import KINDS, Told
from hcrm_core.identity.ties import MOST, Tie
from hcrm_core.store.dump import dump
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import links
from hcrm_core.store.queries.facts import all_facts
from hcrm_core.store.tables import patient_customer, patient_household

LATER = "20260301110000+0800"


def patient(store: Store, number: str) -> str:
    return store.codec.token("Patient", "his", f"HOSP|MR|{number}")


def homes(store: Store) -> list[set[str]]:
    """The record numbers of each household; its id is checked to be its least customer's."""
    names = {patient(store, f"P{number}"): f"P{number}" for number in range(60)}
    found: dict[str, set[str]] = {}
    with store.read() as connection:
        customers = {row.patient_id: row.customer_id for row in connection.execute(select(patient_customer))}
        least: dict[str, str] = {}
        for row in connection.execute(select(patient_household)):
            found.setdefault(row.household_id, set()).add(names[row.patient_id])
            customer = customers[row.patient_id]
            least[row.household_id] = min(customer, least.get(row.household_id, customer))
    assert all(household == customer for household, customer in least.items())
    return sorted(found.values(), key=min)


def between(store: Store, one: str, other: str) -> Tie | None:
    """What ties two patients' customers."""
    with store.read() as connection:
        customers = links.customers_of(connection, (patient(store, one), patient(store, other)))
        mine, theirs = customers[patient(store, one)], customers[patient(store, other)]
        return next((tie for _, other_, tie in Neighbourhood(connection).ties((mine,)) if other_ == theirs), None)


def told(tie: Tie | None) -> set[str]:
    return {one.kind for one in tie.evidence} if tie else set()


# --- evidence ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("relationship", "relation"),
    [
        ("SPO^配偶^HL70063", "spouse"),
        ("FTH^父亲^HL70063", "parent"),
        ("MTH^母亲^HL70063", "parent"),
        ("CHD^儿子^HL70063", "child"),
        ("GRD^监护人^HL70063", "guardian"),
        ("51^父亲^GB/T 4761", "parent"),
        ("1^^GB/T 4761", "spouse"),
        ("^女儿", "child"),
    ],
)
def test_a_named_relative_whose_name_and_phone_fit_is_of_the_household(
    store: Store, relationship: str, relation: str
) -> None:
    story = (
        registration("P1", "陈^思远", phone="13911112222", kin=(kin("林^静", relationship, "13933334444"),)),
        registration("P2", "林^静", phone="13933334444"),
        registration("P3", "周^立", phone="13955556666"),
    )
    for order in orders(store, story):
        clear(store)
        tell(store, order, batch=1)
        assert homes(store) == [{"P1", "P2"}]
    tie = between(store, "P1", "P2")
    assert tie is not None
    assert (tie.relation, tie.points, told(tie)) == (relation, 4, {"named"})
    backwards = between(store, "P2", "P1")
    assert backwards is not None
    assert backwards.points == tie.points


def test_a_name_alone_ties_nobody_and_neither_does_a_phone_alone(store: Store) -> None:
    tell(
        store,
        (
            registration("P1", "陈^思远", kin=(kin("林^静", "SPO^配偶^HL70063"),)),
            registration("P2", "林^静", phone="13933334444"),
            registration("P3", "周^立", phone="13933334444"),
        ),
    )
    assert homes(store) == []
    assert between(store, "P1", "P2") is None
    tie = between(store, "P2", "P3")
    assert tie is not None
    assert (tie.points, tie.strength) == (1, "weak")


def test_one_door_is_a_household_with_the_phone_the_name_or_the_policy_but_not_alone(store: Store) -> None:
    home = "春晓路24号银杏苑3幢2单元1402室"
    tell(
        store,
        (
            registration("P1", "陈^思远", phone="13911112222", home=home),
            registration("P2", "林^静", phone="13933334444", home="春晓路24号3-2-1402"),
            registration("P3", "陈^一诺", home=home),
            registration("P4", "周^立", home="春晓路24号银杏苑3幢2单元1403室"),
        ),
    )
    assert homes(store) == [{"P1", "P3"}]
    assert told(between(store, "P1", "P3")) == {"address", "surname"}
    assert told(between(store, "P1", "P2")) == {"address"}  # however it is written; too little for a household
    assert between(store, "P1", "P4") is None
    tell(store, (registration("P2", "林^静", phone="13911112222", home=home, time=LATER),))
    assert homes(store) == [{"P1", "P2", "P3"}]


def test_a_house_without_a_door_and_a_number_at_work_say_nothing(store: Store) -> None:
    tell(
        store,
        (
            registration("P1", "陈^思远", home="春晓路24号", phone="13911112222^WPN"),
            registration("P2", "陈^静", home="春晓路24号", phone="13911112222^WPN"),
            registration("P3", "陈^刚", home="王家村12号"),
            registration("P4", "陈^强", home="王家村12号"),
        ),
    )
    assert homes(store) == [{"P3", "P4"}]


def test_a_policy_of_two_with_one_family_name_is_a_household(store: Store) -> None:
    tell(
        store,
        (
            registration("P1", "陈^思远", policy="PICC20260088"),
            registration("P2", "陈^一诺", policy="PICC20260088"),
            registration("P3", "周^立", policy="PICC20260088"),
            registration("P4", "陈^强", policy="000000000"),
            registration("P5", "陈^刚", policy="000000000"),
        ),
    )
    assert homes(store) == [{"P1", "P2"}]


def test_children_who_name_one_mother_are_siblings_though_she_was_never_here(store: Store) -> None:
    mother = kin(MOTHER, "MTH^母亲^HL70063", "13933334444")
    tell(store, (registration("P1", "陈^思远", kin=(mother,)), registration("P2", "陈^一诺", kin=(mother,))))
    assert homes(store) == [{"P1", "P2"}]
    tie = between(store, "P1", "P2")
    assert tie is not None
    assert (tie.relation, told(tie)) == ("sibling", {"same relative", "surname"})


def test_a_friend_who_lives_at_the_same_door_is_no_family(store: Store) -> None:
    home = "春晓路24号银杏苑3幢2单元1402室"
    friend = kin("林^静", "FND^朋友^HL70063", "13911112222")
    tell(
        store,
        (
            registration("P1", "陈^思远", phone="13911112222", home=home, kin=(friend,)),
            registration("P2", "林^静", phone="13911112222", home=home),
        ),
    )
    assert homes(store) == []
    assert "no family" in told(between(store, "P1", "P2"))


def test_two_records_with_one_name_are_for_linking_and_no_family(store: Store) -> None:
    home = "春晓路24号银杏苑3幢2单元1402室"
    tell(
        store,
        (
            registration("P1", "陈^思远", home=home, phone="13911112222", born="19800101"),
            registration("P2", "陈^思远", home=home, phone="13911112222", born="20150606"),
        ),
    )
    assert homes(store) == []


# --- strangers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phone", ["13800000000", "13800138000", "11111111111", "00000000"])
def test_a_number_written_to_fill_the_form_joins_no_strangers(store: Store, phone: str) -> None:
    home = "不详"
    tell(store, [registration(f"P{n}", f"陈^一{n}", phone=phone, home=home) for n in range(1, 5)])
    assert homes(store) == []
    assert between(store, "P1", "P2") is None


def test_a_door_shared_by_too_many_is_a_dormitory(store: Store) -> None:
    home = "创业路8号2幢宿舍301室"
    names = "一二三四五六七八九十甲乙丙丁"
    workers = [registration(f"P{n}", f"陈^{names[n]}强", home=home) for n in range(MOST + 1)]
    assert LARGEST >= MOST
    tell(store, workers[:MOST], batch=3)
    assert len(homes(store)) == 1
    tell(store, workers[MOST:])
    assert homes(store) == []
    away = registration("P0", "陈^一强", home="创业路9号1幢宿舍101室", time=LATER)
    tell(store, (away,))
    assert homes(store) == [{f"P{n}" for n in range(1, MOST + 1)}]


def test_a_chain_of_ties_longer_than_a_household_is_none(store: Store) -> None:
    names = "一二三四五六七八九十甲乙丙丁戊己"
    chain = [
        registration(
            f"P{n}", f"周^{names[n]}安", phone=f"139111122{n:02d}",
            kin=(kin(f"周^{names[n + 1]}安", "SIB^兄弟^HL70063", f"139111122{n + 1:02d}"),),
        )
        for n in range(LARGEST + 1)
    ]  # fmt: skip
    tell(store, chain[:LARGEST])
    assert homes(store) == [{f"P{n}" for n in range(LARGEST)}]
    tell(store, chain[LARGEST:])
    assert homes(store) == []


# --- change -----------------------------------------------------------------------------------------------------------


def test_evidence_that_is_taken_back_unties(store: Store) -> None:
    son = registration("P1", SON, phone="13911112222", kin=(kin(MOTHER, "MTH^母亲^HL70063", "13933334444"),))
    mother = registration("P2", MOTHER, phone="13933334444")
    tell(store, (son, mother))
    assert homes(store) == [{"P1", "P2"}]
    other = (kin("周^立", "FTH^父亲^HL70063", "13955556666"),)
    tell(store, (registration("P1", SON, phone="13911112222", kin=other, time=LATER),))
    assert homes(store) == []
    assert between(store, "P1", "P2") is None


def test_a_household_follows_customers_that_are_merged(store: Store) -> None:
    son = registration("P1", SON, kin=(kin(MOTHER, "MTH^母亲^HL70063", "13933334444"),))
    tell(store, (son, registration("P2", MOTHER, phone="13933334444"), registration("P3", MOTHER)))
    assert homes(store) == [{"P1", "P2"}]
    merge = f"MSH|^~\\&|HIS|HOSP|HCRM||{LATER}||ADT^A40|M1|P|2.5\rEVN|A40|{LATER}\rPID|||P3^^^HOSP^MR\rMRG|P2^^^HOSP^MR"
    tell(store, (merge.encode(),))
    assert homes(store) == [{"P1", "P2", "P3"}]


@drawn(12)
def test_any_permutation_and_duplication_gives_the_same_households_as_everybody_at_once(
    store: Store, data: st.DataObject
) -> None:
    stream = data.draw(streams)
    clear(store)
    expected = tell(store, stream, batch=len(stream))
    order = data.draw(st.permutations([*stream, *data.draw(st.lists(st.sampled_from(stream), max_size=3))]))
    clear(store)
    assert tell(store, order, batch=data.draw(st.integers(1, 4))) == expected
    with store.read() as connection:
        facts = [
            (row.fact_id, Told(row.kind, row.patient_id, None, fields_of(row, store.codec)))
            for row in all_facts(connection)
            if row.kind in KINDS and not row.void
        ]
        customers = {row.patient_id: row.customer_id for row in connection.execute(select(patient_customer))}
        kept = {row.patient_id: row.household_id for row in connection.execute(select(patient_household))}
    assert kept == of_everybody(facts, customers, store.codec.token)
    assert any("household" in line for line in map(bytes.decode, dump(store))) == bool(kept)
