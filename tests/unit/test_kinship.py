"""What a related person is to the patient: HL7 table 0063, v3 RoleCode, GB/T 4761-2008, and words."""

import pytest

from hcrm_core.identity.kinship import FAMILY, inverse, relation_of


def said(code: str = "", system: str = "", display: str = "", text: str = "") -> dict[str, object]:
    coding = {"code": code, "system": system, "display": display}
    return {"coding": [{name: value for name, value in coding.items() if value}], "text": text or None}


@pytest.mark.parametrize(
    ("code", "system", "relation"),
    [
        ("SPO", "HL70063", "spouse"),
        ("FTH", "HL70063", "parent"),
        ("MTH", "HL70063", "parent"),
        ("PAR", "HL70063", "parent"),
        ("CHD", "HL70063", "child"),
        ("GRD", "HL70063", "guardian"),
        ("WRD", "HL70063", "ward"),
        ("SIB", "HL70063", "sibling"),
        ("GRP", "HL70063", "grandparent"),
        ("FND", "HL70063", "friend"),
        ("EMR", "HL70063", "work"),
        ("SEL", "HL70063", "self"),
        ("WIFE", "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "spouse"),
        ("DAU", "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "child"),
        ("01", "GB/T 4761-2008", "self"),
        ("1", "GB/T 4761-2008", "spouse"),
        ("11", "GB/T 4761-2008", "spouse"),
        ("2", "GB/T 4761-2008", "child"),
        ("22", "GB/T 4761-2008", "child"),
        ("32", "GB/T 4761-2008", "child"),
        ("38", "GB/T 4761-2008", "relative"),
        ("42", "GB/T 4761-2008", "grandchild"),
        ("51", "GB/T 4761-2008", "parent"),
        ("55", "GB/T 4761-2008", "relative"),
        ("63", "GB/T 4761-2008", "grandparent"),
        ("71", "GB/T 4761-2008", "sibling"),
        ("83", "GB/T 4761-2008", "relative"),
        ("OTH", "HL70063", "unknown"),
        ("99", "GB/T 4761-2008", "unknown"),
    ],
)
def test_codes(code: str, system: str, relation: str) -> None:
    assert relation_of({"relationship": said(code, system)}) == relation


@pytest.mark.parametrize(
    ("word", "relation"),
    [
        ("配偶", "spouse"), ("丈夫", "spouse"), ("妻子", "spouse"), ("父亲", "parent"), ("母亲", "parent"),
        ("父母", "parent"), ("儿子", "child"), ("女儿", "child"), ("子女", "child"), ("监护人", "guardian"),
        ("祖母", "grandparent"), ("外公", "grandparent"), ("孙女", "grandchild"), ("岳母", "relative"),
        ("儿媳", "relative"), ("女婿", "relative"), ("姑姑", "relative"), ("哥哥", "sibling"), ("朋友", "friend"),
        ("同事", "work"), ("护工", "caregiver"), ("本人", "self"), ("其他", "unknown"),
        ("Mother-in-law", "relative"), ("grandmother", "grandparent"), ("Wife", "spouse"),
    ],
)  # fmt: skip
def test_words_whether_text_display_or_code(word: str, relation: str) -> None:
    assert relation_of({"relationship": said(text=word)}) == relation
    assert relation_of({"relationship": said(code="X1", display=word)}) == relation
    assert relation_of({"relationship": said(code=word)}) == relation


def test_the_contact_role_speaks_where_the_relationship_is_silent() -> None:
    guardian = said("GRD", "HL70063")
    assert relation_of({"relationship": said("OTH"), "contact_role": guardian}) == "guardian"
    assert relation_of({"relationship": said("MTH", "HL70063"), "contact_role": guardian}) == "parent"
    assert relation_of({"contact_role": said("E", "HL70131")}) == "work"
    assert relation_of({"contact_role": said("N", "HL70131")}) == "unknown"
    assert relation_of({}) == "unknown"


def test_the_inverse_of_an_inverse_is_the_relation() -> None:
    for relation in (*FAMILY, "friend", "unknown"):
        assert inverse(inverse(relation)) == relation
    assert inverse("parent") == "child"
