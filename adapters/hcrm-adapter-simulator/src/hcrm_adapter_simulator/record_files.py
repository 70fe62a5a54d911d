"""Record files: the same hospital as canonical records in Parquet, one row a change (columns in the README)."""

from collections import Counter
from functools import partial
from itertools import chain, repeat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hcrm_adapter_simulator.output import Written, empty_of
from hcrm_adapter_simulator.records import Rows
from hcrm_adapter_simulator.settings import Settings
from hcrm_adapter_simulator.simulation import shards, simulate_shard
from hcrm_adapter_simulator.truth import count
from hcrm_adapter_simulator.workers import Progress, each_shard

ROW_GROUP = 100_000
STAMP = ("said_at", "rank", "control_id", "message_type")
_NAME = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        pa.field("kind", _NAME, nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("group", pa.string()),
        pa.field("patient", pa.string()),
        pa.field("body", pa.string(), nullable=False),
        pa.field("said_at", pa.int64(), nullable=False),
        pa.field("sequence", pa.int32(), nullable=False),
        pa.field("rank", pa.int8(), nullable=False),
        pa.field("control_id", pa.string(), nullable=False),
        pa.field("message_type", _NAME, nullable=False),
    ]
)


def _table(rows: Rows) -> pa.Table:
    kinds, keys, groups, patients, bodies = zip(*rows.rows, strict=True)
    stamps = pa.table(dict(zip(STAMP, _columns(rows), strict=True)))
    counts = [count for _, count in rows.stamps]
    # One event gives several rows: its stamp is converted once and repeated by Arrow.
    event_of_row = pa.array(list(chain.from_iterable(map(repeat, range(len(counts)), counts))), pa.int32())
    stamps = stamps.take(event_of_row)
    columns = {
        "kind": pa.array(kinds, pa.string()).dictionary_encode(),
        "key": pa.array(keys, pa.string()),
        "group": pa.array(groups, pa.string()),
        "patient": pa.array(patients, pa.string()),
        "body": pa.array(bodies, pa.string()),
        "sequence": pa.repeat(pa.scalar(-1, pa.int32()), len(kinds)),
        **{name: stamps[name] for name in STAMP},
    }
    return pa.Table.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _columns(rows: Rows) -> list[pa.Array]:
    said, ranks, control_ids, triggers = zip(*(stamp for stamp, _ in rows.stamps), strict=True)
    return [
        pa.array(said, pa.int64()),
        pa.array(ranks, pa.int8()),
        pa.array(control_ids, pa.string()),
        pa.array(triggers, pa.string()).dictionary_encode(),
    ]


def _write_shard(settings: Settings, folder: Path, shard: int) -> tuple[int, Counter[str]]:
    rows = Rows()
    truth: Counter[str] = Counter()
    for events in simulate_shard(settings, shard):
        count(events, truth)
        rows.add(events)
    pq.write_table(
        _table(rows),
        folder / f"records-{shard:03d}.parquet",
        row_group_size=ROW_GROUP,
        compression="zstd",
        compression_level=1,
        use_dictionary=["kind", "group", "patient", "message_type", "control_id"],
        write_statistics=["said_at"],
        store_schema=True,
    )
    return len(rows.rows), truth


def write_records(settings: Settings, folder: Path, jobs: int = 1, progress: Progress | None = None) -> Written:
    """Write the hospital as record files.

    Args:
        settings: Which hospital.
        folder: Where; made if it is not there.
        jobs: How many processes; their number changes no byte.
        progress: Told of each shard done.

    Raises:
        UsageError: The folder holds record files already.
    """
    empty_of(folder, "*.parquet")
    truth: Counter[str] = Counter()
    written = 0
    for rows, counted in each_shard(partial(_write_shard, settings, folder), shards(settings), jobs, progress):
        written += rows
        truth.update(counted)
    return Written(folder, shards(settings), written, truth)
