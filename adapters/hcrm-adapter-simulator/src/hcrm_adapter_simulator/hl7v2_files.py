"""HL7 v2 files: one a month, messages in the order of their statements, segments ended by CR and messages by CR LF."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple

from hcrm_adapter_simulator.hl7v2 import CHARSETS, Writer
from hcrm_adapter_simulator.instants import DAY, ZONE, day_of
from hcrm_adapter_simulator.output import Written, empty_of
from hcrm_adapter_simulator.settings import Settings
from hcrm_adapter_simulator.simulation import shards, simulate_shard
from hcrm_adapter_simulator.truth import count
from hcrm_adapter_simulator.workers import Progress, each_shard


class _Place(NamedTuple):
    """One message in a month's unordered file, by what orders it."""

    said: int
    control_id: str
    start: int
    length: int


class _Shard(NamedTuple):
    """The messages of a shard by month, with their places, and its truth."""

    months: dict[str, tuple[bytes, list[_Place]]]
    truth: Counter[str]


@lru_cache(maxsize=10_000)
def _month_of_day(number: int) -> str:
    return f"{day_of(number * DAY):%Y-%m}"


def _write_shard(settings: Settings, charset: str, shard: int) -> _Shard:
    writer = Writer(charset)
    truth: Counter[str] = Counter()
    texts: dict[str, list[bytes]] = {}
    places: dict[str, list[_Place]] = {}
    ends: Counter[str] = Counter()
    for events in simulate_shard(settings, shard):
        count(events, truth)
        for said, control_id, text in writer.messages(events):
            data = f"{text}\n".encode(charset)
            month = _month_of_day((said + ZONE) // DAY)
            texts.setdefault(month, []).append(data)
            places.setdefault(month, []).append(_Place(said, control_id, ends[month], len(data)))
            ends[month] += len(data)
    return _Shard({month: (b"".join(texts[month]), places[month]) for month in texts}, truth)


def write_hl7v2(
    settings: Settings, folder: Path, charset: str = "UTF-8", jobs: int = 1, progress: Progress | None = None
) -> Written:
    """Write the hospital as HL7 v2 files.

    Args:
        settings: Which hospital.
        folder: Where; made if it is not there.
        charset: `UTF-8` or `GB18030`.
        jobs: How many processes; their number changes no byte.
        progress: Told of each shard done.

    Raises:
        UsageError: The folder holds HL7 files already.
        ValueError: The charset is another.
    """
    if charset not in CHARSETS:
        raise ValueError(f"The charset must be one of {', '.join(CHARSETS)}.")
    empty_of(folder, "*.hl7")
    truth: Counter[str] = Counter()
    months: dict[str, list[_Place]] = {}
    with TemporaryDirectory(prefix=".simulating-", dir=folder) as unordered, ExitStack() as opened:
        spools: dict[str, BinaryIO] = {}
        for result in each_shard(partial(_write_shard, settings, charset), shards(settings), jobs, progress):
            truth.update(result.truth)
            for month, (data, places) in result.months.items():
                if month not in spools:
                    spools[month] = opened.enter_context((Path(unordered) / month).open("w+b"))
                start = spools[month].tell()
                months.setdefault(month, []).extend(p._replace(start=start + p.start) for p in places)
                spools[month].write(data)
        for month in sorted(months):
            (folder / f"{month}.hl7").write_bytes(b"".join(_ordered(spools[month], months[month])))
    return Written(folder, len(months), sum(map(len, months.values())), truth)


def _ordered(spool: BinaryIO, places: list[_Place]) -> Iterator[bytes]:
    spool.seek(0)
    data = memoryview(spool.read())
    for place in sorted(places):
        yield bytes(data[place.start : place.start + place.length])
