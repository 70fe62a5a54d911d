"""The races of keeping up: a mart brought up to date, and a result that becomes somebody's task, beside a store."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import median

from hcrm_core import env
from hcrm_core.cli.bench.load import drive
from hcrm_core.cli.bench.races import Figure
from hcrm_core.cli.bench.servers import free_port, ours, workspace
from hcrm_core.cli.context import Opened
from hcrm_core.config import CONFIGURATION
from hcrm_core.decide.freshness import refresh_mart
from hcrm_core.intake import bulk
from hcrm_core.mart.record_files import read_rows, write_rows
from hcrm_core.store.queries import mart_changes

RULES = """
rules:
  - id: critical
    version: "1"
    title: {en: Critical result, zh: 危急值}
    topic: critical_result
    trigger:
      table: observation
      when: list_contains(interpretation, 'HH') or list_contains(interpretation, 'LL')
      at: effective_on
    lookback: 14d
    steps:
      - {id: call, at: 0d, window: [0d, 1d], form: critical, owner: duty_doctor}
    via: [call]
"""
LOAD = 20.0
"""Messages a second beside the results."""

LONGEST = 10.0


def new_workspace(folder: Path) -> tuple[Opened, int]:
    """A workspace that listens, with a rule for critical results; and its port."""
    port = free_port()
    workspace(folder, port)
    file = folder / CONFIGURATION
    text = file.read_text(encoding="utf-8")
    file.write_text(text + '\n[followup]\nrules = ["rules.yaml"]\n', encoding="utf-8")
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    return Opened(folder), port


def fill(space: Opened, files: Sequence[Path]) -> float:
    """Fold record files into the store; returns how many seconds that took."""
    began = time.perf_counter()
    for path in files:
        bulk.load(space.store, "bench", path, env.microseconds(env.now()))
    return time.perf_counter() - began


def refreshed(space: Opened, files: Sequence[Path], rounds: int) -> Figure:
    """T14: the mart after a thousandth of the facts was said anew, beside writing it anew."""
    full, after = [], []
    with space.store.read() as connection:
        last = mart_changes.position(connection).statement
    for number in range(rounds):
        (space.mart / "manifest.json").unlink(missing_ok=True)
        full.append(_refresh(space))
        _say_again(space, files, 1000, number)
        after.append(_refresh(space))
    ratio = median(after) / median(full)
    what = f"mart after 0.1 % of facts changed ÷ anew, {last:,} statements"
    return Figure("T14", what, after, full, "seconds", ratio, 0.03, 0.01, lower=True)


def noticed(space: Opened, port: int, results: int) -> Figure:
    """T18: from the acknowledgment of a critical result to the task, while other messages come in."""
    space.close()
    late: list[float] = []
    with ours(space.root, port, "run", "--watch"):
        time.sleep(5)
        seconds = results * 1.0 + 5
        other = threading.Thread(target=lambda: asyncio.run(drive(port, 4, "adt", seconds=seconds, rate=LOAD)))
        other.start()
        late = asyncio.run(_results(space.root, port, results))
        other.join()
    late.sort()
    p99 = late[min(int(len(late) * 0.99), len(late) - 1)]
    what = f"critical result acknowledged → task, p99 of {results}, {LOAD:g} messages/s beside"
    return Figure("T18", what, late, [], "seconds", p99, 2, 0.5, lower=True)


def _refresh(space: Opened) -> float:
    began = time.perf_counter()
    refresh_mart(space.store, space.mart, now_us=env.microseconds(env.now()), timezone=space.timezone)
    return time.perf_counter() - began


def _say_again(space: Opened, files: Sequence[Path], one_of: int, number: int) -> None:
    """Load a record file that says every so manieth record again, a second later each time."""
    rows = [row for file in files for batch in read_rows(file) for row in batch][number::one_of]
    later = [row._replace(said_at=row.said_at + (number + 1) * 1_000_000) for row in rows]
    file = space.root / f"again-{number}.parquet"
    write_rows(file, later)
    bulk.load(space.store, "bench", file, env.microseconds(env.now()))


async def _results(folder: Path, port: int, results: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    with sqlite3.connect(folder / "store.db", timeout=10) as connection:
        for number in range(results):
            now = datetime.now().strftime("%Y%m%d%H%M%S")
            said = (
                f"MSH|^~\\&|LIS|RMYY|HCRM||{now}||ORU^R01|critical{time.time_ns()}|P|2.5",
                f"PID|1||critical{number}^^^RMYY^MR||Wang^Fang||19900101|F",
                f"OBR|1||O{time.time_ns()}|K^K|||{now}",
                f"OBX|1|NM|K^K||7.9|mmol/L||HH|||F|||{now}",
            )
            before = _tasks(connection)
            writer.write(b"\x0b" + "\r".join(said).encode() + b"\r\x1c\r")
            await reader.readuntil(b"\x1c\r")
            acknowledged = time.perf_counter()
            while _tasks(connection) == before and time.perf_counter() - acknowledged < LONGEST:
                await asyncio.sleep(0.005)
            found.append(time.perf_counter() - acknowledged)
            await asyncio.sleep(0.3)
    writer.close()
    return found


def _tasks(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM task WHERE strategy = 'followup.critical'").fetchone()[0])
