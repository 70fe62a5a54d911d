"""`hcrm bench fhir`: files of FHIR to facts, beside a parser and a validator alone."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from statistics import median

import click
import msgspec

from hcrm_core.cli.bench import processes, resources
from hcrm_core.cli.bench.command import show
from hcrm_core.cli.bench.races import Figure, new_folder
from hcrm_core.cli.context import json_option, say
from hcrm_core.cli.init import create
from hcrm_core.env import CONFIGURATION
from hcrm_core.errors import UsageError

PROCESSES = min(os.cpu_count() or 1, 4)
"""How many translate at once; as many validate alone."""

_SOURCE = """

[sources.plain]
adapter = "fhir"

[sources.strict]
adapter = "fhir"
validate = true
"""

_PARSE = """
import sys, time
try:
    import orjson
except ImportError:
    sys.exit("no orjson")
lines = open(sys.argv[1], "rb").read().splitlines()
began = time.perf_counter()
for line in lines:
    orjson.loads(line)
print(len(lines) / (time.perf_counter() - began))
"""

_VALIDATE = """
import sys, time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module

def validate(lines):
    models = {n: getattr(import_module(f"fhir.resources.R4B.{n.lower()}"), n) for n in ("Patient", "Observation")}
    for line in lines:
        models["Patient" if b'"Patient"' in line[:40] else "Observation"].model_validate_json(line)

if __name__ == "__main__":
    count = int(sys.argv[2])
    lines = open(sys.argv[1], "rb").read().splitlines()
    with ProcessPoolExecutor(count) as pool:
        list(pool.map(validate, [lines[:1]] * count))
        began = time.perf_counter()
        list(pool.map(validate, [lines[at : at + 200] for at in range(0, len(lines), 200)]))
        print(len(lines) / (time.perf_counter() - began))
"""


RACES = ("T10", "T11", "memory")


@click.command()
@click.option("--only", metavar="RACES", help=f"Some of {', '.join(RACES)}, parted by commas.")
@click.option("--resources", "count", default=50_000, show_default=True, type=click.IntRange(100), help="In the file.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 20), help="How often each side runs.")
@json_option
def fhir(only: str | None, count: int, rounds: int, as_json: bool) -> None:
    """Race FHIR: NDJSON to facts beside parsing alone (T10), validated beside validation alone (T11), and memory.

    Half of the resources are patients, half results. Everything happens in folders of its own and is removed.
    """
    chosen = [name.strip().lower() for name in only.split(",")] if only else [name.lower() for name in RACES]
    with new_folder() as folder:
        file = resources.write(folder / "export.ndjson", count)
        races = {
            "t10": lambda: _parsed(file, count, rounds),
            "t11": lambda: _validated(folder, file, count, rounds),
            "memory": lambda: _memory(folder, count),
        }
        for name in chosen:
            if name not in races:
                raise UsageError(f"There is no race {name!r}; there are {', '.join(RACES)}.")
        figures = [races[name]() for name in chosen]
    show(figures, as_json)


def _parsed(file: Path, count: int, rounds: int) -> Figure:
    say("Racing T10 …")
    own, other = [], []
    for _ in range(rounds):
        other.append(_alone(_PARSE, file))
        own.append(_facts("plain", file)[0])
    what = f"NDJSON → facts, {count:,} resources ÷ orjson.loads alone"
    return Figure("T10", what, own, other, "resources/s", median(own) / median(other), 0.04, 0.08)


def _validated(folder: Path, file: Path, count: int, rounds: int) -> Figure:
    say("Racing T11 …")
    script = folder / "validate.py"
    script.write_text(_VALIDATE, encoding="utf-8")
    own, other = [], []
    for _ in range(rounds):
        other.append(_alone(None, file, script))
        own.append(_facts("strict", file)[0])
    what = f"NDJSON → facts, validated, {count:,} resources ÷ fhir.resources alone"
    note = f"{PROCESSES} processes each"
    return Figure("T11", what, own, other, "resources/s", median(own) / median(other), 0.7, 1, note=note)


def _memory(folder: Path, count: int) -> Figure:
    say("Racing memory …")
    files = [resources.write(folder / f"{times}.ndjson", times * count) for times in (1, 4)]
    peaks = [_facts("plain", file)[1] for file in files]
    more = (files[1].stat().st_size - files[0].stat().st_size) / 1024**2
    slope = (peaks[1] - peaks[0]) / more
    what = "most memory of all processes, four times the file ÷ once, a MB of file more"
    note = f"{peaks[0]:,.0f} and {peaks[1]:,.0f} MB"
    return Figure("memory", what, [slope], [], "MB a MB", slope, 0.2, 0.05, lower=True, note=note)


def _alone(code: str | None, file: Path, script: Path | None = None) -> float:
    program = ["-c", code] if code is not None else [str(script)]
    done = subprocess.run(
        [sys.executable, *program, str(file), str(PROCESSES)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UsageError(
            "The other side of the race did not run: orjson and fhir.resources must be installed "
            f"({done.stderr.strip().rpartition(chr(10))[2]})."
        )
    return float(done.stdout)


def _facts(source: str, file: Path) -> tuple[float, float]:
    """Resources a second from landing to facts, as `hcrm ingest` says, and the most memory it took in MB."""
    with new_folder() as folder:
        create(folder, "bench", "Asia/Shanghai").unchecked_store.close()
        with (folder / CONFIGURATION).open("a", encoding="utf-8") as configuration:
            configuration.write(_SOURCE)
        command = [sys.executable, "-m", "hcrm_core", "--workspace", str(folder), "ingest", str(file)]
        with subprocess.Popen(
            [*command, "--source", source, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as running:
            watch = _Watch(running.pid)
            output = running.stdout.read() if running.stdout else b""
            watch.end()
        said = msgspec.json.decode(output)
    if said["quarantined"] or not said["landed"]:
        raise UsageError(f"{said['quarantined']} resources were quarantined; the race is void.")
    return float(said["landed"] / said["seconds"]), watch.most


class _Watch:
    """Looks several times a second how much memory a process and its children take."""

    def __init__(self, process: int) -> None:
        self.most = 0.0
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(0.2):
            self.most = max(self.most, sum(map(processes.resident, processes.family(self._process))))

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self._thread.join()
