"""ADT: what each event says of the patient, the stay, the people around and the sets it states whole."""

import pytest
from support.hl7v2 import ADAPTER, PATIENT, PID, STAY, kinds, one, problems, pv1, said, sets, translate

FULL_PID = (
    "PID|1||1001^^^RMYY^MR~11010119900307002X^^^PRC^NI||王^芳^^^女士^^L~Wang^Fang^^^^^A||19900307|F||"
    "|建国路1号^2单元^北京^^100022^CHN^H^^朝阳区||13800138000^PRN^CP~wang@example.org^NET^Internet|01065000000^WPN^PH|"
    "zh^中文|M^已婚||||||H^汉族|||1"
)
DISCHARGE = {"f36": "01^回家", "f37": "社区卫生中心", "f44": "20260305100000", "f45": "20260310103000"}


# --- the patient ------------------------------------------------------------------------------------------------------


def test_a_registration_says_all_that_a_pid_holds() -> None:
    assert said(translate("ADT^A28", FULL_PID), "Patient") == {
        PATIENT: {
            "identifier": [
                {"value": "1001", "system": "RMYY", "type": "MR"},
                {"value": "11010119900307002X", "system": "PRC", "type": "NI"},
            ],
            "name": [
                {"family": "王", "given": ["芳"], "prefix": "女士", "use": "official"},
                {"family": "Wang", "given": ["Fang"]},
            ],
            "birth_date": "1990-03-07",
            "gender": "female",
            "address": [
                {
                    "line": ["建国路1号", "2单元"],
                    "city": "北京",
                    "district": "朝阳区",
                    "postal_code": "100022",
                    "country": "CHN",
                    "use": "home",
                }
            ],
            "district": "朝阳区",
            "telecom": [
                {"value": "13800138000", "system": "phone", "use": "mobile"},
                {"value": "wang@example.org", "system": "email"},
                {"value": "01065000000", "system": "phone", "use": "work"},
            ],
            "language": {"code": "zh", "display": "中文"},
            "marital_status": {"code": "M", "display": "已婚"},
            "ethnicity": {"code": "H", "display": "汉族"},
            "multiple_birth_order": 1,
            "active": True,
        }
    }


@pytest.mark.parametrize("event", ["ADT^A28", "ADT^A31"])
def test_person_events_say_patient_relatives_allergies_and_insurance_and_no_stay(event: str) -> None:
    translation = translate(
        event, PID, "NK1|1|王^强|SPO^配偶", pv1(f44="20260305"), "AL1|1|DA|P^青霉素", "IN1|1|UEBMI^职工医保|110000"
    )
    assert kinds(translation) == ["AllergyIntolerance", "Coverage", "Patient", "RelatedPerson"]


def test_said_empty_and_not_mentioned_are_kept_apart() -> None:
    patient = one(translate("ADT^A31", 'PID|1||1001^^^RMYY^MR||王^芳||""|F|||""||""'), "Patient")
    assert patient["birth_date"] is None
    assert patient["address"] is None and patient["district"] is None and patient["telecom"] is None
    assert patient["gender"] == "female"
    assert not {"language", "marital_status", "deceased", "ethnicity"} & set(patient)


def test_death_is_said_with_its_time() -> None:
    pid = FULL_PID + "||||20260310093000|Y"
    patient = one(translate("ADT^A31", pid), "Patient")
    assert (patient["deceased"], patient["deceased_date_time"]) == (True, "2026-03-10T09:30:00+08:00")


def test_a_phone_in_either_field_counts_and_empties_only_where_none_is_filled() -> None:
    pid = "PID|1||1001^^^RMYY^MR||王^芳||||||||{}|{}"
    for home, work, numbers in (("1", "2", ["1", "2"]), ('""', "2", ["2"]), ("1", '""', ["1"]), ('""', "", None)):
        telecom = one(translate("ADT^A31", pid.format(home, work)), "Patient")["telecom"]
        assert (telecom and [one["value"] for one in telecom]) == numbers


def test_a_relative_is_known_by_relation_and_name_and_not_by_position() -> None:
    spouse, child = "NK1|{}|王^强|SPO^配偶||13900000000", "NK1|{}|王^明|CHD^子女"
    there = translate("ADT^A28", PID, spouse.format(1), child.format(2))
    back = translate("ADT^A28", PID, child.format(1), spouse.format(2))
    assert said(there, "RelatedPerson") == said(back, "RelatedPerson")
    assert said(there, "RelatedPerson")[f"{PATIENT}|SPO|王|强"] == {
        "patient": PATIENT,
        "name": [{"family": "王", "given": ["强"]}],
        "relationship": {"coding": [{"code": "SPO", "display": "配偶"}]},
        "telecom": [{"value": "13900000000", "system": "phone"}],
    }
    assert sets(there) == {("RelatedPerson", PATIENT)}


