"""What makes two source patients one person, and what never does."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcrm_core.identity.evidence import NOT_PERSONAL, identifier_rows, is_placeholder
from hcrm_core.store.codec import Codec

CODEC = Codec(b"\x07" * 32)
# GB 11643-1999: the last digit of a Chinese identity number follows from the others.
VALID = "11010119900307002X"


def check_digit(digits: str) -> str:
    """ISO 7064 MOD 11-2 as the standard words it, independently of the code under test."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(digits))
    return "0123456789X"[(12 - total % 11) % 11]


def row(number: dict[str, object], **person: object):
    rows = identifier_rows("p", {"identifier": [number]} | person, CODEC.token)
    assert len(rows) == 1
    return rows[0]


def link(system: str, kind: str | None, value: str, *, scoped: bool = False, **person: object) -> str | None:
    number = {"system": system, "type": kind, "value": value, "sender_scoped": scoped}
    return row(number, **person).link_token


WANG = {"name": [{"family": "王", "given": ["芳"]}], "birth_date": "1990-03-07"}


def test_a_number_links_within_its_namespace_alone() -> None:
    assert link("HOSP", "MR", "4711") == link("HOSP", "MR", "4711") is not None
    others = {
        link("OTHER", "MR", "4711"),
        link("HOSP", "PI", "4711"),
        link("HOSP", None, "4711"),
        link("HOSP", "MR", "12"),
    }
    assert len(others | {link("HOSP", "MR", "4711")}) == 5


def test_a_number_links_whatever_the_name() -> None:
    assert link("HOSP", "MR", "4711", **WANG) == link("HOSP", "MR", "4711")


@pytest.mark.parametrize("kind", sorted(NOT_PERSONAL))
def test_numbers_of_accounts_visits_and_staff_link_nobody(kind: str) -> None:
    assert link("HOSP", kind, "4711") is None


def test_a_number_that_links_nobody_can_still_be_searched_for() -> None:
    found = row({"system": "HOSP", "type": "VN", "value": "1"})
    assert found.token == CODEC.token("identifier", "HOSP", "VN", "1")


@pytest.mark.parametrize(
    "value", ["0", "000000", "9999999999", "000-00-0000", "111111111111111111", "XXXX", "---", "  "]
)
def test_one_repeated_character_stands_for_nobody(value: str) -> None:
    assert is_placeholder("MR", value)
    assert link("HOSP", "MR", value) is None


@pytest.mark.parametrize("value", ["7", "12", "22", "4711", "000001", "99998"])
def test_a_short_number_may_be_somebody(value: str) -> None:
    assert not is_placeholder("MR", value)


def test_a_chinese_identity_number_needs_its_check_digit() -> None:
    assert not is_placeholder("NI", VALID)
    assert not is_placeholder("NI", VALID.lower())
    assert is_placeholder("NI", VALID[:-1] + "1")
    assert is_placeholder("NNCHN", "110101199003070028")


def test_an_eighteen_digit_hospital_number_needs_none() -> None:
    assert not is_placeholder("MR", VALID[:-1] + "1")


WORDS = (
    "不详", "拒绝提供", "UNKNOWN", "未提供", "外籍", "暂无", "无身份证", "丢失", "無", "n/a", "Not available",
    "ＵＮＫＮＯＷＮ",
)  # fmt: skip


@pytest.mark.parametrize("value", WORDS)
def test_words_stand_for_nobody_in_whichever_column(value: str) -> None:
    assert all(link("PRC", kind, value) is None for kind in ("NI", "PPN", "SS", "MR", "PI", None))


@pytest.mark.parametrize(
    "value", ["1", "123456", "123456789012345", "110101", "11010119901307002X", "13912345678", "110101", "4711"]
)
def test_what_is_no_resident_number_links_nobody_as_one(value: str) -> None:
    assert link("PRC", "NI", value) is link("HOSP", "NNCHN", value) is None


@pytest.mark.parametrize("value", ["1", "E123", "ABCDEFG", "E1111111", "13912345678", "11010119900307002" + "1"])
def test_what_cannot_be_a_document_links_nobody_as_one(value: str) -> None:
    assert link("PRC", "PPN", value) is None


@pytest.mark.parametrize("value", ["E12739482", "G6203", "H0123987601", "145286789"])
def test_another_document_needs_five_characters_and_a_digit(value: str) -> None:
    assert link("PRC", "PPN", value) == link("PRC", "PPN", value) is not None


