"""`hcrm messages list`: every filter finds what it names and nothing else, alone and with any others, page by page."""

import shutil
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.ward import NOW, hcrm, hospital, message, pid, pv1, result, sentence, told, write

from hcrm_core.cli import selection
from hcrm_core.cli.context import Opened
from hcrm_core.intake.land import Arrival, land
from hcrm_core.model.translation import Problem
from hcrm_core.store.queries import inbox, processing

LATER, LAST, TODAY = "2026-03-13T15:00:00+08:00", "2026-03-14T09:00:00+08:00", "2026-03-14T10:00:00+08:00"
LIS = '\n[sources.lis]\nadapter = "hl7v2"\ncharset = "GB18030"\n'
OF_WANG = {"W01", "W02", "W03", "W04", "W05", "W11", "W13", "W14", "W15", "L1"}
"""Whose messages speak of the person with the hospital numbers 1001 and 2002."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources at three moments, with messages in every state; every test works on a copy."""
    root = tmp_path_factory.mktemp("model") / "workspace"
    laboratory = {
        "L1": result("L1", "20260306110000", pid("1001"), pv1("V1")),
        "L2": message("A08", "L2", "20260311110000", pid("4004", "赵^敏", "20010101"), pv1("V4")),
        "L3": message("A01", "W01", "20260311110000", pid(""), pv1("")),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HCRM_WORKSPACE", str(root))
        patch.setenv("HCRM_NOW", NOW)
        assert hcrm("init", root).exit_code == 0
        (root / "hcrm.toml").write_text((root / "hcrm.toml").read_text("utf-8") + LIS, encoding="utf-8")
        told("ingest", "--source", "his", write(root / "in", hospital()))
        patch.setenv("HCRM_NOW", LATER)
        told("ingest", "--source", "lis", write(root / "lab", laboratory), exit_code=3)
        space = Opened(root)
        refusal = Problem("not-hl7", "", "It does not begin with MSH.")
        land(space.store, [Arrival("lis", b"GET / HTTP/1.1", "", (refusal,), "refused")], 1_773_385_200_000_000)
        assert hcrm("run").exit_code == 0
        late = [Arrival("his", hospital()["W04"] + b"ZZZ|%d\r" % number, "W04") for number in range(3)]
        numbers = [receipt.message_id for receipt in land(space.store, late, 1_773_450_000_000_000)]
        with space.store.write() as connection:
            rows = [
                processing.ProcessingRow(numbers[0], "claimed", attempts=1, worker="elsewhere:1:1", due_at=2**60),
                processing.ProcessingRow(numbers[1], "translated", "ADT^A03", attempts=1, due_at=2**60),
            ]
            processing.put(connection, rows)
            processing.set_claimed_to(connection, numbers[1])
        space.store.close()
    return root


@pytest.fixture
def full(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that is the current directory."""
    monkeypatch.setenv("HCRM_NOW", TODAY)
    root = shutil.copytree(model, tmp_path / "full")
    monkeypatch.chdir(root)
    return root


Row = dict[str, Any]
FILTERS: dict[tuple[str, str], Callable[[Row], bool]] = {
    ("--state", "folded"): lambda row: row["state"] == "folded",
    ("--source", "his"): lambda row: row["source"] == "his",
    ("--type", "ADT*"): lambda row: (row["type"] or "").startswith("ADT"),
    ("--control-id", "W04"): lambda row: row["control_id"] == "W04",
    ("--patient", "RMYY|MR|1001"): lambda row: row["control_id"] in OF_WANG and row["state"] == "folded",
    ("--since", "2026-03-13T01:00:00Z"): lambda row: row["received_at"] >= "2026-03-13T09:00:00+08:00",
    ("--until", "2026-03-14"): lambda row: row["received_at"] < "2026-03-14T00:00:00+08:00",
}
OTHERS: dict[tuple[str, str], Callable[[Row], bool]] = {
    **{("--state", state): lambda row, state=state: row["state"] == state for state in selection.STATES},
    ("--source", "lis"): lambda row: row["source"] == "lis",
    ("--type", "ORU_R01"): lambda row: row["type"] == "ORU^R01",
    ("--type", "ORU^R01"): lambda row: row["type"] == "ORU^R01",
    ("--patient", "RMYY|MR|4004"): lambda row: row["control_id"] in ("W08", "W12", "L2"),
    ("--since", "2026-03-14"): lambda row: row["received_at"] >= "2026-03-14T00:00:00+08:00",
    ("--since", "12h"): lambda row: row["received_at"] >= "2026-03-13T22:00:00+08:00",
    ("--until", "1d"): lambda row: row["received_at"] < "2026-03-13T10:00:00+08:00",
}
NOTHING = {"--source": "nobody", "--type": "ADT^A99", "--control-id": "w04", "--since": "1m", "--until": "2026-03-01"}


def subsets(of: dict[tuple[str, str], Callable[[Row], bool]]) -> Iterator[tuple[tuple[str, str], ...]]:
    for size in range(len(of) + 1):
        yield from combinations(of, size)


@pytest.mark.parametrize(("option", "value"), [*FILTERS, *OTHERS])
def test_a_filter_alone_finds_all_that_it_names_and_nothing_else(full: Path, option: str, value: str) -> None:
    everything = told("messages", "list")
    wanted = [row for row in everything if (FILTERS | OTHERS)[option, value](row)]
    assert wanted
    assert len(wanted) < len(everything) or value == "2026-03-13T01:00:00Z"
    assert told("messages", "list", option, value) == wanted


def test_filters_hold_together_however_many_are_given(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = told("messages", "list")
    monkeypatch.setattr(selection, "_PAGE", 3)
    space = Opened(full)
    for chosen in subsets(FILTERS):
        options: dict[str, Any] = dict.fromkeys(
            ("state", "source", "message_type", "control_id", "patient", "since", "until")
        )
        for option, value in chosen:
            options[{"--type": "message_type"}.get(option, option[2:].replace("-", "_"))] = value
        found = [row.shown(space.timezone) for row in selection.select(space, selection.selection(space, options))]
        wanted = [row for row in everything if all(FILTERS[one](row) for one in chosen)]
        assert found == wanted, chosen
    space.store.close()


@pytest.mark.parametrize(("option", "value"), NOTHING.items())
def test_a_filter_that_fits_nothing_gives_an_empty_list(full: Path, option: str, value: str) -> None:
    assert told("messages", "list", option, value) == []


def test_every_state_says_why_where_there_is_a_reason(full: Path) -> None:
    by_state = {row["state"]: row for row in told("messages", "list")}
    assert by_state.keys() == set(selection.STATES)
    assert by_state["quarantined"]["reason"].startswith("L3.hl7, PID-3: ADT^A01 is about a person")
    assert by_state["rejected"]["reason"] == "It does not begin with MSH."
    assert by_state["folded"]["reason"] is None


def test_a_person_is_found_by_any_id_or_number_of_theirs(full: Path) -> None:
    wang = told("customers", "show", "RMYY|MR|1001")
    by_number = told("messages", "list", "--patient", "RMYY|MR|2002")
    assert {row["control_id"] for row in by_number} == OF_WANG
    for wanted in (wang["id"], wang["id"][:12], *(one["id"] for one in wang["patients"])):
        assert told("messages", "list", "--patient", wanted) == by_number
    assert "No customer has this id or number" in sentence(hcrm("messages", "list", "--patient", "RMYY|MR|0"), 1)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--since", "yesterday"), ("--until", "2026-02-30"), ("--since", "2026-03-13T09:00:00"), ("--state", "lost")],
)
def test_a_filter_that_makes_no_sense_is_a_usage_error(full: Path, option: str, value: str) -> None:
    assert option in sentence(hcrm("messages", "list", option, value), 2)


def test_longer_ago_than_there_are_years_is_everything(full: Path) -> None:
    assert told("messages", "list", "--since", "999999d") == told("messages", "list")


def test_more_than_a_page_of_a_thousand_is_found_whole_and_in_order(full: Path) -> None:
    space = Opened(full)
    arrivals = [Arrival("his", f"MSH|{number}".encode(), f"P{number % 7}") for number in range(2_500)]
    numbers = [receipt.message_id for receipt in land(space.store, arrivals, 1_773_450_000_000_000)]
    reason = msgspec.json.encode(Problem("unreadable", "", "No.")).decode()
    with space.store.write() as connection:
        rows = [
            processing.ProcessingRow(number, "quarantined" if place % 2 else "folded", "ADT^A01", reason=reason)
            for place, number in enumerate(numbers)
        ]
        processing.put(connection, rows)
        processing.set_claimed_to(connection, numbers[-1])
    with space.store.read_inbox() as connection:
        assert inbox.highest(connection) == numbers[-1]
    space.store.close()
    odd = numbers[1::2][::-1]
    found = [row["id"] for row in told("messages", "list", "--state", "quarantined", "--limit", "5000")]
    assert found[: len(odd)] == odd
    named = [row["id"] for row in told("messages", "list", "--control-id", "P3", "--type", "ADT*", "--limit", "5000")]
    assert named == numbers[3::7][::-1]
    assert len(told("messages", "list", "--since", LAST, "--limit", "2000")) == 2_000
    assert len(told("messages", "list", "--source", "his", "--since", LAST, "--limit", "5000")) == 2_503
