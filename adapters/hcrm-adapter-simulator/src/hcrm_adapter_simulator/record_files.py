"""Record files: the same hospital as canonical records in Parquet, one row a change (columns in the README)."""

from collections import Counter
from functools import partial
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hcrm_adapter_simulator.keys import CANCELS
from hcrm_adapter_simulator.output import Written, empty_of
from hcrm_adapter_simulator.records import Rows
from hcrm_adapter_simulator.settings import Settings
from hcrm_adapter_simulator.simulation import shards, simulate_shard
from hcrm_adapter_simulator.truth import count
from hcrm_adapter_simulator.workers import Progress, each_shard

ROW_GROUP = 100_000
BATCH = 4_000
"""Rows that become columns at once: few enough to be still in the processor's cache."""
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


def _columns(rows: Rows) -> pa.Table:
    kinds, keys, groups, patients, bodies = zip(*rows.rows, strict=True) if rows.rows else ((),) * 5
    table = pa.table(
        {
            "kind": pa.array(kinds, pa.string()),
            "key": pa.array(keys, pa.string()),
            "group": pa.array(groups, pa.string()),
            "patient": pa.array(patients, pa.string()),
            "body": pa.array(bodies, pa.string()),
            "sequence": pa.repeat(pa.scalar(-1, pa.int32()), len(kinds)),
        }
    )
    stamps = _stamps(rows)
    for name in stamps.column_names:
        table = table.append_column(name, stamps[name])
    return table.select(SCHEMA.names)


def _stamps(rows: Rows) -> pa.Table:
    """The stamp of each row; one event gives several rows, so that it is converted once and repeated by Arrow."""
    events = rows.events
    stamps = pa.table(
        {
            "said_at": pa.array([event.said * 1_000_000 for event in events], pa.int64()),
            "rank": pa.array([int(event.trigger in CANCELS) for event in events], pa.int8()),
            "control_id": pa.array([event.control_id for event in events], pa.string()),
            "message_type": pa.array([event.trigger for event in events], pa.string()),
        }
    )
    ends = pa.array([0, *accumulate(rows.counts)], pa.int32())
    return stamps.take(pc.list_parent_indices(pa.ListArray.from_arrays(ends, pa.nulls(len(rows.rows)))))


def _write_shard(settings: Settings, folder: Path, shard: int) -> tuple[int, Counter[str]]:
    rows = Rows()
    truth: Counter[str] = Counter()
    batches = []
    for events in simulate_shard(settings, shard):
        count(events, truth)
        rows.add(events)
        if len(rows.rows) >= BATCH:
            batches.append(_columns(rows))
            rows.clear()
    table = pa.concat_tables([*batches, _columns(rows)]).combine_chunks().cast(SCHEMA)
    pq.write_table(
        table,
        folder / f"records-{shard:03d}.parquet",
        row_group_size=ROW_GROUP,
        compression="zstd",
        compression_level=1,
        use_dictionary=["kind", "group", "patient", "message_type", "control_id"],
        write_statistics=["said_at"],
        store_schema=True,
    )
    return table.num_rows, truth


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
