"""Links by score: the same whatever the order, gone when the facts change, equal in bulk and after another model."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import strategies as st
from sqlalchemy import select
from support.orders import drawn
from support.people import ADULT, OLD_FORM, TWIN, registration, streams, with_blocks_of
from support.streams import clear, tell

from hcrm_core.config import IdentitySettings
from hcrm_core.identity.bulk import customers, scored_pairs
from hcrm_core.identity.golden import fields_of
from hcrm_core.identity.model import scorer_of
from hcrm_core.identity.profile import profile_of
from hcrm_core.intake.edits import Change, edit
from hcrm_core.intake.fold import Folder
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.store.dump import dump
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import links, pairs
from hcrm_core.store.queries.facts import of_kind
from hcrm_core.store.tables import patient_block, patient_customer, patient_link, patient_pair, patient_profile

FANG = {"name": "王^晓芳", "birth": "19900307", "sex": "F", "phone": "13912345678"}
LATER = "20260301110000+0800"


def groups(store: Store) -> list[set[str]]:
    """The patients of each customer, by their record numbers; those of edits are `edit`."""
    names = {store.codec.token("Patient", "his", f"HOSP|MR|P{number}"): f"P{number}" for number in range(1, 130)}
    found: dict[str, set[str]] = {}
    with store.read() as connection:
        for row in connection.execute(select(patient_customer)):
            found.setdefault(row.customer_id, set()).add(names.get(row.patient_id, "edit"))
    return sorted(found.values(), key=min)


def verdicts(store: Store) -> list[str]:
    with store.read() as connection:
        return sorted(connection.execute(select(patient_pair.c.verdict)).scalars())


def check(store: Store, data: st.DataObject, identity: IdentitySettings) -> None:
    stream = data.draw(streams)
    store.identity = identity
    clear(store)
    expected = tell(store, stream, batch=len(stream))
    order = data.draw(st.permutations([*stream, *data.draw(st.lists(st.sampled_from(stream), max_size=3))]))
    clear(store)
    assert tell(store, order, batch=data.draw(st.integers(1, 4))) == expected
    assert_as_in_bulk(store, identity)


def assert_as_in_bulk(store: Store, identity: IdentitySettings) -> None:
    """What was kept up to date event by event is what everybody at once comes to."""
    scorer, token = scorer_of(identity), store.codec.token
    with store.read() as connection:
        rows = [row for row in of_kind(connection, "Patient") if not row.void]
        people = [(row.fact_id, fields_of(row, store.codec)) for row in rows]
        by_hand = {row.fact_id for row in rows if row.source == MANUAL}
        stated = [
            {"patient": row.patient_id, "other": row.other_id, "type": "replaced-by"}
            for row in connection.execute(select(patient_link))
        ]
        linked = {row.patient_id: row.customer_id for row in connection.execute(select(patient_customer))}
        kept = {tuple(row) for row in connection.execute(select(patient_pair))}
        assert connection.execute(select(patient_profile)).rowcount <= len(people)
    known = {one: profile for one, fields in people if one not in by_hand and (profile := profile_of(fields))}
    assert kept == {tuple(pair) for pair in scored_pairs(known, token, scorer)}
    assert linked == customers(people, stated, token, scorer, by_hand)


@pytest.mark.parametrize(("largest_block", "largest_group"), [(2, 2), (100, 20)])
@drawn(15)
def test_any_permutation_and_duplication_links_the_same(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: st.DataObject,
    largest_block: int,
    largest_group: int,
) -> None:
    """With keys and numbers that no more than two may share, too: too many come to share them, and few again."""
    monkeypatch.setattr(links, "LARGEST_GROUP", largest_group)
    check(store, data, with_blocks_of(tmp_path, largest_block))


@pytest.mark.prove
@pytest.mark.parametrize("largest", [1, 2, 3, 100])
@drawn(300, everywhere=True)
def test_any_permutation_and_duplication_links_the_same_300_times(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: st.DataObject, largest: int
) -> None:
    monkeypatch.setattr(links, "LARGEST_GROUP", largest)
    check(store, data, with_blocks_of(tmp_path, largest))


@pytest.mark.parametrize(
    "other",
    [
        {"name": "王^小芳"},
        {"name": "王^曉芳"},
        {"name": "晓芳^王"},
        {"name": "王晓芳"},
        {"name": "WANG^XIAOFANG"},
        {"name": "XIAO FANG WANG"},
        {"name": "Wang, Xiaofang"},
        {"birth": "19900703"},
        {"phone": "13912345687", "document": ADULT},
    ],
    ids=str,
)
def test_a_person_written_otherwise_is_linked(store: Store, other: dict[str, str]) -> None:
    tell(store, (registration("P1", **FANG), registration("P2", **(FANG | other))))
    assert groups(store) == [{"P1", "P2"}]
    assert verdicts(store) == ["link"]


@pytest.mark.parametrize(
    "other",
    [
        {"name": "王^晓丽"},  # a twin
        {"name": "王^国强", "sex": "M"},
        {"phone": "13987654321"},  # a namesake born on the same day
        {"phone": "13800000000"},
        {"birth": ""},
        {"sex": "M"},
        {"name": "王某之女"},
        {"name": "无名氏"},
    ],
    ids=str,
)
def test_somebody_who_may_be_another_is_not(store: Store, other: dict[str, str]) -> None:
    tell(store, (registration("P1", **FANG), registration("P2", **(FANG | other))))
    assert groups(store) == [{"P1"}, {"P2"}]


def test_two_valid_identity_numbers_are_two_people_however_alike(store: Store) -> None:
    tell(store, (registration("P1", **FANG, document=ADULT), registration("P2", **FANG, document=TWIN)))
    assert groups(store) == [{"P1"}, {"P2"}]
    assert verdicts(store) == []


def test_a_mother_s_number_on_her_child_s_record_links_nobody_and_is_no_evidence(store: Store) -> None:
    child = {"name": "许^乐乐", "birth": "20240615", "sex": "M", "phone": "13912345678", "document": ADULT}
    tell(store, (registration("P1", **FANG, document=ADULT), registration("P2", **child)))
    assert groups(store) == [{"P1"}, {"P2"}]
    tell(store, (registration("P3", **(child | {"document": ""})),))
    assert groups(store) == [{"P1"}, {"P2", "P3"}], "the child's other record is its own"


@pytest.mark.parametrize(("home", "found"), [("文一路12号3幢401室", ["review"]), ("", [])])
def test_what_else_agrees_decides_where_the_number_denies_the_birth_date(
    store: Store, home: str, found: list[str]
) -> None:
    """They meet by the number alone, and it is no evidence."""
    one, other = (
        registration(patient, "覃^翎羽", birth, "F", home=home, document=ADULT)
        for patient, birth in (("P1", "19900307"), ("P2", "20240615"))
    )
    tell(store, (one, other))
    assert groups(store) == [{"P1"}, {"P2"}]
    assert verdicts(store) == found


TWINS = {"birth": "20260220", "sex": "F", "phone": "13912345678", "home": "文一路12号3幢401室"}


@pytest.mark.parametrize("name", ["李^娜女", "李^娜之女", "李^娜大双"])
def test_twins_by_their_order_are_reviewed_and_it_is_said_why(store: Store, name: str) -> None:
    tell(store, (registration("P1", name, **TWINS, order="1"), registration("P2", name, **TWINS, order="2")))
    assert groups(store) == [{"P1"}, {"P2"}]
    assert verdicts(store) == ["review"]
    with store.read() as connection:
        (pair,) = connection.execute(select(patient_pair)).all()
    assert msgspec.json.decode(pair.evidence)["birth order"] == ["different", 0]


def test_one_of_twins_in_two_records_is_linked(store: Store) -> None:
    name = "李^欣怡"
    others = [registration(f"P{number}", name, **TWINS, order=order) for number, order in ((2, "1"), (3, ""))]
    tell(store, (registration("P1", name, **TWINS, order="1"), *others))
    assert groups(store) == [{"P1", "P2", "P3"}]


# --- numbers that too many carry --------------------------------------------------------------------------------------


def carrying(patient: str, number: str, time: str = "20260301100000+0800") -> bytes:
    """Somebody with a card of the bank's, and nothing that could be scored."""
    head = f"MSH|^~\\&|HIS|HOSP|HCRM||{time}||ADT^A31|{patient}{time}|P|2.5\rEVN|A31|{time}\r"
    return f"{head}PID|||{patient}^^^HOSP^MR~{number}^^^BANK^PI".encode()


