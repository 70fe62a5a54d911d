"""`hcrm mapping check` and `hcrm messages diff`: a mapping is tried, compared on stored traffic, and then replayed."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.ward import PRIVATE, hcrm, hospital, message, pid, pv1, sentence, told, workspace

from hcrm_core.cli.context import Opened
from hcrm_core.store import audit
from hcrm_core.store.dump import dump

SHIPPED = Path(__file__).resolve().parents[2] / "configs" / "mappings"
MAPPING = r"""
[records.Patient.fields]
occupation = { path = "ZPI-2", as = "coding", table = "jobs", system = "RMYY" }
language = { path = "PID-15", as = "coding", default = "zh" }

[records.Encounter.fields]
expected_end = { as = "datetime", after = "period_start", plus = "ZPV-1", unit = ["ZPV-2"] }

[events."ADT^A08"]
person = false

[events."ORU^*"]
person = true

[codes.jobs]
"24" = "teacher"

[[examples]]
name = "a teacher"
message = '''
MSH|^~\&|HIS|RMYY|HCRM||20260301||ADT^A31|1|P|2.5
PID|1||1^^^RMYY^MR||示例^患者
ZPI|1|24^教师
'''
expect = { Patient = { occupation = { code = "teacher", display = "教师" }, language = { code = "zh" } } }
"""
WRONG = MAPPING.replace('occupation = { code = "teacher"', 'occupation = { code = "nurse"')


def traffic() -> dict[str, bytes]:
    """The ward's messages; some have Z segments, one an admission nobody is named in, one a result about nobody."""
    particulars = b"ZPI|1|24^" + "教师".encode("gb18030") + b"\rZPV|5|D\r"
    sent = {
        name: payload + particulars if name in ("W01", "W02", "W06") else payload
        for name, payload in hospital().items()
    }
    sent["W16"] = message("A08", "W16", "20260312110000", pid("").replace("^^^RMYY^MR", ""), pv1("V9"))
    sent["W17"] = message("R01", "W17", "20260312120000", "OBR|1||L9|K", "OBX|1|NM|K||4|mmol/L|||||F", code="ORU")
    return sent


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("model") / "workspace"
    with workspace(root, traffic(), exit_code=3, alone=True):
        return root


