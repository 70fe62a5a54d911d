"""`hcrm messages show`: nothing in it tells who somebody is, unless it is asked for and written down."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hl7apy import load_library
from hl7apy.exceptions import ChildNotFound
from support.plugins import distribution
from support.ward import NOW, hcrm, told, workspace

from hcrm_core.cli.context import Opened
from hcrm_core.intake.mask import MASK
from hcrm_core.store import audit

CANARY = "金丝雀"
PERSONAL = {"XPN", "XCN", "XTN", "XAD", "CX", "PPN", "CNN", "SSN", "DLN"}
"""HL7 datatypes of people's names, numbers, phones and addresses."""
TELLING = ("identifier", "name", "telecom", "address", "subject", "patient", "other", "attender", "subscriber_id")
READABLE = {
    "PID-3": f"{CANARY}1^^^RMYY^MR~{CANARY}2^^^PRC^NI",
    "PID-7": "19900307",
    "PV1-19": f"{CANARY}3^^^RMYY^VN",
    "PV1-44": "20260305100000",
    "MRG-1": f"{CANARY}4^^^RMYY^MR",
    "IN1-36": f"{CANARY}5",
}
ADMISSION = ("EVN", "PID", "PD1", "NK1", "PV1", "PV2", "ROL", "DB1", "OBX", "AL1", "DG1", "PR1", "GT1", "IN1", "IN2")


def fields(segment: str) -> Iterator[tuple[str, str]]:
    """The fields of a segment with their datatypes, as others have written the standard down."""
    for number in range(1, 80):
        try:
            yield f"{segment}-{number}", load_library("2.5").get(f"{segment}_{number}", "Field")[2]
        except (ChildNotFound, KeyError):
            continue


def full_of_canaries(name: str, event: str, segments: tuple[str, ...], code: str = "ADT") -> bytes:
    """A message with something in each field of each segment that would give a person away."""
    lines = [f"MSH|^~\\&|HIS|RMYY|HCRM||20260305100000||{code}^{event}|{name}|P|2.5"]
    for segment in segments:
        filled = {name: READABLE.get(name, f"{CANARY}{name}^{CANARY}") for name, _ in fields(segment)}
        last = max(int(name.partition("-")[2]) for name in filled)
        lines.append("|".join([segment, *(filled.get(f"{segment}-{number}", "") for number in range(1, last + 1))]))
    lines[1] = f"EVN|{event}|20260305100000|||{CANARY}^{CANARY}"
    lines.append(f"ZPV|{CANARY}|张{CANARY}^13{CANARY}")
    return "\r".join(lines).encode("gb18030") + b"\r"


