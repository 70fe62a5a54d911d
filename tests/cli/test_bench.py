"""`hcrm bench`: the races run, count what they sent, and clean up."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter, Hl7v2Settings
from hcrm_core.cli.bench.command import RACES, _wanted
from hcrm_core.cli.bench.messages import PATIENTS, maker
from hcrm_core.cli.bench.races import Figure


def hcrm(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "hcrm_core", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("kind", "size", "records"), [("adt", 2_000, 12), ("oru", 3_900, 25)])
def test_what_is_sent_is_new_each_time_and_read_without_a_doubt(kind: str, size: int, records: int) -> None:
    make = maker(kind)
    first, second = make(), make()
    translation = Hl7v2Adapter("his", Hl7v2Settings(adapter="hl7v2")).translate(first)
    assert first != second
    assert abs(len(first) - size) < 100
    assert (len(translation.records), translation.problems, translation.quarantine) == (records, (), None)


def test_messages_are_about_two_thousand_patients() -> None:
    make = maker("oru")
    assert len({make().split(b"|PID")[0].split(b"PID|1||")[1].split(b"^")[0] for _ in range(2 * PATIENTS)}) == PATIENTS


def test_a_race_without_a_peer_tells_its_own_rate_and_leaves_nothing_behind() -> None:
    before = set(Path(tempfile.gettempdir()).glob("hcrm-bench-*"))
    done = hcrm("bench", "intake", "--only", "t1", "--rounds", "1", "--seconds", "0.5", "--json")
    (figure,) = json.loads(done.stdout)
    assert (figure["race"], figure["ratio"], figure["other"]) == ("T1", None, [])
    assert figure["ours"][0] > 0
    assert set(Path(tempfile.gettempdir()).glob("hcrm-bench-*")) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--only", "T99"), "There is no race 'T99'; there are " + ", ".join(RACES) + "."),
        (("--only", "T7"), "T7 is a race with a peer's batch file. Name the peer with --peer, or leave T7 out."),
        (("--only", "T1", "--peer", "false"), "did not start: false"),
    ],
)
def test_a_race_that_cannot_be_run_says_why(arguments: tuple[str, ...], sentence: str) -> None:
    done = hcrm("bench", "intake", "--rounds", "1", "--seconds", "0.5", *arguments)
    assert sentence in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("ratio", "lower", "said"),
    [(0.4, False, "NO"), (0.5, False, "yes"), (0.8, False, "best"), (12.0, True, "NO"), (0.6, True, "yes")],
)
def test_a_figure_says_whether_it_is_what_was_wanted(ratio: float, lower: bool, said: str) -> None:
    must, stretch = (0.7, 0.5) if lower else (0.5, 0.8)
    figure = Figure("T0", "", [ratio], [1.0], "", ratio, must, stretch, lower)
    assert _wanted(figure).endswith(f": {said}")


def test_a_soak_tells_lag_memory_and_handles_a_minute() -> None:
    done = hcrm("bench", "soak", "--rate", "20", "--minutes", "0.3", "--connections", "2", "--json")
    told = json.loads(done.stdout)
    assert told["refused"] == 0
    assert told["messages"] >= 300
    assert set(told["figures"]) == {"lag", "waiting", "megabytes", "handles"}
    assert told["figures"]["megabytes"]["median"] > 50


def test_the_races_of_fhir_read_what_they_write_and_leave_nothing_behind() -> None:
    before = set(Path(tempfile.gettempdir()).glob("hcrm-bench-*"))
    done = hcrm("bench", "fhir", "--only", "t10,t11", "--resources", "200", "--rounds", "1", "--json")
    assert done.returncode == 0, done.stderr
    figures = {figure["race"]: figure for figure in json.loads(done.stdout)}
    assert figures.keys() == {"T10", "T11"}
    assert all(figure["ours"][0] > 0 and figure["other"][0] > 0 for figure in figures.values())
    assert set(Path(tempfile.gettempdir()).glob("hcrm-bench-*")) == before
