"""`hcrm messages coverage`: what was understood, by day; what is otherwise on another day; an example on demand."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.ward import NOW, hcrm, message, pid, pv1, sentence, told, write

from hcrm_core.cli.context import Opened
from hcrm_core.cli.coverage import _moved
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


def rows(*options: object) -> dict[tuple[str, str | None], dict[str, Any]]:
    return {(row["type"], row["field"]): row for row in told("messages", "coverage", *options)}


def test_each_field_tells_how_often_and_when_it_was_seen(full: Path) -> None:
    name = rows()["ADT^A01", "PID-5"]
    assert (name["status"], name["messages"], name["first_seen"], name["last_seen"]) == ("mapped", 3, BEFORE, AFTER)
    assert rows("--status", "unknown")["ADT^A01", "ZPV-1"]["last_seen"] == BEFORE
    assert {row["type"] for row in told("messages", "coverage", "--type", "ADT^A03")} == {"ADT^A03"}


@pytest.mark.parametrize(
    ("wanted", "types"),
    [
        ("ADT*", {"ADT^A01", "ADT^A03", "ADT^A08"}),
        ("ADT_*", {"ADT^A01", "ADT^A03", "ADT^A08"}),
        ("ADT^A0*", {"ADT^A01", "ADT^A03", "ADT^A08"}),
        ("ADT_A03", {"ADT^A03"}),
        ("ORU*", set()),
    ],
)
def test_a_type_may_be_a_pattern_as_in_the_list_of_messages(full: Path, wanted: str, types: set[str]) -> None:
    assert {row["type"] for row in told("messages", "coverage", "--type", wanted)} == types
    assert {row["type"] for row in told("messages", "list", "--type", wanted)} == types


def test_a_difference_is_told_of_the_types_that_are_wanted(full: Path) -> None:
    assert set(rows("--type", "ADT^A0*", "--diff", BEFORE, AFTER)) == set(rows("--diff", BEFORE, AFTER))
    assert set(rows("--type", "ADT^A03", "--diff", BEFORE, AFTER)) == {("ADT^A03", None)}


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
    assert found["ADT^A01", "ZPV-1"]["before"] == {
        "status": "unknown",
        "messages": 1,
        "of": 2,
        "statuses": {"unknown": 1},
        "quarantined": 0,
    }
    assert found["ADT^A01", "ZPW-1"]["change"] == "appeared"
    assert found["ADT^A03", None]["change"] == "vanished"
    assert found["ADT^A08", None]["after"] == {
        "status": None,
        "messages": 1,
        "of": 1,
        "statuses": {},
        "quarantined": 0,
    }
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


# --- how much is otherwise --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of ten messages of a type; after the first, fields are filled and read less, and messages held."""
    root = tmp_path_factory.mktemp("busy") / "workspace"

    def day(name: str, time: str, unreadable: int, homeless: int, held: int) -> dict[str, bytes]:
        made = {}
        for number in range(10):
            who = pid(f"{name}{number}", born="1975年3月" if number < unreadable else "19900307")
            who = who.replace("朝阳区建国路1号^^北京", "") if number >= 10 - homeless else who
            nobody = "PID|1||||李^娜"
            parts = {
                "A01": who,
                "A02": nobody if name == "B" else who,
                "A03": nobody if number < held else who,
            }
            for event, person in parts.items():
                control_id = f"{name}{event}{number}"
                made[control_id] = message(event, control_id, time, person, pv1(f"V{control_id}"))
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HCRM_WORKSPACE", str(root))
        patch.setenv("HCRM_NOW", NOW)
        assert hcrm("init", root).exit_code == 0
        for name, when, messages, exit_code in (
            ("one", BEFORE, day("A", "20260313100000", unreadable=1, homeless=0, held=0), 0),
            ("two", AFTER, day("B", "20260314100000", unreadable=9, homeless=9, held=4), 3),
        ):
            patch.setenv("HCRM_NOW", f"{when}T13:00:00+08:00")
            told("ingest", "--source", "his", write(root / name, messages), exit_code=exit_code)
    return root


