"""`hcrm listen` and `hcrm run --watch` as processes of their own: signals, reloading, a sender that others wrote."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from support.certificates import Authority
from support.daemon import free_port, wait_until
from support.mllp import LOCAL, Daemon, Sender, adt, framed
from support.ward import hcrm, told

from hcrm_core.cli.context import Opened
from hcrm_core.store import schema

PROGRAMS = Path(sys.executable).parent
COMMANDS = (("listen",), ("run", "--watch", "--workers", "1"))
each_command = pytest.mark.parametrize("command", COMMANDS, ids=["listen", "run --watch"])
each_database = pytest.mark.parametrize("space", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def space(request: pytest.FixtureRequest, workspace: Path) -> Path:
    """A workspace that listens, the current directory."""
    file = workspace / "hcrm.toml"
    text = file.read_text(encoding="utf-8")
    if getattr(request, "param", "") == "postgresql":
        text = text.replace("sqlite:///store.db", request.getfixturevalue("new_database")())
    file.write_text(f'{text}listen = "{LOCAL}"\n', encoding="utf-8")
    if getattr(request, "param", "") == "postgresql":
        opened = Opened(workspace)
        schema.upgrade(opened.unchecked_store)
        opened.unchecked_store.close()
    return workspace


def states() -> dict[str, str]:
    """Control id → what became of it, in the workspace that is the current directory."""
    return {row["control_id"]: row["state"] for row in told("messages", "list", "--limit", "5000")}


@each_database
@each_command
def test_a_signal_to_end_lets_everything_sent_before_be_answered(space: Path, command: tuple[str, ...]) -> None:
    sent = [f"M{number}" for number in range(300)]
    with Daemon(space, *command) as daemon, Sender(daemon.address) as sender, Sender(daemon.address) as silent:
        silent.ask(adt("S"))
        sender.send(*map(adt, sent[:-1]))
        sender.socket.sendall(framed(adt(sent[-1]))[:-5])
        assert daemon.stop() == 0
        assert [answer.control_id for answer in sender.rest()] == sent[:-1]
        assert silent.ended()
        assert "Stopped: everything acknowledged is stored." in daemon.said()
        assert "Traceback" not in daemon.said()
    assert states().keys() == {"S", *sent[:-1]}
    if command[0] == "listen":
        assert hcrm("run", "--workers", "1").exit_code == 0
        assert set(states().values()) == {"folded"}


def test_a_second_start_goes_on_where_the_first_ended(space: Path) -> None:
    with Daemon(space, "listen") as daemon, Sender(daemon.address) as sender:
        sender.send(*(adt(f"M{number}") for number in range(50)))
        assert len(sender.answers(50)) == 50
        assert daemon.stop() == 0
    with Daemon(space, "run", "--watch", "--workers", "1") as daemon, Sender(daemon.address) as sender:
        sender.send(*(adt(f"M{number}") for number in range(100)))
        assert len(sender.answers(100)) == 100
        wait_until(lambda: list(states().values()) == ["folded"] * 100)
        assert daemon.stop() == 0
    assert "Traceback" not in daemon.said()


def test_a_signal_to_end_lets_the_daemon_fold_what_is_to_be_answered_as_folded(space: Path) -> None:
    with (space / "hcrm.toml").open("a") as file:
        file.write('acknowledge = "application"\n')
    with Daemon(space, "run", "--watch", "--workers", "1") as daemon, Sender(daemon.address) as sender:
        assert sender.ask(adt("M0")).code == "AA"
        sender.send(*(adt(f"M{number}") for number in range(1, 40)))
        began = time.monotonic()
        assert daemon.stop() == 0
        answers = sender.rest()
    assert [answer.code for answer in answers] == ["AA"] * 39
    assert time.monotonic() - began < 15
    assert states() == {f"M{number}": "folded" for number in range(40)}


@each_command
def test_a_new_source_is_listened_for_and_a_mistake_changes_nothing(workspace: Path, command: tuple[str, ...]) -> None:
    file = workspace / "hcrm.toml"
    text = file.read_text(encoding="utf-8") + f'listen = "{LOCAL}"\n'
    file.write_text(text, encoding="utf-8")
    with Daemon(workspace, *command) as daemon, Sender(daemon.address) as sender:
        sender.ask(adt("M1"))
        file.write_text(text + "[sources.his.listener]\nframe_secnods = 5\n", encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        daemon.wait(r"frame_secnods is not a key.* Nothing was changed; the listener goes on as before\.")
        assert sender.ask(adt("M2")).code == "AA"
        file.write_text(text + '[sources.lis]\nadapter = "hl7v2"\nlisten = "[::1]:0"\n', encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        port = daemon.wait(r"Read hcrm.toml anew; listening on 127\.0\.0\.1:\d+, \[::1\]:(\d+)\.")
        with Sender(f"::1:{port}") as second:
            assert second.ask(adt("L1")).code == "AA"
        assert sender.ask(adt("M3")).code == "AA"
        if command[0] == "run":
            wait_until(lambda: states() == dict.fromkeys(("M1", "M2", "M3", "L1"), "folded"))
        file.write_text(text.replace(f'listen = "{LOCAL}"\n', ""), encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        daemon.wait("listening on no port: no source has `listen`")
        with pytest.raises(ConnectionRefusedError):
            Sender(daemon.address).__enter__()
        assert daemon.stop() == 0
    assert states().keys() == {"M1", "M2", "M3", "L1"}
    assert "Traceback" not in daemon.said()


def test_certificates_are_read_anew_without_dropping_a_connection(workspace: Path) -> None:
    old, new = Authority(workspace, "old"), Authority(workspace, "new")
    certificate, key = old.server()
    with (workspace / "hcrm.toml").open("a") as file:
        file.write(f'listen = "{LOCAL}"\n[sources.his.listener]\ncertificate = "{certificate}"\nkey = "{key}"\n')
    with Daemon(workspace, "listen") as daemon, Sender(daemon.address, old.trust()) as sender:
        sender.ask(adt("M1"))
        for file, renewed in zip((certificate, key), new.server(), strict=True):
            Path(renewed).replace(file)
        daemon.signal(signal.SIGHUP)
        daemon.wait("Read hcrm.toml anew")
        with Sender(daemon.address, new.trust()) as second:
            assert second.ask(adt("M2")).code == "AA"
        assert sender.ask(adt("M3")).code == "AA"
        assert daemon.stop() == 0


def test_plain_text_beyond_this_machine_is_warned_of_and_audited(workspace: Path) -> None:
    with (workspace / "hcrm.toml").open("a") as file:
        file.write('listen = "0.0.0.0:0"\n[sources.his.listener]\nplaintext = true\nallow = ["127.0.0.0/8"]\n')
    with Daemon(workspace, "listen", ready=False) as daemon:
        port = daemon.wait(r"Listening on 0\.0\.0\.0:(\d+)")
        assert "0.0.0.0:0 speaks plain text beyond this machine" in daemon.said()
        with Sender(f"127.0.0.1:{port}") as sender:
            assert sender.ask(adt("M1")).code == "AA"
        assert daemon.stop() == 0


def test_a_listener_that_dies_is_started_anew(workspace: Path) -> None:
    number = free_port()
    with (workspace / "hcrm.toml").open("a") as file:
        file.write(f'listen = "127.0.0.1:{number}"\n')
    with Daemon(workspace, "run", "--watch", "--workers", "1") as daemon:
        with Sender(daemon.address) as sender:
            sender.ask(adt("M1"))
        children = psutil.Process(daemon.process.pid).children()
        (child,) = [one for one in children if "listen" in one.cmdline()]
        child.send_signal(signal.SIGKILL)
        daemon.wait("the listener has died")
        wait_until(lambda: daemon.said().count("Listening on") == 2)
        with Sender(daemon.address) as sender:
            assert sender.ask(adt("M2")).code == "AA"
        assert daemon.stop() == 0


@each_database
def test_a_sender_that_others_wrote_delivers_a_file(space: Path, tmp_path: Path) -> None:
    """`mllp_send` of python-hl7 sends each framed message of a file and waits for its answer."""
    file = tmp_path / "messages.mllp"
    file.write_bytes(framed(*(adt(f"M{number}", f"P{number}", "王") for number in range(200))))
    with Daemon(space, "run", "--watch", "--workers", "1") as daemon:
        host, _, port = daemon.address.rpartition(":")
        done = subprocess.run(
            [PROGRAMS / "mllp_send", "--file", file, "--port", port, host], capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        answers = [line for line in done.stdout.replace(b"\r", b"\n").split(b"\n") if line.startswith(b"MSA|")]
        assert answers == [f"MSA|AA|M{number}".encode() for number in range(200)]
        wait_until(lambda: list(states().values()) == ["folded"] * 200)
        assert daemon.stop() == 0
