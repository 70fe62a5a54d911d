"""`hcrm bench soak`: the daemon under a steady load, and whether lag, memory and file handles stay where they are."""

import asyncio
import threading
import time
from pathlib import Path
from statistics import linear_regression, median
from typing import Any, NamedTuple

import click

from hcrm_core import env
from hcrm_core.cli.bench.load import Run, drive
from hcrm_core.cli.bench.processes import family, handles, resident
from hcrm_core.cli.bench.races import new_folder
from hcrm_core.cli.bench.servers import free_port, ours, workspace
from hcrm_core.cli.context import Opened, counted, json_option, say, show_json, show_table
from hcrm_core.errors import UsageError
from hcrm_core.intake.figures import figures

COMMANDS = {"run": ("run", "--watch"), "listen": ("listen",)}


class Sample(NamedTuple):
    """One look; lag is how many seconds ago the oldest message that is not folded arrived."""

    second: float
    landed: int
    waiting: int
    lag: float
    megabytes: float
    handles: int


@click.command()
@click.option("--rate", required=True, type=click.FloatRange(1), help="Messages a second.")
@click.option("--minutes", default=10.0, show_default=True, type=click.FloatRange(0.1), help="How long.")
@click.option("--connections", default=8, show_default=True, type=click.IntRange(1, 256), help="How many senders.")
@click.option("--side", default="run", show_default=True, type=click.Choice(list(COMMANDS)), help="What is soaked.")
@json_option
def soak(rate: float, minutes: float, connections: int, side: str, as_json: bool) -> None:
    """Send at a steady rate for a while, and watch lag, memory and file handles.

    `run` is the daemon that listens and folds, `listen` the listener alone. The first tenth is left out of the slopes:
    caches fill.
    """
    if not Path("/proc/self/fd").is_dir():
        raise UsageError("Memory and file handles are read from /proc, which this system does not have.")
    with new_folder() as folder:
        port = free_port()
        root = workspace(folder, port)
        with ours(root, port, *COMMANDS[side]) as process:
            samples: list[Sample] = []
            ended = threading.Event()
            watcher = threading.Thread(target=_watch, args=(root, process, samples, ended), daemon=True)
            watcher.start()
            run = asyncio.run(drive(port, connections, "adt", seconds=minutes * 60, rate=rate))
            ended.set()
            watcher.join()
    shown = _summary(run, samples)
    if as_json:
        show_json(shown | {"samples": [sample._asdict() for sample in samples]})
        return
    say(
        f"{counted(run.messages, 'message')} in {run.seconds:.0f} s ({run.rate:.0f}/s), {run.refused} refused, p99 "
        f"{shown['p99_ms']:.1f} ms."
    )
    show_table(
        ("", "first", "median", "greatest", "last", "a minute"),
        [(name, *(f"{value:,.2f}" for value in row.values())) for name, row in shown["figures"].items()],
    )


def _watch(root: Path, process: int, samples: list[Sample], ended: threading.Event) -> None:
    space = Opened(root)
    began = time.monotonic()
    while not ended.wait(5):
        seen = figures(space.store)
        oldest = seen.oldest_waiting_at
        lag = (env.microseconds(env.now()) - oldest) / 1e6 if oldest is not None else 0.0
        processes = family(process)
        samples.append(
            Sample(
                round(time.monotonic() - began, 1),
                seen.landed,
                seen.waiting,
                round(lag, 3),
                round(sum(map(resident, processes)), 1),
                sum(map(handles, processes)),
            )
        )
    space.store.close()


def _summary(run: Run, samples: list[Sample]) -> dict[str, Any]:
    kept = samples[len(samples) // 10 :]
    if len(kept) < 2:
        raise UsageError("That was too short to see anything. Give it a minute at least.")
    minutes = [sample.second / 60 for sample in kept]
    rows = {}
    for name in ("lag", "waiting", "megabytes", "handles"):
        values = [float(getattr(sample, name)) for sample in kept]
        rows[name] = {
            "first": values[0],
            "median": median(values),
            "greatest": max(values),
            "last": values[-1],
            "a_minute": linear_regression(minutes, values).slope,
        }
    return {
        "messages": run.messages,
        "seconds": round(run.seconds, 1),
        "rate": round(run.rate, 1),
        "refused": run.refused,
        "p99_ms": round(run.latencies[int(len(run.latencies) * 0.99)] * 1000, 2) if run.latencies else 0.0,
        "figures": rows,
    }
