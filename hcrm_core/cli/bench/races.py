"""The races of intake. Each measures both sides in turn, round by round, so that a busy machine slows both alike."""

import asyncio
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec

from hcrm_core.cli.bench.load import Run, drive
from hcrm_core.cli.bench.messages import maker
from hcrm_core.cli.bench.servers import free_port, ours, peer, workspace
from hcrm_core.errors import UsageError

PEER_DRAIN = 70.0
"""Messages a second a peer stores facts of, from published measurements; it is not run here."""

WARM_UP_SECONDS = 1.0


class Figure(NamedTuple):
    """One line of the table.

    Attributes:
        race: Its name.
        what: In words.
        ours: Our results, one a round.
        other: The other side's, likewise; empty where there is none.
        unit: Of both.
        ratio: The figure that counts.
        must: What it should be at least, or at most where `lower`.
        stretch: What it would be at best.
        lower: Whether less is better.
        note: More.
    """

    race: str
    what: str
    ours: list[float]
    other: list[float]
    unit: str
    ratio: float
    must: float
    stretch: float
    lower: bool = False
    note: str = ""


class Plan(NamedTuple):
    """How to measure: rounds, seconds a round, the peer's command (`None`: there is no peer here)."""

    rounds: int
    seconds: float
    peer: str | None


def acknowledged(plan: Plan, race: str, connections: int, kind: str) -> Figure:
    """T1 to T4: MLLP to acknowledgment after a durable commit, beside the bare reference."""
    own: list[float] = []
    other: list[float] = []
    late: list[float] = []
    with new_folder() as folder:
        port, peer_port = free_port(), free_port()
        workspace(folder, port)
        for _ in range(plan.rounds):
            if plan.peer:
                with peer(plan.peer, peer_port):
                    other.append(_run(peer_port, connections, kind, plan.seconds).rate)
            with ours(folder, port, "listen"):
                run = _run(port, connections, kind, plan.seconds)
            own.append(run.rate)
            late.append(_quantile(run, 0.99) * 1000)
    what = f"MLLP → ACK, {connections} connection{'s' if connections > 1 else ''}, {kind.upper()}"
    note = f"p99 {median(late):.1f} ms"
    return Figure(race, what, own, other, "messages/s", _ratio(own, other), 0.5, 0.8, note=note)


def delayed(plan: Plan) -> Figure:
    """T5: 64 connections when every commit takes two milliseconds longer, against the same without."""
    slow: list[float] = []
    fast: list[float] = []
    with new_folder() as folder:
        port = free_port()
        workspace(folder, port)
        for _ in range(plan.rounds):
            for rates, delay in ((fast, 0.0), (slow, 0.002)):
                with ours(folder, port, "listen", delay=delay):
                    rates.append(_run(port, 64, "adt", plan.seconds).rate)
    what = "64 connections, every commit 2 ms slower ÷ without"
    return Figure("T5", what, slow, fast, "messages/s", _ratio(slow, fast), 0.7, 0.9)


def sustained(plan: Plan, messages: int) -> Figure:
    """T6: from the first byte sent until the last message's facts are stored, listening all the while."""
    rates = []
    for _ in range(plan.rounds):
        with new_folder() as folder:
            port = free_port()
            workspace(folder, port)
            with ours(folder, port, "run", "--watch"):
                began = time.perf_counter()
                asyncio.run(drive(port, 8, "adt", messages=messages))
                _wait_folded(folder, messages)
                rates.append(messages / (time.perf_counter() - began))
    what = f"MLLP → facts while listening, {messages:,} ADT"
    note = f"÷ {PEER_DRAIN:.0f}/s, a Python peer's published drain"
    return Figure("T6", what, rates, [PEER_DRAIN], "messages/s", median(rates) / PEER_DRAIN, 20, 40, note=note)


def file_to_facts(plan: Plan) -> Figure:
    """T7: a batch file to facts, beside the bare reference's way with the same file."""
    if plan.peer is None:
        raise UsageError("T7 is a race with a peer's batch file. Name the peer with --peer, or leave T7 out.")
    file = Path(shlex.split(plan.peer)[-1]).with_name("messages") / "batch_10k.hl7"
    own, other = [], []
    for _ in range(plan.rounds):
        with new_folder() as folder:
            answer = subprocess.run([*shlex.split(plan.peer), "0", "FULL", "1000"], capture_output=True, check=True)
            other.append(float(answer.stdout.split(b"\t")[1]))
            workspace(folder, free_port())
            own.append(_ingest(folder, file))
    what = "batch file → facts, 10,000 messages"
    return Figure("T7", what, own, other, "messages/s", _ratio(own, other), 0.12, 0.2)


def growth(plan: Plan, messages: int) -> Figure:
    """T16: time for ten times the messages ÷ time for them."""
    small: list[float] = []
    large: list[float] = []
    for _ in range(plan.rounds):
        for times, count in ((small, messages), (large, 10 * messages)):
            with new_folder() as folder:
                file = folder / "growth.hl7"
                make = maker("adt")
                file.write_bytes(b"\r".join(make() for _ in range(count)))
                workspace(folder, free_port())
                times.append(count / _ingest(folder, file))
    what = f"time for {10 * messages:,} ADT ÷ time for {messages:,}"
    return Figure("T16", what, large, small, "seconds", _ratio(large, small), 11, 10, lower=True)


def size(messages: int) -> Figure:
    """T19: what an admission takes on disk, inbox, facts, their versions, links and indexes included."""
    with new_folder() as folder:
        file = folder / "size.hl7"
        make = maker("adt")
        file.write_bytes(b"\r".join(make() for _ in range(messages)))
        workspace(folder, free_port())
        _ingest(folder, file)
        stored = 0
        for name in ("store.db", "inbox.db"):
            with sqlite3.connect(folder / name) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            stored += (folder / name).stat().st_size
    each = stored / messages / 1024
    return Figure("T19", f"store and inbox, {messages:,} ADT", [each], [], "KB a message", each, 4, 2, lower=True)


def _run(port: int, connections: int, kind: str, seconds: float) -> Run:
    asyncio.run(drive(port, connections, kind, seconds=WARM_UP_SECONDS))
    run = asyncio.run(drive(port, connections, kind, seconds=seconds))
    if run.refused:
        raise UsageError(f"{run.refused} messages were refused; the race is void. Look at the disk and the database.")
    return run


def _ingest(folder: Path, file: Path) -> float:
    """Messages a second from landing to facts, as `hcrm ingest` says."""
    command = [sys.executable, "-m", "hcrm_core", "--workspace", str(folder), "ingest", str(file)]
    done = subprocess.run([*command, "--source", "bench", "--json"], capture_output=True, check=True)
    said = msgspec.json.decode(done.stdout)
    return float(said["landed"] / said["seconds"])


def _wait_folded(folder: Path, messages: int) -> None:
    until = time.monotonic() + 600
    with sqlite3.connect(folder / "store.db") as connection:
        while time.monotonic() < until:
            if connection.execute("SELECT count(*) FROM processing WHERE state = 'folded'").fetchone()[0] >= messages:
                return
            time.sleep(0.05)
    raise UsageError("The messages were not folded within ten minutes; the race is void.")


def _quantile(run: Run, share: float) -> float:
    return run.latencies[int(len(run.latencies) * share)] if run.latencies else 0.0


def _ratio(own: list[float], other: list[float]) -> float:
    return median(own) / median(other) if other else float("nan")


@contextmanager
def new_folder() -> Iterator[Path]:
    """A folder that is removed at the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="hcrm-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
