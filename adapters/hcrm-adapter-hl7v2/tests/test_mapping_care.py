"""Orders, medicines, vaccinations, problems, referrals, accounts, documents and master files."""

import pytest
from support.hl7v2 import PATIENT, PID, STAY, kinds, one, pv1, said, segment, translate

# --- prescriptions and dispensing (chapter 4) -------------------------------------------------------------------------

ORC = segment("ORC", {1: "NW", 2: "P77^HIS", 3: "F88^PHARM", 9: "20260310090000", 12: "D01^陈^一"})
RXE = segment("RXE", {1: "^^^20260310^20260409", 2: "M01^二甲双胍^NDC", 10: "60", 11: "TAB^片", 12: "3", 15: "R5"})
RXO = segment("RXO", {1: "M00^降糖药", 11: "30", 12: "TAB", 13: "1"})
RXD = segment("RXD", {1: "1", 2: "M01^二甲双胍^NDC", 3: "20260310113000", 4: "60", 5: "TAB^片", 7: "R5", 10: "D09^钱"})
PRESCRIPTION = f"{PATIENT}|HIS|P77"


@pytest.mark.parametrize("event", ["RDE^O11", "RDE^O25", "RDE^O01"])
def test_a_prescription_is_said(event: str) -> None:
    assert said(translate(event, PID, pv1(), ORC, RXE, evn=None), "MedicationRequest") == {
        PRESCRIPTION: {
            "subject": PATIENT,
            "encounter": STAY,
            "status": "active",
            "medication": {"coding": [{"code": "M01", "display": "二甲双胍", "system": "NDC"}]},
            "dispense_quantity": {"value": "60", "unit": "TAB"},
            "repeats_allowed": 3,
            "authored_on": "2026-03-10T09:00:00+08:00",
            "period_start": "2026-03-10",
            "period_end": "2026-04-09",
            "requester": "RMYY|D01",
        }
    }


@pytest.mark.parametrize("event", ["OMP^O09", "ORM^O01"])
def test_what_was_ordered_is_the_prescription_the_pharmacy_makes_of_it(event: str) -> None:
    ordered = said(translate(event, PID, pv1(), ORC, RXO, evn=None), "MedicationRequest")
    assert list(ordered) == [PRESCRIPTION]
    assert ordered[PRESCRIPTION]["dispense_quantity"] == {"value": "30", "unit": "TAB"}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({1: "CA"}, "cancelled"), ({1: "DC"}, "stopped"), ({1: "HD"}, "on-hold"), ({1: "RL"}, "active"),
        ({1: "SC", 5: "CM"}, "completed"), ({1: "RE", 5: "IP"}, "active"),
        # What says nothing of the state, and what is not understood, overrules nothing said before.
        ({1: "RE"}, None), ({1: "SC"}, None), ({}, None), ({1: "XX"}, None), ({1: "XO", 5: "STOPPED"}, None),
    ],
)  # fmt: skip
def test_an_order_s_control_and_status_say_how_it_stands(fields: dict[int, str], status: str | None) -> None:
    orc = segment("ORC", {2: "P77^HIS"} | fields)
    assert one(translate("RDE^O11", PID, orc, RXE, evn=None), "MedicationRequest").get("status") == status


@pytest.mark.parametrize(("control", "status"), [("RE", "completed"), ("", "completed"), ("UX", None), ("SC", None)])
def test_a_dispensing_is_done_where_nothing_else_is_said(control: str, status: str | None) -> None:
    orc = segment("ORC", {1: control, 2: "P77^HIS"})
    assert one(translate("RDS^O13", PID, orc, RXD, evn=None), "MedicationDispense").get("status") == status


@pytest.mark.parametrize(("said_so", "status"), [("", "completed"), ("CP", "completed"), ("REF", None)])
def test_a_vaccination_is_done_where_nothing_else_is_said(said_so: str, status: str | None) -> None:
    given = segment("RXA", {3: "20260601", 5: "207^COVID^CVX", 20: said_so})
    assert one(translate("VXU^V04", PID, "ORC|RE||F1", given, evn=None), "Immunization").get("status") == status


def test_a_prescription_without_an_order_s_number_is_known_by_its_own() -> None:
    found = said(translate("RDE^O11", PID, "ORC|NW", RXE, evn=None), "MedicationRequest")
    assert list(found) == [f"{PATIENT}|R5"]


