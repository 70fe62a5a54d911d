"""Whatever a plugin does: it is survived, attributed to it, ended in time, and harms nobody beside it.

Fault isolation, not a sandbox: a plugin runs as the same user as the core.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from support.misbehaviour import ENDLESS, HARMLESS, NAMES, SECRET, install
from support.plugins import distribution
from support.ward import hcrm, told

from hcrm_core.cli.context import Opened
from hcrm_core.errors import PluginError
from hcrm_core.hosting import host as hosting
from hcrm_core.hosting.host import Host, HostDied
from hcrm_core.registry.describing import Asked

SECONDS = 1.0
"""How long anything a plugin is asked may take."""

WHILE_LOADED = {"raises", "exits", "vanishes", "segfaults", "sleeps", "eats_memory", "soils_the_process"}
"""What is tried out on loading in every test run; the others are in `make prove`."""

LATE = 2.0
"""How much later than that it must have ended."""

SETTINGS = f"""
[sources.odd]
adapter = "odd"
[sources.even]
adapter = "even"
[workers]
memory_mb = 512
start_seconds = {2 * SECONDS}
batch_seconds = {2 * SECONDS}
message_seconds = {SECONDS}
result_seconds = {SECONDS}
"""


@pytest.fixture
def space(tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace with a plugin that misbehaves and one that does not."""
    site = tmp_path / "site"
    install(site)
    monkeypatch.syspath_prepend(str(site))
    (workspace / "hcrm.toml").write_text('plugins = ["odd", "even"]\n' + SETTINGS, encoding="utf-8")
    yield workspace
    for name in ("deeds", "fake_plugin_odd", "fake_plugin_even"):
        sys.modules.pop(name, None)


def test_there_are_more_than_twenty() -> None:
    assert len(NAMES) >= 20


def test_over_a_message(space: Path, capfd: pytest.CaptureFixture[str], tally: Callable[..., None]) -> None:
    """Each in a message of its own; the messages between are translated, and so is the other source."""
    lines = [line for number, name in enumerate(NAMES) for line in (f"!{name}", f"good{number}")]
    (space / "a.odd").write_text("\n".join(lines), encoding="utf-8")
    (space / "b.even").write_text("fine", encoding="utf-8")
    result = hcrm("ingest", "a.odd", "--source", "odd", "--json")
    assert result.exit_code == 3
    assert json.loads(hcrm("ingest", "b.even", "--source", "even", "--json").stdout)["translated"] == 1
    rows = {row["control_id"]: row for row in told("messages", "list", "--limit", "100")}
    good = {f"good{number}" for number in range(len(NAMES))} | {f"!{name}" for name in HARMLESS} | {"fine"}
    assert {control_id for control_id, row in rows.items() if row["state"] == "folded"} == good
    for name in set(NAMES) - HARMLESS:
        assert rows[f"!{name}"]["state"] == "quarantined", name
        assert "odd" in rows[f"!{name}"]["reason"], name
    said = result.output + "".join(capfd.readouterr().err) + json.dumps(list(rows.values()))
    assert "Traceback" not in said and SECRET not in said.replace(f"{SECRET} ", "")
    tally("misbehaviour of adapters", deeds=len(NAMES), survived=len(NAMES), attributed=len(set(NAMES) - HARMLESS))


def test_over_a_function_of_a_strategy(space: Path, tally: Callable[..., None]) -> None:
    """Each in a strategy of its own; the others decide."""
    result = hcrm("decide", "--json")
    assert result.exit_code == 1
    failed = {row["name"]: row["error"] for row in json.loads(result.stdout)["strategies"] if "error" in row}
    assert set(failed) == {f"odd.{name}" for name in set(NAMES) - HARMLESS}
    for name, error in failed.items():
        assert "odd" in error and SECRET not in error, name
    assert "even.works" in {row["name"] for row in json.loads(result.stdout)["strategies"]}
    tally("misbehaviour of strategies", deeds=len(NAMES), survived=len(NAMES), attributed=len(failed))


