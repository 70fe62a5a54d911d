"""`hcrm messages conformance`: quarantined and sampled messages against the standard, or a message profile."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.ward import NOW, PRIVATE, hcrm, hospital, message, pid, pv1, sentence, told, workspace

from hcrm_core.errors import PluginError
from hcrm_core.intake.pool import WorkerPool
from hcrm_core.model.adapters import Adapter

PROFILE = """<HL7v2xConformanceProfile><HL7v2xStaticDef MsgStructID="ADT_A01">
<Segment Name="MSH" Usage="R" Max="1"/><Segment Name="EVN" Usage="R" Max="1"/><Segment Name="PID" Usage="R" Max="1">
<Field Name="Set" Usage="X" Datatype="SI"/></Segment><Segment Name="PV1" Usage="R" Max="1"/>
</HL7v2xStaticDef></HL7v2xConformanceProfile>"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hospital's messages, one of them quarantined, another without its visit."""
    root = tmp_path_factory.mktemp("model") / "workspace"
    more = {
        "X1": message("A01", "X1", "20260311100000", "PID|1||||王^芳||19900307|F", pv1("V9")),
        "X2": message("A01", "X2", "20260311110000", pid("6006", born="生日不详")),
    }
    with workspace(root, hospital() | more, exit_code=3):
        return root


@pytest.fixture
def full(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that is the current directory."""
    monkeypatch.setenv("HCRM_NOW", NOW)
    root = shutil.copytree(model, tmp_path / "full")
    monkeypatch.chdir(root)
    monkeypatch.setenv("HCRM_WORKSPACE", str(root))
    return root


def found(*options: object) -> dict[tuple[str, str, str], dict[str, Any]]:
    rows = told("messages", "conformance", *options)
    return {(row["type"], row["code"], row["where"]): row for row in rows}


def number(control_id: str) -> int:
    return int(told("messages", "list", "--control-id", control_id)[0]["id"])


def test_findings_are_grouped_and_name_an_example(full: Path) -> None:
    rows = found()
    missing = rows["ADT^A01", "missing-segment", "PV1"]
    assert (missing["source"], missing["messages"], missing["example"]) == ("his", 1, number("X2"))
    assert rows["ADT^A01", "wrong-datatype", "PID-7"]["example"] == number("X2")
    assert sum(row["messages"] for row in rows.values()) > len(rows)


def test_the_quarantined_are_among_them_and_can_be_asked_for_alone(full: Path) -> None:
    quarantined = {row["example"] for row in found("--state", "quarantined").values()}
    everything = [row["id"] for row in told("messages", "list", "--state", "quarantined")]
    assert quarantined <= set(everything)
    assert found("--state", "quarantined")["ADT^A01", "missing-field", "PID-3"]["example"] == number("X1")
    assert ("ADT^A01", "missing-field", "PID-3") in found("--sample", "1")


def test_single_messages_are_named(full: Path) -> None:
    rows = found("X2")
    assert {row["example"] for row in rows.values()} == {number("X2")}
    assert "Checked 1 message: 0 without a finding." in hcrm("messages", "conformance", "X2").stderr


def test_a_sample_holds_every_type(full: Path) -> None:
    types = {row["type"] for row in told("messages", "list", "--state", "folded")}
    result = hcrm("messages", "conformance", "--state", "folded", "--sample", len(types))
    assert f"Checked {len(types)} messages:" in result.stderr


def test_nobody_is_told_about(full: Path) -> None:
    result = hcrm("messages", "conformance")
    assert result.exit_code == 0
    assert not [name for name in (*PRIVATE, "生日不详", "6006") if name in result.output]


def test_a_profile_takes_the_place_of_the_standard(full: Path) -> None:
    (full / "his.xml").write_text(PROFILE, encoding="utf-8")
    rows = found("X2", "--profile", "his.xml")
    assert rows["ADT^A01", "not-used", "PID-1"]["text"] == "Set is not to be used by the profile, and it is filled."
    assert rows["ADT^A01", "missing-segment", "PV1"]["text"].startswith("The profile of ADT_A01 needs")
    (full / "his.xml").write_text("no profile", encoding="utf-8")
    assert "is not XML" in sentence(hcrm("messages", "conformance", "--profile", "his.xml"), 1)


def test_strictly_a_departure_is_exit_code_3(full: Path) -> None:
    fields = "".join(f'<Field Name="{number}" Usage="O" Max="*" Datatype="varies"/>' for number in range(1, 51))
    segments = "".join(f'<Segment Name="{name}" Usage="R">{fields}</Segment>' for name in ("MSH", "EVN", "PID", "PV1"))
    head, _, _ = PROFILE.partition("<Segment")
    agreed = f"{head}{segments}</HL7v2xStaticDef></HL7v2xConformanceProfile>"
    (full / "his.xml").write_text(agreed, encoding="utf-8")
    check = ("messages", "conformance", "--profile", "his.xml")
    assert hcrm(*check, "X2").exit_code == 0, "departures alone are no failure"
    broken = hcrm(*check, "--strict", "X2", "--json")
    assert broken.exit_code == 3 and json.loads(broken.stdout), "what was found is told all the same"
    assert hcrm(*check, "--strict", "W02").exit_code == 0
    (full / "his.xml").write_text("no profile", encoding="utf-8")
    assert hcrm(*check, "--strict", "W02").exit_code == 1, "that nothing could be checked is another matter"


def test_strictly_what_was_not_checked_has_not_passed(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clean = ("messages", "conformance", "--strict", "W01")
    monkeypatch.setattr(WorkerPool, "conformance", lambda *arguments: ())
    assert hcrm(*clean).exit_code == 0
    monkeypatch.setattr(WorkerPool, "conformance", lambda *arguments: None)
    assert hcrm(*clean).exit_code == 3
    monkeypatch.setattr(WorkerPool, "conformance", lambda *arguments: ())
    monkeypatch.setenv("HCRM_NOW", "2026-09-01T09:00:00+08:00")
    assert hcrm("messages", "prune", "--older-than", "30d").exit_code == 0
    assert hcrm(*clean).exit_code == 3
    assert hcrm("messages", "conformance", "--strict", "--state", "folded").exit_code == 0, (
        "a sample takes what is left"
    )


def test_a_message_that_fails_is_told_and_the_others_are_checked(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = WorkerPool.conformance

    def failing(pool: WorkerPool, source: Any, payload: bytes, profile: str | None) -> Any:
        if b"|X2|" in payload:
            raise PluginError("The process of the adapter hl7v2 1 took too long.")
        return check(pool, source, payload, profile)

    monkeypatch.setattr(WorkerPool, "conformance", failing)
    rows = found()
    assert rows["ADT^A01", "not-checked", None]["text"] == "The process of the adapter hl7v2 1 took too long."
    assert len(rows) > 1


def test_pruned_messages_and_adapters_without_a_standard_are_left_out_aloud(
    full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WorkerPool, "conformance", lambda *arguments: None)
    result = hcrm("messages", "conformance", "X2")
    assert "Left out 1 message of his: its adapter knows no standard to check by." in result.stderr
    assert "Checked 0 messages" in result.stderr
    monkeypatch.undo()
    monkeypatch.setenv("HCRM_NOW", "2026-09-01T09:00:00+08:00")
    monkeypatch.setenv("HCRM_WORKSPACE", str(full))
    monkeypatch.chdir(full)
    assert hcrm("messages", "prune", "--older-than", "30d").exit_code == 0
    assert "pruned." in hcrm("messages", "conformance").stderr


def test_an_adapter_offers_none_by_default() -> None:
    assert Adapter.conformance(None, b"") is None  # type: ignore[arg-type]
