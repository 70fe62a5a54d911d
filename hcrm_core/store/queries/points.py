"""Points: what stands, and the entries that made it so, which are only ever added."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select

from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.store.engine import driver_select, driver_sql
from hcrm_core.store.queries.decisions import of_customers
from hcrm_core.store.tables import points, points_entry


class PointsRow(NamedTuple):
    """What one row of a points strategy has come to; instants are microseconds since 1970 UTC, days ISO text."""

    points_id: str
    strategy: str
    version: str
    anchor: str
    step: str
    occurrence: int
    customer_id: str
    account: str
    points: int
    booked_on: str
    state: str
    reason: str | None
    detail: str
    evidence: str
    run_id: int
    created_at: int
    changed_at: int
    fingerprint: str | None = None

    @property
    def worth(self) -> int:
        """How many points it gives now."""
        return self.points if self.state == "granted" else 0


class EntryRow(NamedTuple):
    """One entry: points given, or taken back."""

    points_id: str
    at: int
    by: str
    run_id: int
    account: str
    amount: int
    reason: str | None


_POINTS = [points.c[name] for name in PointsRow._fields]


def points_by_id(connection: Connection, points_ids: Iterable[str]) -> dict[str, PointsRow]:
    """The rows among `points_ids` that exist."""
    listed = ", ".join(PointsRow._fields)
    found = driver_select(
        connection, f"SELECT {listed} FROM {{wanted}} CROSS JOIN points AS p WHERE p.points_id = w.value", points_ids
    )
    return {row[0]: PointsRow(*row) for row in found}


def last_entry(connection: Connection) -> int:
    """The number of the last entry; 0 for none."""
    return int(connection.scalar(select(func.max(points_entry.c.id))) or 0)


def entered_since(connection: Connection, entry: int) -> set[str]:
    """The rows to which an entry was added after one."""
    return set(connection.scalars(select(points_entry.c.points_id).where(points_entry.c.id > entry)))


def put_points(connection: Connection, rows: Sequence[PointsRow]) -> None:
    """Insert rows or replace all but their key."""
    keys = ("points_id", "strategy", "anchor", "step", "occurrence", "created_at")
    changing = ", ".join(f"{name} = excluded.{name}" for name in PointsRow._fields if name not in keys)
    driver_sql(
        connection,
        f"INSERT INTO points ({', '.join(PointsRow._fields)}) VALUES ({', '.join('?' * len(PointsRow._fields))}) "
        f"ON CONFLICT (points_id) DO UPDATE SET {changing}",
        sorted(rows),
    )


def add_entries(connection: Connection, rows: Sequence[EntryRow]) -> None:
    """Append entries."""
    driver_sql(
        connection,
        'INSERT INTO points_entry (points_id, at, "by", run_id, account, amount, reason) VALUES (?, ?, ?, ?, ?, ?, ?)',
        rows,
    )


def entries_of(connection: Connection, points_id: str) -> list[EntryRow]:
    """The entries of one row, oldest first."""
    columns = [points_entry.c[name] for name in EntryRow._fields]
    query = select(*columns).where(points_entry.c.points_id == points_id).order_by(points_entry.c.id)
    return [EntryRow(*row) for row in connection.execute(query)]


def decision_points(
    connection: Connection, customers: Collection[str] | None = None, batch: int = 50_000
) -> Iterator[Sequence[Row[Any]]]:
    """The rows of some customers, or all, as the mart's `decision_points`, in batches."""
    columns = [
        "points_id",
        "strategy",
        "customer_id",
        "anchor",
        "step",
        "account",
        "points",
        "booked_on",
        "state",
        "reason",
    ]
    query = select(*(points.c[name] for name in columns)).order_by(points.c.customer_id, points.c.points_id)
    if customers is not None:
        yield list(of_customers(connection, query, points, customers))
        return
    result = connection.execute(query, execution_options={"stream_results": True})
    while rows := result.fetchmany(batch):
        yield rows


def list_points(
    connection: Connection,
    *,
    state: str | None = None,
    account: str | None = None,
    customer: str | None = None,
    strategy: str | None = None,
    limit: int | None = None,
) -> list[PointsRow]:
    """Rows, the last booked first.

    Args:
        connection: Inside a transaction.
        state: Only those `granted`, `refused` or `countered`.
        account: Only of this programme.
        customer: A customer's id.
        strategy: Only of this strategy.
        limit: At most so many; `None` for all.
    """
    query = select(*_POINTS).order_by(points.c.booked_on.desc(), points.c.points_id)
    given = {"state": state, "account": account, "customer_id": customer, "strategy": strategy}
    for name, value in given.items():
        if value is not None:
            query = query.where(points.c[name] == value)
    if limit is not None:
        query = query.limit(limit)
    return [PointsRow(*row) for row in connection.execute(query)]


def get_points(connection: Connection, points_id: str) -> PointsRow:
    """One row by its id or the beginning of it.

    Raises:
        NotFoundError: No row's id begins so.
        UsageError: Several do.
    """
    # Ids are written with 0-9 and a-v, so "z" closes the range of those that begin so; a range uses the index.
    query = select(*_POINTS).where(points.c.points_id >= points_id, points.c.points_id < points_id + "z")
    ordered = query.order_by(points.c.points_id).limit(2)
    rows = [PointsRow(*row) for row in connection.execute(ordered)] if points_id else []
    if not rows:
        raise NotFoundError(f"There are no points {points_id!r}. List them with: hcrm points list")
    if len(rows) > 1 and rows[0].points_id != points_id:
        raise UsageError(f"Several rows of points begin with {points_id!r}. Give more of the id.")
    return rows[0]


def balances(
    connection: Connection, *, account: str | None = None, customer: str | None = None, limit: int | None = None
) -> list[tuple[str, str, int]]:
    """(account, customer, sum of what is granted), the most first; customers who have none are left out."""
    total = func.sum(points.c.points)
    query = (
        select(points.c.account, points.c.customer_id, total)
        .where(points.c.state == "granted")
        .group_by(points.c.account, points.c.customer_id)
        .order_by(total.desc(), points.c.account, points.c.customer_id)
        .limit(limit)
    )
    if account is not None:
        query = query.where(points.c.account == account)
    if customer is not None:
        query = query.where(points.c.customer_id == customer)
    return [(name, whose, int(sum_)) for name, whose, sum_ in connection.execute(query)]