# --- the stay ---------------------------------------------------------------------------------------------------------


def test_an_admission_says_all_that_a_pv1_holds() -> None:
    stay = pv1(
        f3="心内科^301^2^RMYY", f4="E^急诊", f7="D01^陈^一^^^主任", f8="D02^刘^二", f10="CAR^心内", f14="7^急诊",
        f16="V^要客",        f17="D03^周^三", f20="YB^医保", f44="20260305100000",
    )  # fmt: skip
    translation = translate("ADT^A01", PID, stay, "PV2|||R07.4^胸痛||||||20260312")
    assert said(translation, "Encounter") == {
        STAY: {
            "subject": PATIENT,
            "status": "in-progress",
            "class": "IMP",
            "location": "心内科/301/2",
            "department": "RMYY|心内科",
            "type": {"coding": [{"code": "E", "display": "急诊"}]},
            "attender": "RMYY|D01",
            "referrer": "RMYY|D02",
            "admitter": "RMYY|D03",
            "service_type": {"code": "CAR", "display": "心内"},
            "admit_source": {"code": "7", "display": "急诊"},
            "vip": {"code": "V", "display": "要客"},
            "payer_class": {"code": "YB", "display": "医保"},
            "period_start": "2026-03-05T10:00:00+08:00",
            "reason": {"coding": [{"code": "R07.4", "display": "胸痛"}]},
            "expected_end": "2026-03-12",
        }
    }
    assert said(translation, "Practitioner")["RMYY|D01"] == {
        "name": [{"family": "陈", "given": ["一"], "prefix": "主任"}]
    }
    assert said(translation, "Organization") == {"RMYY|心内科": {"code": "心内科", "type": "dept"}}


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("A01", "in-progress"), ("A02", "in-progress"), ("A03", "finished"), ("A04", "in-progress"),
        ("A05", "planned"), ("A06", "in-progress"), ("A07", "in-progress"), ("A11", "entered-in-error"),
        ("A13", "in-progress"),
    ],
)  # fmt: skip
def test_each_event_says_the_status_of_the_stay(event: str, status: str) -> None:
    translation = translate(f"ADT^{event}", PID, pv1())
    assert said(translation, "Encounter")[STAY]["status"] == status
    assert translation.statement is not None
    assert translation.statement.rank == (1 if event in ("A11", "A13") else 0)


def test_an_update_says_nothing_of_the_status_unless_it_knows_the_end() -> None:
    assert "status" not in said(translate("ADT^A08", PID, pv1()), "Encounter")[STAY]
    ended = said(translate("ADT^A08", PID, pv1(f45="20260310103000")), "Encounter")[STAY]
    assert (ended["status"], ended["period_end"]) == ("finished", "2026-03-10T10:30:00+08:00")
    emptied = said(translate("ADT^A08", PID, pv1(f45='""')), "Encounter")[STAY]
    assert emptied["period_end"] is None and "status" not in emptied


def test_a_transfer_says_the_new_place() -> None:
    stay = one(translate("ADT^A02", PID, pv1(f3="ICU^1^9^RMYY", f6="心内科^301^2")), "Encounter")
    assert (stay["location"], stay["department"]) == ("ICU/1/9", "RMYY|ICU")


@pytest.mark.parametrize(("code", "kind"), [("I", "IMP"), ("O", "AMB"), ("E", "EMER"), ("P", "PRENC")])
def test_becoming_an_inpatient_or_an_outpatient_changes_the_class(code: str, kind: str) -> None:
    for event in ("A06", "A07"):
        assert one(translate(f"ADT^{event}", PID, pv1(f2=code)), "Encounter")["class"] == kind


def test_a_discharge_says_when_how_and_where_to() -> None:
    stay = one(translate("ADT^A03", PID, pv1(**DISCHARGE)), "Encounter")
    assert stay["period_end"] == "2026-03-10T10:30:00+08:00"
    assert stay["discharge_disposition"] == {"code": "01", "display": "回家"}
    assert stay["destination"] == {"code": "社区卫生中心"}


