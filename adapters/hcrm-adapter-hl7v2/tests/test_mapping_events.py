"""Every ADT event (HL7 v2.5.1 chapter 3) and what it says of stays and of who is who, beyond admit and discharge."""

from typing import Any

import pytest
from support.hl7v2 import PATIENT, PID, STAY, adapter, kinds, one, problems, pv1, said, segment, translate

from hcrm_core.api import TextFile

OTHER_PID = "PID|2||2002^^^RMYY^MR||李^强||19850101|M"
OTHER = "RMYY|MR|2002"
MRG = "MRG|2002^^^RMYY^MR"

STATUS = {
    "A01": "in-progress", "A02": "in-progress", "A03": "finished", "A04": "in-progress", "A05": "planned",
    "A06": "in-progress", "A07": "in-progress", "A10": "in-progress", "A11": "entered-in-error", "A12": "in-progress",
    "A13": "in-progress", "A14": "planned", "A15": "in-progress", "A16": "in-progress", "A17": "in-progress",
    "A21": "onleave", "A22": "in-progress", "A23": "entered-in-error", "A25": "in-progress", "A26": "in-progress",
    "A27": "cancelled", "A38": "cancelled", "A52": "in-progress", "A53": "onleave",
}  # fmt: skip
SILENT = ("A08", "A09", "A32", "A33", "A42", "A45", "A50", "A54", "A55", "A61", "A62")
CANCELS = ("A11", "A12", "A13", "A23", "A25", "A26", "A27", "A32", "A33", "A38", "A52", "A53", "A55", "A62")


@pytest.mark.parametrize(("event", "status"), STATUS.items())
def test_an_event_says_how_the_stay_stands(event: str, status: str) -> None:
    assert one(translate(f"ADT^{event}", PID, pv1()), "Encounter")["status"] == status


@pytest.mark.parametrize("event", SILENT)
def test_an_event_that_says_nothing_of_how_the_stay_stands_leaves_it(event: str) -> None:
    assert "status" not in one(translate(f"ADT^{event}", PID, pv1()), "Encounter")


@pytest.mark.parametrize("event", CANCELS)
def test_what_takes_back_comes_after_what_it_takes_back(event: str) -> None:
    translation = translate(f"ADT^{event}", PID, pv1())
    assert translation.statement is not None and translation.statement.rank == 1


@pytest.mark.parametrize("event", CANCELS)
def test_nothing_is_taken_back_from_a_stay_without_a_number(event: str) -> None:
    translation = translate(f"ADT^{event}", PID, segment("PV1", {2: "I"}))
    assert "Encounter" not in kinds(translation)
    assert problems(translation) == ["uncertain-cancel"]


# --- moving about -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["A02", "A12", "A09", "A10", "A15"])
def test_the_place_is_where_pv1_says(event: str) -> None:
    stay = one(translate(f"ADT^{event}", PID, pv1(f3="心内科^12^2", f6="急诊科")), "Encounter")
    assert stay["location"] == "心内科/12/2"


def test_two_patients_swap_their_beds() -> None:
    swapped = translate("ADT^A17", PID, pv1(f3="W^1^1"), OTHER_PID, pv1(f3="W^1^2", f19="V2^^^RMYY^VN"))
    stays = said(swapped, "Encounter")
    assert {key: (stay["subject"], stay["location"]) for key, stay in stays.items()} == {
        STAY: (PATIENT, "W/1/1"),
        "RMYY|VN|V2": (OTHER, "W/1/2"),
    }


def test_a_pending_discharge_is_expected_and_can_be_called_off() -> None:
    pending = one(translate("ADT^A16", PID, pv1(), segment("PV2", {9: "20260315"})), "Encounter")
    assert pending["expected_end"] == "2026-03-15"
    assert one(translate("ADT^A25", PID, pv1()), "Encounter")["expected_end"] is None


def test_the_attending_doctor_changes() -> None:
    assert one(translate("ADT^A54", PID, pv1(f7="D02^李")), "Encounter")["attender"] == "RMYY|D02"


def test_a_bed_is_nobody() -> None:
    translation = translate("ADT^A20", "NPU|W^1^2|C")
    assert (translation.quarantine, translation.records) == (None, ())
    assert set(translation.coverage.ignored) >= {"NPU-1", "NPU-2"}


# --- who is who -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["A18", "A30", "A34", "A36", "A39", "A40", "A47"])
def test_one_patient_is_merged_into_another(event: str) -> None:
    translation = translate(f"ADT^{event}", PID, MRG)
    assert set(said(translation, "Patient")) == {PATIENT, OTHER}
    assert said(translation, "PatientLink") == {
        f"{OTHER}>{PATIENT}": {"patient": OTHER, "other": PATIENT, "type": "replaced-by"}
    }


