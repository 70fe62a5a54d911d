"""What the demo says of pairs: which wait for somebody, which were linked by score, and how to open one."""

import re
from pathlib import Path

import pytest
from support.ward import NOW, hcrm, message, pid, told, workspace

from hcrm_core.cli import demo
from hcrm_core.cli.context import Opened


@pytest.fixture
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two whom a phone links by score, and two namesakes about whom nobody can say."""
    monkeypatch.setenv("HCRM_NOW", NOW)
    people = [
        pid("0001", "孙^兰", "19850505", phone="13911112222"),
        pid("0002", "孙^兰", "19850505", phone="13911112222"),
    ]
    people += [f"PID|1||000{n}^^^RMYY^MR||王^芳||19900317|F" for n in (3, 4)]
    told_of = {f"M{n}": message("A31", f"M{n}", "20260301090000", who) for n, who in enumerate(people)}
    with workspace(tmp_path / "workspace", told_of):
        monkeypatch.chdir(tmp_path / "workspace")
        return tmp_path / "workspace"


def test_pairs_that_wait_and_pairs_that_are_linked_are_told_apart(
    ward: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = Opened(ward)
    try:
        assert demo._show_pairs(space, ward) == 1
        waiting, _, linked = capsys.readouterr().out.partition("Two records that agree enough are linked")
        assert "1 pair more may be one person and wait" in waiting and "王芳" in waiting and "孙兰" not in waiting
        assert "孙兰" in linked and "王芳" not in linked and "phone same" in linked
        (command,) = re.findall(r"customers review show \S+", linked)
        shown = hcrm(*command.split()).stdout
        assert "linked by score; they are one customer" in shown and "prior odds" in shown
        told("customers", "split", "RMYY|MR|0001", "RMYY|MR|0002", "--reason", "x")
        hcrm("customers", "review", "reject", "RMYY|MR|0003", "RMYY|MR|0004")
        assert demo._show_pairs(space, ward) == 0
        assert capsys.readouterr().out == "", "what is decided is shown no more"
    finally:
        space.close()
