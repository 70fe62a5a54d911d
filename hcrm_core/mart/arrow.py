"""Rows as Arrow tables, the form in which they enter DuckDB."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa


def as_arrow(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Rows, at least one, as a table of this schema."""
    columns = zip(*rows, strict=True)
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def packed(table: pa.Table) -> bytes:
    """A table as bytes, to send to another process.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(table, pa.Table):
        raise TypeError(f"a pyarrow.Table was expected, not {type(table).__name__}")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def unpacked(data: bytes) -> pa.Table:
    """The table of `packed`."""
    return pa.ipc.open_stream(data).read_all()
