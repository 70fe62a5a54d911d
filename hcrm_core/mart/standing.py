"""What was decided beside what stands: most of a night is as it was, and is told apart here without reading it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from hcrm_core.mart.arrow import as_arrow
from hcrm_core.mart.contract import KEYS, Decided
from hcrm_core.mart.engine import Mart, identifier
from hcrm_core.model.strategies import REQUIRED_COLUMNS

_ARRIVING = pa.schema([("id", pa.string()), ("fingerprint", pa.string()), ("reached", pa.bool_())])


def compare_standing(
    mart: Mart, decided: Decided, standing: Iterable[Sequence[tuple[str, str | None, bool]]]
) -> tuple[int, set[str]]:
    """Tell by their fingerprints which rows of `decided` stand already; the others become the table `differing`.

    Args:
        mart: Holds `decided`.
        decided: A strategy's rows.
        standing: Batches of (id, fingerprint of the row that changes nothing, whether absence changes something).

    Returns:
        How many rows stand already, and the ids of what stands, can be reached by absence, and is no such row.
    """
    mart.execute("CREATE OR REPLACE TEMP TABLE standing (id VARCHAR, fingerprint VARCHAR, reached BOOLEAN)")
    for rows in standing:
        if rows:
            mart.append("standing", as_arrow(rows, _ARRIVING))
    expression = _fingerprint(mart, decided)
    mart.execute(f"CREATE OR REPLACE TEMP TABLE fingerprinted AS SELECT rowid AS place, {expression} FROM decided")
    mart.execute(
        "CREATE OR REPLACE TEMP TABLE differing AS SELECT d.*, f.fingerprint FROM decided AS d "
        "JOIN fingerprinted AS f ON f.place = d.rowid "
        "WHERE NOT EXISTS (SELECT 1 FROM standing AS s WHERE s.fingerprint = f.fingerprint)"
    )
    absent = mart.execute(
        "SELECT id FROM standing AS s WHERE reached "
        "AND NOT EXISTS (SELECT 1 FROM fingerprinted AS f WHERE f.fingerprint = s.fingerprint)"
    ).fetchall()
    (differing,) = mart.execute("SELECT count(*) FROM differing").fetchall()[0]
    return decided.rows - differing, {row[0] for row in absent}


def batches(mart: Mart, decided: Decided, table: str, size: int = 10_000) -> Iterator[list[dict[str, Any]]]:
    """The rows of `decided`, or of `differing`, in the order of their keys."""
    key = ", ".join(KEYS[decided.strategy.kind])
    for batch in mart.stream(f"SELECT * FROM {table} ORDER BY {key}", size):
        yield batch.to_pylist()


def _fingerprint(mart: Mart, decided: Decided) -> str:
    """The expression over a row of `decided`: MD5 of all its columns, written out, with their types."""
    types = {row[0]: row[1] for row in mart.execute("DESCRIBE decided").fetchall()}
    names = (*REQUIRED_COLUMNS[decided.strategy.kind], *decided.further)
    # 1 and '1' are written alike.
    typed = "|".join(types[name] for name in names).replace("'", "''")
    packed = ", ".join(f"{identifier(name)} := {identifier(name)}" for name in names)
    return f"md5('{typed}' || CAST(struct_pack({packed}) AS VARCHAR)) AS fingerprint"
