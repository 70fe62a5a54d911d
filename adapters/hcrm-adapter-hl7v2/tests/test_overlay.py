"""A site's overlay: what each of its features does to a message."""

import re
from importlib.resources import files
from typing import Any

import pytest
from support.hl7v2 import PATIENT, PID, STAY, adapter, message, one, problems, pv1, said, segment, translate

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter
from hcrm_adapter_hl7v2.mapping import datatypes
from hcrm_adapter_hl7v2.mapping.compiled import SPECIAL
from hcrm_adapter_hl7v2.mapping.kinds import GIVES, LINKS
from hcrm_adapter_hl7v2.mapping.overlay import overlaid
from hcrm_adapter_hl7v2.mapping.tables import data, shipped
from hcrm_core.api import TextFile


def by(text: str, **settings: Any) -> Hl7v2Adapter:
    """An adapter with an overlay."""
    return adapter(mapping=TextFile("his.toml", text), **settings)


# --- the notation -----------------------------------------------------------------------------------------------------


def test_the_shipped_tables_are_a_valid_overlay_that_changes_nothing() -> None:
    texts = []
    for name in ("records", "events", "codes"):
        text = (files(datatypes.__package__) / "data" / f"{name}.toml").read_text(encoding="utf-8")
        texts.append(re.sub(r"(?m)^\[(?=\S)", f"[{name}.", text))
    assert overlaid(TextFile("all.toml", "\n".join(texts))) == shipped()


def test_an_empty_overlay_changes_nothing() -> None:
    assert overlaid(TextFile("his.toml", "")) == shipped()


def test_every_data_type_has_an_example_of_what_it_gives() -> None:
    assert {*GIVES, *LINKS} == {*datatypes.READERS, *SPECIAL, "code", "money"} - {"observation-value"}


def test_the_shipped_codes_become_what_their_fields_may_be() -> None:
    assert data("values")["tables"].keys() <= shipped().codes.keys()
    for name, allowed in data("values")["tables"].items():
        assert set(shipped().codes[name].values()) <= {*allowed, ""}, name


# --- fields -----------------------------------------------------------------------------------------------------------


def test_a_field_is_read_from_another_place() -> None:
    moved = by('[records.Patient.fields]\nlanguage = { path = "ZPI-2.2", as = "coding" }')
    told = one(translate("ADT^A31", f"{PID}|||||||zh", "ZPI|1|x^yue", by=moved), "Patient")
    assert told["language"] == {"code": "yue"}
    assert told["gender"] == "female"


def test_a_field_of_a_z_segment_is_added_and_mapped_in_the_coverage() -> None:
    translation = translate(
        "ADT^A01", PID, pv1(), "ZPI|1|11^工人", "ZPV|x",
        by=by('ignored = ["ZPI-1", "ZPV"]\n[records.Patient.fields]\noccupation = { path = "ZPI-2", as = "coding" }'),
    )  # fmt: skip
    assert one(translation, "Patient")["occupation"] == {"code": "11", "display": "工人"}
    assert "ZPI-2" in translation.coverage.mapped
    assert {"ZPI-1", "ZPV-1"} <= set(translation.coverage.ignored)


def test_a_field_is_left_out() -> None:
    without = by('[records.Patient]\nleave_out = ["language"]')
    translation = translate("ADT^A31", segment("PID", {3: "1^^^H^MR", 15: "zh"}), by=without)
    assert "language" not in one(translation, "Patient")
    assert "PID-15" in translation.coverage.unknown


def test_a_default_overrules_nothing_that_is_filled_and_holds_in_its_events_only() -> None:
    mine = by(
        """
    [records.Patient.fields]
    gender = { path = "PID-8", as = "code", table = "administrative-gender", default = "unknown", only = ["ADT^A28"] }
    """
    )
    assert one(translate("ADT^A28", PID.removesuffix("F"), by=mine), "Patient")["gender"] == "unknown"
    assert "gender" not in one(translate("ADT^A28", PID + "?", by=mine), "Patient")
    assert "gender" not in one(translate("ADT^A31", PID.removesuffix("F"), by=mine), "Patient")


