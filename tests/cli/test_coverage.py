"""`hcrm messages coverage`: what was understood, by day; what is otherwise on another day; an example on demand."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.ward import NOW, hcrm, message, pid, pv1, sentence, told, write

from hcrm_core.cli.context import Opened
from hcrm_core.store import audit

BEFORE, AFTER, THIRD = "2026-03-13", "2026-03-14", "2026-03-15"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of one source: an update changed a Z segment, dropped a field and brought a type."""
    root = tmp_path_factory.mktemp("model") / "workspace"
    first = {
        "A1": message("A01", "A1", "20260313100000", pid("1001"), pv1("V1"), "ZPV|普通病房", "ZPX|1"),
        "A2": message("A01", "A2", "20260313110000", pid("1002"), pv1("V2")),
        "A3": message("A03", "A3", "20260313120000", pid("1001"), pv1("V1")),
    }
    second = {
        "B1": message("A01", "B1", "20260314100000", pid("1003"), pv1("V3"), "ZPW|x", "ZPX|1"),
        "B2": message("A08", "B2", "20260314110000", pid("1003"), pv1("V3")),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HCRM_WORKSPACE", str(root))
        patch.setenv("HCRM_NOW", NOW)
        assert hcrm("init", root).exit_code == 0
        # An instant that is still the day before in UTC: days are those of the workspace's zone.
        for name, day, messages in (("one", BEFORE, first), ("two", AFTER, second)):
            patch.setenv("HCRM_NOW", f"{day}T01:00:00+08:00")
            told("ingest", "--source", "his", write(root / name, messages))
    return root


@pytest.fixture
def full(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that is the current directory."""
    monkeypatch.setenv("HCRM_NOW", f"{THIRD}T09:00:00+08:00")
    root = shutil.copytree(model, tmp_path / "full")
    monkeypatch.chdir(root)
    monkeypatch.setenv("HCRM_WORKSPACE", str(root))
    return root


def rows(*options: object) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["type"], row["field"]): row for row in told("messages", "coverage", *options)}


def test_each_field_tells_how_often_and_when_it_was_seen(full: Path) -> None:
    name = rows()["ADT^A01", "PID-5"]
    assert (name["status"], name["messages"], name["first_seen"], name["last_seen"]) == ("mapped", 3, BEFORE, AFTER)
    assert rows("--status", "unknown")["ADT^A01", "ZPV-1"]["last_seen"] == BEFORE
    assert {row["type"] for row in told("messages", "coverage", "--type", "ADT^A03")} == {"ADT^A03"}


def test_days_choose_what_arrived_on_them(full: Path) -> None:
    assert rows("--since", AFTER)["ADT^A01", "PID-5"]["messages"] == 1
    assert rows("--until", AFTER)["ADT^A01", "PID-5"]["messages"] == 2
    assert ("ADT^A01", "ZPV-1") not in rows("--since", AFTER)
    assert rows("--since", THIRD) == {}


def test_an_example_is_masked_unless_somebody_answers_for_it(full: Path) -> None:
    masked = rows("--examples")
    assert masked["ADT^A01", "PID-5"]["example"] == "•••"
    assert masked["ADT^A01", "ZPV-1"]["example"] == "•••"
    assert masked["ADT^A01", "MSH-9"]["example"].startswith("ADT^A01")
    assert "普通病房" not in hcrm("messages", "coverage", "--examples").output
    plain = rows("--unmask", "--by", "lihua")
    assert plain["ADT^A01", "ZPV-1"]["example"] == "普通病房"
    number = plain["ADT^A01", "ZPV-1"]["message"]
    assert told("messages", "show", number)["control_id"] == "A1"
    space = Opened(full)
    with space.store.read() as connection:
        noted = [(row.by, row.action, row.subject) for row in audit.trail(connection)]
    space.close()
    assert ("lihua", "messages.unmask", f"message {number}") in noted


def test_of_pruned_messages_there_is_no_example(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCRM_NOW", "2026-05-01T09:00:00+08:00")
    assert hcrm("messages", "prune", "--older-than", "30d").exit_code == 0
    name = rows("--examples")["ADT^A01", "PID-5"]
    assert (name["messages"], name["message"], name["example"]) == (3, None, None)


def test_a_diff_tells_what_appeared_vanished_and_changed(full: Path) -> None:
    found = rows("--diff", BEFORE, AFTER)
    assert found["ADT^A01", "ZPV-1"]["change"] == "vanished"
    assert found["ADT^A01", "ZPV-1"]["before"] == {"status": "unknown", "messages": 1, "of": 2}
    assert found["ADT^A01", "ZPW-1"]["change"] == "appeared"
    assert found["ADT^A03", None]["change"] == "vanished"
    assert found["ADT^A08", None]["after"] == {"status": None, "messages": 1, "of": 1}
    assert len(found) == 4
    back = rows("--diff", AFTER, f"{BEFORE}..{BEFORE}")
    assert {key: row["change"] for key, row in back.items()} == {
        key: {"vanished": "appeared", "appeared": "vanished"}[row["change"]] for key, row in found.items()
    }
    table = hcrm("messages", "coverage", "--diff", BEFORE, AFTER).stdout
    assert re.search(r"ZPV-1 +vanished +unknown in 1 of 2 +not in 1 message\n", table)
    assert "no message of this type" in table


def test_a_replay_takes_the_place_of_what_was_counted(full: Path) -> None:
    before = told("messages", "coverage")
    assert hcrm("messages", "replay", "--all").exit_code == 0
    assert told("messages", "coverage") == before
    (full / "his.toml").write_text('ignored = ["ZPV"]\n', encoding="utf-8")
    settings = (full / "hcrm.toml").read_text("utf-8")
    (full / "hcrm.toml").write_text(settings.replace("[sources.his]", '[sources.his]\nmapping = "his.toml"'), "utf-8")
    assert hcrm("messages", "replay", "--since", "90d").exit_code == 0
    after = told("messages", "coverage")
    assert [row for row in after if row["field"] != "ZPV-1"] == [row for row in before if row["field"] != "ZPV-1"]
    (changed,) = (row for row in after if row["field"] == "ZPV-1")
    assert (changed["status"], changed["messages"], changed["first_seen"]) == ("ignored", 1, BEFORE)


def test_a_change_of_status_is_told(full: Path) -> None:
    (full / "his.toml").write_text('ignored = ["ZPX"]\n', encoding="utf-8")
    settings = (full / "hcrm.toml").read_text("utf-8")
    (full / "hcrm.toml").write_text(settings.replace("[sources.his]", '[sources.his]\nmapping = "his.toml"'), "utf-8")
    assert hcrm("messages", "replay", "--since", AFTER).exit_code == 0
    changed = [row for row in rows("--diff", BEFORE, AFTER).values() if row["change"] == "changed"]
    assert [(row["field"], row["before"]["status"], row["after"]["status"]) for row in changed] == [
        ("ZPX-1", "unknown", "ignored")
    ]


def test_mistakes_are_sentences(full: Path) -> None:
    assert "nobody" in sentence(hcrm("messages", "coverage", "--source", "nobody"), 1)
    assert "is no day" in sentence(hcrm("messages", "coverage", "--since", "yesterday"), 2)
    assert "ends before" in sentence(hcrm("messages", "coverage", "--diff", f"{AFTER}..{BEFORE}", AFTER), 2)
    assert "--diff" in sentence(hcrm("messages", "coverage", "--diff", BEFORE, AFTER, "--examples"), 2)
    result = hcrm("messages", "coverage", "--diff", AFTER, THIRD)
    assert "No message that arrived on 2026-03-15 has been translated." in result.stderr