@pytest.mark.parametrize("event", ["A43", "A44"])
@pytest.mark.parametrize("prior", ["1001^^^RMYY^MR", "2002^^^RMYY^MR"])
def test_what_moves_to_another_patient_ties_nobody_and_is_told(event: str, prior: str) -> None:
    """HL7 v2.5.1 sections 3.3.43 and 3.3.44: source and target both go on."""
    translation = translate(f"ADT^{event}", PID, f"MRG|{prior}||A7")
    assert list(said(translation, "Patient")) == [PATIENT]
    assert said(translation, "PatientLink") == {}
    assert [problem.code for problem in translation.problems] == ["not-applied"]


@pytest.mark.parametrize(("event", "type"), [("A24", "seealso"), ("A37", None)])
@pytest.mark.parametrize("turned", [False, True])
def test_two_records_of_one_person_are_tied_and_parted_whoever_is_named_first(
    event: str, type: str | None, turned: bool
) -> None:
    both = [PID, OTHER_PID]
    links = said(translate(f"ADT^{event}", *(reversed(both) if turned else both)), "PatientLink")
    ends = (OTHER, PATIENT) if turned else (PATIENT, OTHER)
    assert links == {f"{PATIENT}={OTHER}": {"patient": ends[0], "other": ends[1], "type": type}}


@pytest.mark.parametrize("event", ["A35", "A41", "A44", "A46", "A48", "A49", "A51"])
def test_what_becomes_of_accounts_and_other_numbers_is_counted_and_links_nobody(event: str) -> None:
    translation = translate(f"ADT^{event}", PID, "MRG|2002^^^RMYY^MR||A7|||OLD")
    assert kinds(translation) == ["Patient"]
    assert {"MRG-3", "MRG-6"} <= set(translation.coverage.unknown)


def test_an_external_number_changes_and_the_person_is_the_same() -> None:
    changed = translate("ADT^A46", PID.replace("||1001", "|E9^^^CITY^PI|1001"), "MRG||||E8^^^CITY^PI")
    assert set(said(changed, "Patient")) == {PATIENT}


@pytest.mark.parametrize("event", ["A42", "A45", "A50"])
def test_a_visit_goes_on_under_another_number(event: str) -> None:
    translation = translate(f"ADT^{event}", PID, "MRG|1001^^^RMYY^MR||||V0^^^RMYY^VN", pv1(f2="I"))
    stays = said(translation, "Encounter")
    assert stays["RMYY|VN|V0"] == {"subject": PATIENT, "replaced_by": STAY}
    assert stays[STAY]["subject"] == PATIENT and stays[STAY]["replaced_by"] is None
    assert said(translation, "EncounterMove") == {
        f"RMYY|VN|V0|{PATIENT}": {
            "patient": PATIENT, "to_encounter": STAY, "from_patient": PATIENT, "from_encounter": "RMYY|VN|V0",
        }
    }  # fmt: skip


@pytest.mark.parametrize("event", ["A06", "A07"])
def test_a_stay_that_becomes_another_kind_of_stay_may_get_another_number(event: str) -> None:
    plain = translate(f"ADT^{event}", PID, pv1(f2="I"))
    assert "EncounterMove" not in kinds(plain)
    moved = translate(f"ADT^{event}", PID, "MRG|1001^^^RMYY^MR||||V0^^^RMYY^VN", pv1(f2="I"))
    assert said(moved, "Encounter")["RMYY|VN|V0"]["replaced_by"] == STAY
    assert list(said(moved, "EncounterMove")) == [f"RMYY|VN|V0|{PATIENT}"]


@pytest.mark.parametrize(
    ("event", "segments"),
    [
        ("A40", (PID,)),
        ("A40", (PID, "MRG|")),
        ("A40", (PID, "MRG|1001^^^RMYY^MR")),
        ("A24", (PID,)),
        ("A45", (PID, "MRG|2002^^^RMYY^MR", segment("PV1", {2: "I"}))),
        ("A50", (PID, segment("PV1", {2: "I"}))),
    ],
)
def test_an_event_that_does_not_name_what_it_merges_or_moves_says_so(event: str, segments: tuple[str, ...]) -> None:
    translation = translate(f"ADT^{event}", *segments)
    assert not {"PatientLink", "EncounterMove"} & set(kinds(translation))
    [problem] = [problem for problem in translation.problems if problem.code == "not-tied"]
    assert problem.where == "MRG" and "Nothing was merged, linked or moved." in problem.text


