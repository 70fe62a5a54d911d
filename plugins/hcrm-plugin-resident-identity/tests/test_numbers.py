"""Resident identity numbers: what they say, what they cannot be, and what is filled in from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcrm_core.api import UNSET, Identifier, Patient, Statement, Translation
from hcrm_plugin_resident_identity import WRONG, transform_records
from hcrm_plugin_resident_identity.number import Said, read

STANDARD = "11010519491231002X"
"""The example of GB 11643-1999 §4.5: a woman born on 31 December 1949."""


def test_the_example_of_the_standard() -> None:
    assert read(STANDARD, declared=True) == Said("1949-12-31", "female")
    assert read(STANDARD.lower(), declared=False) == Said("1949-12-31", "female")


@pytest.mark.parametrize("place", range(17))
def test_no_single_digit_can_be_mistaken(place: int) -> None:
    for digit in "0123456789":
        wrong = STANDARD[:place] + digit + STANDARD[place + 1 :]
        if wrong != STANDARD:
            assert not isinstance(read(wrong, declared=True), Said)


def test_a_number_of_before_1999_counts_where_it_is_called_one() -> None:
    assert read("110105491231002", declared=True) == Said("1949-12-31", "female")
    assert read("110105491231002", declared=False) is None
    assert read("110105491332002", declared=True) is True


@given(st.text(max_size=20), st.booleans())
def test_anything_else_is_no_error(text: str, declared: bool) -> None:
    assert read(text, declared=declared) in (None, True) or isinstance(read(text, declared=declared), Said)


def patient(number: str = STANDARD, **fields: object) -> Translation:
    identifier = (Identifier(value=number, system="PRC", type="NI"),)
    return Translation("ADT^A01", Statement(1), (Patient(key="1", identifier=identifier, **fields),))


def test_what_a_message_leaves_out_is_filled_in() -> None:
    changed = transform_records(patient())
    assert changed is not None
    (record,) = changed.records
    assert (record.birth_date, record.gender) == ("1949-12-31", "female")
    assert changed.statement == Statement(1) and changed.problems == ()


def test_what_a_message_says_counts() -> None:
    assert transform_records(patient(birth_date="1950-01-01", gender="male")) is None
    changed = transform_records(patient(birth_date="1950-01-01", gender="unknown"))
    assert changed is not None
    assert (changed.records[0].birth_date, changed.records[0].gender) == ("1950-01-01", "female")


def test_a_wrong_number_is_remarked_upon_and_kept() -> None:
    changed = transform_records(patient(STANDARD[:-1] + "1"))
    assert changed is not None
    assert changed.problems == (WRONG,)
    assert changed.records[0].identifier[0].value == STANDARD[:-1] + "1"
    assert changed.records[0].birth_date is UNSET


def test_two_numbers_that_disagree_say_nothing() -> None:
    both = tuple(Identifier(value=number, system="PRC", type="NI") for number in (STANDARD, "110105491231001"))
    translation = Translation("ADT^A01", Statement(1), (Patient(key="1", identifier=both),))
    assert transform_records(translation) is None


def test_a_message_without_a_patient_is_left_alone() -> None:
    assert transform_records(Translation("ACK", Statement(1))) is None
