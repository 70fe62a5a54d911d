"""The strategies of a plugin evaluated by another Python, with another hash seed: `python -m …elsewhere`."""

import os
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Struct

from hcrm_core.errors import HcrmError
from hcrm_core.testing.strategies.bench import Bench, Row
from hcrm_core.testing.strategies.wards import Ward

_SECONDS = 120


class Asked(Struct, frozen=True):
    """What the other process is told: which bench to set up, over which ward."""

    plugin: str
    settings: str
    files: dict[str, str]
    beside: tuple[str, ...]
    folder: str
    now: int


_known: "WeakKeyDictionary[Bench, dict[str, str]]" = WeakKeyDictionary()


def digests_elsewhere(bench: Bench) -> dict[str, str]:
    """What another process decides for a bench: strategy → digest of its rows; those that fail there are left out."""
    if bench in _known:
        return _known[bench]
    ward = bench.wards.whole
    asked = Asked(bench.plugin, bench.settings, bench.files, bench.beside, str(ward.folder), ward.now)
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=msgspec.json.encode(asked),
        capture_output=True,
        timeout=_SECONDS,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": "271828"},
    )
    if done.returncode:
        raise RuntimeError(f"The other process failed: {done.stderr.decode(errors='replace')[-500:]}")
    found: dict[str, str] = msgspec.json.decode(done.stdout, type=dict[str, str])
    return _known.setdefault(bench, found)


def digest(key: Sequence[str], rows: Sequence[Row]) -> str:
    """A short name for rows, whatever their order."""
    ordered = sorted(rows, key=lambda row: [str(row[column]) for column in key])
    return sha256(msgspec.json.encode([list(row.items()) for row in ordered])).hexdigest()


def _main() -> None:
    from hcrm_core.testing.world import END, World

    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Asked)
    bench = Bench(asked.plugin, asked.settings, asked.files, asked.beside, World((), END))
    ward = Ward(Path(asked.folder), asked.now)
    found = {}
    for name in bench.own:
        examined = bench.examined(name)
        try:
            found[name] = digest(examined.key, examined.on(ward))
        except HcrmError:
            continue
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    _main()
