"""Where messages depart from the standard or a profile, each finding by example; no bytes make it fail or tell who."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter, Hl7v2Settings
from hcrm_adapter_hl7v2.reader import FileRemark, split_messages
from hcrm_core.api import ConfigurationError

ADAPTER = Hl7v2Adapter("his", Hl7v2Settings(adapter="hl7v2", charset="GB18030"))
CORPORA = Path(__file__).parents[4] / "shared" / "corpora" / "hl7v2"

HEAD = "MSH|^~\\&|HIS|RMYY|HCRM|RMYY|20260313090000||{type}|1|P|{version}"
EVN, PID, PV1 = "EVN||20260313090000", "PID|1||1001^^^RMYY^MR||王^芳||19900307|F", "PV1|1|I"

PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<HL7v2xConformanceProfile HL7Version="2.5" ProfileType="Constrainable">
  <HL7v2xStaticDef MsgType="ADT" EventType="A01" MsgStructID="ADT_A01">
    <Segment Name="MSH" Usage="R" Min="1" Max="1"/>
    <Segment Name="EVN" Usage="R" Min="1" Max="1"/>
    <Segment Name="PID" Usage="R" Min="1" Max="1">
      <Field Name="Set ID" Usage="O" Min="0" Max="1" Datatype="SI" Length="4"/>
      <Field Name="Patient ID" Usage="X" Min="0" Max="0" Datatype="CX" Length="20"/>
      <Field Name="Patient Identifier List" Usage="R" Min="1" Max="1" Datatype="CX" Length="60">
        <Component Name="ID" Usage="R" Datatype="ST" Length="15"/>
        <Component Name="check digit" Usage="X" Datatype="ST" Length="1"/>
        <Component Name="scheme" Usage="O" Datatype="ID" Length="3"/>
        <Component Name="assigning authority" Usage="R" Datatype="HD" Length="30">
          <SubComponent Name="namespace" Usage="R" Datatype="IS" Length="4"/>
        </Component>
      </Field>
    </Segment>
    <SegGroup Name="INSURANCE" Usage="R" Min="1" Max="*">
      <Segment Name="IN1" Usage="R" Min="1" Max="1"/>
    </SegGroup>
  </HL7v2xStaticDef>
</HL7v2xConformanceProfile>
"""


def told(*segments: str, kind: str = "ADT^A01^ADT_A01", version: str = "2.5", profile: str | None = None) -> set:
    """(code, where) of the findings of a message."""
    text = "\r".join((HEAD.format(type=kind, version=version), *segments)) + "\r"
    return {(one.code, one.where) for one in ADAPTER.conformance(text.encode("gb18030"), profile)}


def test_a_message_of_the_standard_has_no_finding():
    assert told(EVN, PID, PV1) == set()
    assert told(EVN, PID, PV1, kind="ADT^A08", version="2.4") == set()
    assert told(EVN, PID, PV1, "ZPV|普通病房", "PV2|||J18^肺炎") == set()


@pytest.mark.parametrize(
    ("segments", "code", "where"),
    [
        ((EVN, PID), "missing-segment", "PV1"),
        ((EVN, PID, PV1, "IN1|1"), "missing-field", "IN1-2"),
        ((EVN, PID, PV1, "IN2|1"), "missing-segment", "IN1"),
        ((EVN, PID, PV1, PV1), "too-many-segments", "PV1"),
        ((EVN, PID, PV1, "SCH|1"), "unexpected-segment", "SCH"),
        ((EVN, PID, PV1, "QQQ|王芳"), "unknown-segment", "QQQ"),
        ((EVN, PID, PV1, "王芳的电话|13800138000"), "no-segment", ""),
        ((EVN, "PID|1||||王^芳", PV1), "missing-field", "PID-3"),
        ((EVN, f"{PID}~M", PV1), "too-many-repetitions", "PID-8"),
        ((EVN, f"{PID}{'|' * 40}x", PV1), "not-defined", "PID-48"),
        ((EVN, PID, "PV1|1|I^住院"), "not-defined", "PV1-2"),
        ((EVN, "PID|1||1^^^RMYY^MR^a^b^c^d^e^f^g||王^芳", PV1), "not-defined", "PID-3"),
        ((EVN, "PID|eins||1001^^^RMYY^MR||王^芳", PV1), "wrong-datatype", "PID-1"),
        ((EVN, "PID|1||1001^^^RMYY^MR||王^芳||一九九〇年", PV1), "wrong-datatype", "PID-7"),
        ((EVN, "PID|1||1001^^^RMYY^MR||王^芳|||女", PV1), "not-in-table", "PID-8"),
        ((EVN, "PID|1||1001^^^RMYY^病案号||王^芳", PV1), "not-in-table", "PID-3.5"),
        ((EVN, f"{PID}{'|' * 8}曾", PV1), "not-in-table", "PID-16"),
        (("EVN|A01", PID, PV1), "missing-field", "EVN-2"),
    ],
)
def test_a_departure_is_told_with_its_place(segments, code, where):
    assert (code, where) in told(*segments)