@pytest.fixture
def changed(busy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Read only."""
    monkeypatch.setenv("HCRM_NOW", f"{THIRD}T09:00:00+08:00")
    monkeypatch.setenv("HCRM_WORKSPACE", str(busy))
    return busy


def test_a_share_that_moved_is_told_with_the_count_of_each_status(changed: Path) -> None:
    found = rows("--type", "ADT^A01", "--diff", BEFORE, AFTER)
    assert {key: row["change"] for key, row in found.items()} == {
        ("ADT^A01", "PID-7"): "changed",
        ("ADT^A01", "PID-11"): "changed",
    }
    born, home = found["ADT^A01", "PID-7"], found["ADT^A01", "PID-11"]
    assert born["before"]["statuses"] == {"left_out": 1, "mapped": 9}
    assert born["after"]["statuses"] == {"left_out": 9, "mapped": 1}
    assert (home["before"]["messages"], home["after"]["messages"], home["after"]["of"]) == (10, 1, 10)
    table = hcrm("messages", "coverage", "--type", "ADT^A01", "--diff", BEFORE, AFTER).stdout
    assert re.search(r"PID-7 .* left_out in 1 and mapped in 9 of 10 +left_out in 9 and mapped in 1 of 10\n", table)
    assert re.search(r"PID-11 .* mapped in 10 of 10 +mapped in 1 of 10\n", table)
    assert set(rows("--type", "ADT^A01", "--status", "left_out", "--diff", BEFORE, AFTER)) == {("ADT^A01", "PID-7")}
    assert rows("--type", "ADT^A01", "--status", "unknown", "--diff", BEFORE, AFTER) == {}


def test_a_type_in_quarantine_has_not_vanished(changed: Path) -> None:
    found = rows("--diff", BEFORE, AFTER)
    whole, part = found["ADT^A02", None], found["ADT^A03", None]
    assert (whole["change"], whole["after"]["of"], whole["after"]["quarantined"]) == ("changed", 0, 10)
    assert (part["change"], part["after"]["of"], part["after"]["quarantined"]) == ("changed", 6, 4)
    assert {field for kind, field in found if kind == "ADT^A02"} == {None}
    result = hcrm("messages", "coverage", "--diff", BEFORE, AFTER)
    assert re.search(r"ADT\^A02 +changed +10 messages +10 messages, 10 quarantined\n", result.stdout)
    assert re.search(r"ADT\^A03 +changed +10 messages +10 messages, 4 quarantined\n", result.stdout)
    assert (
        "that arrived on 2026-03-14: 10 of ADT^A02, 4 of ADT^A03. List them with: hcrm messages list" in result.stderr
    )
    assert "that arrived on 2026-03-13" not in result.stderr
    held = told("messages", "list", "--state", "quarantined", "--since", AFTER, "--until", THIRD)
    assert len(held) == 14
    appeared = rows("--type", "ADT^A02", "--diff", "2026-03-12", AFTER)
    assert appeared["ADT^A02", None]["change"] == "appeared"


@pytest.mark.parametrize(
    ("some", "of", "told_of"),
    [
        ((1, 9), (10, 10), True),
        ((10, 1), (10, 10), True),
        ((100, 110), (1000, 1000), False),
        ((100, 200), (1000, 1000), True),
        ((0, 2), (10, 10), False),
        ((0, 3), (10, 10), True),
        ((1, 1000), (2, 1000), False),
        ((5, 500), (10, 1000), False),
        ((1, 700), (10, 1000), True),
        ((0, 10), (0, 10), False),
    ],
)
def test_a_share_has_moved_by_ten_points_and_three_messages(
    some: tuple[int, int], of: tuple[int, int], told_of: bool
) -> None:
    assert _moved(some, of) is told_of
    assert _moved(some[::-1], of[::-1]) is told_of


def test_a_time_that_is_none_names_what_is_valid(full: Path) -> None:
    text = sentence(hcrm("messages", "list", "--since", "yesterday"), 2)
    assert "--since: 'yesterday' is not a time." in text
    for valid in ("2h", "3d", "a day such as", "an instant with an offset such as"):
        assert valid in text
