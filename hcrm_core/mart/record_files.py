"""Canonical record files: Parquet, one row a statement about one record, for histories too large to send as messages.

| column | type | meaning |
|---|---|---|
| kind, key, group | string | of the record; group may be null |
| body | string | JSON of the fields the statement mentions; null: said empty |
| said_at | int64 | statement time, microseconds since 1970 UTC |
| sequence | int32 | the source's sequence number, -1 where it has none |
| rank | int8 | 1 for a statement that takes another back |
| control_id | string | of the message that says it |
| message_type | string | of that message |
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from hcrm_core.errors import InputError

SUFFIX = ".parquet"
BATCH = 20_000


class RecordRow(NamedTuple):
    """One row of a record file."""

    kind: str
    key: str
    group: str | None
    body: str
    said_at: int
    sequence: int
    rank: int
    control_id: str
    message_type: str


def count_rows(path: Path) -> int:
    """How many rows a record file has.

    Raises:
        InputError: It is no record file.
    """
    with _open(path) as file:
        return int(file.metadata.num_rows)


def read_rows(path: Path) -> Iterator[list[RecordRow]]:
    """The rows of a record file in its order, a batch at a time.

    Raises:
        InputError: It is no record file.
    """
    with _open(path) as file:
        for batch in file.iter_batches(BATCH, columns=list(RecordRow._fields)):
            columns = [batch.column(name).to_pylist() for name in RecordRow._fields]
            yield [RecordRow(*row) for row in zip(*columns, strict=True)]


def write_rows(path: Path, rows: Sequence[RecordRow]) -> None:
    """Write a record file."""
    pq.write_table(pa.Table.from_pylist([row._asdict() for row in rows]), path)


def _open(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError):
        raise InputError(f"{path} is not a Parquet file. Record files are written by: hcrm simulate") from None
    missing = [name for name in RecordRow._fields if name not in file.schema_arrow.names]
    if missing:
        raise InputError(f"{path} is no record file: the columns {', '.join(missing)} are missing.")
    return file