@pytest.mark.parametrize("event", ["RDS^O13", "RDS^O01"])
def test_a_dispensed_medicine_names_its_prescription(event: str) -> None:
    assert said(translate(event, PID, pv1(), ORC, RXD, evn=None), "MedicationDispense") == {
        f"{PATIENT}|{PRESCRIPTION}|M01|20260310113000": {
            "subject": PATIENT,
            "encounter": STAY,
            "request": PRESCRIPTION,
            "status": "completed",
            "medication": {"coding": [{"code": "M01", "display": "二甲双胍", "system": "NDC"}]},
            "quantity": {"value": "60", "unit": "TAB"},
            "when_handed_over": "2026-03-10T11:30:00+08:00",
            "performer": "RMYY|D09",
        }
    }


@pytest.mark.parametrize("event", ["ORM^O01", "OMG^O19", "OML^O21", "OML^O33", "OML^O35"])
def test_an_order_is_no_result(event: str) -> None:
    translation = translate(event, PID, pv1(), ORC, "OBR|1|P77^HIS||CBC^血常规", "DG1|1||I10", evn=None)
    assert kinds(translation) == ["Condition", "Encounter", "Patient"]
    assert "OBR-4" in translation.coverage.unknown


@pytest.mark.parametrize("event", ["ORU^R01", "ORU^R30", "ORU^R40", "ORU"])
def test_results_are_read_whatever_asked_for_them(event: str) -> None:
    translation = translate(event, PID, "OBR|1||F1|K^血钾", "OBX|1|NM|K^血钾||7.1|mmol/L||HH|||F", evn=None)
    assert one(translation, "Observation")["interpretation"] == ["HH"]


# --- vaccinations -----------------------------------------------------------------------------------------------------


def rxa(**more: str) -> str:
    fields = {1: "0", 2: "1", 3: "20260310", 5: "08^乙肝疫苗^CVX", 6: "0.5", 7: "mL", 10: "D03^孙", 15: "L123"}
    fields |= {16: "20270101", 17: "SKB^生物公司", 20: "CP"}
    return segment("RXA", fields | {int(name[1:]): text for name, text in more.items()})


def test_a_vaccination_is_said() -> None:
    assert said(translate("VXU^V04", PID, "ORC|RE||V9^IIS", rxa(), evn=None), "Immunization") == {
        f"{PATIENT}|IIS|V9|08|20260310": {
            "patient": PATIENT,
            "status": "completed",
            "vaccine_code": {"coding": [{"code": "08", "display": "乙肝疫苗", "system": "CVX"}]},
            "occurrence": "2026-03-10",
            "dose_quantity": {"value": "0.5", "unit": "mL"},
            "performer": "RMYY|D03",
            "lot_number": "L123",
            "expiration_date": "2027-01-01",
            "manufacturer": "生物公司",
        }
    }


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"f20": "PA"}, "completed"), ({"f20": "RE", "f18": "00^家长拒绝"}, "not-done"), ({"f20": "NA"}, "not-done"),
        ({"f20": ""}, "completed"), ({"f21": "A"}, "completed"), ({"f21": "D"}, "entered-in-error"),
    ],
)  # fmt: skip
def test_a_vaccination_was_given_refused_or_a_mistake(fields: dict[str, str], status: str) -> None:
    assert one(translate("VXU^V04", PID, rxa(**fields), evn=None), "Immunization")["status"] == status


def test_several_vaccinations_are_each_their_own() -> None:
    several = translate("VXU^V04", PID, "ORC|RE||9999", rxa(), "ORC|RE||9999", rxa(f3="20260410"), evn=None)
    assert len(said(several, "Immunization")) == 2


# --- problems (chapter 12) --------------------------------------------------------------------------------------------

PRB = {3: "E11^2型糖尿病^I10", 4: "77^HIS", 7: "20200101", 13: "C", 14: "ACTIVE", 16: "201912"}


