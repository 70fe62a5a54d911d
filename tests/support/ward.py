"""Hand-written HL7 v2 messages of one hospital, in GB18030 as Chinese systems send them, and a way to run hcrm."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hcrm_core.cli import main

NOW = "2026-03-13T09:00:00+08:00"
"""Three days after the discharges below."""
WANG_CARD = "11010119900307002X"
PRIVATE = ("王芳", "王小明", "李雷", "赵敏", "=cmd", "13800138000", WANG_CARD, "朝阳区")
"""What must never reach standard error or a log."""


def message(event: str, control_id: str, time: str, *segments: str, code: str = "ADT") -> bytes:
    """One message in GB18030 that does not say so, since MSH-18 is often left out."""
    head = f"MSH|^~\\&|HIS|RMYY|HCRM||{time}||{code}^{event}|{control_id}|P|2.5"
    return ("\r".join((head, f"EVN|{event}|{time}", *segments)) + "\r").encode("gb18030")


def pid(number: str, name: str = "王^芳", born: str = "19900307", more: str = "", phone: str = "13800138000") -> str:
    """A PID segment; `more` are further identifiers."""
    return f"PID|1||{number}^^^RMYY^MR{more}||{name}||{born}|F|||朝阳区建国路1号^^北京||{phone}"


def pv1(visit: str, start: str = "", end: str = "", kind: str = "I") -> str:
    """A PV1 segment."""
    fields = {2: kind, 3: "心内科^301^2", 7: "D01^陈^医生", 19: f"{visit}^^^RMYY^VN", 44: start, 45: end}
    return "PV1|" + "|".join({1: "1", **fields}.get(place, "") for place in range(1, 46))


def hospital() -> dict[str, bytes]:
    """Control id → message: three discharges on 10 March, one of somebody registered twice, and a clinic visit."""
    card = f"~{WANG_CARD}^^^PRC^NI"
    wang, li = pid("1001", more=card), pid("3003", "李^雷", "19801212")
    zhao, formula = pid("4004", "赵^敏", "20010101"), pid("5005", "=cmd'/C calc'!A0", "19700101")
    told = (
        message("A28", "W01", "20260228090000", wang),
        message("A01", "W02", "20260305100000", wang, pv1("V1", "20260305100000")),
        message("A08", "W03", "20260306100000", wang, pv1("V1", "20260305100000"), "DG1|1||I10^高血压^ICD10"),
        message("A03", "W04", "20260310103000", wang, pv1("V1", "20260305100000", "20260310103000")),
        message("A28", "W05", "20260301090000", pid("2002", more=card)),
        message("A01", "W06", "20260302100000", li, pv1("V3", "20260302100000")),
        message("A03", "W07", "20260310110000", li, pv1("V3", "20260302100000", "20260310110000")),
        message("A04", "W08", "20260311080000", zhao, pv1("V4", "20260311080000", kind="O")),
        message("A01", "W09", "20260304100000", formula, pv1("V5", "20260304100000")),
        message("A03", "W10", "20260310120000", formula, pv1("V5", "20260304100000", "20260310120000")),
        result("W11", "20260306110000", pid("1001"), pv1("V1")),
        booking("W12", "20260311090000", zhao),
        bill("W13", "20260310130000", pid("1001"), pv1("V1")),
        message("A40", "W14", "20260312090000", pid("1001"), "MRG|9009^^^RMYY^MR"),
        message("A31", "W15", "20260312100000", pid("1001", "王^小明", more=card)),
    )
    return {f"W{number:02d}": payload for number, payload in enumerate(told, 1)}


def result(control_id: str, time: str, *who: str) -> bytes:
    """A laboratory result."""
    said = ("OBR|1||L1|GLU^血糖", "OBX|1|NM|GLU^血糖||5.4|mmol/L|||||F")
    return message("R01", control_id, time, *who, *said, code="ORU")


def booking(control_id: str, time: str, who: str) -> bytes:
    """A booked visit."""
    return message("S12", control_id, time, "SCH|A1|A1|||||复诊||30|min|^^30^20260320090000", who, code="SIU")


def bill(control_id: str, time: str, *who: str) -> bytes:
    """One line of a bill."""
    return message("P03", control_id, time, *who, "FT1|1|B1||20260310||CG|X^床位费||||1200.50", code="DFT")


def write(folder: Path, messages: dict[str, bytes]) -> Path:
    """Write each message as a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, payload in messages.items():
        (folder / f"{name}.hl7").write_bytes(payload)
    return folder


def hcrm(*arguments: object, given: bytes | None = None) -> Result:
    """Run the command in this process, in the current directory."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=given)


def told(*arguments: object, exit_code: int = 0, given: bytes | None = None) -> Any:
    """What the command says with `--json`; standard output must hold that document and nothing else."""
    result = hcrm(*arguments, "--json", given=given)
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def sentence(result: Result, exit_code: int) -> str:
    """What a refused command says on standard error: sentences for people, never a traceback."""
    assert result.exit_code == exit_code, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    text = result.stderr.strip()
    assert text.startswith(("hcrm: ", "Usage: ")) and "nobody foresaw" not in text, text
    return text


@contextmanager
def workspace(root: Path, messages: dict[str, bytes], *, exit_code: int = 0, alone: bool = False) -> Iterator[None]:
    """Make a workspace that has read messages at `NOW`; in the block commands are for it.

    With `alone` no plugin is enabled but the adapter: each takes a process of its own at each command.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HCRM_NOW", NOW)
        patch.setenv("HCRM_WORKSPACE", str(root))
        assert hcrm("init", root, "--title", "人民医院").exit_code == 0
        if alone:
            file = root / "hcrm.toml"
            text = re.sub(r"(?m)^plugins = .*$", 'plugins = ["hl7v2"]', file.read_text(encoding="utf-8"))
            file.write_text(text, encoding="utf-8")
        told("ingest", "--source", "his", write(root / "in", messages), exit_code=exit_code)
        yield
