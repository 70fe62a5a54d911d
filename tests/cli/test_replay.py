"""`hcrm messages replay`: what the preview says is what happens, and nothing that went out is repeated."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from support.ward import NOW, PRIVATE, WANG_CARD, hcrm, hospital, pid, pv1, result, sentence, told, write

from hcrm_core.cli.context import Opened
from hcrm_core.intake.land import Arrival, land
from hcrm_core.model.translation import Problem
from hcrm_core.store.dump import dump
from hcrm_core.store.tables import store as tables

GONE = {"": False}
GARBLED = 'charset = "ISO-8859-1"\ncurrency = "USD"'
"""As the file says it before it is mended: the bytes are GB18030, and the amounts are in yuan."""
MENDED = 'charset = "GB18030"'


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ward, read with the wrong charset and currency and decided once; every test works on a copy."""
    root = tmp_path_factory.mktemp("model") / "workspace"
    nobody = hospital()["W01"].replace(b"1001", b"").replace(WANG_CARD.encode(), b"").replace(b"|W01|", b"|W00|")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HCRM_NOW", NOW)
        patch.setenv("HCRM_WORKSPACE", str(root))
        assert hcrm("init", root).exit_code == 0
        settings(root, MENDED, GARBLED)
        told("ingest", write(root / "in", {"W00": nobody} | hospital()), exit_code=3)
        told("decide")
    return root