@pytest.mark.parametrize("event", ["PPR^PC1", "PPR^PC2"])
def test_a_problem_is_said_with_how_it_stands(event: str) -> None:
    assert said(translate(event, PID, segment("PRB", {1: "AD"} | PRB), evn=None), "Condition") == {
        f"{PATIENT}|HIS|77": {
            "subject": PATIENT,
            "code": {"coding": [{"code": "E11", "display": "2型糖尿病", "system": "I10"}]},
            "recorded_date": "2020-01-01",
            "verification_status": "confirmed",
            "clinical_status": "active",
            "onset": "2019-12",
        }
    }


@pytest.mark.parametrize(("event", "action"), [("PPR^PC3", "AD"), ("PPR^PC2", "DE")])
def test_a_problem_is_deleted_by_its_event_or_by_its_action(event: str, action: str) -> None:
    found = one(translate(event, PID, segment("PRB", PRB | {1: action}), evn=None), "Condition")
    assert found["verification_status"] == "entered-in-error"


def test_a_diagnosis_that_is_deleted_was_a_mistake() -> None:
    found = one(translate("BAR^P12", PID, pv1(), segment("DG1", {1: "1", 3: "I10", 21: "D"})), "Condition")
    assert found["verification_status"] == "entered-in-error"


# --- referrals (chapter 11) -------------------------------------------------------------------------------------------

RF1 = segment(
    "RF1", {1: "A", 2: "S", 3: "MED^内科", 4: "AM", 6: "R1^社区", 7: "20260310", 8: "20260610", 10: "R07^胸痛"}
)
RT, RP = "PRD|RT^转入|钱^二|||||P2^NPI", "PRD|RP^转出|赵^一|||||P1^NPI"


@pytest.mark.parametrize("event", ["REF^I12", "REF^I13", "REF^I15"])
def test_a_referral_says_who_refers_and_to_whom(event: str) -> None:
    translation = translate(event, RF1, RT, RP, PID, evn=None)
    assert said(translation, "Referral") == {
        "社区|R1|20260310": {
            "subject": PATIENT,
            "status": "active",
            "priority": {"code": "S"},
            "type": {"coding": [{"code": "MED", "display": "内科"}]},
            "disposition": {"code": "AM"},
            "authored_on": "2026-03-10",
            "period_end": "2026-06-10",
            "reason": {"coding": [{"code": "R07", "display": "胸痛"}]},
            "requester": "RMYY|P1",
            "performer": "RMYY|P2",
        }
    }
    assert set(said(translation, "Practitioner")) == {"RMYY|P1", "RMYY|P2"}


def test_a_referral_is_called_off() -> None:
    assert one(translate("REF^I14", RF1, PID, evn=None), "Referral")["status"] == "revoked"


# --- accounts and documents (chapters 6 and 9) ------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["BAR^P01", "BAR^P05"])
def test_an_account_brings_its_diagnoses_procedures_and_insurance(event: str) -> None:
    translation = translate(event, PID, pv1(), "DG1|1||I10", "PR1|1||P01^手术||20260310", "IN1|1|A^医保|9")
    assert kinds(translation) == ["Condition", "Coverage", "Encounter", "Patient", "Procedure"]
    assert translation.complete == ()


@pytest.mark.parametrize("event", ["BAR^P02", "BAR^P06"])
def test_the_end_of_an_account_says_who_the_patient_is(event: str) -> None:
    assert kinds(translate(event, PID, pv1())) == ["Patient"]


def test_a_bill_says_the_diagnoses_and_procedures_it_is_for() -> None:
    line = segment("FT1", {2: "T1", 4: "20260310", 6: "CG", 7: "X01^胸片", 11: "120"})
    translation = translate("DFT^P11", PID, pv1(), line, "DG1|1||I10", "PR1|1||P01^手术||20260310")
    assert kinds(translation) == ["ChargeItem", "Condition", "Encounter", "Patient", "Procedure"]


@pytest.mark.parametrize("number", range(1, 12))
def test_a_document_says_whose_it_is_and_its_text_is_nobody_s(number: int) -> None:
    translation = translate(f"MDM^T{number:02d}", PID, pv1(), "TXA|1|DS|TX", "OBX|1|TX|1||王芳 出院小结||||||F")
    assert kinds(translation) == ["Encounter", "Patient"]
    assert "OBX-5" in translation.coverage.unknown


