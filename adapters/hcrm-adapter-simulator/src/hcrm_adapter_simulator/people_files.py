"""People and their registrations as files: HL7 v2 messages or record files, and `truth.csv` beside them."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from io import StringIO
from pathlib import Path

from hcrm_adapter_simulator import bodies, keys
from hcrm_adapter_simulator import hl7v2_segments as segment
from hcrm_adapter_simulator.hl7v2 import CHARSETS
from hcrm_adapter_simulator.instants import DAY, HOUR, hl7, midnight
from hcrm_adapter_simulator.keys import FACILITY
from hcrm_adapter_simulator.output import Written, empty_of
from hcrm_adapter_simulator.registrations import Registration, register_shard, shards
from hcrm_adapter_simulator.workers import Progress, each_shard

TRUTH = "truth.csv"
COLUMNS = ("key", "person", "kinds", "mistakes")
"""Of `truth.csv`: the patient's key, whose registration it truly is, and classes with `;` between."""


def write_people(
    folder: Path,
    form: str,
    count: int,
    seed: int,
    until: date,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Written:
    """Write people as their registrations.

    Args:
        folder: Where; made if it is not there.
        form: `hl7v2` or `records`.
        count: How many persons.
        seed: Another seed is another population.
        until: The day of the last registrations; ages are told at it.
        jobs: How many processes; their number changes no byte.
        progress: Told of each shard done.

    Raises:
        UsageError: The folder holds such files already.
    """
    empty_of(folder, "*.hl7" if form == "hl7v2" else "*.parquet")
    write = partial(_messages if form == "hl7v2" else _records, folder, seed, count, until)
    counted: Counter[str] = Counter()
    with (folder / TRUTH).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerow(COLUMNS)
        for truth, of_shard in each_shard(write, shards(count), jobs, progress):
            stream.write(truth)
            counted.update(of_shard)
    return Written(folder, shards(count), counted["registrations"], counted)


def _messages(folder: Path, seed: int, count: int, until: date, shard: int) -> tuple[str, Counter[str]]:
    registrations = register_shard(seed, count, until, shard)
    texts = []
    for said, one in _said(registrations, until):
        number = f"P{one.mrn}"
        texts.append(
            f"MSH|^~\\&|HIS|{FACILITY}|HCRM|{FACILITY}|{hl7(said)}||ADT^A28^ADT_A05|{number}|P|2.4|||AL|NE|CHN|"
            f"{CHARSETS['UTF-8']}\rEVN|A28|{hl7(said)}\r{segment.pid(one.mrn, one.who)}\rPV1|1|N\r\n"
        )
    (folder / f"people-{shard:04d}.hl7").write_text("".join(texts), encoding="utf-8", newline="")
    return _truth(registrations)


def _records(folder: Path, seed: int, count: int, until: date, shard: int) -> tuple[str, Counter[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hcrm_adapter_simulator.record_files import SCHEMA

    registrations = register_shard(seed, count, until, shard)
    rows = [
        {
            "kind": "Patient",
            "key": keys.patient(one.mrn),
            "patient": keys.patient(one.mrn),
            "body": bodies.patient(one.mrn, one.who, added=True),
            "said_at": said * 1_000_000,
            "sequence": -1,
            "rank": 0,
            "control_id": f"P{one.mrn}",
            "message_type": "ADT^A28",
        }
        for said, one in _said(registrations, until)
    ]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), folder / f"people-{shard:04d}.parquet", compression="zstd")
    return _truth(registrations)


def _said(registrations: Iterable[Registration], until: date) -> Iterator[tuple[int, Registration]]:
    """When each was made, in seconds: some a day, up to the last day."""
    last = midnight(until) + 9 * HOUR
    for place, one in enumerate(registrations):
        yield last - (place % 300) * DAY - place, one


def _truth(registrations: Iterable[Registration]) -> tuple[str, Counter[str]]:
    lines, counted = StringIO(), Counter[str]()
    persons: set[int] = set()
    for one in registrations:
        row = (keys.patient(one.mrn), one.person, ";".join(one.kinds), ";".join(one.mistakes))
        csv.writer(lines, lineterminator="\n").writerow(row)
        counted["registrations"] += 1
        if one.person not in persons:
            persons.add(one.person)
            counted["persons"] += 1
            counted.update(one.kinds)
        counted.update(one.mistakes)
    return lines.getvalue(), counted
