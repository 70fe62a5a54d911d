"""Tasks, their history, and the runs that decided them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, Table, bindparam, func, select, update

from hcrm_core.errors import NotFoundError, UsageError
from hcrm_core.store.engine import driver_select, driver_sql
from hcrm_core.store.tables import run, task, task_event

_CHUNK = 500


class TaskRow(NamedTuple):
    """One task as the store holds it; instants are microseconds since 1970 UTC, days ISO text."""

    task_id: str
    strategy: str
    version: str
    anchor: str
    step: str
    occurrence: int
    customer_id: str
    state: str
    reason: str | None
    topic: str
    due_on: str
    window_start: str
    window_end: str
    owner: str
    channel: str
    form: str | None
    detail: str
    evidence: str
    run_id: int
    created_at: int
    closed_at: int | None
    basis_gone_at: int | None
    note: str | None
    fingerprint: str | None = None


class EventRow(NamedTuple):
    """One step of a task's history."""

    task_id: str
    at: int
    by: str
    state: str
    reason: str | None


class RunRow(NamedTuple):
    """One applied run of one strategy."""

    id: int
    strategy: str
    version: str
    kind: str
    parameters: str
    as_of: int
    basis: str
    mart_sequence: int
    started_at: int
    subjects: int | None
    snapshot: str | None
    new: int
    changed: int
    unchanged: int
    withdrawn: int
    expired: int


_TASK = [task.c[name] for name in TaskRow._fields]
_RUN = [run.c[name] for name in RunRow._fields]


def of_customers(
    connection: Connection, query: Select[Any], table: Table, customers: Collection[str] | None
) -> Iterator[Row[Any]]:
    """The rows of a query over a table that belong to some customers; all where `None`."""
    if customers is None:
        yield from connection.execute(query)
        return
    some = query.where(table.c.customer_id.in_(bindparam("customers", expanding=True)))
    ordered = sorted(customers)
    for start in range(0, len(ordered), _CHUNK):
        yield from connection.execute(some, {"customers": ordered[start : start + _CHUNK]})


def last_event(connection: Connection) -> int:
    """The number of the last event in any task's history; 0 for none."""
    return int(connection.scalar(select(func.max(task_event.c.id))) or 0)


def touched_since(connection: Connection, event: int) -> set[str]:
    """The tasks to whose history something was added after an event."""
    return set(connection.scalars(select(task_event.c.task_id).where(task_event.c.id > event)))


def merged_customers(connection: Connection, anchors: Iterable[str]) -> frozenset[str]:
    """Those of some anchors that are customers who are another customer now."""
    moved = "SELECT w.value FROM {wanted} CROSS JOIN patient_customer AS pc "
    found = driver_select(connection, moved + "WHERE pc.patient_id = w.value AND pc.customer_id <> w.value", anchors)
    return frozenset(row[0] for row in found)


def tasks_by_id(connection: Connection, task_ids: Iterable[str]) -> dict[str, TaskRow]:
    """The tasks among `task_ids` that exist."""
    ids = sorted(set(task_ids))
    query = select(*_TASK).where(task.c.task_id.in_(bindparam("wanted", expanding=True)))
    found = {}
    for start in range(0, len(ids), _CHUNK):
        for row in connection.execute(query, {"wanted": ids[start : start + _CHUNK]}):
            found[row.task_id] = TaskRow(*row)
    return found


def put_tasks(connection: Connection, rows: Sequence[TaskRow]) -> None:
    """Insert tasks or replace all but their key."""
    keys = ("task_id", "strategy", "anchor", "step", "occurrence")
    changing = ", ".join(f"{name} = excluded.{name}" for name in TaskRow._fields if name not in keys)
    driver_sql(
        connection,
        f"INSERT INTO task ({', '.join(TaskRow._fields)}) VALUES ({', '.join('?' * len(TaskRow._fields))}) "
        f"ON CONFLICT (task_id) DO UPDATE SET {changing}",
        sorted(rows),
    )


def add_events(connection: Connection, rows: Sequence[EventRow]) -> None:
    """Append to the history of tasks."""
    driver_sql(connection, 'INSERT INTO task_event (task_id, at, "by", state, reason) VALUES (?, ?, ?, ?, ?)', rows)


def add_run(connection: Connection, **values: Any) -> int:
    """Record a run and return its id; the counts may be set later by `count_run`."""
    values = {"new": 0, "changed": 0, "unchanged": 0, "withdrawn": 0, "expired": 0} | values
    return int(connection.execute(run.insert().returning(run.c.id), values).scalar_one())


def count_run(connection: Connection, run_id: int, **counts: int) -> None:
    """Set the counts of a run."""
    connection.execute(update(run).where(run.c.id == run_id).values(**counts))


def last_runs(connection: Connection, kind: str | None = None) -> dict[str, RunRow]:
    """Strategy → its last applied run."""
    newest = select(func.max(run.c.id)).group_by(run.c.strategy)
    query = select(*_RUN).where(run.c.id.in_(newest)).order_by(run.c.strategy)
    if kind is not None:
        query = query.where(run.c.kind == kind)
    return {row.strategy: RunRow(*row) for row in connection.execute(query)}


