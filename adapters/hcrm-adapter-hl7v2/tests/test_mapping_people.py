"""Names, addresses and numbers of people follow the official tables for XPN, XAD, XTN and CWE."""

from typing import Any

import pytest
from support.hl7v2 import PID, one, said, segment, translate


def patient(**fields: str) -> dict[str, Any]:
    """What is said of a patient with these PID fields."""
    filled = {3: "1001^^^RMYY^MR"} | {int(name[1:]): text for name, text in fields.items()}
    return one(translate("ADT^A31", segment("PID", filled)), "Patient")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("13800138000", {"value": "13800138000", "system": "phone"}),
        ("(010)1^PRN^PH^^^010^65000000", {"value": "01065000000", "system": "phone", "use": "home"}),
        ("(010)1^WPN^PH^^86^10^65000000", {"value": "+86 10 65000000", "system": "phone", "use": "work"}),
        ("1^^PH^^^010^2^^^^^01065000000", {"value": "01065000000", "system": "phone"}),
        ("^NET^Internet^wang@example.org", {"value": "wang@example.org", "system": "email"}),
        ("^^^wang@example.org", {"value": "wang@example.org", "system": "email"}),
        ("^PRS^CP^wang@example.org^^^13800138000", {"value": "13800138000", "system": "phone", "use": "mobile"}),
        ("wang@example.org", {"value": "wang@example.org", "system": "email"}),
        ("^^SAT^^^^8821", {"value": "8821", "system": "other"}),
    ],
)
def test_a_contact_is_its_best_number_or_its_mail_address(written: str, expected: dict[str, str]) -> None:
    assert patient(f13=written)["telecom"] == [expected]


@pytest.mark.parametrize("written", ["^PRN^PH^^86^010", "^NET^Internet^^^^65000000", "^PRN"])
def test_a_contact_without_a_number_of_its_kind_is_none(written: str) -> None:
    assert "telecom" not in patient(f13=written)


def test_later_versions_send_a_patient_s_contacts_in_one_field() -> None:
    assert [found["value"] for found in patient(f13="1", f40="2~3")["telecom"]] == ["1", "2", "3"]


def test_the_old_field_of_a_national_number_says_one_without_an_issuer() -> None:
    number = {"value": "11010119900307002X", "system": "his/HIS/RMYY", "type": "SS", "sender_scoped": True}
    sent = patient(f3="11010119900307002X", f19="11010119900307002X")["identifier"]
    assert sent == [{name: number[name] for name in number if name != "type"}, number]
    issued = patient(f19="11010119900307002X^^^PRC^NI")["identifier"][1]
    assert issued == {"value": "11010119900307002X", "system": "PRC", "type": "NI"}


def test_degrees_are_part_of_the_suffix() -> None:
    (name,) = patient(f5="Wang^Fang^^Jr^Dr^MD^L^^^^^^^PhD")["name"]
    assert (name["suffix"], name["prefix"], name["use"]) == ("Jr MD PhD", "Dr", "official")


def test_an_addressee_is_a_line_and_a_country_alone_an_address() -> None:
    found = patient(f11="建国路1号^^北京^^^CHN^BI^^^^^^^^^^^^王芳~^^^^^CHN^H")["address"]
    assert found == [
        {"line": ["建国路1号", "王芳"], "city": "北京", "country": "CHN", "use": "billing"},
        {"country": "CHN", "use": "home"},
    ]


def test_a_concept_has_up_to_three_codings() -> None:
    result = "OBX|1|CWE|X^甲^L^Y^乙^LN^^^原文^Z^丙^SCT||1||||||F"
    code = one(translate("ORU^R01", PID, "OBR|1||A1|T", result, evn=None), "Observation")["code"]
    assert [coding["code"] for coding in code["coding"]] == ["X", "Y", "Z"]
    assert code["text"] == "原文"


def test_a_result_coded_in_its_second_triplet_alone_is_kept() -> None:
    found = said(
        translate("ORU^R01", PID, "OBR|1||A1|T", "OBX|1|NM|^^^99717-6^X^L||39||||||F", evn=None), "Observation"
    )
    assert [key.rpartition("|")[2] for key in found] == ["99717-6"]


def test_an_organization_s_contact_person_is_a_name_and_a_number_of_the_relative() -> None:
    filled = {1: "1", 2: "王^强", 3: "SPO", 5: "1", 30: "李^明", 31: "2", 32: "^^北京", 40: "3", 41: "4"}
    relative = one(translate("ADT^A31", PID, segment("NK1", filled)), "RelatedPerson")
    assert [name["family"] for name in relative["name"]] == ["王", "李"]
    assert [found["value"] for found in relative["telecom"]] == ["1", "2", "3", "4"]
    assert relative["address"] == [{"city": "北京"}]


@pytest.mark.parametrize(
    ("start", "end", "period"),
    [
        ("20260301", "20260310", {"start": "2026-03-01", "end": "2026-03-10"}),
        ("", "20260310", {"end": "2026-03-10"}),
        ("20260301", "", {"start": "2026-03-01"}),
        ('""', '""', None),
    ],
)
def test_a_relation_holds_for_a_time(start: str, end: str, period: dict[str, str] | None) -> None:
    relative = segment("NK1", {2: "王^强", 3: "SPO", 8: start, 9: end})
    assert one(translate("ADT^A31", PID, relative), "RelatedPerson")["period"] == period


def test_a_place_is_told_without_the_parts_of_its_parts() -> None:
    stay = one(translate("ADT^A01", PID, segment("PV1", {2: "I", 3: "A&病区&C^1&房^3", 19: "V1"})), "Encounter")
    assert stay["location"] == "A/1/3"


def test_the_referral_s_source_stands_in_for_an_empty_referring_doctor() -> None:
    stay = segment("PV1", {2: "I", 19: "V1"})
    assert one(translate("ADT^A01", PID, stay, segment("PV2", {13: "D7^陈"})), "Encounter")["referrer"] == "RMYY|D7"


def test_a_service_s_status_stands_in_for_that_of_the_booking() -> None:
    booking = ["SCH|B1|B2", PID, "AIS|1||X|||||||Started"]
    assert one(translate("SIU^S14", *booking, evn=None), "Appointment")["status"] == "checked-in"


@pytest.mark.parametrize(("sent", "kept"), [("R", "partial"), ("P", "preliminary"), ("Y", None), ("Z", None)])
def test_a_report_s_status_follows_the_official_map(sent: str, kept: str | None) -> None:
    report = segment("OBR", {3: "A1", 4: "T", 25: sent})
    assert one(translate("ORU^R01", PID, report, evn=None), "DiagnosticReport").get("status") == kept
