"""`hcrm` for tests in which starting Python a hundred times is not the point: a process that has imported everything
forks one copy for each command.

`programs()` makes a folder with a program `hcrm` to be put first on the path. It hands its arguments, directory,
environment, umask, ignored signals and its three standard files to the server, passes signals on, and ends as the
command ended. The server only imports: it has no threads and no connections. Where Python itself would begin otherwise
than the server did (another `PYTHON…` variable), the real program is run.
"""

import gc
import importlib
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, FileIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple

FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
ENVIRONMENT = {"PYTHONUTF8": "1", "LANG": "C.UTF-8"}
"""How Python begins in the server and in those who ask it, beside what this process was given."""

ALONE = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""Lets NumPy and Arrow begin no threads where they are imported."""

LIBRARIES = (
    "alembic", "duckdb", "opencc", "pyarrow.parquet", "pypinyin", "sqlalchemy.dialects.sqlite",
    "sqlglot.dialects.duckdb", "sqlglot.generators.duckdb", "sqlglot.optimizer", "sqlglot.parsers.duckdb", "sqlite3",
    "xlsxwriter", "yaml",
)  # fmt: skip
"""What commands import besides the core, when they need it."""

APART = ("hcrm_core.testing", "hcrm_core.templates", "hcrm_core.store.migrations", "hcrm_core.__main__")

CLIENT = """#!{python} -IS
import os, signal, socket
forwarded = {forwarded}
names = sorted(name for name in os.environ if name.startswith("PYTHON"))
if {{name: os.environ[name] for name in names}} != {started_with}:
    os.execv({real!r}, [{real!r}, *__import__("sys").argv[1:]])
signal.pthread_sigmask(signal.SIG_BLOCK, forwarded)
ignored = [number for number in forwarded if signal.getsignal(number) == signal.SIG_IGN]
umask = os.umask(0)
arguments = __import__("sys").argv[1:]
texts = [os.getcwd(), str(umask), " ".join(map(str, map(int, ignored))), str(len(arguments)), *arguments]
texts += [name + "=" + value for name, value in os.environ.items()]
request = b"\\0".join(map(os.fsencode, texts))
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [len(request).to_bytes(4, "big")], [0, 1, 2])
server.sendall(request)
command = int.from_bytes(server.recv(4, socket.MSG_WAITALL), "big")
for number in forwarded:
    if number not in ignored:
        signal.signal(number, lambda number, _: os.kill(command, number))
signal.pthread_sigmask(signal.SIG_UNBLOCK, forwarded)
code = int.from_bytes(server.recv(4, socket.MSG_WAITALL), "big", signed=True)
if code < 0:
    signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
    os.kill(os.getpid(), -code)
