"""From the store to a mart that shows it: as it is now, as it was known at an instant, or as had been said by one."""

import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from hcrm_core.identity.bulk import customers
from hcrm_core.mart.advance import advance, complete
from hcrm_core.mart.engine import Limits, Mart, open_mart
from hcrm_core.mart.manifest import Manifest, read_manifest
from hcrm_core.mart.refresh import KINDS, is_current, refresh
from hcrm_core.model.mart import ChangedFact, PastRow, Position
from hcrm_core.store.engine import Connection, Store
from hcrm_core.store.queries import mart_changes
from hcrm_core.store.queries.mart_rows import mart_rows, mart_rows_said, numbered_mart_rows

Basis = Literal["known", "said"]

LARGEST_ADVANCE = 0.25
"""Of the mart's rows; where more facts than that changed, writing the mart anew is quicker."""

_PAST = "past"


def day_of(instant_us: int, timezone: str) -> date:
    """The calendar day of an instant in a zone."""
    return datetime.fromtimestamp(instant_us // 1_000_000, UTC).astimezone(ZoneInfo(timezone)).date()


def refresh_mart(store: Store, mart: Path, *, now_us: int, timezone: str) -> None:
    """Bring the mart up to the store's present state, unless it shows it already."""
    today = day_of(now_us, timezone)
    while True:
        with store.read() as connection:
            position = mart_changes.position(connection)
            if is_current(mart, sequence=position.sequence):
                return
            before = read_manifest(mart)
            changes = _changes(connection, before)
            if before is None or changes is None:
                refresh(
                    mart, mart_rows(connection, store.codec, KINDS), position=position, as_of_us=now_us, today=today
                )
                return
            made = advance(
                mart,
                before,
                [ChangedFact(one.fact_id, one.kind, None if one.tangled else one.points[0]) for one in changes],
                numbered_mart_rows(connection, store.codec, [one.number for one in changes]),
                list(
                    mart_changes.past_rows(
                        connection, store.codec, [one.number for one in changes if one.tangled], before.known_at
                    )
                ),
                position=position,
                as_of_us=now_us,
                today=today,
            )
            if made is not None:
                return


def _changes(connection: Connection, before: Manifest | None) -> list[mart_changes.Change] | None:
    """What changed since a manifest; `None` where it is better to write the mart anew."""
    if before is None or before.basis != "known":
        return None
    since = Position(before.sequence, before.known_at, before.statement)
    if not mart_changes.has_passed(connection, since):
        return None
    found = [one for one in mart_changes.changes(connection, since) if one.kind in KINDS]
    rows = sum(table.rows for table in before.tables.values())
    return found if len(found) <= max(1_000, LARGEST_ADVANCE * rows) else None


def complete_history(store: Store, mart: Path, before: Manifest) -> None:
    """Give the mart all that facts ever were, from the log; once, for it is kept up from then on."""
    with store.read() as connection:

        def past() -> Iterator[list[PastRow]]:
            for numbers in mart_changes.all_numbers(connection, KINDS):
                rows = mart_changes.past_rows(connection, store.codec, numbers, after=0)
                yield [row for row in rows if row.superseded_at <= before.complete_from]

        complete(mart, before, past())


@contextmanager
def mart_at(
    store: Store,
    mart_dir: Path,
    as_of: int,
    basis: Basis,
    past: bool,
    timezone: str,
    limits: Limits,
    tables: Collection[str],
) -> Iterator[Mart]:
    """A mart that shows an instant.

    Args:
        store: The workspace's.
        mart_dir: The mart's folder.
        as_of: The instant, microseconds since 1970 UTC.
        basis: `known` or `said`.
        past: Whether it is not now.
        timezone: The workspace's zone.
        limits: Of a query.
        tables: Those that will be read.
    """
    today = day_of(as_of, timezone)
    if basis == "said":
        with (
            _said_by(store, mart_dir, as_of, today) as facts,
            open_mart(mart_dir, facts=facts, today=today, limits=limits, tables=tables) as mart,
        ):
            yield mart
        return
    refresh_mart(store, mart_dir, now_us=as_of, timezone=timezone)
    while past and (manifest := read_manifest(mart_dir)) and as_of < manifest.complete_from:
        complete_history(store, mart_dir, manifest)
    instant = as_of if past else None
    with open_mart(mart_dir, as_of_us=instant, today=today, limits=limits, tables=tables) as mart:
        yield mart


@contextmanager
def _said_by(store: Store, mart_dir: Path, as_of: int, today: date) -> Iterator[Path]:
    """What had been said lies beside the present mart, for one run only."""
    facts = mart_dir / _PAST / f"{time.time_ns()}"
    try:
        with store.read() as connection:
            rows = mart_rows_said(connection, store.codec, KINDS, as_of, customers)
            position = mart_changes.position(connection)
            refresh(facts, rows, position=position, as_of_us=as_of, basis="said", today=today)
        yield facts
    finally:
        shutil.rmtree(facts, ignore_errors=True)