def test_a_cancelled_discharge_says_its_end_and_disposition_are_empty_even_if_it_repeats_them() -> None:
    stay = one(translate("ADT^A13", PID, pv1(**DISCHARGE)), "Encounter")
    assert (stay["period_end"], stay["discharge_disposition"], stay["destination"]) == (None, None, None)
    assert stay["period_start"] == "2026-03-05T10:00:00+08:00"


def test_a_cancelled_admission_says_nothing_but_that() -> None:
    assert kinds(translate("ADT^A11", PID, pv1(), "AL1|1|DA|P^青霉素", "DG1|1||I10")) == ["Encounter", "Patient"]


# --- which stay -------------------------------------------------------------------------------------------------------


def test_the_stay_is_known_by_its_visit_number() -> None:
    assert list(said(translate("ADT^A01", PID, pv1(f50="ALT", f44="20260305")), "Encounter")) == [STAY]


def test_without_one_by_the_alternate_visit_number() -> None:
    assert list(said(translate("ADT^A01", PID, pv1(f19="", f50="A7^^^LAB")), "Encounter")) == ["LAB|VN|A7"]


def test_a_visit_number_without_authority_is_the_sender_s() -> None:
    assert list(said(translate("ADT^A01", PID, pv1(f19="V1")), "Encounter")) == ["his/HIS/RMYY|VN|V1"]


def test_without_either_by_patient_and_admission() -> None:
    translation = translate("ADT^A01", PID, pv1(f19="", f44="20260305100000"))
    ((key, stay),) = said(translation, "Encounter").items()
    assert key == f"{PATIENT}|20260305100000"
    assert "uncertain" not in stay


def test_without_any_by_patient_and_day_marked_uncertain() -> None:
    for options, day in (({}, "20260310"), ({"evn": "20260309235900"}, "20260309")):
        ((key, stay),) = said(translate("ADT^A04", PID, pv1(f19=""), **options), "Encounter").items()
        assert (key, stay["uncertain"]) == (f"{PATIENT}|{day}", True)


@pytest.mark.parametrize("event", ["A11", "A13"])
def test_a_cancel_of_an_uncertain_stay_is_reported_and_not_applied(event: str) -> None:
    translation = translate(f"ADT^{event}", PID, pv1(f19=""))
    assert "Encounter" not in kinds(translation)
    (problem,) = [one for one in translation.problems if one.code == "uncertain-cancel"]
    assert problem.where == "PV1-19" and "not applied" in problem.text


def test_a_visit_number_said_empty_is_none() -> None:
    assert list(said(translate("ADT^A01", PID, pv1(f19='""', f50="A7^^^RMYY")), "Encounter")) == ["RMYY|VN|A7"]


# --- sets -------------------------------------------------------------------------------------------------------------


def test_diagnoses_belong_to_the_stay_and_are_a_complete_set() -> None:
    translation = translate(
        "ADT^A08", PID, pv1(), "DG1|1||I10^高血压^ICD10||20260305|A|||||||||1|D01^陈", "DG1|2||E11^糖尿病^ICD10|||W"
    )
    assert said(translation, "Condition") == {
        f"{STAY}|I10|A": {
            "subject": PATIENT,
            "encounter": STAY,
            "code": {"coding": [{"code": "I10", "display": "高血压", "system": "ICD10"}]},
            "recorded_date": "2026-03-05",
            "category": {"code": "A"},
            "rank": 1,
            "asserter": "RMYY|D01",
        },
        f"{STAY}|E11|W": {
            "subject": PATIENT,
            "encounter": STAY,
            "code": {"coding": [{"code": "E11", "display": "糖尿病", "system": "ICD10"}]},
            "category": {"code": "W"},
        },
    }
    assert sets(translation) == {("Condition", STAY)}


def test_allergies_belong_to_the_patient_and_are_a_complete_set() -> None:
    translation = translate("ADT^A01", PID, pv1(), "AL1|1|DA^药物|P^青霉素|SV^严重|皮疹~休克|20100101")
    assert said(translation, "AllergyIntolerance") == {
        f"{PATIENT}|P": {
            "patient": PATIENT,
            "category": {"code": "DA", "display": "药物"},
            "code": {"coding": [{"code": "P", "display": "青霉素"}]},
            "criticality": {"code": "SV", "display": "严重"},
            "reaction": ["皮疹", "休克"],
            "onset": "2010-01-01",
        }
    }
    assert sets(translation) == {("AllergyIntolerance", PATIENT)}


