"""What of a patient is compared: names as they sound, numbers in whichever column, nothing that stands for nobody."""

import pytest

from hcrm_core.identity.documents import check_digit, resident_number
from hcrm_core.identity.nobody import stands_for_nobody
from hcrm_core.identity.profile import blocking_keys, decode, encode, profile_of
from hcrm_core.identity.sound import simplified, surname_sounds

ADULT = "110105199003072039"


def name(family: str = "", *given: str, text: str = ""):
    profile = profile_of({"name": [{"family": family, "given": list(given), "text": text}]})
    assert profile is not None
    return profile.names[0] if profile.names else None


# --- documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_the_examples_of_the_standard_are_valid(number: str) -> None:
    """GB 11643-1999, annex A."""
    assert resident_number(number) == number
    assert check_digit(number) == number[-1]


def test_the_number_of_fifteen_digits_is_that_of_eighteen() -> None:
    assert resident_number("110105491231002") == "11010519491231002X"
    assert resident_number("11010519491231002x") == "11010519491231002X"
    assert resident_number("110105 19491231 002X") == "11010519491231002X"


@pytest.mark.parametrize(
    "number",
    [
        "110105194912310021",
        "110105499931002",
        "11010519491331002X",
        "123",
        "",
        "13812345678",
        "000000000000000",
        "X" * 18,
    ],
)
def test_what_cannot_be_is_no_number(number: str) -> None:
    assert resident_number(number) is None


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "sound"),
    [("单", "shan"), ("曾", "zeng"), ("仇", "qiu"), ("解", "xie"), ("查", "zha"), ("盖", "ge"), ("乐", "yue"),
     ("朴", "piao"), ("区", "ou"), ("尉迟", "yuchi"), ("万俟", "moqi"), ("王", "wang"), ("欧阳", "ouyang")],
)  # fmt: skip
def test_surnames_are_read_as_surnames_first(family: str, sound: str) -> None:
    assert surname_sounds(family)[0] == sound


def test_a_surname_can_be_met_by_how_it_is_misread() -> None:
    assert {"shan", "dan"} <= set(surname_sounds("单"))
    assert {"zeng", "ceng"} <= set(surname_sounds("曾"))


def test_traditional_characters_are_simplified() -> None:
    assert simplified("張偉鍾範餘") == "张伟钟范余"
    assert name("張", "偉") == name("张", "伟")


@pytest.mark.parametrize(
    ("family", "given"),
    [
        ("Wang", ("Fang",)),
        ("FANG", ("WANG",)),
        ("Wang, Fang", ()),
        ("WANG FANG", ()),
        ("Fang Wang", ()),
        ("芳", ("王",)),
    ],
)
def test_a_name_sounds_the_same_however_it_is_written(family: str, given: tuple[str, ...]) -> None:
    written, here = name("王", "芳"), name(family, *given)
    assert written and here
    assert not set(written.sounds).isdisjoint(here.sounds)


def test_a_given_name_in_one_word_or_two_sounds_the_same() -> None:
    one, two = name("Ouyang", "Xiaoming"), name("OUYANG", "XIAO", "MING")
    chinese = name("欧阳", "晓明")
    assert one and two and chinese
    assert one.sounds == two.sounds
    assert set(one.sounds) <= set(chinese.sounds)


def test_a_whole_name_is_parted_where_its_surname_ends() -> None:
    assert name("王芳") == name(text="王芳") == name("王", "芳")
    assert name("欧阳晓明") == name("欧阳", "晓明")


def test_lu_is_lyu_is_lv() -> None:
    assert {name("Lyu", "Bu").sounds, name("Lv", "Bu").sounds} == {name("吕", "布").sounds}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "whole",
    ["无名氏", "不详", "王某", "王某之子", "张芳之女", "刘艳之长子", "李新生儿", "Unknown", "Baby Smith", "John Doe",
     "李娜之双子1", "李娜大女", "李娜小兒", "李娜大双", "李娜宝宝", "李娜毛毛", "欧阳秀英次子", "李娜儿子", "王女儿",
     "陈女婴", "男婴", "李BB", "王婴儿", "王女士", "急诊无名1", "患者", "Baby", "Unknown Male", "Doe, John",
     "Test Patient", "王", "X"],
)  # fmt: skip
def test_what_stands_for_nobody_is_no_name(whole: str) -> None:
    assert name(whole) is None