@pytest.fixture(scope="module")
def decided(new_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with both plugins for all the reports: its mart is made once."""
    folder = tmp_path_factory.mktemp("reports")
    install(folder / "site")
    root = shutil.copytree(new_workspace, folder / "workspace")
    (root / "hcrm.toml").write_text('plugins = ["odd", "even"]\n' + SETTINGS, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(folder / "site"))
        yield root
    for name in ("deeds", "fake_plugin_odd", "fake_plugin_even"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", NAMES)
def test_over_a_report(decided: Path, name: str, monkeypatch: pytest.MonkeyPatch, tally: Callable[..., None]) -> None:
    monkeypatch.chdir(decided)
    began = time.monotonic()
    result = hcrm("report", f"odd.{name}")
    if name in HARMLESS:
        assert result.exit_code == 0
    else:
        assert result.exit_code == 1
        assert "'odd'" in result.stderr and f"odd.{name}" in result.stderr and "author" in result.stderr
    assert "Traceback" not in result.output
    assert time.monotonic() - began < SECONDS + LATE + 5  # the mart is made in this time too
    assert hcrm("report", "even.works").exit_code == 0
    tally("misbehaviour of reports", deeds=1, survived=1, attributed=int(name not in HARMLESS))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in WHILE_LOADED else pytest.mark.prove) for name in NAMES]
)
def test_while_it_is_loaded(tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It is named, and can be listed and disabled; the others are described as ever."""
    site = tmp_path / "site"
    install(site)
    distribution(site, "early", f"import deeds\ndeeds.{name}()\n", module="fake_plugin_early")
    monkeypatch.syspath_prepend(str(site))
    file = workspace / "hcrm.toml"
    file.write_text('plugins = ["early", "even"]\n' + SETTINGS.replace('"odd"', '"even"'), encoding="utf-8")
    result = hcrm("doctor", "--json")
    findings = {row["finding"]: row["level"] for row in json.loads(result.stdout)}
    broken = name not in HARMLESS and not name.startswith("returns_")
    assert any("'early'" in text for text, level in findings.items() if level == "wrong") == broken
    assert any("The plugin even" in text for text, level in findings.items() if level == "good")
    assert "even" in hcrm("plugins", "list").stdout
    (workspace / "b.even").write_text("fine", encoding="utf-8")
    refused = hcrm("ingest", "b.even", "--source", "even")
    assert refused.exit_code == (1 if broken else 0), refused.output
    assert hcrm("ingest", "b.even", "--source", "even", "--keep-going").exit_code == 0
    assert hcrm("plugins", "disable", "early").exit_code == 0


@pytest.mark.parametrize("name", sorted(ENDLESS))
def test_what_never_ends_is_ended_in_time(space: Path, name: str) -> None:
    opened = Opened(space)
    source = opened.source_of("odd")
    opened.pool.translate(source, [b"good"]).result()
    began = time.monotonic()
    with pytest.raises(PluginError, match=r"^The process of the adapter odd 7 "):
        opened.pool.inspect(source, f"!{name}".encode())
    assert time.monotonic() - began < SECONDS + LATE
    opened.close()


def test_a_host_whose_core_is_killed_ends_by_itself(space: Path) -> None:
    """Though it runs Python no more, and nobody reads what it says."""
    code = (
        "import sys, threading, os, time\n"
        "from pathlib import Path\n"
        "from hcrm_core.cli.context import Opened\n"
        f"sys.path[:] = {sys.path!r}\n"
        f"space = Opened(Path({str(space)!r}))\n"
        "source = space.source_of('odd')\n"
        "threading.Thread(target=lambda: space.pool.inspect(source, b'!ignores_signals'), daemon=True).start()\n"
        "time.sleep(0.5)\n"
        "print(os.getpid(), flush=True)\n"
        "time.sleep(60)\n"
    )
    core = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=space)
    assert core.stdout
    core.stdout.readline()
    hosts = psutil.Process(core.pid).children(recursive=True)
    assert len(hosts) >= 2
    core.kill()
    core.wait()
    _, alive = psutil.wait_procs(hosts, timeout=5)
    assert not alive


def command_of(process: psutil.Process) -> str:
    """Its command line; empty where it has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_what_a_plugin_starts_ends_with_its_host(space: Path) -> None:
    opened = Opened(space)
    opened.pool.translate(opened.source_of("odd"), [b"!leaves_a_child"]).result()
    left = [one for one in psutil.Process().children(recursive=True) if "time.sleep(600)" in command_of(one)]
    assert len(left) == 1
    opened.close()
    _, alive = psutil.wait_procs(left, timeout=5)
    assert not alive


def test_a_plugin_that_fails_again_and_again_is_left_alone_for_a_while(space: Path) -> None:
    """And what waited is translated when it works again."""
    lines = [f"!{name}" for name in ("vanishes", "aborts", "segfaults", "kills_itself", "stops_itself", "sleeps")]
    (space / "a.odd").write_text("\n".join([*lines, "good"]), encoding="utf-8")
    result = hcrm("ingest", "a.odd", "--source", "odd", "--json")
    assert result.exit_code == 3
    summary = json.loads(result.stdout)
    assert summary["quarantined"] == 5
    assert "failed again and again" in summary["stuck"][0] and "odd" in summary["stuck"][0]
    assert {row["control_id"] for row in told("messages", "list", "--state", "received")} == {"!sleeps", "good"}
    assert hcrm("run").exit_code == 3
    assert {row["control_id"] for row in told("messages", "list", "--state", "folded")} == {"good"}


def test_a_host_that_sends_too_much_is_ended(monkeypatch: pytest.MonkeyPatch, space: Path) -> None:
    monkeypatch.setattr(hosting, "ANSWER_BYTES", 100)
    opened = Opened(space)
    opening = opened.registry.opening
    host = Host("hcrm_core.registry.describing", opening, 5.0)
    with pytest.raises(HostDied, match="sent what is no answer"):
        host.ask("offers", Asked("odd", "register_reports"), 5.0)
    opened.close()
