"""How two patients agree, what that weighs, and what is never linked without anybody looking."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcrm_core.config import IdentitySettings
from hcrm_core.errors import ConfigurationError
from hcrm_core.identity.compare import LEVELS, compare, one_slip
from hcrm_core.identity.model import certain, possible, read_model, scorer_of
from hcrm_core.identity.profile import Profile, profile_of

ADULT, TWIN = "110105199003072039", "110105199003072055"
SCORER = scorer_of(IdentitySettings())


def person(
    family: str = "王",
    given: str = "晓芳",
    birth: str = "1990-03-07",
    sex: str = "female",
    phone: str = "",
    document: str = "",
    home: str = "",
) -> Profile:
    profile = profile_of(
        {
            "name": [{"family": family, "given": [given] if given else []}],
            "birth_date": birth,
            "gender": sex,
            "telecom": [{"value": phone, "system": "phone"}] if phone else [],
            "identifier": [{"value": document, "system": "PRC", "type": "NI"}] if document else [],
            "address": [{"line": [home]}] if home else [],
        }
    )
    assert profile
    return profile


def level(field: str, one: dict[str, Any], other: dict[str, Any]) -> str | None:
    return compare(person(**one), person(**other)).get(field)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("王", "晓芳"), ("王", "晓芳"), "same"),
        (("王", "晓芳"), ("王", "曉芳"), "same"),
        (("王", "晓芳"), ("晓芳", "王"), "same"),
        (("王", "晓芳"), ("王晓芳", ""), "same"),
        (("王", "欣怡"), ("王", "怡欣"), "family"),
        (("王", "欣怡"), ("Wang", "Yixin"), "family"),
        (("王", "晓芳"), ("王", "小方"), "sound"),
        (("王", "晓芳"), ("Wang", "Xiaofang"), "sound"),
        (("单", "雄"), ("DAN XIONG", ""), "sound"),
        (("曾", "琪"), ("Zeng", "Qi"), "sound"),
        (("曾", "琪"), ("Ceng", "Qi"), "sound"),
        (("张", "伟"), ("章", "伟"), "sound"),
        (("王", "晓芳"), ("王", "晓丽"), "near"),
        (("王", "晓芳"), ("王", "芳"), "near"),
        (("Smith", "Jennifer"), ("Smith", "Jenifer"), "near"),
        (("王", "晓芳"), ("李", "晓芳"), "given"),
        (("王", "晓芳"), ("李王", "晓芳"), "given"),
        (("Smith-Jones", "Mary"), ("Smith", "Mary"), "given"),
        (("王", "晓芳"), ("王", "国强"), "family"),
        (("王", "晓芳"), ("李", "国强"), "different"),
    ],
)
def test_names(one: tuple[str, str], other: tuple[str, str], expected: str) -> None:
    assert level("name", dict(zip(("family", "given"), one)), dict(zip(("family", "given"), other))) == expected  # noqa: B905


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("1990-03-07", "1990-03-07", "same"),
        ("1990-03-07", "1990-07-03", "swapped"),
        ("1990-03-07", "1990-03-17", "near"),
        ("1990-03-07", "1909-03-07", "near"),
        ("1990-03-07", "1991-03-07", "near"),
        ("1990-03-07", "1990-01-01", "year"),
        ("1990-01-01", "1990-01-01", "same 1 January"),
        ("1990-03-07", "1985-06-11", "different"),
    ],
)
def test_birth_dates(one: str, other: str, expected: str) -> None:
    assert level("birth", {"birth": one}, {"birth": other}) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (ADULT, ADULT, "same"),
        (ADULT, "110105900307203", "same"),
        (ADULT, TWIN, "conflict"),
        (ADULT, "110105199003072093", "near"),
        (ADULT, "110105199003702039", "near"),
        (ADULT, "110105900307205", "conflict"),
        (ADULT, "320105198506112031", "different"),
        (ADULT, "000000000000000000", None),
    ],
)
def test_documents(one: str, other: str, expected: str | None) -> None:
    assert level("document", {"document": one}, {"document": other}) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("文一路12号翠苑3幢2单元401室", "文一路12号翠苑3-2-401", "same"),
        ("文一路12号翠苑3幢2单元401室", "文一路12号翠苑5幢1单元101室", "part"),
        ("文一路12号翠苑3幢2单元401室", "庆春路88号", "different"),
        ("文一路12号", "不详", None),
    ],
)
def test_addresses(one: str, other: str, expected: str | None) -> None:
    assert level("address", {"home": one}, {"home": other}) == expected


def test_one_slip() -> None:
    assert one_slip("13912345678", "13912345687")
    assert one_slip("13912345678", "1391234567")
    assert one_slip("13912345678", "13912345679")
    assert not one_slip("13912345678", "13912345678")
    assert not one_slip("13912345678", "13912346789")


def test_a_rare_name_weighs_more() -> None:
    common = SCORER.score(person("王", "伟"), person("王", "伟"))
    rare = SCORER.score(person("覃", "翎"), person("覃", "翎"))
    assert rare.evidence["name"].weight > common.evidence["name"].weight + 2_000


def test_a_name_in_no_table_is_no_rarer_than_one_in_a_million() -> None:
    foreign = SCORER.score(person("Featherstonehaugh", "Ermintrude"), person("Featherstonehaugh", "Ermintrude"))
    assert foreign.evidence["name"].weight <= 20_000
    assert foreign.verdict == "review"


def test_names_alone_link_nobody() -> None:
    assert SCORER.score(person(birth="", sex=""), person(birth="", sex="")).verdict != "link"


@pytest.mark.parametrize(
    "levels",
    [
        {"name": "same", "birth": "same", "sex": "same"},
        {"name": "near", "birth": "same", "sex": "same", "phone": "same", "address": "same"},
        {"name": "family", "birth": "same", "phone": "same", "address": "same", "document": "same"},
        {"name": "same", "birth": "same", "sex": "different", "phone": "same"},
        {"name": "same", "birth": "different", "phone": "same", "address": "same"},
        {"name": "given", "birth": "same", "phone": "same"},
        {"birth": "same", "sex": "same", "phone": "same", "address": "same"},
    ],
    ids=str,
)
def test_never_without_anybody_looking(levels: dict[str, str]) -> None:
    assert not certain(levels, 0)


def test_two_valid_identity_numbers_are_never_one_person() -> None:
    everything = dict.fromkeys(LEVELS, "same")
    assert possible(everything)
    assert not possible(everything | {"document": "conflict"})


profiles = st.builds(
    person,
    family=st.sampled_from(("王", "单", "欧阳", "晓芳", "WANG", "Dan", "Smith-Jones", "無", "")),
    given=st.sampled_from(("晓芳", "小芳", "芳", "伟", "Xiaofang", "WEI", "Mary Ann", "")),
    birth=st.sampled_from(("1990-03-07", "1990-07-03", "1990-01-01", "1991-03-07", "1990", "")),
    sex=st.sampled_from(("female", "male", "")),
    phone=st.sampled_from(("13912345678", "13912345687", "13800000000", "057188886666", "")),
    document=st.sampled_from((ADULT, TWIN, "110105900307203", "110105199003072019", "13912345678", "E12345678", "")),
    home=st.sampled_from(("文一路12号3幢401室", "文一路12号3-401", "庆春路88号", "")),
)


@given(profiles, profiles)
def test_scores_are_symmetrical(one: Profile, other: Profile) -> None:
    assert SCORER.score(one, other) == SCORER.score(other, one)


@given(profiles)
def test_everybody_agrees_with_themselves(one: Profile) -> None:
    assert set(compare(one, one).values()) <= {"same", "sound", "same 1 January"}


@given(profiles, profiles)
def test_a_link_needs_a_name_and_more(one: Profile, other: Profile) -> None:
    found = SCORER.score(one, other)
    if found.verdict == "link":
        assert one.names and other.names
        assert len(found.evidence) >= 3
        assert found.evidence["name"].weight > 0


def test_the_shipped_model_says_what_each_level_weighs() -> None:
    model = read_model(None)
    for field, levels in LEVELS.items():
        assert list(model.odds[field]) == list(levels)
        assert model.odds[field][levels[0]].m > model.odds[field][levels[0]].u
    assert len(model.terms["family"]) > 100


def test_a_model_that_cannot_be_read_is_a_sentence(tmp_path) -> None:
    broken = tmp_path / "model.json"
    for text in ("{", '{"format": 1}', None):
        if text is None:
            broken.unlink()
        else:
            broken.write_text(text)
        with pytest.raises(ConfigurationError, match=r"identity\.model: .*model\.json"):
            read_model(str(broken))
