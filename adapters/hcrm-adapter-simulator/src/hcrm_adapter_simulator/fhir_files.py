"""FHIR files: NDJSON, one file a type of resource there is any of, as a bulk export gives them."""

from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from hcrm_adapter_simulator.fhir import resources
from hcrm_adapter_simulator.output import Written, empty_of
from hcrm_adapter_simulator.settings import Settings
from hcrm_adapter_simulator.simulation import shards, simulate_shard
from hcrm_adapter_simulator.state import Facts, Knowledge, Known, merged
from hcrm_adapter_simulator.truth import count
from hcrm_adapter_simulator.workers import Progress, each_shard


class _Shard(NamedTuple):
    """The lines of a shard by type, with the departments and doctors its people met, and its truth."""

    lines: dict[str, bytes]
    items: int
    directory: Facts
    truth: Counter[str]


def _add(lines: dict[str, list[bytes]], facts: list[Known]) -> None:
    for resource in resources(facts):
        lines.setdefault(resource["resourceType"], []).append(msgspec.json.encode(resource) + b"\n")


def _write_shard(settings: Settings, shard: int) -> _Shard:
    knowledge = Knowledge()
    truth: Counter[str] = Counter()
    lines: dict[str, list[bytes]] = {}
    for events in simulate_shard(settings, shard):
        count(events, truth)
        _add(lines, knowledge.of(events))
    items = sum(map(len, lines.values()))
    return _Shard({kind: b"".join(of_kind) for kind, of_kind in lines.items()}, items, knowledge.directory, truth)


def write_fhir(settings: Settings, folder: Path, jobs: int = 1, progress: Progress | None = None) -> Written:
    """Write the hospital as FHIR resources: what is known on the last day, with when each last changed.

    Args:
        settings: Which hospital.
        folder: Where; made if it is not there.
        jobs: How many processes; their number changes no byte.
        progress: Told of each shard done.

    Raises:
        UsageError: The folder holds NDJSON files already.
    """
    empty_of(folder, "*.ndjson")
    truth: Counter[str] = Counter()
    directories = []
    items = 0
    with ExitStack() as opened:
        files: dict[str, BinaryIO] = {}

        def write(kind: str, lines: bytes) -> None:
            if kind not in files:
                files[kind] = opened.enter_context((folder / f"{kind}.ndjson").open("wb"))
            files[kind].write(lines)

        for shard in each_shard(partial(_write_shard, settings), shards(settings), jobs, progress):
            truth.update(shard.truth)
            directories.append(shard.directory)
            items += shard.items
            for kind, lines in shard.lines.items():
                write(kind, lines)
        of_house: dict[str, list[bytes]] = {}
        _add(of_house, merged(directories))
        for kind, house in of_house.items():
            write(kind, b"".join(house))
            items += len(house)
    return Written(folder, len(files), items, truth)