@pytest.mark.parametrize("batch", [1, 7, 50])
def test_a_number_that_too_many_carry_ties_nobody_until_fewer_do(store: Store, batch: int) -> None:
    most = links.LARGEST_GROUP
    crowd = [carrying(f"P{number}", "4711") for number in range(1, most + 2)]
    tell(store, crowd[:-1], batch)
    assert len(groups(store)) == 1
    tell(store, crowd[-1:])
    assert len(groups(store)) == most + 1
    tell(store, [carrying("P1", "4712", LATER), carrying("P99", "4711")])
    assert len(groups(store)) == most + 2, "one went and one came"
    with store.read() as connection:
        ((number, patient),) = links.crowded(connection)
    assert number == most + 1 and patient
    tell(store, [carrying("P99", "4712", LATER)])
    assert sorted(len(group) for group in groups(store)) == [2, most]
    assert_as_in_bulk(store, store.identity)


cards = st.builds(
    carrying,
    st.sampled_from(("P1", "P2", "P3", "P4", "P5")),
    st.sampled_from(("4711", "4712", "4713")),
    st.integers(0, 9).map(lambda minute: f"2026030110{minute:02d}00+0800"),
)


@pytest.mark.parametrize("largest_group", [1, 2])
@drawn(8)
def test_numbers_that_come_to_be_carried_by_too_many_link_the_same_in_any_order(
    store: Store, monkeypatch: pytest.MonkeyPatch, data: st.DataObject, largest_group: int
) -> None:
    monkeypatch.setattr(links, "LARGEST_GROUP", largest_group)
    stream = data.draw(st.lists(cards, min_size=4, max_size=14))
    clear(store)
    expected = tell(store, stream, batch=data.draw(st.integers(1, 14)))
    clear(store)
    assert tell(store, data.draw(st.permutations(stream)), batch=data.draw(st.integers(1, 4))) == expected
    assert_as_in_bulk(store, store.identity)


