"""`hcrm run --watch` in its administrator's hands: what is mended is taken up, what is broken quarantines nothing."""

import signal
import urllib.request
from pathlib import Path

import pytest
from support.bench import adt
from support.daemon import Daemon, free_port, wait_for, workspace
from support.exposition import read, value
from support.ward import hcrm, told

from hcrm_core.cli.context import Opened
from hcrm_core.intake.land import Arrival, land


def states() -> dict[str, str]:
    return {row["control_id"]: row["state"] for row in told("messages", "list")}


def test_what_cannot_be_begun_waits_and_is_taken_up_when_the_file_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    root = workspace(tmp_path / "workspace", free_port())
    monkeypatch.chdir(root)
    file = root / "hcrm.toml"
    good = file.read_text("utf-8") + f'\n[metrics]\nlisten = "127.0.0.1:{port}"\n'
    file.write_text(good, encoding="utf-8")
    space = Opened(root)

    def landed(source: str, number: int) -> None:
        land(space.store, [Arrival(source, adt(number), f"C{number}")], 1_700_000_000_000_000)

    assert space.store
    with Daemon(root) as daemon:
        daemon.listening()
        file.write_text(good + "[sources", encoding="utf-8")  # saved half-way, and the workers have not begun yet
        landed("his", 1)
        landed("lis", 2)
        wait_for(lambda: "wait to be translated" in daemon.log, "it says why")
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "not valid TOML" in daemon.log, "what is half written is not taken over")
        file.write_text(good, encoding="utf-8")
        wait_for(lambda: states() == {"C1": "folded", "C2": "received"}, "what can be read is read")
        assert "no table [sources.lis]. Put it back." in hcrm("messages", "list").stdout
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert value(read(answer.read().decode()), "hcrm_messages", state="received") == 1
        file.write_text(good + '[sources.lis]\nadapter = "hl7v3"\n', encoding="utf-8")
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "no enabled adapter 'hl7v3'" in daemon.log, "a mistake is named")
        landed("his", 3)
        wait_for(lambda: states()["C3"] == "folded", "and holds back no other source")
        file.write_text(good + '[sources.lis]\nadapter = "hl7v2"\n', encoding="utf-8")
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: set(states().values()) == {"folded"}, "everything is read")
        assert [row["attempts"] for row in (told("messages", "show", "C1"), told("messages", "show", "C2"))] == [1, 1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            samples = read(answer.read().decode())
        assert value(samples, "hcrm_messages", state="folded") == 3 and value(samples, "hcrm_messages_waiting") == 0
        daemon.stop()
    space.store.close()


def test_a_mapping_with_a_mistake_leaves_the_one_before_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workspace(tmp_path / "workspace", free_port())
    monkeypatch.chdir(root)
    file, mapping = root / "hcrm.toml", root / "his.toml"
    mapping.write_text('ignored = ["PID-5"]\n', encoding="utf-8")
    file.write_text(file.read_text("utf-8").replace("[sources.his]", '[sources.his]\nmapping = "his.toml"'), "utf-8")
    space = Opened(root)
    assert space.store and 'mapping = "his.toml"' in file.read_text("utf-8")
    with Daemon(root) as daemon:
        daemon.listening()
        mapping.write_text('ignored = ["PIDD-5"]\n', encoding="utf-8")
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the daemon goes on as before" in daemon.log, "the mistake is told")
        assert "his.toml" in daemon.log
        land(space.store, [Arrival("his", adt(1), "C1")], 1_700_000_000_000_000)
        wait_for(lambda: states() == {"C1": "folded"}, "and what comes is read as before")
        daemon.stop()
    space.store.close()
