"""`hcrm customers`: each field cites its message; corrections by hand; one person with several roles."""

import shutil
from pathlib import Path

import pytest
from support.ward import NOW, hcrm, hospital, message, pid, pv1, sentence, told, workspace

WANG = "RMYY|MR|1001"
NURSE = "RMYY|MR|7007"


def nurse() -> dict[str, bytes]:
    """A nurse, known by her employee number too, who was a patient in her own hospital; and a healthy person."""
    who = pid("7007", "孙^兰", "19850505", more="~N0077^^^RMYY^EI", phone="13911112222")
    fit = pid("8008", "何^健", "19910101", phone="13911113333")
    check = pv1("V8", "20260302080000", kind="O").split("|")
    check[10] = "PE"
    family = "NK1|1|孙^梅|SIS^姐妹||13922223333"
    return {
        "N01": message("A01", "N01", "20260305100000", who, family, pv1("V7", "20260305100000"), "AL1|1|DA|P^青霉素"),
        "N02": message(
            "A08",
            "N02",
            "20260305110000",
            who,
            pv1("V7", "20260305100000"),
            "DG1|1||F32^抑郁发作^ICD10",
            "DG1|2||Z80.3^乳腺癌家族史^ICD10",
        ),
        "N03": message("A04", "N03", "20260302080000", fit, "|".join(check)),
    }


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("model") / "workspace"
    with workspace(root, hospital() | nurse()):
        return root


@pytest.fixture(autouse=True)
def ward(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HCRM_NOW", NOW)
    root = shutil.copytree(model, tmp_path / "workspace")
    monkeypatch.chdir(root)
    return root


def test_every_field_cites_source_message_and_place(ward: Path) -> None:
    fields = told("customers", "show", WANG)["fields"]
    name = fields["name"]
    assert (name["source"], name["control_id"], name["from"]) == ("his", "W15", ["PID-5"])
    assert name["said_at"] == "2026-03-12T10:00:00+08:00"
    assert all(one["message"] and one["control_id"] and one["from"] for one in fields.values())


def test_the_words_that_do_not_stand_are_shown_and_why(ward: Path) -> None:
    found = told("customers", "show", WANG, "--all")["fields"]
    assert found["name"]["why"] == "his spoke later of this patient than his of the other"
    assert {one["value"][0]["given"][0] for one in found["name"]["others"]} >= {"芳"}
    text = hcrm("customers", "show", WANG, "--all").stdout
    assert "does not stand" in text and "says the same" in text and "is in it" in text


def test_a_correction_stands_whatever_the_source_says_next(ward: Path) -> None:
    done = told(
        "customers", "edit", WANG, "--set", "name=王小敏", "--set", "phone=13800138001", "--set", "education=20|本科",
        "--set", "interests=diet，sleep", "--set", "customer_kinds=partner", "--clear", "address",
        "--reason", "she called", "--by", "前台",
    )  # fmt: skip
    assert {one["field"]: one["source"] for one in done["changed"]} == dict.fromkeys(
        ("address", "customer_kinds", "education", "interests", "name", "telecom"), "manual"
    )
    again = ward / "again"
    again.mkdir()
    (again / "x.hl7").write_bytes(message("A31", "X1", "20260313080000", pid("1001", "王^芳")))
    told("ingest", again)
    shown = told("customers", "show", WANG, "--all")
    fields = shown["fields"]
    assert shown["id"] == done["customer"] and shown["name"] == "王小敏"
    assert fields["telecom"]["value"][0]["value"] == "13800138001"
    assert fields["education"]["value"] == {"code": "20", "display": "本科"}
    assert (fields["education"]["from"], fields["address"]["from"]) == (["set.education"], ["clear"])
    assert fields["address"]["value"] is None
    assert fields["name"]["why"] == "manual is trusted more than his"
    assert "partner" in shown["kinds"] and told("customers", "list", "--kind", "partner")[0]["id"] == shown["id"]
    task_names = {row["name"] for row in told("tasks", "list") if row["customer_id"] == shown["id"]}
    assert task_names <= {"王小敏"}
    undone = told("customers", "edit", WANG, "--undo", str(done["message"]), "--reason", "it was somebody else")
    assert {one["field"]: one["after"] for one in undone["changed"]}["education"] is None
    assert told("customers", "show", WANG)["name"] == "王芳"


def test_an_edit_is_a_message_that_is_shown_counted_and_replayed(ward: Path) -> None:
    done = told("customers", "edit", WANG, "--set", "birth_date=1990-03-08", "--reason", "passport")
    shown = told("messages", "show", str(done["message"]))
    assert (shown["source"], shown["type"], shown["state"]) == ("manual", "EDIT", "folded")
    assert "1990-03-08" not in hcrm("messages", "show", str(done["message"])).stdout, "who it is about is masked"
    assert {row["field"] for row in told("messages", "coverage", "--source", "manual")} == {"set.birth_date"}
    assert told("messages", "replay", "--source", "manual")["translated"] == 1
    assert told("customers", "show", WANG)["birth_date"] == "1990-03-08"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--set", "birth_date=7.3.1990"), "--set birth_date: a date as 1990-03-07, 1990-03 or 1990 is expected."),
        (("--set", "brith_date=1990"), "There is no field 'brith_date' to be edited. Did you mean 'birth_date'?"),
        (("--set", "birth_date=2090-03-07"), "--set birth_date: 2090-03-07 is still to come; today is 2026-03-13."),
        (("--set", "birth_date=2026-04"), "--set birth_date: 2026-04 is still to come; today is 2026-03-13."),
        (("--set", "birth_date=1990-02-30"), "--set birth_date: the calendar has no 1990-02-30."),
        (("--set", "deceased_date_time=2027-01-01"), "--set deceased_date_time: 2027-01-01 is still to come;"),
        (("--set", "phone=abc"), "--set phone: a telephone number of at least 5 digits is expected."),
        (("--set", "phone=138"), "--set phone: a telephone number of at least 5 digits is expected."),
        (("--set", "email=wang"), "--set email: an address as name@example.org is expected."),
        (("--set", "email=@example.org"), "--set email: an address as name@example.org is expected."),
        (("--set", "gender=f"), "--set gender: male, female, other or unknown is expected."),
        (("--set", "customer_kinds=vip"), "--set customer_kinds: one or more of patient, family, healthy,"),
        (("--set", "identifier=123"), "--set identifier: a number as AUTHORITY|TYPE|NUMBER is expected."),
        (("--set", "name="), "--set name: write FIELD=VALUE; to say that nothing is known use --clear name."),
        (("--set", "name=a", "--clear", "name"), "name: set, cleared or released at once."),
        (("--clear", "identifier"), "There is no field 'identifier' to be edited."),
        ((), "Say what to correct with --set, --clear or --release"),
        (("--undo", "1", "--clear", "name"), "Say what to correct with --set, --clear or --release"),
        (("--undo", "4711"), "This customer has no edit '4711'. Its edits: none."),
    ],
)
def test_a_mistake_is_a_sentence_and_changes_nothing(given: tuple[str, ...], says: str) -> None:
    before = told("customers", "show", WANG)
    result = hcrm("customers", "edit", WANG, *given, "--reason", "test")
    assert says in sentence(result, result.exit_code) and result.exit_code in (1, 2)
    assert told("customers", "show", WANG) == before


