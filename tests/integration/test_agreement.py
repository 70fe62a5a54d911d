"""HCRM and another engine say the same of 261 messages, and every class of differences is explained."""

import os
from datetime import timedelta

import pytest
from support import agreement, agreement_page
from support.agreement import Comparison, Difference
from support.agreement_values import Fact, instant, made, number, system, telephone

AGREED = 0.98
"""The least share of equal facts, explained classes left out."""


@pytest.fixture(scope="module")
def compared() -> Comparison:
    if not agreement.PAIRS.is_dir():
        if os.environ.get("CI") == "true" or os.environ.get("HCRM_TEST_MANDATORY"):
            pytest.fail("the corpora are not beside the clone, where CI puts them")
        pytest.skip("no shared corpora beside this clone")
    return agreement.compare()


def test_all_pairs_are_compared_and_nearly_all_facts_are_equal(compared: Comparison) -> None:
    assert compared.messages == 261
    assert compared.equal.total() >= 650
    unexplained = [found for found, name in compared.differences if name is None]
    assert compared.agreement_but_for_explained >= AGREED, unexplained


def test_each_class_of_differences_still_explains_something(compared: Comparison) -> None:
    met = {name for _, name in compared.differences}
    assert [reason.name for reason in agreement.reasons() if reason.name not in met] == []


def test_the_page_says_what_the_comparison_says(compared: Comparison) -> None:
    page = agreement_page.PAGE.read_text(encoding="utf-8")
    block = agreement_page.figures(compared, agreement.compare(numbered=False))
    assert page == agreement_page.written(page, block), f"run {agreement_page.__doc__}"


def test_each_class_is_narrow() -> None:
    """None takes in what a wrong name, code or value would look like."""
    wrong = [
        ("Patient", "", "name", "Wang|Fang", "Wang|Fan"),
        ("Patient", "", "gender", "male", "female"),
        ("Patient", "", "telecom", "phone|1||", "phone|2|home"),
        ("Observation", "X", "value", "quantity||5|mmol", "quantity||6|mmol"),
        ("Observation", "X", "status", "preliminary", "final"),
        ("DiagnosticReport", "X", "issued", "2026-03-10T10:00:00", "2026-03-10T10:30:00"),
    ]
    for kind, identity, element, ours, theirs in wrong:
        facts = [Fact(kind, identity, element, value) for value in (ours, theirs)]
        for found in (facts, [facts[0], None], [None, facts[1]]):
            if element in ("issued", "status") and None in found:
                continue
            assert agreement.class_of(Difference(found[0], found[1], timedelta(hours=-5))) is None, found


def test_formats_are_made_equal_and_content_is_not() -> None:
    assert instant("2026-03-10T10:00:00+08:00") == instant("2026-03-10T02:00:00.000Z") == "2026-03-10T02:00:00"
    assert instant("2026-03") == "2026-03"
    assert telephone("+86 (10) 6500-0000") == "861065000000"
    assert telephone("wang@example.org") == "wang@example.org"
    assert system("http://loinc.org") == "LN"
    assert system("http://terminology.hl7.org/CodeSystem/v2-0078") == "HL70078"
    assert number("00.020") == number("0.02") == "0.02"
    assert made("a", None, "b", None) == "a||b"
    assert made("Wang") != made("WANG")