@pytest.fixture
def ward(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that is the current directory, a day later, with the mapping beside hcrm.toml."""
    monkeypatch.setenv("HCRM_NOW", "2026-03-14T10:00:00+08:00")
    root = shutil.copytree(model, tmp_path / "ward")
    monkeypatch.chdir(root)
    (root / "new.toml").write_text(MAPPING, encoding="utf-8")
    (root / "wrong.toml").write_text(WRONG, encoding="utf-8")
    return root


def name_mapping(root: Path, path: str = "new.toml") -> None:
    with (root / "hcrm.toml").open("a", encoding="utf-8") as file:
        file.write(f'mapping = "{path}"\n')


def standing(root: Path) -> dict[str, Any]:
    """Fact → its fields, of those that stand."""
    space = Opened(root)
    lines = [json.loads(line) for line in dump(space.store)]
    space.store.close()
    return {line["fact"]: line["fields"] for line in lines if "fact" in line and not line["void"]}


# --- check ------------------------------------------------------------------------------------------------------------


def test_examples_that_hold_are_counted(ward: Path) -> None:
    done = hcrm("mapping", "check", "new.toml")
    assert (done.exit_code, done.stdout) == (
        0,
        "good    The mapping new.toml of the source his keeps to its 1 example.\n",
    )
    name_mapping(ward)
    assert hcrm("mapping", "check").stdout == done.stdout
    assert hcrm("mapping", "check", "--source", "his").stdout == done.stdout
    assert done.stdout.strip() in hcrm("doctor").stdout


def test_an_example_that_fails_is_named_with_what_was_expected_and_what_came(ward: Path) -> None:
    failed = hcrm("mapping", "check", "wrong.toml")
    line = WRONG.split("\n").index("[[examples]]") + 1
    assert failed.exit_code == 1
    assert failed.stdout == (
        f"wrong   wrong.toml, line {line}: the example 'a teacher' of the source his does not hold: "
        'Patient.occupation: expected {"code":"nurse","display":"教师"}, '
        'got {"code":"teacher","system":"RMYY","display":"教师"}.\n'
    )
    [tried] = told("mapping", "check", "wrong.toml", exit_code=1)
    assert (tried["source"], tried["mapping"], tried["example"]) == ("his", "wrong.toml", "a teacher")
    assert tried["where"] == f"wrong.toml, line {line}" and len(tried["failures"]) == 1
    name_mapping(ward, "wrong.toml")
    doctor = hcrm("doctor")
    assert doctor.exit_code == 1 and failed.stdout.strip() in doctor.stdout


@pytest.mark.parametrize(
    ("expect", "failure"),
    [
        ("Patient = { key = 'x' }", 'Patient.key: expected "x", got "RMYY|MR|1".'),
        ("Patient = { district = '' }", "Patient.district: expected empty, got nothing."),
        ("Patient = { name = [{ family = '示' }, {}] }", "Patient.name: expected"),
        ("Encounter = { status = 'planned' }", "Encounter: expected one, got none."),
        ("Patient = []", "Patient: expected 0 records, got 1."),
        ("Patient = [{}, { language = { code = 'zh' } }]", "Patient: expected 2 records, got 1."),
        ("Patint = {}", "expect.Patint: there is no kind of record 'Patint'. Did you mean 'Patient'?"),
        ("Patient = { ocupation = {} }", "Patient.ocupation: there is no field of Patient 'ocupation'. Did you mean"),
        ("Patient = 3", "expect.Patient: it must be"),
        ("Patient = {} }\nquarantine = 'no-patient'\nmore = {", "examples[1].more is not a key."),
    ],
)
def test_what_is_expected_is_compared_part_by_part_and_its_names_are_checked(
    ward: Path, expect: str, failure: str
) -> None:
    text = MAPPING[: MAPPING.index("expect =")] + f"expect = {{ {expect} }}\n"
    (ward / "new.toml").write_text(text, encoding="utf-8")
    done = hcrm("mapping", "check", "new.toml")
    assert done.exit_code == 1 and failure in done.output and "new.toml, line " in done.output


def test_an_example_may_be_of_a_quarantine(ward: Path) -> None:
    for number, code in (("", 0), ("1^^^RMYY^MR", 1)):
        sent = f"MSH|^~\\&|H|R|||1||ADT^A31|1|P|2.5\nPID|1||{number}"
        example = f"[[examples]]\nname = 'x'\nquarantine = 'no-patient'\nmessage = '''\n{sent}\n'''"
        (ward / "new.toml").write_text(example, encoding="utf-8")
        assert hcrm("mapping", "check", "new.toml").exit_code == code
    assert "It was to be quarantined (no-patient) and was translated." in hcrm("mapping", "check", "new.toml").stdout


def test_a_mapping_that_is_wrong_stops_whatever_reads_by_it_and_nothing_else(ward: Path) -> None:
    (ward / "new.toml").write_text('[records.Patient.fields]\nocupation = { path = "ZPI-2" }\n', encoding="utf-8")
    name_mapping(ward)
    text = "new.toml, line 2: records.Patient.fields.ocupation: there is no field of Patient 'ocupation'. Did you mean"
    assert sentence(hcrm("mapping", "check"), 1).startswith(f"hcrm: {text}")
    assert text in sentence(hcrm("ingest", ward / "in"), 1)
    assert f"wrong   {text}" in hcrm("doctor").stdout
    assert hcrm("customers", "list").exit_code == 0
    (ward / "new.toml").unlink()
    assert "sources.his.mapping" in sentence(hcrm("mapping", "check"), 1)


def test_settings_stand_in_the_mapping_or_in_the_workspace(ward: Path) -> None:
    toml = (ward / "hcrm.toml").read_text(encoding="utf-8")
    for text, said in (
        ('charset = "GB18030"', "line 2: source.charset is said at"),
        ('chrset = "GB18030"', "line 2: source.chrset is not a key of a mapping. Did you mean 'charset'?"),
        ('listen = "0.0.0.0:1"', "line 2: source.listen is not a key of a mapping. It belongs into [sources.his]"),
        ('timezone = "Asia/Peking"', "line 2: source.timezone: there is no time zone 'Asia/Peking'."),
        ('currency = "RMB"', "line 2: source.currency: there is no currency 'RMB'. Write CNY, its ISO 4217 code."),
        ("rising_control_ids = 1", "line 2: source.rising_control_ids: it must be true or false, not a whole number."),
    ):
        (ward / "new.toml").write_text(f"[source]\n{text}\n", encoding="utf-8")
        assert said in sentence(hcrm("mapping", "check", "new.toml"), 1)
    (ward / "hcrm.toml").write_text("\n".join(line for line in toml.split("\n") if "charset" not in line), "utf-8")
    (ward / "new.toml").write_text('[source]\ncharset = "GB18030000"\n', encoding="utf-8")
    assert "new.toml, line 2: source.charset: `GB18030000`" in sentence(hcrm("mapping", "check", "new.toml"), 1)
    (ward / "new.toml").write_text('[source]\ncharset = "GB18030"\n', encoding="utf-8")
    assert hcrm("mapping", "check", "new.toml").stdout.startswith(
        "note    The mapping new.toml of the source his holds no"
    )
    name_mapping(ward)
    assert told("messages", "replay", "--all", "--dry-run")["changes"] == []


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.toml")), ids=lambda file: file.name)
def test_a_mapping_that_is_shipped_keeps_to_its_examples(ward: Path, file: Path) -> None:
    toml = (ward / "hcrm.toml").read_text(encoding="utf-8")
    if file.name.startswith("tables"):
        toml = toml.replace('"hl7v2"', '"tabular"')
    (ward / "hcrm.toml").write_text("\n".join(line for line in toml.split("\n") if "charset" not in line), "utf-8")
    assert "keeps to its " in hcrm("mapping", "check", file).stdout


def test_which_source_a_mapping_is_for_is_asked_where_it_is_not_clear(ward: Path) -> None:
    assert "No source names a mapping in hcrm.toml." in sentence(hcrm("mapping", "check"), 2)
    assert "There is no source 'hs'" in sentence(hcrm("mapping", "check", "--source", "hs"), 2)
    with (ward / "hcrm.toml").open("a", encoding="utf-8") as file:
        file.write('[sources.lis]\nadapter = "hl7v2"\n')
    asked = sentence(hcrm("mapping", "check", "new.toml"), 2)
    assert "Several could have it: his, lis. Say --source NAME." in asked
    assert hcrm("mapping", "check", "new.toml", "--source", "lis").exit_code == 0


# --- diff and replay --------------------------------------------------------------------------------------------------


def test_a_diff_tells_what_the_replay_then_does_and_again_changes_nothing(ward: Path, tmp_path: Path) -> None:
    before = standing(ward)
    diff = told("messages", "diff", "--mapping", "new.toml")
    assert standing(ward) == before
    numbers = {row["control_id"]: row["id"] for row in told("messages", "list")}
    assert [(turn["message"], turn["state"], turn["code"]) for turn in diff["turns"]] == [
        (numbers["W16"], "folded", "no-patient"),
        (numbers["W17"], "quarantined", "no-patient"),
    ]
    changed = {(one["kind"], one["field"]) for one in diff["changes"]}
    assert changed >= {("Patient", "occupation"), ("Patient", "language"), ("Encounter", "expected_end")}
    name_mapping(ward)
    assert told("messages", "replay", "--all", "--dry-run") == diff
    told("messages", "replay", "--source", "his", exit_code=3)
    after = standing(ward)
    assert after != before
    assert told("messages", "diff", "--mapping", "new.toml")["changes"] == []
    told("messages", "replay", "--source", "his", exit_code=3)
    assert standing(ward) == after
    assert told("messages", "show", "W02")["adapter"].startswith("hl7v2 1 mapping ")
    # A workspace that read by the mapping from the beginning; what was accepted once stays.
    fresh = tmp_path / "fresh"
    assert hcrm("init", fresh).exit_code == 0
    for name in ("hcrm.key", "new.toml", "hcrm.toml"):
        shutil.copy(ward / name, fresh / name)
    for name in ("store.db", "inbox.db"):
        (fresh / name).unlink()
    assert hcrm("--workspace", fresh, "db", "upgrade").exit_code == 0
    assert hcrm("--workspace", fresh, "ingest", ward / "in").exit_code == 3
    assert standing(fresh) == after


def test_a_diff_in_words_counts_by_kind_and_field_and_names_nobody(ward: Path) -> None:
    said = hcrm("messages", "diff", "--mapping", "new.toml", "--source", "his")
    assert said.exit_code == 0
    assert "Replaying 17 messages would translate 16 and quarantine 1." in said.stderr
    assert "1 message translated now (no-patient): #" in said.stderr
    assert "1 message newly quarantined (no-patient): #" in said.stderr
    assert "Nothing was changed yet. To do it: name the mapping in [sources.his] of hcrm.toml" in said.stderr
    assert "Encounter  expected_end" in said.stdout
    assert not [name for name in PRIVATE if name in said.output]
    fewer = hcrm("messages", "diff", "--mapping", "new.toml", "--type", "SIU*")
    assert "Replaying 1 message" in fewer.stderr
    (ward / "same.toml").write_text("", encoding="utf-8")
    assert "No fact would change." in hcrm("messages", "diff", "--mapping", "same.toml").stderr


def test_who_unmasks_a_diff_is_written_down(ward: Path) -> None:
    (ward / "new.toml").write_text('[records.Patient]\nleave_out = ["telecom"]\n', encoding="utf-8")
    masked = hcrm("messages", "diff", "--mapping", "new.toml", "--json").stdout
    shown = hcrm("messages", "diff", "--mapping", "new.toml", "--json", "--unmask", "--by", "夜班").stdout
    assert "13800138000" not in masked and "13800138000" in shown
    space = Opened(ward)
    with space.store.read() as connection:
        [row] = audit.trail(connection)
    space.store.close()
    assert (row.by, row.action, row.subject) == ("夜班", "messages.unmask", "source his")


def test_of_many_messages_the_newest_are_looked_at(ward: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcrm_core.cli.diff.PREVIEWED", 3)
    said = hcrm("messages", "diff", "--mapping", "new.toml")
    assert "Looked at the newest 3 messages; select others with --until." in said.stderr
    assert "Replaying 3 messages" in said.stderr


def test_a_mapping_in_another_charset_is_told_as_that(ward: Path) -> None:
    (ward / "gbk.toml").write_bytes("# 工种\n".encode("gbk"))
    assert "gbk.toml is not written in UTF-8. Save it in that charset." in hcrm("mapping", "check", "gbk.toml").stderr
    name_mapping(ward, "gbk.toml")
    done = hcrm("doctor")
    assert "gbk.toml is not written in UTF-8" in done.stdout + done.stderr
