"""A segment speaks of the group it stands in, and never of its neighbour's."""

import pytest
from support.hl7v2 import PATIENT, PID, STAY, adapter, one, pv1, said, segment, translate

from hcrm_core.api import TextFile

SECOND = "PID|2||1002^^^RMYY^MR||李^强||19800101|M"


def test_what_follows_a_segment_is_its_own_and_not_the_one_s_before_it() -> None:
    staff = translate(
        "MFN^M02",
        "MFI|STF||UPD|||NE",
        *("MFE|MAD|||D1", "STF|D1|D1^^^RMYY|陈^一", "PRA|D1||||CARD^Cardiology"),
        *("MFE|MAD|||D2", "STF|D2|D2^^^RMYY|吴^二", "PRA|D2||||ONC^Oncology"),
        *("MFE|MAD|||D3", "STF|D3|D3^^^RMYY|郑^三"),
        evn=None,
    )
    specialties = {key: fields.get("specialty", {}).get("code") for key, fields in said(staff, "Practitioner").items()}
    assert specialties == {"RMYY|D1": "CARD", "RMYY|D2": "ONC", "RMYY|D3": None}


def test_the_times_of_an_encoded_order_stand_after_it_those_of_an_order_before() -> None:
    first, second = "TQ1|||||||20260601|20260605", "TQ1|||||||20260701|20260731"
    encoded = translate(
        "RDE^O11", PID, "ORC|NW|O1", "RXE||A^Aspirin", first, "ORC|NW|O2", "RXE||B^Biso", second, evn=None
    )
    ends = [fields["period_end"] for fields in said(encoded, "MedicationRequest").values()]
    assert ends == ["2026-06-05", "2026-07-31"]
    ordered = translate("OMP^O09", PID, "ORC|NW|O1", first, "RXO|A^Aspirin", "ORC|NW|O2", "RXO|B^Biso", evn=None)
    ends = [fields.get("period_end") for fields in said(ordered, "MedicationRequest").values()]
    assert ends == ["2026-06-05", None]


def test_two_patients_who_swap_beds_keep_what_is_said_of_each() -> None:
    translation = translate(
        "ADT^A17",
        *(PID, "PD1||||D1^陈", pv1(f3="W1"), "PV2|||R1^one"),
        *(SECOND, "PD1||||D2^吴", segment("PV1", {2: "I", 3: "W2", 19: "V2^^^RMYY^VN"}), "PV2|||R2^two"),
    )
    doctors = [fields["general_practitioner"] for fields in said(translation, "Patient").values()]
    assert doctors == ["RMYY|D1", "RMYY|D2"]
    reasons = {key: fields["reason"]["coding"][0]["code"] for key, fields in said(translation, "Encounter").items()}
    assert reasons == {STAY: "R1", "RMYY|VN|V2": "R2"}


def test_a_report_is_never_of_a_stranger_s_stay() -> None:
    results = ("OBR||1|F1|K^K", "OBX|1|NM|K^K||3|||||F"), ("OBR||1|F2|K^K", "OBX|1|NM|K^K||4|||||F")
    translation = translate("ORU^R01", PID, pv1(), *results[0], SECOND, *results[1], evn=None)
    whose = [(fields["subject"], fields.get("encounter")) for fields in said(translation, "DiagnosticReport").values()]
    assert whose == [(PATIENT, STAY), ("RMYY|MR|1002", None)]
    translation = translate("ORU^R01", PID, *results[0], SECOND, pv1(), *results[1], evn=None)
    whose = [(fields["subject"], fields.get("encounter")) for fields in said(translation, "Observation").values()]
    assert whose == [(PATIENT, None), ("RMYY|MR|1002", STAY)]


def test_an_appointment_before_its_patients_takes_the_first_and_no_other_s_stay() -> None:
    booking = translate("SIU^S12", "SCH||F1", PID, SECOND, pv1(), "RGS|1", "AIL|1|A|RAD", evn=None)
    fields = one(booking, "Appointment")
    assert (fields["subject"], fields.get("encounter"), fields["department"]) == (PATIENT, None, "RMYY|RAD")


def test_an_order_segment_belongs_to_the_report_after_it() -> None:
    orderer = segment("ORC", {1: "RE", 12: "D9^郑"})
    report = ("OBR|1||F1|K^K", "OBX|1|NM|K^K||3|||||F"), ("OBR|2||F2|K^K", "OBX|1|NM|K^K||4|||||F")
    translation = translate("ORU^R01", PID, *report[0], orderer, *report[1], evn=None)
    orderers = [fields.get("orderer") for fields in said(translation, "DiagnosticReport").values()]
    assert orderers == [None, "RMYY|D9"]
    translation = translate("ORU^R01", PID, orderer, *report[0], *report[1], evn=None)
    orderers = [fields.get("orderer") for fields in said(translation, "DiagnosticReport").values()]
    assert orderers == ["RMYY|D9", None]


def test_a_result_before_any_report_is_in_none() -> None:
    translation = translate(
        "ORU^R01", PID, "OBX|1|NM|H^Height||170|||||F", "OBR||1|F1|K^K", "OBX|1|NM|K^K||3|||||F", evn=None
    )
    assert [fields.get("report") is None for fields in said(translation, "Observation").values()] == [True, False]


def test_a_stay_named_after_the_results_is_that_of_all_of_them() -> None:
    """REF_I12 of version 2.5.1 has the visit at its end."""
    results = ("OBR||1|F1|K^K", "OBX|1|NM|K^K||3|||||F", "OBR||1|F2|K^K", "OBX|1|NM|K^K||4|||||F")
    translation = translate("REF^I12", "RF1|A|R||||REF1", PID, *results, pv1(), evn=None)
    stays = [fields["encounter"] for fields in said(translation, "DiagnosticReport").values()]
    assert stays == [STAY, STAY]
    assert one(translation, "Referral")["encounter"] == STAY


@pytest.mark.parametrize(("at", "expected"), [("patient", ["X", "X"]), ("first", ["X", None]), ("second", [None, "X"])])
def test_a_segment_of_a_site_s_own_is_its_order_s_or_the_patient_s(at: str, expected: list[str | None]) -> None:
    table = '[records.MedicationRequest.fields]\nrequester = { path = "ZDR-1", as = "practitioner" }\n'
    mine = adapter(mapping=TextFile("mine.toml", table))
    zdr = {name: (["ZDR|X"] if name == at else []) for name in ("patient", "first", "second")}
    orders = ("ORC|NW|O1", "RXE||A^A", *zdr["first"], "ORC|NW|O2", "RXE||B^B", *zdr["second"])
    translation = translate("RDE^O11", PID, *zdr["patient"], *orders, by=mine, evn=None)
    found = [fields.get("requester") for fields in said(translation, "MedicationRequest").values()]
    assert found == [one and f"RMYY|{one}" for one in expected]
