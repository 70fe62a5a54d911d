"""Segments and scores as Parquet snapshots: one file a run, compared with the run before inside DuckDB."""

import re
from pathlib import Path
from typing import NamedTuple

from hcrm_core.mart.contract import KEYS, Decided
from hcrm_core.mart.engine import Mart, identifier
from hcrm_core.mart.relations import quoted

FOLDER = "decisions"


class Difference(NamedTuple):
    """How the rows of a run differ from the run before, by key; evidence alone makes no change."""

    new: int
    changed: int
    unchanged: int
    withdrawn: int


def compare(mart: Mart, decided: Decided, previous: str | None) -> Difference:
    """Compare `decided` with the snapshot of the run before.

    Args:
        mart: Holds `decided`.
        decided: A segment or score strategy's rows.
        previous: The older snapshot relative to the mart; `None` where there is none.
    """
    if previous is None or not (mart.folder / previous).exists():
        return Difference(decided.rows, 0, 0, 0)
    key = KEYS[decided.strategy.kind]
    older = f"(SELECT * FROM read_parquet({quoted(mart.folder / previous)}))"
    columns = _columns(mart, "decided")
    same = "true"
    if columns == _columns(mart, older):
        compared = [identifier(name) for name in columns if name not in (*key, "evidence")]
        same = " AND ".join(f"d.{name} IS NOT DISTINCT FROM p.{name}" for name in compared) or "true"
    else:
        same = "false"
    matched = " AND ".join(f"d.{name} = p.{name}" for name in key)
    counts = mart.execute(
        f"SELECT count(*) FILTER (WHERE p.subject IS NULL), "
        f"count(*) FILTER (WHERE p.subject IS NOT NULL AND d.subject IS NOT NULL AND NOT ({same})), "
        f"count(*) FILTER (WHERE p.subject IS NOT NULL AND d.subject IS NOT NULL AND ({same})), "
        f"count(*) FILTER (WHERE d.subject IS NULL) FROM decided AS d FULL JOIN {older} AS p ON {matched}"
    ).fetchall()[0]
    return Difference(*counts)


def write(mart: Mart, decided: Decided, number: int, folder: str = FOLDER) -> str:
    """Write `decided` as a snapshot; equal rows give equal bytes.

    Args:
        mart: Holds `decided`.
        decided: The rows.
        number: Rises from run to run; names the file.
        folder: Below the mart; another one for what is not to stay.

    Returns:
        The file's path relative to the mart.
    """
    name = f"{folder}/{safe_name(decided.strategy.name)}/{number:012d}.parquet"
    file = mart.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    order = ", ".join(KEYS[decided.strategy.kind])
    mart.execute(f"COPY (SELECT * FROM decided ORDER BY {order}) TO {quoted(draft)} (FORMAT parquet, COMPRESSION zstd)")
    draft.replace(file)
    return name


def row_of(mart: Mart, snapshot: str, subject: str) -> list[dict[str, object]]:
    """The rows of one customer in a snapshot, all columns."""
    source = f"read_parquet({quoted(mart.folder / snapshot)})"
    result = mart.execute(f"SELECT * FROM {source} WHERE subject = $subject ORDER BY ALL", {"subject": subject})
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def prune(mart: Path, strategy: str, keep: set[str]) -> None:
    """Remove a strategy's snapshots but those of `keep`, and what a crash left half-written."""
    for file in (mart / FOLDER / safe_name(strategy)).glob("*"):
        if f"{FOLDER}/{safe_name(strategy)}/{file.name}" not in keep:
            file.unlink(missing_ok=True)


def safe_name(strategy: str) -> str:
    """A strategy's name as a folder's."""
    return re.sub(r"[^A-Za-z0-9._-]|^\.+", "_", strategy)


def _columns(mart: Mart, source: str) -> dict[str, str]:
    return {row[0]: row[1] for row in mart.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
