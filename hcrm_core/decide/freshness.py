"""From the store to a mart that shows it: as it is now, as it was known at an instant, or as had been said by one."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from hcrm_core.mart.advance import advance, complete
from hcrm_core.mart.engine import Limits, Mart, open_mart
from hcrm_core.mart.manifest import Manifest, read_manifest
from hcrm_core.mart.refresh import KINDS, is_current, refresh
from hcrm_core.model.mart import ChangedFact, PastRow, Position
from hcrm_core.store.engine import Connection, Store
from hcrm_core.store.queries import mart_changes, mart_history
from hcrm_core.store.queries.mart_rows import mart_rows, numbered_mart_rows

Basis = Literal["known", "said"]

LARGEST_ADVANCE = 0.25
"""Of the mart's rows; where more facts than that changed, writing the mart anew is quicker."""

SAID = "said"
"""Where what had been said is kept, below the mart, once somebody asked for it."""


def day_of(instant_us: int, timezone: str) -> date:
    """The calendar day of an instant in a zone."""
    return datetime.fromtimestamp(instant_us // 1_000_000, UTC).astimezone(ZoneInfo(timezone)).date()


def refresh_mart(store: Store, mart: Path, *, now_us: int, timezone: str) -> None:
    """Bring the mart up to the store's present state, unless it shows it already."""
    today = day_of(now_us, timezone)
    while True:
        with store.read() as connection:
            position = mart_changes.position(connection)
            if is_current(mart, sequence=position.sequence, golden=store.golden):
                return
            before = read_manifest(mart)
            changes = _changes(connection, before) if before and before.golden == store.golden else None
            if before is None or changes is None:
                refresh(
                    mart,
                    mart_rows(connection, store.codec, KINDS),
                    position=position,
                    as_of_us=now_us,
                    today=today,
                    golden=store.golden,
                )
                return
            made = advance(
                mart,
                before,
                [ChangedFact(one.fact_id, one.kind, None if one.tangled else one.points[0]) for one in changes],
                numbered_mart_rows(connection, store.codec, [one.number for one in changes]),
                list(
                    mart_history.past_rows(
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
            for numbers in mart_history.numbers_with_past(connection, KINDS):
                rows = mart_history.past_rows(connection, store.codec, numbers, after=0)
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
        facts = _said(store, mart_dir, today)
        with open_mart(mart_dir, facts=facts, as_of_us=as_of, today=today, limits=limits, tables=tables) as mart:
            yield mart
        return
    refresh_mart(store, mart_dir, now_us=as_of, timezone=timezone)
    while past and (manifest := read_manifest(mart_dir)) and as_of < manifest.complete_from:
        complete_history(store, mart_dir, manifest)
    instant = as_of if past else None
    with open_mart(mart_dir, as_of_us=instant, today=today, limits=limits, tables=tables) as mart:
        yield mart


def _said(store: Store, mart_dir: Path, today: date) -> Path:
    """A mart beside the present one whose history is that of what was said; made anew where the store has moved on."""
    facts = mart_dir / SAID
    with store.read() as connection:
        position = mart_changes.position(connection)
        before = read_manifest(facts)
        current = before is not None and (before.sequence, before.golden) == (position.sequence, store.golden)
        if before is None or not current or before.complete_from:
            codec = store.codec
            every = list(mart_history.numbers_of(connection, KINDS))
            present = (mart_history.said_rows(connection, codec, numbers)[0] for numbers in every)
            before = refresh(
                facts, present, position=position, as_of_us=0, basis="said", today=today, golden=store.golden
            )
            complete(facts, before, (mart_history.said_rows(connection, codec, numbers)[1] for numbers in every))
    return facts