@pytest.fixture
def ward(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that is the current directory, a day later."""
    monkeypatch.setenv("HCRM_NOW", "2026-03-13T10:00:00+08:00")
    root = shutil.copytree(model, tmp_path / "ward")
    monkeypatch.chdir(root)
    return root


def settings(root: Path, before: str, after: str) -> None:
    file = root / "hcrm.toml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def facts(root: Path) -> dict[str, dict[str, Any]]:
    """Fact → its fields, as the canonical dump has them; `""` is whether it stands."""
    space = Opened(root)
    lines = [json.loads(line) for line in dump(space.store)]
    space.store.close()
    return {line["fact"]: line["fields"] | {"": not line["void"]} for line in lines if "fact" in line}


def differing(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    """The fields that differ; of a fact that comes or goes, only that."""
    if one[""] != other[""]:
        return {""}
    return {field for field in one.keys() | other.keys() if one.get(field) != other.get(field)}


def standing(root: Path) -> dict[str, dict[str, Any]]:
    return {fact: fields for fact, fields in facts(root).items() if fields[""]}


def contents(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the store, as it lies in the file."""
    with sqlite3.connect(root / "store.db") as database:
        return {name: database.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in tables.tables}


@pytest.mark.parametrize("selected", [("--all",), ("--type", "DFT*"), ("W13", "W15"), ("--state", "quarantined")])
def test_a_dry_run_changes_nothing_and_says_what_the_replay_then_does(ward: Path, selected: tuple[str, ...]) -> None:
    settings(ward, GARBLED, MENDED)
    before, stored = facts(ward), contents(ward)
    code = 3 if selected[0] in ("--all", "--state") else 0
    preview = told("messages", "replay", *selected, "--dry-run")
    assert contents(ward) == stored
    done = told("messages", "replay", *selected, exit_code=code)
    after = facts(ward)
    assert {name: preview[name] for name in done} == done
    changed = {(fact, field) for fact in after for field in differing(before.get(fact, GONE), after[fact])}
    assert {(one["fact_id"], one["field"]) for one in preview["changes"]} == changed
    for one in preview["changes"]:
        said = (one["before"], one["after"])
        if "•••" not in said:
            assert said == tuple(fields.get(one["fact_id"], GONE).get(one["field"]) for fields in (before, after))
    assert bool(changed) == (selected != ("--state", "quarantined"))


def test_a_preview_says_in_words_what_would_change_and_names_nobody(ward: Path) -> None:
    assert "No fact would change." in hcrm("messages", "replay", "--all", "--dry-run").stderr
    settings(ward, GARBLED, MENDED)
    preview = hcrm("messages", "replay", "--all", "--dry-run")
    assert preview.exit_code == 0
    assert "Replaying 16 messages would translate 15 and quarantine 1." in preview.stderr
    assert "Nothing was changed yet; leave out --dry-run to do it." in preview.stderr
    assert "more; --json shows all." in preview.stdout
    changes = told("messages", "replay", "--all", "--dry-run")["changes"]
    assert {"amount": 120050, "currency": "CNY"} in [one["after"] for one in changes]
    garbled = [name.encode("gb18030").decode("latin-1") for name in PRIVATE]
    assert not [name for name in (*PRIVATE, *garbled) if name in preview.output]


def test_a_dry_run_leaves_what_waits_waiting(ward: Path) -> None:
    space = Opened(ward)
    land(space.store, [Arrival("his", result("N1", "20260313080000", pid("1001"), pv1("V1")), "N1")], 0)
    space.store.close()
    stored = contents(ward)
    assert "Left out 1 message: waiting." in hcrm("messages", "replay", "--all", "--dry-run").stderr
    assert contents(ward) == stored
    assert told("messages", "replay", "--all", exit_code=3)["messages"] == 17


def test_everything_replayed_twice_gives_one_dump_and_equals_reading_it_rightly_at_once(
    ward: Path, tmp_path: Path
) -> None:
    settings(ward, GARBLED, MENDED)
    told("messages", "replay", "--all", exit_code=3)
    once, upright = facts(ward), standing(ward)
    told("messages", "replay", "--all", exit_code=3)
    assert facts(ward) == once
    fresh = tmp_path / "fresh"
    assert hcrm("init", fresh).exit_code == 0
    shutil.copy(ward / "hcrm.key", fresh / "hcrm.key")
    (fresh / "store.db").unlink()
    (fresh / "inbox.db").unlink()
    for argument in (("db", "upgrade"), ("ingest", ward / "in")):
        assert hcrm("--workspace", fresh, *argument).exit_code in (0, 3)
    assert standing(fresh) == upright


def test_a_replay_of_all_repeats_no_task(ward: Path) -> None:
    settings(ward, GARBLED, MENDED)
    before = told("tasks", "list")
    assert before
    told("messages", "replay", "--all", exit_code=3)
    outcomes = {row["name"]: row for row in told("decide")["strategies"]}
    assert outcomes["followup.discharge"]["new"] == 0
    assert [row["id"] for row in told("tasks", "list")] == [row["id"] for row in before]


def test_a_selection_leaves_out_what_cannot_be_replayed_and_says_so(ward: Path) -> None:
    space = Opened(ward)
    refusal = Problem("not-hl7", "", "It does not begin with MSH.")
    land(space.store, [Arrival("his", b"GET / HTTP/1.1", "GET", (refusal,), "refused")], 0)
    space.store.close()
    assert hcrm("run").exit_code == 0
    said = hcrm("messages", "replay", "--all")
    assert said.exit_code == 3
    assert "Left out 1 message: rejected." in said.stderr and "Replayed 16 messages" in said.stderr
    assert "what arrived was no message" in sentence(hcrm("messages", "replay", "GET"), 2)


def test_a_source_whose_adapter_is_missing_is_named_before_anything_is_changed(ward: Path) -> None:
    settings(ward, "[sources.his]", "[sources.other]")
    stored = contents(ward)
    for more in ((), ("--dry-run",)):
        text = sentence(hcrm("messages", "replay", "--all", *more), 1)
        assert "hcrm.toml has no table [sources.his]. Put it back." in text
    assert contents(ward) == stored


def test_a_preview_of_more_than_folding_can_wait_for_is_refused(ward: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcrm_core.cli.replay.PREVIEWED", 3)
    text = sentence(hcrm("messages", "replay", "--all", "--dry-run"), 2)
    assert "it is of 3 messages at most" in text
    assert "Select fewer (--since, --source, --type)" in text


def test_nothing_is_replayed_that_was_not_asked_for(ward: Path) -> None:
    assert "say --all" in sentence(hcrm("messages", "replay"), 2)
    assert told("messages", "replay", "--control-id", "nobody")["messages"] == 0
    assert told("messages", "replay", "W01", "#5")["messages"] == 2
    assert told("messages", "show", "W01")["translation"] == 2


def test_what_has_been_pruned_says_so_wherever_it_is_asked_for(ward: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = told("tasks", "list")[0]["id"]
    assert "field PV1-45" in hcrm("explain", "task", task).stdout
    assert "is no number of days from 1 on" in sentence(hcrm("messages", "prune", "--older-than", "0d"), 2)
    with monkeypatch.context() as later:
        later.setenv("HCRM_NOW", "2099-01-01T00:00:00Z")
        pruned = hcrm("messages", "prune", "--older-than", "1d")
    assert pruned.stderr.startswith("Pruned 15 messages (0.0 MB as stored).\nKept")
    shown = told("messages", "show", "W04")
    assert (shown["state"], shown["pruned"], "fields" in shown) == ("folded", True, False)
    assert "Its bytes have been pruned." in hcrm("messages", "show", "W04").stdout
    assert "its bytes are gone. What it said stays as it is." in sentence(hcrm("messages", "replay", "W04"), 2)
    stored = contents(ward)
    left = hcrm("messages", "replay", "--state", "folded")
    assert left.stderr.splitlines() == [
        "Left out 15 messages: pruned.",
        "Replayed 0 messages: 0 translated, 0 quarantined.",
    ]
    assert contents(ward)["fact"] == stored["fact"]
    explained = hcrm("explain", "task", task).stdout
    assert "; its bytes have been pruned, so the field is not known any more" in explained
    assert told("ingest", ward / "in")["duplicates"] == 16
    assert told("messages", "show", "W00")["pruned"] is False


@pytest.mark.parametrize("days", ["", "d", "-1d", "1.5d", "90 days", "1w"])
def test_an_age_that_is_none_is_a_usage_error(ward: Path, days: str) -> None:
    assert "Write for example 90d." in sentence(hcrm("messages", "prune", "--older-than", days), 2)
