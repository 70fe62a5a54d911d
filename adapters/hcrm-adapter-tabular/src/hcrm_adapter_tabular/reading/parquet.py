"""Parquet files, row group by row group."""

from collections.abc import Iterator

from hcrm_adapter_tabular.reading import Grid, Line
from hcrm_adapter_tabular.rows import cell
from hcrm_core.api import InputError


def grid(data: bytes) -> Grid:
    """A Parquet file as one grid, whose first line are the names of its columns.

    Raises:
        InputError: It is none.
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        file = parquet.ParquetFile(pa.BufferReader(data))
    except (pa.ArrowException, OSError):
        raise InputError("it is no Parquet file") from None

    def lines() -> Iterator[Line]:
        yield Line(1, tuple(file.schema_arrow.names))
        number = 1
        try:
            for batch in file.iter_batches(batch_size=1000):
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield Line(number, tuple(map(cell, row)))
        except (pa.ArrowException, OSError, ValueError):
            raise InputError(f"it cannot be read behind row {number}; write it anew") from None

    return Grid("", lines())