def get_run(connection: Connection, run_id: int) -> RunRow | None:
    """One run."""
    row = connection.execute(select(*_RUN).where(run.c.id == run_id)).first()
    return RunRow(*row) if row else None


def snapshots_of(connection: Connection, strategy: str, limit: int) -> list[str]:
    """The snapshots of a strategy's last runs, newest first."""
    query = select(run.c.snapshot).where(run.c.strategy == strategy, run.c.snapshot.is_not(None))
    return [str(name) for name in connection.scalars(query.order_by(run.c.id.desc()).limit(limit))]


def decision_tasks(
    connection: Connection, customers: Collection[str] | None = None, batch: int = 50_000
) -> Iterator[Sequence[Row[Any]]]:
    """The tasks of some customers, or all, as rows of the mart's `decision_task`, in batches."""
    columns = (
        "task_id strategy customer_id anchor step topic state reason due_on window_start window_end owner "
        "created_at closed_at"
    )
    query = select(*(task.c[name] for name in columns.split())).order_by(task.c.customer_id, task.c.task_id)
    if customers is not None:
        yield list(of_customers(connection, query, task, customers))
        return
    result = connection.execute(query, execution_options={"stream_results": True})
    while rows := result.fetchmany(batch):
        yield rows


def list_tasks(
    connection: Connection,
    *,
    state: str | None = None,
    owner: str | None = None,
    due_before: str | None = None,
    customer: str | None = None,
    strategy: str | None = None,
    basis_gone: bool = False,
    limit: int | None = None,
) -> list[TaskRow]:
    """Tasks, the one due first at the top.

    Args:
        connection: Inside a transaction.
        state: Only those in this state.
        owner: Only those of this queue.
        due_before: ISO day; only those due on an earlier day.
        customer: A customer's id.
        strategy: Only those of this strategy.
        basis_gone: Only those whose reason was taken back after they were completed.
        limit: At most so many; `None` for all.
    """
    query = select(*_TASK).order_by(task.c.due_on, task.c.task_id)
    given = {"state": state, "owner": owner, "customer_id": customer, "strategy": strategy}
    for name, value in given.items():
        if value is not None:
            query = query.where(task.c[name] == value)
    if due_before is not None:
        query = query.where(task.c.due_on < due_before)
    if basis_gone:
        query = query.where(task.c.basis_gone_at.is_not(None))
    if limit is not None:
        query = query.limit(limit)
    return [TaskRow(*row) for row in connection.execute(query)]


def workload(connection: Connection, since: str, until: str) -> list[tuple[str, str, int]]:
    """(day, owner, open tasks due then), of the days from `since` to `until` (ISO), both included."""
    query = (
        select(task.c.due_on, task.c.owner, func.count())
        .where(task.c.state == "open", task.c.due_on >= since, task.c.due_on <= until)
        .group_by(task.c.due_on, task.c.owner)
        .order_by(task.c.due_on, task.c.owner)
    )
    return [(day, owner, int(count)) for day, owner, count in connection.execute(query)]


def get_task(connection: Connection, task_id: str) -> TaskRow:
    """One task by its id or the beginning of it.

    Raises:
        NotFoundError: No task's id begins so.
        UsageError: Several do.
    """
    # Ids are written with 0-9 and a-v, so "z" closes the range of those that begin so; a range uses the index.
    query = select(*_TASK).where(task.c.task_id >= task_id, task.c.task_id < task_id + "z")
    rows = [TaskRow(*row) for row in connection.execute(query.order_by(task.c.task_id).limit(2))] if task_id else []
    if not rows:
        raise NotFoundError(f"There is no task {task_id!r}. List them with: hcrm tasks list")
    if len(rows) > 1 and rows[0].task_id != task_id:
        raise UsageError(f"Several tasks begin with {task_id!r}. Give more of the id.")
    return rows[0]


def task_history(connection: Connection, task_id: str) -> list[EventRow]:
    """What became of a task, oldest first."""
    columns = [task_event.c[name] for name in EventRow._fields]
    query = select(*columns).where(task_event.c.task_id == task_id).order_by(task_event.c.id)
    return [EventRow(*row) for row in connection.execute(query)]


def complete_task(connection: Connection, task_id: str, *, by: str, note: str | None, now: int) -> TaskRow:
    """Complete an open or expired task.

    Args:
        connection: Inside a write transaction.
        task_id: Its id or the beginning of it.
        by: Who did it.
        note: What came of it.
        now: Microseconds since 1970 UTC.

    Raises:
        NotFoundError: There is no such task.
        UsageError: It is completed already, suppressed or withdrawn.
    """
    found = get_task(connection, task_id)
    if found.state not in ("open", "expired"):
        raise UsageError(
            f"The task {found.task_id} is {found.state}, and only an open or expired one can be completed. "
            f"See: hcrm tasks show {found.task_id}"
        )
    done = found._replace(state="completed", reason="done", closed_at=now, note=note, fingerprint=None)
    put_tasks(connection, [done])
    add_events(connection, [EventRow(found.task_id, now, by, "completed", "done")])
    return done
