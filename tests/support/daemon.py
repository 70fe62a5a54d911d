"""`hcrm run --watch` as a process of its own, for proofs that kill it."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from pathlib import Path

import psutil

from hcrm_core.cli.init import create
from hcrm_core.failpoints import KILLED

SECONDS = 60
"""How long anything it should do may take."""

PAUSE = 0.03
"""Between two looks: each takes the processor from what is waited for."""

_numbers = count(1)


@cache
def _new() -> "tempfile.TemporaryDirectory[str]":
    """A workspace in which nothing has been done, made once a process to be copied."""
    folder = tempfile.TemporaryDirectory(prefix="hcrm-new-workspace-", ignore_cleanup_errors=True)
    create(Path(folder.name), "人民医院", "Asia/Shanghai").unchecked_store.close()
    return folder


def workspace(root: Path, port: int, database: str | None = None, more: str = "", *, deciding: bool = False) -> Path:
    """Make a workspace whose source `his` listens, on SQLite or on an empty PostgreSQL database.

    Args:
        root: Where.
        port: To listen on.
        database: Its URL; SQLite where not given.
        more: Further lines of `[sources.his]`.
        deciding: Whether all plugins are enabled and decide live beside the intake; else the intake is alone.
    """
    from hcrm_core.cli.context import Opened
    from hcrm_core.store import schema

    shutil.copytree(_new().name, root, dirs_exist_ok=True)
    file = root / "hcrm.toml"
    text = file.read_text(encoding="utf-8") + f'listen = "127.0.0.1:{port}"\n{more}'
    if database:
        text = text.replace("sqlite:///store.db", database)
    if not deciding:
        text = re.sub(r"(?m)^plugins = .*$", 'plugins = ["hl7v2"]', text)
        text = text.replace("[sources.his]", "[decide]\nlive = false\n\n[sources.his]")
    file.write_text(text, encoding="utf-8")
    if database:
        space = Opened(root)
        schema.upgrade(space.unchecked_store)
        space.unchecked_store.close()
    return root


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait, within reason, until something holds."""
    until = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


def free_port() -> int:
    """A port below those the system gives to clients: one of them could take it while the listener is down."""
    while True:
        port = random.SystemRandom().randint(20_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for(happened: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    """Wait until something is so; fail with `what` when it takes too long."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, f"{what}: not within {seconds:g} seconds"
        time.sleep(PAUSE)


def _ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Daemon:
    """One start of it; use it as a context manager, at whose end nothing of it is left."""

    def __init__(
        self,
        root: Path,
        failpoint: str = "",
        *,
        path: Path | None = None,
        command: str = "run --watch",
        under: Sequence[str | Path] = (),
    ) -> None:
        """Args:
        root: The workspace.
        failpoint: For `HCRM_FAILPOINT`.
        path: Put first on the Python path.
        command: `listen` for the listener without the daemon.
        under: A program with its arguments that is to run it.
        """
        self._file = root.parent / f"{root.name}-{next(_numbers)}.log"
        environment = os.environ | {"HCRM_FAILPOINT": failpoint, "PYTHONUNBUFFERED": "1"}
        if path:
            environment["PYTHONPATH"] = os.pathsep.join([str(path), *filter(None, [environment.get("PYTHONPATH")])])
        workers = ["--workers", "1"] if command.startswith("run") else []
        with self._file.open("wb") as log:
            self.process = subprocess.Popen(
                [*under, sys.executable, "-m", "hcrm_core", "--workspace", str(root), *command.split(), *workers],
                cwd=root.parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._itself = psutil.Process(self.process.pid)

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        assert "Traceback" not in self.log, self.log

    @property
    def log(self) -> str:
        """What it and its children have said."""
        return self._file.read_text(encoding="utf-8", errors="replace")

    @property
    def fired(self) -> int:
        """How often a process has killed itself at a failpoint."""
        return self.log.count(KILLED)

    def listening(self, times: int = 1) -> "Daemon":
        """Wait until a listener has been ready so often."""
        ready = "Listening on"
        wait_for(
            lambda: self.log.count(ready) >= times or self.process.poll() is not None,
            f"{ready} {times} times, by {self._file}",
        )
        assert self.log.count(ready) >= times, self.log
        return self

    def children(self) -> list[psutil.Process]:
        """Its listener and its translation workers."""
        try:
            return self._itself.children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def child(self, word: str) -> psutil.Process | None:
        """The child whose name or command line has a word, `listen` or `hcrm-worker`; it may have just ended."""
        for process in self.children():
            try:
                if word in (process.name(), *process.cmdline()):
                    return process
            except psutil.NoSuchProcess:
                continue
        return None

    def kill(self) -> None:
        """Kill it and its children at once, in any order, as a power cut would."""
        everything = [self._itself, *self.children()]
        random.shuffle(everything)
        for process in everything:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait(SECONDS)
        wait_for(lambda: all(map(_ended, everything)), "what was killed has ended")

    def orphan(self, end: bool = False) -> None:
        """See it die, or kill it, and check that its children, left alone, end by themselves."""
        children = set(self.children())
        if end:
            self.process.kill()
        until = time.monotonic() + SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < until, f"it lives on: {self.log}"
            children |= set(self.children())
            time.sleep(PAUSE)
        assert self.process.returncode == -signal.SIGKILL, self.log
        wait_for(lambda: all(map(_ended, children)), "the children of a killed daemon end by themselves")

    def stop(self) -> None:
        """End it as an administrator does."""
        self.process.terminate()
        assert self.process.wait(SECONDS) == 0, self.log