@pytest.mark.parametrize(
    ("text", "kind", "group"), [('AL1|1|""|""', "AllergyIntolerance", PATIENT), ('DG1|1||""', "Condition", STAY)]
)
def test_an_empty_member_says_that_the_set_has_none(text: str, kind: str, group: str) -> None:
    translation = translate("ADT^A08", PID, pv1(), text)
    assert kind not in kinds(translation)
    assert sets(translation) == {(kind, group)}


def test_a_segment_that_is_not_sent_says_nothing_of_its_set() -> None:
    assert sets(translate("ADT^A08", PID, pv1())) == set()


def test_a_code_given_as_text_alone_identifies_the_member() -> None:
    assert list(said(translate("ADT^A01", PID, pv1(), "AL1|1|DA|^花粉"), "AllergyIntolerance")) == [f"{PATIENT}|花粉"]


def test_procedures_and_insurance_are_said() -> None:
    translation = translate(
        "ADT^A01", PID, pv1(), "PR1|1||PCI^介入治疗|支架|20260306090000||90||||D01^陈",
        "IN1|1|UEBMI^职工医保|110000|北京医保中心||||||||20260101|20261231||A^甲类||SEL^本人|||||||||||||||||||X123456",
    )  # fmt: skip
    assert said(translation, "Procedure") == {
        f"{STAY}|PCI|20260306090000": {
            "subject": PATIENT,
            "encounter": STAY,
            "code": {"coding": [{"code": "PCI", "display": "介入治疗"}]},
            "performed": "2026-03-06T09:00:00+08:00",
            "minutes_duration": 90,
            "performer": "RMYY|D01",
        }
    }
    coverage = said(translation, "Coverage")[f"{PATIENT}|UEBMI"]
    assert coverage["payor"] == "北京医保中心"
    assert (coverage["period_start"], coverage["period_end"]) == ("2026-01-01", "2026-12-31")
    assert coverage["subscriber_id"] == "X123456"


# --- merges and other events ----


def test_a_merge_links_the_patient_that_is_gone_to_the_one_that_stays() -> None:
    translation = translate("ADT^A40", PID, "MRG|2002^^^RMYY^MR")
    assert said(translation, "PatientLink") == {
        f"RMYY|MR|2002>{PATIENT}": {"patient": "RMYY|MR|2002", "other": PATIENT, "type": "replaced-by"}
    }
    assert said(translation, "Patient")["RMYY|MR|2002"] == {}


def test_a_merge_of_a_patient_into_itself_links_nothing() -> None:
    assert kinds(translate("ADT^A40", PID, "MRG|1001^^^RMYY^MR")) == ["Patient"]


def test_several_merges_in_one_message_each_go_with_the_patient_before_them() -> None:
    other = PID.replace("1001", "3003")
    links = said(translate("ADT^A40", PID, "MRG|2002^^^RMYY^MR", other, "MRG|4004^^^RMYY^MR"), "PatientLink")
    assert set(links) == {f"RMYY|MR|2002>{PATIENT}", "RMYY|MR|4004>RMYY|MR|3003"}


@pytest.mark.parametrize("event", ["ADT^A60", "ADT^A35", "ADT^A49", "BAR^P02", "QBP^Q21", "ZZZ^Z99"])
def test_any_other_message_with_a_patient_says_who_it_is(event: str) -> None:
    translation = translate(event, PID, pv1())
    assert one(translation, "Patient")["gender"] == "female"
    assert "Encounter" not in kinds(translation)


@pytest.mark.parametrize(
    ("event", "quarantined"),
    [("ADT^A01", True), ("ADT^A99", True), ("SIU^S12", True), ("DFT^P03", True), ("ORU^R01", False), ("ACK", False)],
)
def test_only_messages_about_a_person_need_one(event: str, quarantined: bool) -> None:
    for segments in ((), ("PID|1||||王^芳",), ("PID|1||V1^^^RMYY^VN||王^芳",)):
        translation = translate(event, *segments)
        assert (translation.quarantine is not None) == quarantined
        assert translation.records == ()
        if quarantined:
            assert translation.quarantine.code == "no-patient" and translation.quarantine.where == "PID-3"
            assert "send the message again" in translation.quarantine.text
        elif segments:
            assert "no-patient" in problems(translation)