def test_a_default_and_a_constant_hold_where_nothing_is_said() -> None:
    text = """
    [records.Patient.fields]
    language = { path = "PID-15", as = "coding", default = "zh" }
    [records.Patient.when]
    "ZPI-1=V" = { interests = "" }
    [records.Encounter.says]
    priority = "private"
    """
    translation = translate("ADT^A01", PID, pv1(), "ZPI|V", by=by(text))
    assert one(translation, "Patient")["language"] == {"code": "zh"}
    assert one(translation, "Patient")["interests"] is None
    assert one(translation, "Encounter")["priority"] == {"code": "private"}
    assert one(translate("ADT^A01", f"{PID}|||||||en", by=by(text)), "Patient")["language"] == {"code": "en"}


def test_a_field_may_have_other_paths_in_some_events_only() -> None:
    only = '[records.Patient.fields]\neducation = { path = "ZPI-1", as = "coding", only = ["ADT^A28"] }'
    assert "education" in one(translate("ADT^A28", PID, "ZPI|20", by=by(only)), "Patient")
    assert "education" not in one(translate("ADT^A31", PID, "ZPI|20", by=by(only)), "Patient")


def test_origins_name_the_field_of_the_z_segment() -> None:
    told = by('[records.Patient.fields]\noccupation = { path = "ZPI-2", as = "coding" }')
    origins = told.origins(message("ADT^A31", PID, "ZPI|1|11").encode())
    assert [o.path for o in origins if o.field == "occupation"] == ["ZPI-2"]


# --- codes ------------------------------------------------------------------------------------------------------------


def test_codes_are_added_and_overruled() -> None:
    text = '[codes.administrative-gender]\n"3" = "other"\n"男性" = "male"\n"1" = "unknown"'
    for sent, gender in (("3", "other"), ("男性", "male"), ("1", "unknown"), ("2", "female")):
        told = translate("ADT^A31", segment("PID", {3: "1^^^H^MR", 8: sent}), by=by(text))
        assert one(told, "Patient")["gender"] == gender
    assert problems(translate("ADT^A31", segment("PID", {3: "1^^^H^MR", 8: "3"}))) == ["unknown-code"]


def test_codes_of_names_addresses_and_numbers_are_the_source_s_own() -> None:
    text = (
        '[codes.name-use]\n现 = "official"\n[codes.contact-use]\n家 = "home"\n[codes.address-use]\n家 = "home"'.replace(
            "现 =", '"现" ='
        ).replace("家 =", '"家" =')
    )
    pid = segment("PID", {3: "1^^^H^MR", 5: "王^芳^^^^^现", 11: "一路^^北京^^^^家", 13: "88^家"})
    mine, theirs = (one(translate("ADT^A31", pid, by=which), "Patient") for which in (by(text), adapter()))
    for field, use in (("name", "official"), ("telecom", "home"), ("address", "home")):
        assert mine[field][0]["use"] == use
        assert "use" not in theirs[field][0]


def test_the_code_of_a_coding_is_translated_and_its_system_named() -> None:
    text = """
    [records.Encounter.fields]
    priority = { path = "ZPV-1", as = "coding", table = "ward-kind", system = "QHYY-WARD" }
    reason = { path = "ZPV-2", as = "concept", system = "QHYY" }
    [codes.ward-kind]
    "特需病房" = "private"
    "00" = ""
    """
    told = translate("ADT^A01", PID, pv1(), "ZPV|特需病房|1^胸痛", by=by(text))
    stay = one(told, "Encounter")
    assert stay["priority"] == {"code": "private", "system": "QHYY-WARD", "display": "特需病房"}
    assert stay["reason"] == {"coding": [{"code": "1", "system": "QHYY", "display": "胸痛"}]}
    assert "priority" not in one(translate("ADT^A01", PID, pv1(), "ZPV|00", by=by(text)), "Encounter")
    unknown = translate("ADT^A01", PID, pv1(), "ZPV|日间^日间病房", by=by(text))
    assert one(unknown, "Encounter")["priority"] == {"code": "日间", "display": "日间病房", "system": "QHYY-WARD"}
    assert problems(unknown) == ["unknown-code"]


