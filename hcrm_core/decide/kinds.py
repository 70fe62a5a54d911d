"""How decisions of tasks and points are kept as rows of the store: what each kind reads, compares and writes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import msgspec

from hcrm_core.decide import points as points_rules
from hcrm_core.decide import tasks as task_rules
from hcrm_core.decide.plan import Change, Plan, Run
from hcrm_core.decide.points import WantedPoints
from hcrm_core.decide.tasks import Wanted
from hcrm_core.mart.engine import Mart
from hcrm_core.mart.reviews import REMARKS
from hcrm_core.model.strategies import REQUIRED_COLUMNS
from hcrm_core.store import tables
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Connection
from hcrm_core.store.queries import decisions, points
from hcrm_core.store.queries.standing import Standing, standing_points, standing_tasks

_encode = msgspec.json.Encoder().encode


class Kind(NamedTuple):
    """How decisions of one kind are kept as rows of the store."""

    table: Any
    wanted: Callable[[Mapping[str, Any], str, Codec, tuple[str, ...]], Any]
    standing: Callable[[Connection, Mart, Run, Collection[str] | None], Iterable[Sequence[Standing]]]
    by_id: Callable[[Connection, Iterable[str]], dict[str, Any]]
    plan: Callable[[Mapping[str, Any], Sequence[Any], Run], Plan[Any]]
    write: Callable[[Connection, Sequence[Change[Any]], Run], None]
    mark: Callable[[Connection], int]
    touched: Callable[[Connection, int], set[str]]


def _wanted(
    make: Callable[..., Any], kind: str, row: Mapping[str, Any], strategy: str, codec: Codec, further: tuple[str, ...]
) -> Any:
    given = {name: _plain(row[name]) for name in REQUIRED_COLUMNS[kind] if name not in ("subject", "evidence")}
    return make(
        codec.token(kind, strategy, row["anchor"], row["step"], str(row["occurrence"])),
        customer_id=row["subject"],
        **given,
        detail=_detail(row, further),
        evidence=_encode(row["evidence"]).decode(),
        fingerprint=row.get("fingerprint"),
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _detail(row: Mapping[str, Any], further: tuple[str, ...]) -> str:
    """The further columns; a remark only where there is one, so that a review that remarks changes nothing else."""
    return _encode({name: row[name] for name in further if name != REMARKS or row[name] is not None}).decode()


def _standing_tasks(
    connection: Connection, mart: Mart, run: Run, customers: Collection[str] | None
) -> Iterator[Sequence[Standing]]:
    (earliest,) = mart.execute("SELECT CAST(min(window_end) AS VARCHAR) FROM decided").fetchall()[0]
    return standing_tasks(connection, run.strategy, run.today, earliest, customers)


def _standing_points(
    connection: Connection, mart: Mart, run: Run, customers: Collection[str] | None
) -> Iterator[Sequence[Standing]]:
    return standing_points(connection, run.strategy, customers)


def _write_tasks(connection: Connection, changes: Sequence[Change[Any]], run: Run) -> None:
    decisions.put_tasks(connection, [change.after for change in changes])
    decisions.add_events(connection, task_rules.events(changes, run))


def _write_points(connection: Connection, changes: Sequence[Change[Any]], run: Run) -> None:
    points.put_points(connection, [change.after for change in changes])
    points.add_entries(connection, points_rules.entries(changes, run))


KINDS: dict[str, Kind] = {
    "task": Kind(
        tables.task,
        partial(_wanted, Wanted, "task"),
        _standing_tasks,
        decisions.tasks_by_id,
        task_rules.plan,
        _write_tasks,
        decisions.last_event,
        decisions.touched_since,
    ),
    "points": Kind(
        tables.points,
        partial(_wanted, WantedPoints, "points"),
        _standing_points,
        points.points_by_id,
        points_rules.plan_points,
        _write_points,
        points.last_entry,
        points.entered_since,
    ),
}
