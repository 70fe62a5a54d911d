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