# --- edits ------------------------------------------------------------------------------------------------------------


def test_an_edit_joins_its_customer_to_nobody(store: Store) -> None:
    """Not by what it says, which is just what the other says, nor by its number, by which it is found."""
    tell(store, (registration("P1", "王^伟", "19900307", "M"), registration("P2", **FANG), carrying("P3", "4711")))
    assert len(groups(store)) == 3
    patient = store.codec.token("Patient", "his", "HOSP|MR|P1")
    said = {
        "name": [{"family": "王", "given": ["晓芳"]}],
        "gender": "female",
        "telecom": [{"system": "phone", "value": "13912345678"}],
        "identifier": [{"system": "BANK", "type": "PI", "value": "4711"}],
    }
    edit(store, patient, Change(said), by="desk-3", reason="card seen", now=1_772_330_400_000_000)
    assert sorted(map(sorted, groups(store))) == [["P1", "edit"], ["P2"], ["P3"]]
    assert verdicts(store) == []
    assert_as_in_bulk(store, store.identity)
    with store.read() as connection:
        edited = {row.fact_id for row in of_kind(connection, "Patient") if row.source == MANUAL}
        (number,) = links.identifiers(connection, edited)
        others = links.identifiers(connection, [store.codec.token("Patient", "his", "HOSP|MR|P3")])
    assert number.link_token is None and number.token in {other.token for other in others}
    store.identity = IdentitySettings(link=30)
    tell(store, (registration("P4", name="赵^敏"),))
    assert sorted(map(sorted, groups(store))) == [["P1", "edit"], ["P2"], ["P3"], ["P4"]], "linked anew, too"


def test_numbers_are_read_anew_with_everybody(store: Store) -> None:
    """As after a version that took other numbers for placeholders, with scores or without."""
    store.identity = IdentitySettings(scores=False)
    tell(store, [carrying(f"P{number}", "4711") for number in (1, 2)])
    clean = list(dump(store))
    with store.write() as connection:
        rows = [row._replace(link_token=None) for row in links.identifiers(connection, links.everybody(connection))]
        links.replace_identifiers(connection, links.everybody(connection), rows)
        pairs.set_linked_by(connection, "off 1")
    tell(store, (carrying("P3", "4712"),))
    assert groups(store) == [{"P1", "P2"}, {"P3"}]
    assert set(clean) < set(dump(store))


def test_the_old_form_of_an_identity_number_is_the_same_number(store: Store) -> None:
    tell(store, (registration("P1", document=ADULT, name="王^芳"), registration("P2", document=OLD_FORM, name="李^四")))
    assert groups(store) == [{"P1", "P2"}]