@pytest.mark.parametrize(
    "whole",
    ["李毛毛", "陈婴", "王子", "赵美子", "山田花子", "王小男", "李大双", "王贝贝", "欧阳宝宝", "李娜女", "张婉儿",
     "李新生", "Testa Marco", "Tester Ann", "Babington Ann", "Webb Ann"],
)  # fmt: skip
def test_what_can_be_a_name_is_one(whole: str) -> None:
    assert name(whole) is not None


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    [
        "13800000000",
        "00000000",
        "11111111111",
        "13800138000",
        "12345678901",
        "123456789012345678",
        "000000000000000000",
    ],
)
def test_numbers_that_fill_a_form_stand_for_nobody(number: str) -> None:
    assert stands_for_nobody(number)


@pytest.mark.parametrize("number", ["13812345678", "057188886666", ADULT, "E12345679"])
def test_other_numbers_may_be_somebody_s(number: str) -> None:
    assert not stands_for_nobody(number)


def test_numbers_are_known_in_whichever_column_they_stand() -> None:
    def numbers(document: str, phone: str):
        profile = profile_of(
            {
                "identifier": [{"value": document, "system": "PRC", "type": "NI"}],
                "telecom": [{"value": phone, "system": "phone"}],
            }
        )
        assert profile
        return profile.resident, profile.phones

    assert numbers(ADULT, "138 1234-5678") == numbers("13812345678", ADULT) == (ADULT, ("13812345678",))
    assert numbers(ADULT, "+86 13812345678")[1] == ("13812345678",)


def test_hospital_and_visit_numbers_are_not_compared() -> None:
    profile = profile_of({"identifier": [{"value": "4711471", "system": "HOSP", "type": "MR"}]})
    assert profile and not profile.documents


def test_two_valid_numbers_leave_none_to_rest_on() -> None:
    two = [{"value": number, "system": "PRC", "type": "NI"} for number in (ADULT, "110105199003072055")]
    profile = profile_of({"identifier": two})
    assert profile and profile.resident == "" and len(profile.documents) == 2


def test_a_number_that_is_another_s_is_looked_up_and_not_compared() -> None:
    number = {"value": ADULT, "system": "PRC", "type": "NI"}
    own = "110105202406150016"
    child = {"birth_date": "2024-06-15", "gender": "male"}
    for place in ({"identifier": [number]}, {"telecom": [{"system": "phone", "value": ADULT}]}):
        profile = profile_of(child | place)
        assert profile and (profile.resident, profile.documents, profile.strange) == ("", (), (ADULT,))
        assert ("document", ADULT[:14]) in blocking_keys(profile)
    own = own[:17] + check_digit(own)
    profile = profile_of(child | {"identifier": [number, {"value": own, "system": "PRC", "type": "NI"}]})
    assert profile and (profile.resident, profile.documents) == (own, ())


# --- the rest ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kept"), [("1990-03-07", "19900307"), ("1990", "19900101"), ("1990-03", "19900301"), ("1900-01-01", "")]
)
def test_birth_dates(said: str, kept: str) -> None:
    profile = profile_of({"birth_date": said})
    assert profile and profile.birth == kept


def test_nobody_is_looked_up_by_the_first_of_january_or_a_placeholder() -> None:
    profile = profile_of(
        {
            "name": [{"family": "无名氏"}],
            "birth_date": "1990-01-01",
            "telecom": [{"value": "13800000000", "system": "phone"}],
        }
    )
    assert profile and list(blocking_keys(profile)) == []


def test_a_deleted_patient_has_no_profile() -> None:
    assert profile_of({}) is None
    assert profile_of({"active": False, "birth_date": "1990-03-07"}) is None


def test_a_profile_is_read_as_it_was_written() -> None:
    profile = profile_of({"name": [{"family": "王", "given": ["芳"]}], "birth_date": "1990-03-07", "gender": "female"})
    assert profile and decode(encode(profile)) == profile