def test_an_event_that_names_both_says_nothing() -> None:
    for event, *segments in (("A40", PID, "MRG|2002^^^RMYY^MR"), ("A06", PID, pv1(f2="I")), ("A08", PID, pv1())):
        assert "not-tied" not in [problem.code for problem in translate(f"ADT^{event}", *segments).problems]


def test_nothing_is_moved_to_a_stay_that_is_not_named() -> None:
    moved = translate("ADT^A45", PID, "MRG|2002^^^RMYY^MR||||V1^^^RMYY^VN", segment("PV1", {2: "I"}))
    assert "EncounterMove" not in kinds(moved)
    assert "stay-not-named" in [problem.code for problem in moved.problems]


def test_a_visit_that_is_moved_is_the_other_patient_s_and_keeps_its_number() -> None:
    translation = translate("ADT^A45", PID, "MRG|2002^^^RMYY^MR||||V1^^^RMYY^VN", pv1())
    stays = said(translation, "Encounter")
    assert list(stays) == [STAY] and stays[STAY]["subject"] == PATIENT
    (move,) = said(translation, "EncounterMove").values()
    assert (move["from_patient"], move["patient"]) == ("RMYY|MR|2002", PATIENT)
    assert move["from_encounter"] == move["to_encounter"] == STAY


def test_a_person_is_deleted_and_added_again() -> None:
    assert one(translate("ADT^A29", PID, pv1()), "Patient")["active"] is False
    assert one(translate("ADT^A28", PID), "Patient")["active"] is True
    assert "active" not in one(translate("ADT^A31", PID), "Patient")


# --- allergies one by one ---------------------------------------------------------------------------------------------

ALLERGIES: list[tuple[dict[int, str], dict[str, Any]]] = [
    ({6: "A", 17: "C"}, {"clinical_status": "active", "verification_status": "confirmed"}),
    ({6: "U", 17: "I"}, {"clinical_status": "inactive", "verification_status": "confirmed"}),
    ({6: "U", 17: "S"}, {"clinical_status": "active", "verification_status": "unconfirmed"}),
    ({6: "D"}, {"verification_status": "entered-in-error"}),
    ({6: "D", 17: "C"}, {"clinical_status": "active", "verification_status": "entered-in-error"}),
    ({6: "A"}, {}),
]


@pytest.mark.parametrize(("more", "states"), ALLERGIES)
def test_an_allergy_is_added_changed_or_deleted(more: dict[int, str], states: dict[str, Any]) -> None:
    iam = {1: "1", 2: "DA", 3: "P01^青霉素", 4: "SV", 5: "皮疹", 11: "202001"}
    translation = translate("ADT^A60", PID, segment("IAM", iam | more))
    assert said(translation, "AllergyIntolerance") == {
        f"{PATIENT}|P01": {
            "patient": PATIENT,
            "category": {"code": "DA"},
            "code": {"coding": [{"code": "P01", "display": "青霉素"}]},
            "criticality": {"code": "SV"},
            "reaction": ["皮疹"],
            "onset": "2020-01",
            **states,
        }
    }
    assert translation.complete == ()


def test_an_allergy_is_the_same_one_by_one_and_in_a_set() -> None:
    in_a_set = translate("ADT^A31", PID, "AL1|1|DA|P01^青霉素")
    alone = translate("ADT^A60", PID, segment("IAM", {3: "P01^青霉素", 6: "A"}))
    assert said(in_a_set, "AllergyIntolerance").keys() == said(alone, "AllergyIntolerance").keys()


@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8"])
@pytest.mark.parametrize("event", ["ADT^A01", "ADT^A40", "ORU^R01", "SIU^S12", "DFT^P03"])
def test_no_version_is_turned_away(event: str, version: str) -> None:
    assert one(translate(event, PID, version=version), "Patient")["gender"] == "female"


def test_what_is_read_beside_a_path_is_counted_as_read() -> None:
    referral = translate("REF^I12", "RF1|A|R||||REF1", "PRD|RP|Li^Wei|||||D1", PID, evn=None)
    assert "PRD-7" in referral.coverage.mapped
    table = '[events."ADT^A03".fallback.Encounter]\nperiod_end = ["PV1-24"]\n'
    left = translate("ADT^A03", PID, pv1(f24="20260310"), by=adapter(mapping=TextFile("mine.toml", table)))
    assert one(left, "Encounter")["period_end"] == "2026-03-10"
    assert "PV1-24" in left.coverage.mapped
