"""How what is decided stands, by fingerprint: what a night need not look at again is told apart without reading it.

A fingerprint is kept with a task or points while the same row, returned again, would leave them as they are.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, case, literal, null, or_, select

from hcrm_core.store.engine import driver_sql
from hcrm_core.store.queries.decisions import of_customers
from hcrm_core.store.tables import points, task

_BATCH = 50_000

Standing = tuple[str, str | None, bool]
"""Id, the fingerprint of the row that changes nothing, if any, and whether the absence of a row changes something."""


def standing_tasks(
    connection: Connection, strategy: str, today: str, earliest: str | None, customers: Collection[str] | None = None
) -> Iterator[Sequence[Standing]]:
    """A strategy's tasks, of some customers or all, but those that no row returned now can be the same as.

    Args:
        connection: Inside a transaction.
        strategy: Its name.
        today: ISO day.
        earliest: The first day on which a window of the rows returned now ends; `None` where there is none.
        customers: Only their tasks; of all where `None`.
    """
    since = min(today, earliest or today)
    live = or_(task.c.state == "open", and_(task.c.state == "suppressed", task.c.reason != "window_passed"))
    same = case((task.c.window_end >= today, live), else_=task.c.state != "open")
    columns = (
        task.c.task_id,
        case((same, task.c.fingerprint), else_=null()),
        or_(task.c.state == "open", task.c.window_end >= today),
    )
    own = task.c.strategy == strategy
    missed = and_(own, task.c.window_end < since, task.c.state == "open")
    yield from _batches(connection, columns, task, and_(own, task.c.window_end >= since), customers)
    yield from _batches(connection, columns, task, missed, customers)


def standing_points(
    connection: Connection, strategy: str, customers: Collection[str] | None = None
) -> Iterator[Sequence[Standing]]:
    """The rows of a strategy of points that give something or are refused, of some customers or all."""
    columns = (points.c.points_id, points.c.fingerprint, literal(True))
    stands = and_(points.c.strategy == strategy, points.c.state != "countered")
    yield from _batches(connection, columns, points, stands, customers)


def keep_fingerprints(connection: Connection, table: Table, pairs: Iterable[tuple[str, str | None]]) -> None:
    """Set the fingerprints of rows of `task` or `points`, by id."""
    rows = [(fingerprint, row_id) for row_id, fingerprint in pairs]
    driver_sql(connection, f"UPDATE {table.name} SET fingerprint = ? WHERE {table.name}_id = ?", rows)


def _batches(
    connection: Connection,
    columns: Sequence[ColumnElement[Any]],
    table: Table,
    condition: ColumnElement[bool],
    customers: Collection[str] | None,
) -> Iterator[Sequence[Standing]]:
    if customers is not None:
        # As a column: as a condition it may lead SQLite to look through all of the strategy's rows.
        query: Select[Any] = select(*columns, case((condition, 1), else_=0).label("stands"))
        rows: list[Any] = [row for row in of_customers(connection, query, table, customers) if row.stands]
        yield [(row[0], row[1], bool(row[2])) for row in rows]
        return
    result = connection.execute(select(*columns).where(condition), execution_options={"stream_results": True})
    while found := result.fetchmany(_BATCH):
        yield [(row[0], row[1], bool(row[2])) for row in found]