MESSAGES = {
    "admission": full_of_canaries("admission", "A01", ADMISSION),
    "update": full_of_canaries("update", "A31", ADMISSION),
    "merge": full_of_canaries("merge", "A40", ("EVN", "PID", "PD1", "MRG", "PV1")),
    "result": full_of_canaries("result", "R01", ("EVN", "PID", "PD1", "NK1", "PV1", "ORC", "OBR", "OBX"), "ORU"),
    "booking": full_of_canaries(
        "booking", "S12", ("EVN", "SCH", "PID", "PV1", "DG1", "RGS", "AIS", "AIG", "AIL", "AIP"), "SIU"
    ),
    "bill": full_of_canaries("bill", "P03", ("EVN", "PID", "PV1", "FT1", "PR1", "GT1", "IN1"), "DFT"),
    "words": "\r".join(
        [
            "MSH|^~\\&|HIS|RMYY|HCRM||20260305100000||ORU^R01|words|P|2.5",
            f"PID|1||1^^^RMYY^MR||{CANARY}PID-5^{CANARY}",
            f"NK1|1|A^B|FTH^{CANARY}|||||||||||||||||||||||||",
            f"PV1|1|I{'|' * 17}V1^^^RMYY^VN",
            f"PV2|||R51^{CANARY}^I10",
            f"OBR|1||F1|CT^{CANARY}^L",
            f"OBX|1|TX|GDT^{CANARY}^L||{CANARY} fell||||||F",
            f"OBX|2|CE|OLD^{CANARY}^L||{CANARY}||||||F",
            f"OBX|3|NM|GLU^{CANARY}^L||5.4|||||||F",
        ]
    ).encode("gb18030"),
    "unknown": full_of_canaries("unknown", "Q99", ("EVN", "PID", "NK1", "PV1", "RXA"), "XYZ"),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that has read each of them; every test works on a copy."""
    root = tmp_path_factory.mktemp("model") / "workspace"
    with workspace(root, MESSAGES, alone=True):
        return root


@pytest.fixture
def read(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that is the current directory."""
    monkeypatch.setenv("HCRM_NOW", NOW)
    root = shutil.copytree(model, tmp_path / "read")
    monkeypatch.chdir(root)
    return root


@pytest.fixture(params=MESSAGES)
def shown(request: pytest.FixtureRequest, read: Path) -> str:
    """The kind of a message, which is its control id too."""
    return request.param


def coded(path: str) -> bool:
    """Whether a field holds codes, times and amounts, and nobody's name, number, phone or address."""
    segment, number = path[:3], path.rpartition("-")[2]
    return dict(fields(segment)).get(f"{segment}-{number}", "XPN") not in PERSONAL


def test_what_may_tell_who_somebody_is_is_masked_however_it_is_shown(shown: str) -> None:
    document = told("messages", "show", shown)
    assert document["fields"], "the message was read"
    for field in document["fields"]:
        if CANARY in field["sent"]:
            assert coded(field["path"]) and field["read_as"], field
    for one in document["mapped"]:
        if one["field"] in TELLING and one["kind"] != "Organization":
            assert one["value"] == MASK, one
        elif CANARY in json.dumps(one["value"], ensure_ascii=False):
            assert one["from"] and coded(one["from"].split(", ")[0]), one
    text = hcrm("messages", "show", shown)
    assert text.exit_code == 0 and text.stderr == ""
    for name in ("PID-3", "PID-5", "PID-11", "PID-13"):
        assert f"{CANARY}{name}" not in text.output
    assert not [value for value in READABLE.values() if CANARY in value and value in text.output]


def test_what_people_write_beside_codes_and_as_results_is_masked(read: Path) -> None:
    document = told("messages", "show", "words")
    assert CANARY not in json.dumps(document, ensure_ascii=False)
    sent = {field["path"]: field["sent"] for field in document["fields"]}
    assert sent["NK1-3"] == f"FTH^{MASK}"
    assert sent["PV2-3"] == f"R51^{MASK}^I10"
    assert sent["OBX[1]-3"] == f"GDT^{MASK}^L"
    reason = next(one["value"] for one in document["mapped"] if one["field"] == "reason")
    assert reason == {"coding": [{"code": "R51", "display": MASK, "system": "I10"}]}


def test_every_problem_and_reason_leaves_out_who_it_is_about(shown: str) -> None:
    document = told("messages", "show", shown)
    told_of = [document["problems"], document["reason"], told("messages", "list"), told("doctor")]
    assert CANARY not in json.dumps(told_of, ensure_ascii=False)


def test_unmasking_shows_everything_and_writes_one_row(shown: str, read: Path) -> None:
    masked = told("messages", "show", shown)
    assert trail(read) == []
    document = told("messages", "show", shown, "--unmask", "--by", "夜班")
    sent = MESSAGES[shown].decode("gb18030")
    assert all(field["sent"] in sent for field in document["fields"])
    assert f"{CANARY}PID-5^{CANARY}" in [field["sent"] for field in document["fields"]]
    assert MASK not in json.dumps(document, ensure_ascii=False) and MASK in json.dumps(masked, ensure_ascii=False)
    [row] = trail(read)
    assert (row.by, row.action, row.subject) == ("夜班", "messages.unmask", f"message {masked['id']}")
    hcrm("messages", "show", shown, "--unmask")
    assert [one.subject for one in trail(read)] == [row.subject] * 2


def trail(read: Path) -> list[audit.AuditRow]:
    space = Opened(read)
    with space.store.read() as connection:
        rows = audit.trail(connection)
    space.store.close()
    return rows


def test_a_trail_that_was_tampered_with_is_found_by_doctor(read: Path) -> None:
    told("messages", "show", "admission", "--unmask")
    assert hcrm("doctor").exit_code == 0
    database = sqlite3.connect(read / "store.db")
    database.executescript("UPDATE audit SET by = 'nobody'")
    database.close()
    findings = hcrm("doctor")
    assert findings.exit_code == 1
    assert "wrong   The audit trail was tampered with: from row 1 on it is not what was written." in findings.stdout


def test_a_message_whose_source_is_gone_still_shows_where_it_stands(read: Path) -> None:
    file = read / "hcrm.toml"
    file.write_text(file.read_text("utf-8").replace("[sources.his]", "[sources.other]"), encoding="utf-8")
    document = told("messages", "show", "admission")
    assert document["state"] == "folded" and "fields" not in document
    assert "[sources.his]. Put it back." in document["unread"]


FAILING = f"""
from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter
from hcrm_core.api import hookimpl

class Failing(Hl7v2Adapter):
    name = "failing"
    def origins(self, payload):
        raise RuntimeError("{CANARY}")

@hookimpl
def register_adapters():
    return [Failing]
"""


def test_an_adapter_that_fails_on_a_message_is_named_and_what_it_says_is_not_shown(
    read: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(distribution(tmp_path / "site", "failing", FAILING)))
    file = read / "hcrm.toml"
    text = file.read_text(encoding="utf-8").replace('adapter = "hl7v2"', 'adapter = "failing"')
    file.write_text(text.replace("plugins = [", 'plugins = ["failing", ', 1), encoding="utf-8")
    result = hcrm("messages", "show", "admission")
    assert result.exit_code == 0 and CANARY not in result.output
    assert "unread: Its adapter fails on it (RuntimeError)." in result.stdout
