"""Translation workers: an adapter that dies, hangs or answers nonsense harms the message at fault and no other."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.plugins import distribution

from hcrm_core.cli import main
from hcrm_core.cli.context import Opened

ADAPTER = '''
import os, signal, sys, time
from hcrm_core.api import Adapter, Patient, RawMessage, Statement, Translation, hookimpl

class Odd(Adapter):
    """One message a line; a line that begins with "!" names a misbehaviour."""

    name = "odd"
    version = "7"
    file_suffixes = (".odd",)

    def split(self, data, name):
        if data == b"!split":
            raise KeyError("13800138000")
        for line in data.splitlines():
            yield RawMessage(line, line.decode("utf-8"))

    def translate(self, payload):
        word = payload.decode("utf-8")
        if word.startswith("!"):
            return getattr(self, word[1:])(payload)
        print("noise on standard output")
        return Translation("ODD", Statement(len(word)), (Patient(key=word),))

    def raises(self, payload):
        raise RuntimeError("secret 13800138000")

    def exits(self, payload):
        raise SystemExit(4)

    def interrupts(self, payload):
        raise KeyboardInterrupt

    def recurses(self, payload):
        return self.recurses(payload)

    def vanishes(self, payload):
        os._exit(0)

    def killed(self, payload):
        os.kill(os.getpid(), signal.SIGKILL)

    def hangs(self, payload):
        time.sleep(600)

    def spins(self, payload):
        while True:
            pass

    def nothing(self, payload):
        return None

    def object(self, payload):
        return object()

    def unbounded(self, payload):
        return Translation("ODD", Statement(2**62), (Patient(key="1"),))

    def huge(self, payload):
        return Translation("ODD", Statement(2**80), (Patient(key="1"),))

    def timeless(self, payload):
        return Translation("ODD", None, (Patient(key="1"),))

    def wrong(self, payload):
        return Translation("ODD", Statement(1), (Patient(key="", birth_date="yesterday"),))

    def number(self, payload):
        return Translation("ODD", Statement(1), (Patient(key=5),))

@hookimpl
def register_adapters():
    return [Odd]
'''

MISBEHAVIOURS = (
    "raises", "exits", "interrupts", "recurses", "vanishes", "killed", "hangs", "spins",
    "nothing", "object", "unbounded", "huge", "timeless", "wrong", "number",
)  # fmt: skip


@pytest.fixture
def space(tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that enables the odd adapter; the workers find it through PYTHONPATH."""
    site = distribution(tmp_path / "site", "odd", ADAPTER, module=f"fake_plugin_odd_{os.getpid()}")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    (workspace / "hcrm.toml").write_text(
        'plugins = ["odd"]\n[sources.odd]\nadapter = "odd"\n[workers]\nbatch_seconds = 4\nmessage_seconds = 1\n',
        encoding="utf-8",
    )
    yield workspace
    sys.modules.pop(f"fake_plugin_odd_{os.getpid()}", None)


def ingest(space: Path, *words: str, name: str = "a.odd") -> tuple[Result, dict[str, int]]:
    (space / name).write_text("\n".join(words), encoding="utf-8")
    result = CliRunner().invoke(main, ["ingest", name, "--json"])
    return result, json.loads(result.stdout)


def listed(*arguments: str) -> list[dict[str, str]]:
    return json.loads(CliRunner().invoke(main, ["messages", "list", "--json", *arguments]).stdout)


def test_whatever_an_adapter_does_over_one_message_the_others_are_translated(
    space: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["good"]
    for number, name in enumerate(MISBEHAVIOURS):
        words += [f"!{name}", f"good{number}"]
    result, summary = ingest(space, *words)
    assert result.exit_code == 3
    quarantined = listed("--state", "quarantined")
    assert sorted(row["control_id"] for row in quarantined) == sorted(f"!{name}" for name in MISBEHAVIOURS)
    assert summary["translated"] == len(MISBEHAVIOURS) + 1 == summary["patients"]
    assert summary["landed"] == summary["translated"] + summary["quarantined"] == summary["messages"]
    for row in quarantined:
        assert "author" in row["reason"] and "13800138000" not in row["reason"]
    heard = result.output + "".join(capfd.readouterr())
    assert "Traceback" not in heard
    assert "13800138000" not in heard


def test_the_second_run_tries_nobody_again_and_says_nothing_new(space: Path) -> None:
    ingest(space, "good", "!raises", "!nothing")
    result, summary = ingest(space, "good", "!raises", "!nothing")
    assert (summary["messages"], summary["landed"], summary["duplicates"], summary["quarantined"]) == (3, 0, 3, 0)
    assert result.exit_code == 0


def test_a_file_an_adapter_cannot_split_is_left_out_and_named(space: Path) -> None:
    (space / "b.odd").write_text("fine", encoding="utf-8")
    (space / "a.odd").write_text("!split", encoding="utf-8")
    result = CliRunner().invoke(main, ["ingest", "a.odd", "b.odd", "--json"])
    assert result.exit_code == 3
    summary = json.loads(result.stdout)
    assert summary["translated"] == 1
    assert summary["rejected"] == [
        "a.odd: no message: the adapter odd 7 failed on it (KeyError). The file was left out; check it or name "
        "another adapter."
    ]


def test_a_worker_answers_in_the_order_it_was_asked(space: Path) -> None:
    opened = Opened(space)
    futures = [opened.pool.translate(opened.source_of("odd"), [f"{number}".encode()] * 20) for number in range(6)]
    for number, future in enumerate(futures):
        assert [one.records[0].key for one in future.result()] == [str(number)] * 20
    opened.close()


def test_what_an_interrupted_run_landed_is_translated_by_the_next(space: Path) -> None:
    """The process is killed while a message hangs; nothing that had landed is lost or counted twice."""
    (space / "a.odd").write_text("one\ntwo\n!hangs\nthree", encoding="utf-8")
    command = [sys.executable, "-c", "from hcrm_core.cli import main; main()", "ingest", "a.odd"]
    process = subprocess.Popen(command, cwd=space, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while len(listed()) < 4 and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert {row["state"] for row in listed()} <= {"received", "claimed"}
    result, summary = ingest(space, "four", name="b.odd")
    assert result.exit_code == 3
    assert (summary["messages"], summary["landed"], summary["translated"]) == (1, 1, 1)
    assert (summary["resumed"], summary["resumed_quarantined"]) == (4, 1)
    assert summary["patients"] == 4
    assert {row["control_id"]: row["state"] for row in listed()} == {
        "one": "folded", "two": "folded", "three": "folded", "four": "folded",
        "!hangs": "quarantined",
    }  # fmt: skip


def test_a_worker_gets_no_secrets_of_the_environment(space: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    code = ADAPTER.replace("Patient(key=word)", 'Patient(key=",".join(sorted(os.environ)))')
    module = next((space.parent / "site").glob("*.py"))
    module.write_text(code, encoding="utf-8")
    opened = Opened(space)
    names = opened.pool.translate(opened.source_of("odd"), [b"x"]).result()[0].records[0].key
    opened.close()
    assert "PATH" in names
    assert "DATABASE_PASSWORD" not in names