def test_what_no_patient_was_known_for_is_left_out_and_not_mapped() -> None:
    result = ("PID|1||||王^芳", "OBR|1|||GLU^葡萄糖", "OBX|1|NM|GLU^葡萄糖||5.4|mmol/L|||||F")
    coverage = translate("ORU^R01", *result).coverage
    assert {"PID-5", "OBR-4", "OBX-3", "OBX-5"} <= set(coverage.left_out)
    assert {field[:3] for field in coverage.mapped} == {"MSH", "EVN"}


def test_what_was_noticed_of_a_quarantined_message_is_told() -> None:
    broken = translate("ADT^A01", "pid|1||1001^^^RMYY^MR||王^芳", "pv1|1|I")
    assert broken.quarantine is not None and "malformed-segment" in problems(broken)


@pytest.mark.parametrize("text", ["MSH|", "MSH|^~\\&|HIS|QH", "MSH|^~\\&|HIS|QHYY|HCRM|QHYY|20260601||"])
def test_a_message_that_broke_off_before_it_said_what_it_is_is_quarantined(text: str) -> None:
    translation = ADAPTER.translate(text.encode())
    assert translation.quarantine is not None and translation.records == ()


def test_the_type_is_found_where_old_and_careless_senders_put_it() -> None:
    assert translate("ADT", "EVN|A01|20260310", PID, evn=None).message_type == "ADT^A01"
    assert translate("^^ADT_A01", PID, evn=None).message_type == "ADT^A01"
    assert translate("ADT^A01^ADT_A01", PID).message_type == "ADT^A01"
    untyped = translate("", PID, evn=None)
    assert untyped.message_type == "" and "no-type" in problems(untyped)
    assert kinds(untyped) == ["Patient"]


@pytest.mark.parametrize(("evn", "ended"), [("20260310120000", "12"), ("", "11")])
def test_a_discharge_without_its_time_ended_when_its_event_did(evn: str, ended: str) -> None:
    """Else nobody would call: the follow-up rule starts from the day of discharge."""
    text = (
        "MSH|^~\\&|HIS|RMYY|||20260310113000||ADT^A03|1|P|2.5\r"
        f"EVN|A03|20260310110000||||{evn}\rPID|||1001^^^RMYY^MR\rPV1||I|||||||||||||||||V1^^^RMYY^VN"
    )
    stay = one(ADAPTER.translate(text.encode()), "Encounter")
    assert stay["period_end"] == f"2026-03-10T{ended}:00:00+08:00"


def test_a_patient_of_old_versions_can_be_found_by_the_number_that_names_him() -> None:
    translation = translate("ADT^A31", "PID||E1^^^RMYY^PI||L9|王^芳", version="2.3")
    assert [one["value"] for one in one(translation, "Patient")["identifier"]] == ["E1", "L9"]
    translation = translate("ADT^A31", "PID||E1|1001^^^RMYY^MR|L9|王^芳")
    assert [one["value"] for one in one(translation, "Patient")["identifier"]] == ["1001"]


def test_two_segments_with_one_key_that_say_different_things_are_told() -> None:
    insured = ("IN1|1|PPO||安心|||||||20200101", "IN1|2|PPO||平安|||||||20210101")
    translation = translate("ADT^A01", PID, pv1(), *insured)
    assert one(translation, "Coverage")["payor"] == "平安"
    assert [(problem.code, problem.where) for problem in translation.problems] == [("same-key", "IN1")]
    assert problems(translate("ADT^A01", PID, pv1(), insured[0], insured[0])) == []


@pytest.mark.parametrize(
    "text",
    [
        "MSH|^~\\&|HIS||||20260601||ADT^A01|1|P|2.4\rEVN||20260601093000 PID|1||00012345^^^QHYY^MR||张^伟||19800214|M",
        "MSH|^~\\&|HIS||||20260601||ADT^A01|1|P|2.4\rEVN||20260601093000PID|1||00012345^^^QHYY^MR||张^伟||19800214|M",
        "MSH|^~\\&|HIS||||20260601||ADT^A01|1|P|2.4|\\X0D\\PID|1||00012345^^^QHYY^MR||Zhang^Wei||19800214|M",
    ],
)
def test_a_segment_that_stands_on_another_s_line_may_tell_who_somebody_is(text: str) -> None:
    seen = {field.text for field in ADAPTER.fields(text.encode()) if not field.person}
    assert "20260601" in seen and not any(
        who in told for who in ("张", "Zhang", "00012345", "19800214") for told in seen
    )