os._exit(code)
"""


class Asked(NamedTuple):
    """A command that is to be run, as the one who asked would run it."""

    folder: str
    umask: int
    ignored: list[int]
    arguments: list[str]
    environment: dict[str, str]
    files: list[int]

    @classmethod
    def over(cls, line: socket.socket) -> "Asked":
        """Read it; the files come along as descriptors."""
        head, files, _, _ = socket.recv_fds(line, 4, 3)
        left, request = int.from_bytes(head, "big"), b""
        while len(request) < left:
            request += line.recv(left - len(request))
        folder, umask, ignored, count, *rest = map(os.fsdecode, request.split(b"\0"))
        pairs = (text.partition("=") for text in rest[int(count) :])
        return cls(
            folder, int(umask), [*map(int, ignored.split())], rest[: int(count)],
            {name: value for name, _, value in pairs}, files,
        )  # fmt: skip


@contextmanager
def programs() -> Iterator[Path]:
    """A folder with the program `hcrm`, and the server it asks, which end with the block."""
    # Not below pytest's own folders: the address of a socket has at most a hundred characters.
    with tempfile.TemporaryDirectory(prefix="hcrm-warm-", ignore_cleanup_errors=True) as name:
        yield from _programs(Path(name))


def _programs(folder: Path) -> Iterator[Path]:
    real = Path(sys.executable).parent / "hcrm"
    address = str(folder / "server")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HCRM_", "PYTEST"))}
    environment |= ENVIRONMENT
    started_with = {name: value for name, value in sorted(environment.items()) if name.startswith("PYTHON")}
    program = folder / "hcrm"
    program.write_text(
        CLIENT.format(
            python=sys.executable, forwarded=[*map(int, FORWARDED)], started_with=started_with, real=str(real),
            address=address,
        ),
        encoding="utf-8",
    )  # fmt: skip
    program.chmod(0o755)
    server = subprocess.Popen(
        [sys.executable, __file__, address, str(real)], env=environment | ALONE, stdin=subprocess.PIPE
    )
    try:
        until = time.monotonic() + 60
        while not Path(address).exists():
            assert server.poll() is None and time.monotonic() < until, "the warm server does not start"
            time.sleep(0.02)
        yield folder
    finally:
        assert server.stdin
        server.stdin.close()
        server.wait(60)


def imported() -> None:
    """Import what commands need. Whoever forks must be alone in its process: no import may have begun a thread."""
    import hcrm_core

    for module in pkgutil.walk_packages(hcrm_core.__path__, "hcrm_core."):
        if not module.name.startswith(APART):
            importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)
    threads = len(list(Path("/proc/self/task").iterdir())) if sys.platform == "linux" else 1
    assert threads == 1, f"an import has begun {threads - 1} threads"
    gc.collect()
    gc.freeze()


def serve(address: str) -> Asked:
    """Fork for each who asks; returns in the copy, and ends in the server when its standard input ends."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, socket.socket] = {}
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{address}.new")
    listener.listen(64)
    Path(f"{address}.new").rename(address)
    while True:
        asking = {line.fileno(): pid for pid, line in running.items()}
        ready, _, _ = select.select([0, listener, woken, *asking], [], [])
        if 0 in ready:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
            os._exit(0)
        if woken in ready:
            with suppress(BlockingIOError):
                os.read(woken, 4096)
            _tell_ended(running)
        for line in ready:
            if (pid := asking.get(line)) in running:
                # Whoever asked is gone, and nobody else knows of its command.
                os.kill(pid, signal.SIGKILL)
        if listener in ready:
            line, _ = listener.accept()
            asked = Asked.over(line)
            if not (pid := os.fork()):
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for open_one in (listener, line, *running.values()):
                    open_one.close()
                os.close(woken)
                os.close(wake)
                return asked
            running[pid] = line
            for file in asked.files:
                os.close(file)
            line.sendall(pid.to_bytes(4, "big"))


def _tell_ended(running: dict[int, socket.socket]) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with running.pop(ended[0]) as line, suppress(OSError):
                line.sendall(os.waitstatus_to_exitcode(ended[1]).to_bytes(4, "big", signed=True))


def become(asked: Asked, real: str) -> None:
    """Make this copy the process that the real program would be."""
    gc.unfreeze()
    for place, file in enumerate(asked.files):
        os.dup2(file, place)
        os.close(file)
    for number in asked.ignored:
        signal.signal(number, signal.SIG_IGN)
    os.umask(asked.umask)
    os.chdir(asked.folder)
    os.environ.clear()
    os.environ.update(asked.environment)
    time.tzset()
    sys.argv[:] = [real, *asked.arguments]
    sys.path[0] = str(Path(real).parent)
    sys.stdin = TextIOWrapper(BufferedReader(FileIO(0, closefd=False)), "utf-8", "surrogateescape")
    # As with PYTHONUNBUFFERED: what a command prints is seen at once.
    sys.stdout = TextIOWrapper(FileIO(1, "w", closefd=False), "utf-8", "surrogateescape", write_through=True)
    sys.stderr = TextIOWrapper(FileIO(2, "w", closefd=False), "utf-8", "backslashreplace", write_through=True)


if __name__ == "__main__":
    sys.path.pop(0)
    sys.path.insert(0, "")
    imported()
    become(serve(sys.argv[1]), sys.argv[2])
    from hcrm_core.cli import main

    sys.exit(main())
