"""Which columns about the person a SELECT reads, by resolving every column to the table it comes from."""

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope

from hcrm_core.mart.columns import schema
from hcrm_core.model.strategies import PERSON_COLUMNS


def person_columns(sql: str) -> frozenset[str]:
    """Those of `PERSON_COLUMNS` that a checked SELECT reads; what a `*` names and nothing uses is not read."""
    known: dict[str, object] = {table: dict(columns) for table, columns in schema().items()}
    root = qualify(
        sqlglot.parse_one(sql, dialect="duckdb"), schema=known, dialect="duckdb", validate_qualify_columns=False
    )
    used = pushdown_projections(root)
    found = set()
    for scope in traverse_scope(used):
        for column in scope.columns:
            source = scope.sources.get(column.table)
            if isinstance(source, exp.Table) and source.name in ("customer", "customer_profile"):
                found.add(column.name.lower())
    return frozenset(found) & frozenset(PERSON_COLUMNS)