@pytest.mark.parametrize("value", ["1234567", "1000001", "123456", "ABC"])
def test_what_a_hospital_counts_runs_through_every_number(value: str) -> None:
    assert link("HOSP", "MR", value) is not None


@pytest.mark.parametrize(
    ("birth", "sex", "links"),
    [
        ("1990-03-07", "female", True),
        ("1990-03-07", "male", True),
        ("1990-03-17", "male", True),
        ("1990-07-03", "male", True),  # day and month exchanged
        ("1991-07-07", "female", True),
        ("1991-07-07", None, True),
        ("1991-07-07", "other", True),
        ("1991-07-07", "male", False),
        ("1991-07-03", "female", False),  # a child with its mother's number
        ("2024-01-01", "male", True),
        ("2024", "male", True),
        ("2024-06", "male", True),
        ("", "male", True),
        (None, None, True),
    ],
)
@pytest.mark.parametrize("number", [VALID, "110101900307002"])
def test_a_resident_number_that_the_record_contradicts_links_nobody(
    number: str, birth: str | None, sex: str | None, links: bool
) -> None:
    assert (link("PRC", "NI", number, birth_date=birth, gender=sex) == link("PRC", "NI", VALID)) == links
    assert (link("PRC", "NI", number, birth_date=birth, gender=sex) is not None) == links


def test_the_patient_of_an_edit_links_nobody_by_its_numbers_and_is_found_by_them() -> None:
    number = {"system": "HOSP", "type": "MR", "value": "4711"}
    (edited,) = identifier_rows("p", {"identifier": [number]}, CODEC.token, by_hand=True)
    assert edited == row(number)._replace(link_token=None)


def test_other_lengths_of_national_numbers_are_let_through() -> None:
    assert not is_placeholder("NI", "110101900307002")  # fifteen digits, before 1999
    assert not is_placeholder("SS", "145-28-6789")


@given(st.integers(110000, 659999), st.dates(date(1900, 1, 1), date(2030, 1, 1)), st.integers(0, 999))
def test_exactly_one_last_digit_is_right(area: int, born: date, order: int) -> None:
    digits = f"{area}{born:%Y%m%d}{order:03d}"
    right = [last for last in "0123456789X" if not is_placeholder("NI", digits + last)]
    assert right == [check_digit(digits)]


# --- numbers whose sender names no authority ----


def scoped(**person: object) -> str | None:
    return link("his/HIS/HOSP", None, "4711", scoped=True, **person)


def test_a_sender_scoped_number_links_with_agreeing_name_and_birth_date() -> None:
    assert scoped(**WANG) is not None
    assert scoped(**WANG) == scoped(**WANG)


def test_a_sender_scoped_number_alone_links_nobody() -> None:
    assert scoped() is None
    assert scoped(name=WANG["name"]) is None
    assert scoped(birth_date="1990-03-07") is None
    assert scoped(name=[{"family": "…"}], birth_date="1990-03-07") is None


def test_a_sender_scoped_number_does_not_link_another_name_or_birth_date() -> None:
    assert scoped(**(WANG | {"birth_date": "1990-03-08"})) != scoped(**WANG)
    assert scoped(**(WANG | {"name": [{"family": "王", "given": ["方"]}]})) != scoped(**WANG)


@pytest.mark.parametrize(
    "name",
    [
        {"text": "王芳"},
        {"family": "王芳"},
        {"family": "王 ", "given": [" 芳"]},
        {"family": "王", "given": ["芳", ""]},
    ],
)
def test_names_agree_however_they_are_cut(name: dict[str, object]) -> None:
    assert scoped(name=[name], birth_date="1990-03-07") == scoped(**WANG)


def test_names_agree_in_full_width_and_in_any_case() -> None:
    one = scoped(name=[{"family": "ＷＡＮＧ", "given": ["Fang"]}], birth_date="1990-03-07")
    assert one == scoped(name=[{"family": "Wang", "given": ["fang"]}], birth_date="1990-03-07")


def test_the_same_number_twice_is_one_row() -> None:
    number = {"system": "HOSP", "type": "MR", "value": "1"}
    assert len(identifier_rows("p", {"identifier": [number, dict(number)]}, CODEC.token)) == 1


def test_a_patient_without_numbers_has_no_rows() -> None:
    assert identifier_rows("p", {}, CODEC.token) == []
    assert identifier_rows("p", {"identifier": None}, CODEC.token) == []