@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.2"])
def test_dates_are_dates_in_every_version(version):
    born = "PID|1||1001^^^RMYY^MR||王^芳||{}|F"
    assert ("wrong-datatype", "PID-7") in told(EVN, born.format("一九九〇年"), PV1, version=version)
    assert ("wrong-datatype", "PID-7") not in told(EVN, born.format("19900307"), PV1, version=version)
    assert ("wrong-datatype", "PID-7") not in told(EVN, born.format("199003071200+0800"), PV1, version=version) or (
        version in ("2.1", "2.2")
    )


def test_what_could_not_be_checked_is_told():
    assert told(EVN, PID, PV1, version="9.9") == {("version-not-checked", "MSH-12")}
    assert told(EVN, PID, PV1, version="") == {("version-not-checked", "MSH-12")}
    # The order of segments cannot be checked, their fields can.
    assert told(EVN, "PID|1", kind="XYZ^X99") >= {("structure-not-checked", "MSH-9"), ("missing-field", "PID-3")}
    assert {one.code for one in ADAPTER.conformance(b"GET / HTTP/1.1")} == {"not-checked"}
    many = told(EVN, PID, PV1, *["OBX|1|ST|A||b||||||F"] * 5_000)
    assert many == {("structure-not-checked", "")}


@pytest.mark.parametrize("system", ["HL70063", "UCUM", "99LOC", "NCIT", "CVX", "HL70292"])
def test_coding_systems_are_open(system):
    vaccine = f"RXA|0|1|20260601||208^x^{system}|1|ml^^UCUM||00^x^99LOC"
    found = told(PID, "ORC|RE||F1", vaccine, "RXR|C38288^Oral^NCIT", kind="VXU^V04^VXU_V04", version="2.5.1")
    assert not {(code, where) for code, where in found if code == "not-in-table" and where.endswith(".3")}


def test_a_code_is_held_against_the_table_of_its_field_only_where_it_says_no_other():
    def wrong(system: str) -> bool:
        return ("not-in-table", "RXR-1") in told(
            *(PID, "ORC|RE||F1", "RXA|0|1|20260601||208^x^CVX|1", f"RXR|C38288^Oral{system}"),
            kind="VXU^V04^VXU_V04", version="2.5.1",
        )  # fmt: skip

    assert wrong("") and wrong("^HL70162")
    assert not wrong("^NCIT")


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("NM", "abc", "wrong-datatype"), ("NM", "3.5", None), ("DT", "gestern", "wrong-datatype"), ("TX", "a^b", None),
        ("NM", "1^2", "not-defined"), ("SN", ">^abc", "wrong-datatype"), ("SN", ">^5", None), ("XX", "1", None),
        ("CE", "1^a^L", None), ("TS", "heute", "wrong-datatype"),
    ],
)  # fmt: skip
def test_a_result_is_held_against_the_datatype_it_says(kind, value, code):
    found = told(PID, "OBR|1||F1|K^K", f"OBX|1|{kind}|K^K||{value}||||||F", kind="ORU^R01^ORU_R01", version="2.5.1")
    assert {one for one, where in found if where.startswith("OBX-5")} == ({code} if code else set())


def test_what_a_profile_says_of_a_value_is_checked_or_told():
    field = '<Field Name="Set ID" Usage="O" Min="0" Max="1" Datatype="SI" Length="4"{}/>'
    assert field.format("") in PROFILE
    constant = PROFILE.replace(field.format(""), field.format(' ConstantValue="1"'))
    assert ("not-constant", "PID-1") not in told(EVN, PID, profile=constant)
    assert ("not-constant", "PID-1") in told(EVN, PID.replace("PID|1", "PID|2"), profile=constant)
    table = PROFILE.replace(field.format(""), field.format(' Table="9876"'))
    assert ("not-checked", "PID-1") in told(EVN, PID, profile=table)


