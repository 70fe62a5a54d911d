"""A strategy's function inside a Python worker of Spark's: the rows of one piece in, its rows out as one cell."""

import importlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from hcrm_core.mart.arrow import packed

MADE = "made binary, failed string"
"""What `call` returns: a table of `mart.arrow.packed`, or the kind of the error. A table in a cell needs no columns
that are known before."""


def call(
    function: str, schema: pa.Schema, parameters: dict[str, Any], batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Call a function with the rows of one piece; a piece without rows is passed over.

    Args:
        function: `module:name`, of a plugin that is installed where this runs.
        schema: Names and types of the SELECT's rows as DuckDB gives them.
        parameters: Of the strategy.
        batches: The rows.
    """
    given = list(batches)
    if not sum(batch.num_rows for batch in given):
        return
    table = pa.Table.from_batches(given).rename_columns(schema.names).cast(schema).combine_chunks()
    made, failed = None, None
    try:
        module, _, name = function.partition(":")
        made = packed(getattr(importlib.import_module(module), name)(table, parameters))
    except (Exception, SystemExit) as error:
        failed = type(error).__name__
    yield pa.RecordBatch.from_arrays(
        [pa.array([made], pa.binary()), pa.array([failed], pa.string())], ["made", "failed"]
    )
