"""Segments and scores as Parquet snapshots: one file a run, compared with the run before inside DuckDB.

A run for some customers replaces their rows and carries over those of all others.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hcrm_core.mart.contract import KEYS, Decided
from hcrm_core.mart.engine import Mart, identifier
from hcrm_core.mart.relations import quoted

FOLDER = "decisions"


class Counted(NamedTuple):
    """How the rows of a run differ from the run before, by key; evidence alone makes no change."""

    new: int
    changed: int
    unchanged: int
    withdrawn: int


def compare(mart: Mart, decided: Decided, previous: str | None, subjects: Collection[str] | None = None) -> Counted:
    """Compare `decided` with the snapshot of the run before.

    Args:
        mart: Holds `decided`.
        decided: A segment or score strategy's rows.
        previous: The older snapshot relative to the mart; `None` where there is none.
        subjects: The customers it was run for; everybody where `None`.
    """
    if previous is None or not (mart.folder / previous).exists():
        return Counted(decided.rows, 0, 0, 0)
    joined, same = _joined(mart, decided, previous, subjects)
    counts = mart.execute(
        f"SELECT count(*) FILTER (WHERE p.subject IS NULL), "
        f"count(*) FILTER (WHERE p.subject IS NOT NULL AND d.subject IS NOT NULL AND NOT ({same})), "
        f"count(*) FILTER (WHERE p.subject IS NOT NULL AND d.subject IS NOT NULL AND ({same})), "
        f"count(*) FILTER (WHERE d.subject IS NULL) FROM {joined}"
    ).fetchall()[0]
    return Counted(*counts)


Row = tuple[str, str, str, dict[str, Any] | None, dict[str, Any] | None]


def differing(
    mart: Mart, decided: Decided, previous: str | None, subjects: Collection[str] | None = None
) -> Iterator[Row]:
    """(outcome, customer, segment or score, what it was, what it is) of every row that is not unchanged, in order."""
    what = KEYS[decided.strategy.kind][1]
    shown = [name for name in _columns(mart, "decided") if name not in ("subject", "evidence")]
    after = f"struct_pack({', '.join(f'{identifier(name)} := d.{identifier(name)}' for name in shown)})"
    if previous is None or not (mart.folder / previous).exists():
        rows = mart.execute(f"SELECT 'new', d.subject, d.{what}, NULL, {after} FROM decided AS d ORDER BY ALL")
    else:
        joined, same = _joined(mart, decided, previous, subjects)
        kept = [name for name in _columns(mart, _older(mart, previous)) if name not in ("subject", "evidence")]
        before = f"struct_pack({', '.join(f'{identifier(name)} := p.{identifier(name)}' for name in kept)})"
        rows = mart.execute(
            "SELECT CASE WHEN p.subject IS NULL THEN 'new' WHEN d.subject IS NULL THEN 'withdrawn' ELSE 'changed' END, "
            f"coalesce(d.subject, p.subject) AS subject, coalesce(d.{what}, p.{what}) AS what, "
            f"CASE WHEN p.subject IS NOT NULL THEN {before} END, CASE WHEN d.subject IS NOT NULL THEN {after} END "
            f"FROM {joined} WHERE p.subject IS NULL OR d.subject IS NULL OR NOT ({same}) ORDER BY subject, what"
        )
    while batch := rows.fetchmany(10_000):
        yield from batch


def write(
    mart: Mart,
    decided: Decided,
    number: int,
    folder: str = FOLDER,
    previous: str | None = None,
    subjects: Collection[str] | None = None,
) -> str:
    """Write `decided` as a snapshot; equal rows give equal bytes.

    Args:
        mart: Holds `decided`.
        decided: The rows.
        number: Rises from run to run; names the file.
        folder: Below the mart; another one for what is not to stay.
        previous: The older snapshot, whose other customers' rows are carried over.
        subjects: The customers it was run for; everybody where `None`.

    Returns:
        The file's path relative to the mart.
    """
    name = f"{folder}/{safe_name(decided.strategy.name)}/{number:012d}.parquet"
    file = mart.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    order = ", ".join(KEYS[decided.strategy.kind])
    rows = "SELECT * FROM decided"
    if subjects is not None and previous is not None and (mart.folder / previous).exists():
        mart.show_subjects(subjects)
        others = f"SELECT * FROM read_parquet({quoted(mart.folder / previous)}) AS p"
        rows += f" UNION ALL BY NAME {others} WHERE NOT EXISTS (SELECT 1 FROM run_for WHERE run_for.id = p.subject)"
    mart.execute(
        f"COPY (SELECT * FROM ({rows}) ORDER BY {order}) TO {quoted(draft)} (FORMAT parquet, COMPRESSION zstd)"
    )
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


def _older(mart: Mart, previous: str) -> str:
    return f"(SELECT * FROM read_parquet({quoted(mart.folder / previous)}))"


def _joined(mart: Mart, decided: Decided, previous: str, subjects: Collection[str] | None) -> tuple[str, str]:
    """`decided` AS d beside the older rows AS p, and the condition that two that meet are the same."""
    key = KEYS[decided.strategy.kind]
    older = _older(mart, previous)
    columns = _columns(mart, "decided")
    same = "false"
    if columns == _columns(mart, older):
        compared = [identifier(name) for name in columns if name not in (*key, "evidence")]
        same = " AND ".join(f"d.{name} IS NOT DISTINCT FROM p.{name}" for name in compared) or "true"
    if subjects is not None:
        mart.show_subjects(subjects)
        older = f"(SELECT * FROM {older} AS o WHERE EXISTS (SELECT 1 FROM run_for WHERE run_for.id = o.subject))"
    matched = " AND ".join(f"d.{name} = p.{name}" for name in key)
    return f"decided AS d FULL JOIN {older} AS p ON {matched}", same


def _columns(mart: Mart, source: str) -> dict[str, str]:
    return {row[0]: row[1] for row in mart.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
