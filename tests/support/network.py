"""A network of a test's own with one far end on it, which can be cut off without either side being told."""

import subprocess
import sys
from pathlib import Path

import pytest

_FORWARD = """
import socket, sys, threading

def forward(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in source, target:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

input()  # until there is a network
listening = socket.create_server((sys.argv[1], 5432))
print("ready", flush=True)
while True:
    near, _ = listening.accept()
    far = socket.socket(socket.AF_UNIX)
    far.connect(sys.argv[2])
    for pair in (near, far), (far, near):
        threading.Thread(target=forward, args=pair, daemon=True).start()
"""

HERE, THERE = "198.18.77.1", "198.18.77.2"
"""Of the range that is set aside for tests (RFC 2544)."""


class FarEnd:
    """An address at which a socket of this machine can be reached as if it were on another; a context manager."""

    def __init__(self, path: Path) -> None:
        """Args: path: of the socket. Skips the test where this machine lets nobody make a network."""
        command = ["unshare", "-n", sys.executable, "-c", _FORWARD, THERE, path]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._name = f"hcrm{self._process.pid}"

    def __enter__(self) -> "FarEnd":
        inside = ("nsenter", "-t", str(self._process.pid), "-n")
        try:
            _ip("link", "add", self._name, "type", "veth", "peer", "name", "far", "netns", str(self._process.pid))
            _ip("address", "add", f"{HERE}/30", "dev", self._name)
            _ip("link", "set", self._name, "up")
            _ip("address", "add", f"{THERE}/30", "dev", "far", under=inside)
            _ip("link", "set", "far", "up", under=inside)
        except (OSError, subprocess.CalledProcessError):
            self.__exit__()
            pytest.skip("A network cannot be made here: it takes root and ip.")
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def cut(self) -> None:
        """From now on nothing arrives at the other end, and nobody is told."""
        _ip("link", "set", "far", "down", under=("nsenter", "-t", str(self._process.pid), "-n"))

    def mend(self) -> None:
        """Let everything arrive again."""
        _ip("link", "set", "far", "up", under=("nsenter", "-t", str(self._process.pid), "-n"))


def _ip(*arguments: str, under: tuple[str, ...] = ()) -> None:
    subprocess.run([*under, "ip", *arguments], check=True, capture_output=True)