def test_the_tables_of_one_source_are_not_those_of_another() -> None:
    translate("ADT^A31", PID, by=by('[codes.administrative-gender]\nF = "other"'))
    assert one(translate("ADT^A31", PID), "Patient")["gender"] == "female"
    assert one(translate("ADT^A31", PID, by=by('[codes.administrative-gender]\nF = "other"')), "Patient")["gender"] == (
        "other"
    )


# --- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({1: "90", 2: "MIN"}, "2026-03-10T11:30:00+08:00"),
        ({1: "2", 2: "小时"}, "2026-03-10T12:00:00+08:00"),
        ({1: "30"}, "2026-03-10T10:30:00+08:00"),
        ({1: "x"}, None),
        ({1: '""'}, None),
        ({2: "MIN"}, None),
    ],
)
def test_an_end_is_reckoned_from_a_start_and_a_duration(fields: dict[int, str], end: str | None) -> None:
    text = """
    [records.Encounter.fields]
    expected_end = { path = "PV2-9", as = "datetime", after = "period_start", plus = "ZDU-1", unit = ["ZDU-2"] }
    """
    reckoning = by(text)
    stay = pv1(f44="202603101000")
    assert (
        one(translate("ADT^A01", PID, stay, segment("ZDU", fields), by=reckoning), "Encounter").get("expected_end")
        == end
    )
    said_itself = translate("ADT^A01", PID, stay, segment("PV2", {9: "20260312"}), segment("ZDU", fields), by=reckoning)
    assert one(said_itself, "Encounter")["expected_end"] == "2026-03-12"
    payload = message("ADT^A01", PID, stay, segment("ZDU", fields)).encode()
    places = [o.path for o in reckoning.origins(payload) if o.field == "expected_end"]
    assert places == (["PV1-44, ZDU-1"] if end else [])


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [("20260330", "3", "2026-04-02"), ("202603", "3", None), ("20260330", "0.5", None), ("99991230", "3", None)],
)
def test_whole_days_may_be_added_to_a_day(start: str, length: str, end: str | None) -> None:
    text = """
    [records.Encounter.fields]
    expected_end = { as = "datetime", after = "period_start", plus = "ZDU-1", unit = ["ZDU-2"] }
    """
    told = translate("ADT^A01", PID, pv1(f44=start), f"ZDU|{length}|D", by=by(text))
    assert one(told, "Encounter").get("expected_end") == end


# --- records and events -----------------------------------------------------------------------------------------------

ALLERGY = """
[records.SiteAllergy]
kind = "AllergyIntolerance"
segment = "ZAL"
key = ["{patient}", "ZAL-2.1 or ZAL-2.2"]
events = ["ADT^*", "ORU^*"]

[records.SiteAllergy.fields]
patient = { from = "patient" }
code = { path = "ZAL-2", as = "concept" }
onset = { path = "ZAL-3", as = "datetime" }
"""


@pytest.mark.parametrize("event", ["ADT^A01", "ADT^A08", "ADT^A77", "ORU^R01"])
def test_a_z_segment_gives_a_record_of_its_own_in_the_events_named(event: str) -> None:
    translation = translate(event, PID, "ZAL|1|QMS^青霉素|2020", "ZAL|2|^花生", by=by(ALLERGY))
    found = said(translation, "AllergyIntolerance")
    assert found == {
        f"{PATIENT}|QMS": {
            "patient": PATIENT, "code": {"coding": [{"code": "QMS", "display": "青霉素"}]}, "onset": "2020",
        },
        f"{PATIENT}|花生": {"patient": PATIENT, "code": {"coding": [{"display": "花生"}]}},
    }  # fmt: skip
    assert "ZAL-2" in translation.coverage.mapped


def test_other_events_do_not_give_it() -> None:
    assert not said(translate("SIU^S12", PID, "SCH|1", "ZAL|1|QMS", by=by(ALLERGY)), "AllergyIntolerance")
    everywhere = by(ALLERGY.replace('["ADT^*", "ORU^*"]', '["*"]'))
    assert said(translate("SIU^S12", PID, "SCH|1", "ZAL|1|QMS", by=everywhere), "AllergyIntolerance")


