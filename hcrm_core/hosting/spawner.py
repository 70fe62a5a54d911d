"""The spawner: a small process without threads, keys or connections that forks hosts in milliseconds.

It is started once a process of the core and ends with it, and its hosts with it. It forks, since a host that began as a
Python of its own would need a quarter of a second for what the spawner has imported already.
"""

import ctypes
import gc
import importlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import msgspec
from msgspec import Struct

from hcrm_core.hosting import frames

_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR", "TZ")
"""What of the environment plugin code may see: nothing that could be a credential."""

_SHARED = ("hcrm_core.api", "encodings.utf_8_sig")
"""What every host needs to load a plugin: imported once, before there is any."""

NOT_STARTED = 0
"""Stands for the process id of a host that could not be started."""

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


class Start(Struct, tag="start"):
    """Fork a host.

    Attributes:
        module: Of the core; its `main(line)` is called with the host's end of the line, whose descriptor comes along.
        path: Where to import from.
    """

    module: str
    path: list[str]


class End(Struct, tag="end"):
    """End a host and say how it ended.

    Attributes:
        pid: Which.
        grace: Seconds it has to end by itself.
    """

    pid: int
    grace: float


_decode = msgspec.msgpack.Decoder(Start | End).decode
_number = msgspec.msgpack.Decoder(int).decode


class Spawner:
    """The core's side. Threads may share it."""

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._turn = threading.Lock()
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, module: str) -> tuple[int, socket.socket]:
        """A new host: its process id, and the core's end of the line to it.

        Raises:
            OSError: It cannot be had.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                pid = self._ask(Start(module, sys.path), theirs)
                if pid == NOT_STARTED:
                    raise OSError("no process could be started")
            except BaseException:
                ours.close()
                raise
        return pid, ours

    def end(self, pid: int, grace: float = 0.0) -> int:
        """End a host; its exit code, or the negative number of the signal that ended it.

        Args:
            pid: Of `start`.
            grace: Seconds it has to end by itself.
        """
        return self._ask(End(pid, grace))

    def _ask(self, request: Start | End, line: socket.socket | None = None) -> int:
        with self._turn:
            try:
                return self._exchange(request, line)
            except OSError:
                # It was killed; its hosts died with it.
                self._stop()
                if isinstance(request, End):
                    return -signal.SIGKILL
                return self._exchange(request, line)
            except BaseException:
                self._stop()  # an answer nobody has read must not be taken for the next one
                raise

    def _exchange(self, request: Start | End, line: socket.socket | None) -> int:
        if self._line is None:
            self._begin()
        assert self._line
        frames.send(self._line, request)
        if line:
            socket.send_fds(self._line, [b"f"], [line.fileno()])
        answer = frames.receive(self._line)
        if answer is None:
            raise ConnectionError
        return _number(answer)

    def _begin(self) -> None:
        self._line, theirs = socket.socketpair()
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        code = f"from hcrm_core.hosting.spawner import main; main({theirs.fileno()})"
        with theirs:
            self._process = subprocess.Popen(
                # -P: what lies in the current directory is no module of ours.
                [sys.executable, "-P", "-c", code],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=kept,
            )

    def _stop(self) -> None:
        if self._line:
            self._line.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        self._line = self._process = None


SPAWNER = Spawner()
"""The one of this process."""


def main(descriptor: int) -> None:
    """The spawner's side: fork and reap until the core is gone."""
    # Ctrl-C reaches every process of the terminal; the core decides what becomes of its hosts.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.disable()  # what is imported here stays; a host enables it again
    for name in _SHARED:
        importlib.import_module(name)
    hosts: set[int] = set()
    # A core that is killed may leave the line with something unread, which is no other end than any.
    with socket.socket(fileno=descriptor) as core, suppress(ConnectionError):
        while (frame := frames.receive(core)) is not None:
            request = _decode(frame)
            if isinstance(request, Start):
                _, (theirs, *_), _, _ = socket.recv_fds(core, 1, 1)
                os.set_inheritable(theirs, False)
                answer = _fork(request, theirs, core)
                os.close(theirs)
                hosts.add(answer)
            else:
                hosts.discard(request.pid)
                answer = _end(request)
            frames.send(core, answer)
    for pid in hosts - {NOT_STARTED}:
        _end(End(pid, 0.0))


def _fork(request: Start, descriptor: int, core: socket.socket) -> int:
    try:
        sys.path[:] = request.path
        importlib.invalidate_caches()
        serve = importlib.import_module(request.module).main
        gc.freeze()
        if pid := os.fork():
            return pid
    except Exception:
        return NOT_STARTED  # no more processes, no memory: the other hosts go on
    try:
        gc.enable()
        core.close()
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        _become("hcrm-" + request.module.rpartition(".")[2])
        # Whatever plugin code prints must not end up in a result the core prints.
        os.dup2(2, 1)
        os.setsid()
        serve(socket.socket(fileno=descriptor))
        sys.stderr.flush()
        os._exit(0)
    except BaseException:
        os._exit(70)


def _end(request: End) -> int:
    if request.pid <= 1:
        return 0
    until = time.monotonic() + request.grace
    code = -signal.SIGKILL
    with suppress(ChildProcessError):
        ended, status = os.waitpid(request.pid, os.WNOHANG)
        while not ended and time.monotonic() < until:
            time.sleep(0.005)
            ended, status = os.waitpid(request.pid, os.WNOHANG)
        if not ended:
            os.kill(request.pid, signal.SIGKILL)
            _, status = os.waitpid(request.pid, 0)
        code = os.waitstatus_to_exitcode(status)
    # What it started is of its session.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(request.pid, signal.SIGKILL)
    return code


def _become(name: str) -> None:
    """Take a name of its own, and have the system kill this process when the spawner ends, however busy it is then
    (Linux; elsewhere it ends when it next reads from the line)."""
    if sys.platform == "linux":
        system = ctypes.CDLL(None)
        system.prctl(_PR_SET_NAME, name.encode())
        system.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
