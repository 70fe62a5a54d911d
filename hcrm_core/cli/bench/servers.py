"""The sides of a race: ours in a workspace of its own, and a peer given as a command."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hcrm_core.cli.init import create
from hcrm_core.env import CONFIGURATION
from hcrm_core.errors import UsageError

_SOURCE = """

[sources.bench]
adapter = "hl7v2"
listen = "127.0.0.1:{port}"

[sources.bench.listener]
connections_per_address = 256
"""
START_SECONDS = 30.0


def free_port() -> int:
    """A port nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def workspace(folder: Path, port: int, store_url: str | None = None) -> Path:
    """Make a workspace that listens on a port."""
    create(folder, "bench", "Asia/Shanghai").unchecked_store.close()
    file = folder / CONFIGURATION
    text = file.read_text(encoding="utf-8") + _SOURCE.format(port=port)
    if store_url:
        text = text.replace('url = "sqlite:///store.db"', f'url = "{store_url}"')
    file.write_text(text, encoding="utf-8")
    return folder


@contextmanager
def ours(folder: Path, port: int, *command: str, delay: float = 0.0) -> Iterator[int]:
    """`hcrm COMMAND` over a workspace until the block ends; gives its process id.

    Args:
        folder: The workspace.
        port: Where it listens.
        command: `listen`, or `run --watch`.
        delay: Seconds every commit of the inbox is held up, as a slow disk would.
    """
    environment = dict(os.environ)
    if delay:
        environment["HCRM_FAILPOINT"] = f"pre-commit:delay={delay}"
    process = subprocess.Popen(
        [sys.executable, "-m", "hcrm_core", "--workspace", str(folder), *command],
        env=environment, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with _until_ended(process, port):
        yield process.pid


@contextmanager
def peer(command: str, port: int) -> Iterator[int]:
    """A peer's server, `COMMAND PORT FULL 256`, until the block ends."""
    process = subprocess.Popen([*shlex.split(command), str(port), "FULL", "256"], stderr=subprocess.DEVNULL)
    with _until_ended(process, port):
        yield process.pid


@contextmanager
def _until_ended(process: "subprocess.Popen[bytes]", port: int) -> Iterator[None]:
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    said = shlex.join(map(str, process.args if isinstance(process.args, list) else []))
                    raise UsageError(
                        f"A side of the race did not start: {said}. Run it by itself to see why."
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