def test_an_event_states_something_else() -> None:
    text = """
    [events."ADT^A05"]
    says.Encounter = { status = "arrived" }
    [events."ADT^Z01"]
    about = "health check begins"
    like = "ADT^A04"
    says.Encounter = { status = "arrived", class = "AMB" }
    [events."ORU^R01"]
    records = ["Patient"]
    """
    mine = by(text)
    for event in ("ADT^A05", "ADT^Z01"):
        translation = translate(event, PID, pv1(), by=mine)
        assert one(translation, "Encounter")["status"] == "arrived"
        assert ("Condition", STAY) not in {(s.kind, s.group) for s in translation.complete}
    assert one(translate("ADT^A01", PID, pv1(), by=mine), "Encounter")["status"] == "in-progress"
    assert one(translate("ADT^Z01", PID, pv1(), by=mine), "Encounter")["class"] == "AMB"
    assert not said(translate("ORU^R01", PID, "OBR|1", "OBX|1|NM|x||1", by=mine), "Observation")
    assert said(translate("ORU^R03", PID, "OBR|1|1", "OBX|1|NM|x||1", by=mine), "Observation")


def test_what_is_like_an_event_follows_its_overlay() -> None:
    text = '[events."ADT^A01"]\nsays.Encounter = { status = "arrived" }'
    assert one(translate("ADT^A02", PID, pv1(), by=by(text)), "Encounter")["status"] == "arrived"


def test_what_an_event_says_holds_over_conditions_unless_it_says_nothing() -> None:
    condition = '[records.Encounter.when]\n"ZPV-1=W" = { status = "arrived" }\n'
    assert one(translate("ADT^A01", PID, pv1(), "ZPV|W", by=by(condition)), "Encounter")["status"] == "in-progress"
    both = '[events."ADT^A01"]\nsays = {}\nwhen.Encounter = { "PV1-2" = { status = "in-progress" }, "ZPV-1=W" = '
    mine = by(both + '{ status = "arrived" } }')
    assert one(translate("ADT^A01", PID, pv1(), "ZPV|W", by=mine), "Encounter")["status"] == "arrived"
    assert one(translate("ADT^A01", PID, pv1(), by=mine), "Encounter")["status"] == "in-progress"


# --- examples ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("charset", "ignore", "msh_18"),
    [(None, False, "UNICODE UTF-8"), ("GB18030", False, ""), ("GB18030", True, "UNICODE UTF-8"), (None, False, "GBK")],
)
def test_an_example_is_sent_as_the_source_would(charset: str | None, ignore: bool, msh_18: str) -> None:
    text = f"""
      MSH|^~\\&|HIS|H|||20260101||ADT^A31|1|P|2.4||||||{msh_18}
      PID|1||1^^^H^MR||王^芳
    """
    reading = adapter(charset=charset, ignore_msh_18=ignore)
    payload = reading.encoded(text)
    assert payload.startswith(b"MSH|") and b"\rPID|" in payload
    assert one(reading.translate(payload), "Patient")["name"] == [{"family": "王", "given": ["芳"]}]


def test_an_example_that_its_charset_cannot_say_is_unreadable_and_breaks_nothing() -> None:
    reading = adapter(charset="ISO-8859-1", ignore_msh_18=True)
    assert reading.encoded("MSH|^~\\&|HIS\nPID|1||||王")


def test_a_field_past_the_end_of_a_segment_is_read_where_an_example_shows_it() -> None:
    patient = segment("PID", {3: "1^^^H^MR", 45: "zh"})
    mine = by(
        f"""
    [records.Patient.fields]
    language = {{ path = "PID-45", as = "coding" }}

    [[examples]]
    name = "a field of the site's own"
    message = '''
MSH|^~\\&|HIS|H|||20260601||ADT^A31|1|P|2.4
{patient}
'''
    expect = {{ Patient = {{ language = {{ code = "zh" }} }} }}
    """
    )
    assert one(translate("ADT^A31", patient, by=mine), "Patient")["language"] == {"code": "zh"}
