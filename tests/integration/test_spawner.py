"""The process that forks hosts, and how it ends."""

import select
import socket
import subprocess
import sys

from hcrm_core.hosting import frames
from hcrm_core.hosting.spawner import End


def test_it_ends_quietly_when_the_core_died_without_reading_its_answer() -> None:
    ours, theirs = socket.socketpair()
    code = f"from hcrm_core.hosting.spawner import main; main({theirs.fileno()})"
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", code],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
    frames.send(ours, End(0, 0.0))
    assert select.select([ours], [], [], 30)[0]
    ours.close()
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said.decode()) == (0, "")