def test_a_link_falls_away_with_what_it_rested_on(store: Store) -> None:
    tell(store, (registration("P1", **FANG), registration("P2", **FANG)), batch=1)
    assert groups(store) == [{"P1", "P2"}]
    tell(store, (registration("P2", phone="13987654321", time=LATER),))
    assert groups(store) == [{"P1"}, {"P2"}]
    assert verdicts(store) == ["review"]
    tell(store, (registration("P2", name="李^四", time="20260301120000+0800"),))
    assert verdicts(store) == []


def test_the_one_between_joins_two_and_parts_them_when_it_leaves(store: Store) -> None:
    """P2 has both phones: with it P1 and P3 are one."""
    one, other = FANG, FANG | {"phone": "13700001234"}
    both = FANG | {"phone": "13912345678~13700001234"}
    tell(store, (registration("P1", **one), registration("P3", **other)))
    assert len(groups(store)) == 2
    tell(store, (registration("P2", **both),))
    assert groups(store) == [{"P1", "P2", "P3"}]
    tell(store, (registration("P2", name="赵^敏", time=LATER),))
    assert groups(store) == [{"P1"}, {"P2"}, {"P3"}]


def test_what_too_many_share_compares_nobody_and_does_again_when_fewer_do(store: Store, tmp_path: Path) -> None:
    store.identity = with_blocks_of(tmp_path, 3)
    tell(store, [registration(f"P{number}", **FANG) for number in (1, 2, 3)], batch=1)
    assert groups(store) == [{"P1", "P2", "P3"}]
    tell(store, (registration("P4", **FANG),))
    assert len(groups(store)) == 4
    tell(store, (registration("P4", name="赵^敏", birth="19700101", phone="13711112222", time=LATER),))
    assert groups(store) == [{"P1", "P2", "P3"}, {"P4"}]
    assert_as_in_bulk(store, store.identity)


def test_a_crowd_with_one_name_and_day_costs_no_comparison(store: Store) -> None:
    crowd = [registration(f"P{number}", "测^试一", "19900307", "F", "13912345678") for number in range(1, 121)]
    tell(store, crowd, batch=30)
    assert verdicts(store) == []
    with store.read() as connection:
        assert len(connection.execute(select(patient_block)).all()) >= 120


def test_switched_off_numbers_alone_link(store: Store) -> None:
    store.identity = IdentitySettings(scores=False)
    tell(store, (registration("P1", **FANG), registration("P2", **FANG)))
    assert len(groups(store)) == 2
    with store.read() as connection:
        assert not connection.execute(select(patient_profile)).all()


def test_with_other_settings_everybody_is_linked_anew_by_the_next_batch(store: Store) -> None:
    store.identity = IdentitySettings(scores=False)
    tell(store, (registration("P1", **FANG), registration("P2", **FANG)))
    store.identity = IdentitySettings()
    tell(store, (registration("P3", **FANG),))
    assert groups(store) == [{"P1", "P2", "P3"}]
    assert_as_in_bulk(store, store.identity)
    store.identity = IdentitySettings(link=90)
    tell(store, (registration("P4", name="赵^敏"),))
    assert len(groups(store)) == 4
    assert set(verdicts(store)) == {"review"}
    store.identity = IdentitySettings(scores=False)
    tell(store, (registration("P5", name="钱^敏"),))
    assert verdicts(store) == []
    clean = list(dump(store))
    with store.write() as connection:
        Folder(store.codec, store.identity).apply(connection, (), now=99)
    assert list(dump(store)) == clean


def test_evidence_names_fields_and_levels_and_no_values(store: Store) -> None:
    tell(store, (registration("P1", **FANG), registration("P2", **(FANG | {"name": "王^小芳"}))))
    with store.read() as connection:
        (pair,) = connection.execute(select(patient_pair)).all()
    evidence = msgspec.json.decode(pair.evidence)
    assert {field: level for field, (level, _) in evidence.items()} == {
        "name": "sound",
        "birth": "same",
        "sex": "same",
        "phone": "same",
    }
    assert pair.score == scorer_of(store.identity).prior + sum(weight for _, weight in evidence.values())


def test_profiles_and_keys_show_no_name_or_number(store: Store) -> None:
    """As far as the codec seals: keys are keyed tokens, and the profile passes the codec."""
    tell(store, (registration("P1", **FANG, document=ADULT),))
    with store.read() as connection:
        (row,) = connection.execute(select(patient_profile)).all()
        blocks = connection.execute(select(patient_block)).all()
    assert msgspec.json.decode(store.codec.open(row.profile))[1] == "19900307"
    assert all(0 <= block.token < 1 << 60 for block in blocks)