def test_a_version_without_dictionaries_and_none_are_told_apart():
    def advice(version: str) -> str:
        text = HEAD.format(type="ADT^A01^ADT_A01", version=version) + f"\r{EVN}\r{PID}\r"
        return ADAPTER.conformance(text.encode("gb18030"))[0].text

    assert "fill it" in advice("") and "fill it" not in advice("2.9")


def test_a_profile_says_what_is_agreed():
    found = told(EVN, "PID|1|2|1001^9^^RMYYYY~1002||王^芳", PV1, profile=PROFILE)
    assert found == {
        ("not-used", "PID-2"),
        ("too-many-repetitions", "PID-3"),
        ("not-used", "PID-3.2"),
        ("too-long", "PID-3.4.1"),
        ("missing-component", "PID-3.4"),
        ("not-defined", "PID-5"),
        ("unexpected-segment", "PV1"),
        ("missing-segment", "IN1"),
        *((code, where) for code, where in found if where.startswith(("MSH", "EVN"))),
    }
    assert told(EVN, PID, kind="ADT^A03^ADT_A03", profile=PROFILE) == {("profile-not-checked", "MSH-9")}


@pytest.mark.parametrize(
    "text",
    [
        "", "no xml", "<a/>",
        PROFILE.replace('MsgStructID="ADT_A01"', ""), PROFILE.replace('Length="60"', 'Length="x"'),
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', '<HL7v2xStaticDef MsgStructID="ADT_A01"/>',
    ],
)  # fmt: skip
def test_what_is_no_profile_is_refused(text):
    with pytest.raises(ConfigurationError, match=r"profile|XML"):
        ADAPTER.conformance(b"MSH|^~\\&|", text)


def test_a_finding_never_holds_what_stands_in_the_message():
    secret = "王芳13800138000"
    message = "\r".join(
        (
            HEAD.format(type=f"{secret}^{secret}^{secret}", version="2.5"),
            *(f"{name}|{'|'.join([f'{secret}^{secret}&{secret}~{secret}'] * 45)}" for name in ("EVN", "PID", "PV1")),
            secret,
        )
    )
    for version in ("2.5", secret):
        findings = ADAPTER.conformance(message.replace("|P|2.5", f"|P|{version}").encode("gb18030"))
        assert findings
        assert not any("王" in str(one) or "1380" in str(one) for one in findings)


PIECES = [
    *"|^~&\\\r", "MSH|^~\\&|", "\rPID|", "\rPV1|", "\rOBX|", "\rIN1|", "\rZPI|", "2.5", "2.8.2", "ADT^A01",
    "ORU^R01^ORU_R01", '""', "王芳", "20260313", "\\X41\\", "P|2.4", "1e9", "NaN", "\x0b", "\x1c", "é",
]  # fmt: skip
HEADS = st.sampled_from(
    ["", *(HEAD.format(type=kind, version=v) for kind in ("ADT^A01", "ORU^R01", "") for v in ("2.1", "2.5", "2.8"))]
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(HEADS, st.lists(st.sampled_from(PIECES), max_size=40), st.binary(max_size=20))
def test_no_bytes_make_it_fail(head, pieces, rest):
    payload = (head + "\r" + "".join(pieces)).encode("gb18030", "replace") + rest
    for profile in (None, PROFILE):
        found = ADAPTER.conformance(payload, profile)
        assert len(set(found)) == len(found) <= 201
        assert all(one.code and one.text.endswith(".") for one in found)


def test_the_corpora_are_checked():
    if not CORPORA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("the corpora are not beside the clone, where CI puts them")
        pytest.skip("no shared corpora beside this clone")
    files = sorted(path for path in CORPORA.rglob("*.hl7"))[::8]
    checked, failed = 0, []
    for path in files:
        for message in split_messages(path.read_bytes()):
            if isinstance(message, FileRemark):
                continue
            checked += 1
            found = ADAPTER.conformance(message.raw)
            failed += [(path.name, one.text) for one in found if one.code == "not-checked"]
    assert checked > 50
    assert failed == []