def test_a_nurse_who_is_also_a_patient_is_one_party_whose_clinical_data_the_staff_view_hides() -> None:
    shown = told("customers", "show", NURSE)
    assert shown["kinds"] == ["patient", "internal"]
    assert [role["because"] for role in shown["roles"]] == [
        "visits for care: 1", "a number of this person is an employee's"
    ]  # fmt: skip
    assert [row["id"] for row in told("customers", "list", "--kind", "internal")] == [shown["id"]]
    assert shown["id"] in [row["id"] for row in told("customers", "list", "--kind", "patient")]
    assert shown["allergies"][0]["control_id"] == "N01" and {"Condition", "Encounter"} <= shown["facts"].keys()
    (family_history,) = shown["hereditary_history"]
    assert (family_history["code"]["coding"][0]["code"], family_history["control_id"]) == ("Z80.3", "N02")
    assert family_history["from"] == ["DG1-3"]
    hidden = told("customers", "show", NURSE, "--staff-view")
    assert hidden["name"] == "孙兰" and hidden["kinds"] == ["internal"], "that a colleague is a patient is of care, too"
    assert hidden["related_persons"][0]["control_id"] == "N01"
    assert hidden["hidden"] and hidden["allergies"] is None and hidden["hereditary_history"] is None
    assert hidden["facts"].keys() <= {"Patient", "PatientLink", "RelatedPerson"}
    assert [number["type"] for number in hidden["fields"]["identifier"]["value"]] == ["EI"]
    for how in ((), ("--json",), ("--all",)):
        text = hcrm("customers", "show", NURSE, "--staff-view", *how).stdout
        assert "hidden" in text.casefold()
        assert not any(
            one in text for one in ("抑郁", "F32", "乳腺癌", "青霉素", "for care", "7007", "(patient", "Patient:")
        )


def test_the_staff_view_of_a_colleague_tells_not_whether_she_is_a_patient(ward: Path) -> None:
    """Two colleagues, of whom one was admitted: the same is shown of both."""
    folder = ward / "staff"
    folder.mkdir()
    who = "PID|1||N000{0}^^^RMYY^EI{1}||周^{2}||19800{0}01|F"
    colleague = message("A31", "S1", "20260301080000", who.format(1, "", "静"))
    admitted = who.format(2, "~9002^^^RMYY^MR", "宁")
    patient = message("A01", "S2", "20260305100000", admitted, pv1("V9", "20260305100000"), "AL1|1|DA|P^青霉素")
    (folder / "s.hl7").write_bytes(colleague + b"\r" + patient)
    told("ingest", folder)
    one, other = (told("customers", "show", f"RMYY|EI|N000{n}", "--staff-view") for n in (1, 2))
    assert told("customers", "show", "RMYY|EI|N0002")["kinds"] == ["patient", "internal"]
    for name in ("kinds", "facts", "allergies", "hereditary_history", "related_persons", "hidden", "ties", "by_hand"):
        assert one[name] == other[name], name
    assert one["fields"].keys() == other["fields"].keys()
    assert [role["kind"] for role in one["roles"]] == [role["kind"] for role in other["roles"]] == ["internal"]


def test_the_staff_view_hides_nothing_of_others() -> None:
    assert told("customers", "show", WANG, "--staff-view") == told("customers", "show", WANG)


def test_who_came_for_a_health_check_only_is_healthy() -> None:
    (row,) = told("customers", "list", "--kind", "healthy")
    assert (row["name"], row["kinds"]) == ("何健", ["healthy"])