@pytest.mark.parametrize("number", range(18, 23))
def test_services_added_to_a_booking_leave_it_booked(number: int) -> None:
    sch = segment("SCH", {1: "P1", 2: "F1", 11: "^^30^20260320090000", 25: "BOOKED"})
    found = one(translate(f"SIU^S{number}", sch, PID, evn=None), "Appointment")
    assert (found["status"], found["start"]) == ("booked", "2026-03-20T09:00:00+08:00")


@pytest.mark.parametrize("event", ["SIU^S23", "SIU^S24"])
def test_time_slots_are_nobody_s(event: str) -> None:
    translation = translate(event, "SCH|1|2", evn=None)
    assert (translation.quarantine, translation.records) == (None, ())


# --- master files (chapter 8) -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "active"), [("MAD", True), ("MDC", False), ("MAC", True), ("MDL", False)])
def test_a_member_of_staff_is_the_one_whom_messages_name(action: str, active: bool) -> None:
    staff = segment("STF", {1: "D01", 2: "D01^^^RMYY", 3: "陈^一", 7: "A", 8: "XNK^心内科"})
    translation = translate(
        "MFN^M02", "MFI|STF||UPD", f"MFE|{action}|1||D01", staff, "PRA|D01||||CARD^心血管", evn=None
    )
    assert said(translation, "Practitioner") == {
        "RMYY|D01": {
            "active": active,
            "name": [{"family": "陈", "given": ["一"]}],
            "department": "RMYY|XNK",
            "specialty": {"code": "CARD", "display": "心血管"},
        }
    }
    assert said(translate("ADT^A01", PID, pv1(f7="D01^陈^一")), "Practitioner").keys() == {"RMYY|D01"}


def test_where_the_master_file_only_updates_the_segment_says_whether_somebody_is_there() -> None:
    found = translate("MFN^M02", "MFE|MUP|1||D01", "STF|D01|D01|陈^一||||I", evn=None)
    assert one(found, "Practitioner")["active"] is False


def test_a_ward_is_the_department_that_stays_name() -> None:
    translation = translate("MFN^M05", "MFE|MAD|1||XNK", "LOC|XNK^^^RMYY|心血管内科|N", evn=None)
    assert said(translation, "Organization") == {
        "RMYY|XNK": {"active": True, "code": "XNK", "name": "心血管内科", "type": "dept"}
    }
    assert "RMYY|XNK" in said(translate("ADT^A01", PID, pv1(f3="XNK^1^2^RMYY")), "Organization")


def test_a_price_holds_from_a_day_to_a_day() -> None:
    prices = [segment("PRC", {1: "CBC", 5: amount, 11: since, 12: until}) for amount, since, until in (
        ("25.50&CNY^UP", "20260101", "20260630"), ("28&CNY^UP", "20260701", ""))]  # fmt: skip
    translation = translate("MFN^M04", "MFE|MAD|1||CBC", "CDM|CBC^血常规||血常规", *prices, evn=None)
    assert said(translation, "HealthcareService") == {
        "RMYY|CBC|20260101": {
            "active": True,
            "code": {"coding": [{"code": "CBC", "display": "血常规"}]},
            "price": {"amount": 2550, "currency": "CNY"},
            "period_start": "2026-01-01",
            "period_end": "2026-06-30",
        },
        "RMYY|CBC|20260701": {
            "active": True,
            "code": {"coding": [{"code": "CBC", "display": "血常规"}]},
            "price": {"amount": 2800, "currency": "CNY"},
            "period_start": "2026-07-01",
        },
    }


def test_a_master_file_that_has_no_place_is_counted() -> None:
    translation = translate("MFN^M08", "MFI|TST", "MFE|MAD|1||K", "OM1|1|K", evn=None)
    assert (translation.quarantine, translation.records) == (None, ())
    assert "OM1-2" in translation.coverage.unknown


def test_a_room_or_a_bed_is_not_its_ward() -> None:
    translation = translate(
        "MFN^M05",
        *("MFE|MAD|1||W1", "LOC|W1^^^RMYY|一病区|N"),
        *("MFE|MDL|2||B1", "LOC|W1^101^1^RMYY|一床|B"),
        *("MFE|MDL|3||B2", "LOC|W1^^^RMYY|二床|B"),
        evn=None,
    )
    assert said(translation, "Organization") == {
        "RMYY|W1": {"active": True, "code": "W1", "name": "一病区", "type": "dept"}
    }
