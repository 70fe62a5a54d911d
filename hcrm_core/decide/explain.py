"""Why a decision is what it is: from the decision over its evidence to the message and field each fact came from."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from hcrm_core.decide.evidence import Evidence, Message, Origins, Tracer
from hcrm_core.errors import NotFoundError
from hcrm_core.mart.engine import open_mart
from hcrm_core.mart.snapshots import row_of
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import decisions, points
from hcrm_core.store.queries.decisions import RunRow


class Explanation(Struct, frozen=True, kw_only=True):
    """A decision and what it rests on.

    Attributes:
        kind: `task`, `points`, `segment` or `score`.
        strategy, version: That decided it, as they were then.
        parameters: Of the run that decided it.
        run: Its id, and the instant it looked at (microseconds since 1970 UTC).
        decision: Its columns, the strategy's further ones among them.
        history: What became of it, oldest first.
        evidence: In the order cited.
    """

    kind: str
    strategy: str
    version: str
    parameters: dict[str, Any]
    run: int
    as_of: int | None
    decision: dict[str, Any]
    history: tuple[dict[str, Any], ...] = ()
    evidence: tuple[Evidence, ...] = ()


Recompute = Callable[[RunRow, str], Mapping[str, list[str]]]
"""Run and customer → segment or score → what it cites, for snapshots that were written without evidence."""


def explain_task(store: Store, task_id: str, *, message: Message, origins: Origins) -> Explanation:
    """Explain a task by its id or the beginning of it.

    Raises:
        NotFoundError: There is no such task.
        UsageError: Several begin so.
    """
    with store.read() as connection:
        task = decisions.get_task(connection, task_id)
        run = decisions.get_run(connection, task.run_id)
        history = tuple(event._asdict() for event in decisions.task_history(connection, task.task_id))
    shown = task._asdict()
    del shown["fingerprint"]
    cited = msgspec.json.decode(shown.pop("evidence"))
    shown["detail"] = msgspec.json.decode(task.detail)
    return Explanation(
        kind="task",
        strategy=task.strategy,
        version=task.version,
        parameters=msgspec.json.decode(run.parameters) if run else {},
        run=task.run_id,
        as_of=run.as_of if run else None,
        decision=shown,
        history=history,
        evidence=tuple(Tracer(store, run, message, origins).trace(cited)),
    )


def explain_points(store: Store, points_id: str, *, message: Message, origins: Origins) -> Explanation:
    """Explain points by their id or the beginning of it.

    Raises:
        NotFoundError: There are no such points.
        UsageError: Several begin so.
    """
    with store.read() as connection:
        found = points.get_points(connection, points_id)
        run = decisions.get_run(connection, found.run_id)
        entries = points.entries_of(connection, found.points_id)
    shown = found._asdict()
    del shown["fingerprint"]
    cited = msgspec.json.decode(shown.pop("evidence"))
    shown["detail"] = msgspec.json.decode(found.detail)
    return Explanation(
        kind="points",
        strategy=found.strategy,
        version=found.version,
        parameters=msgspec.json.decode(run.parameters) if run else {},
        run=found.run_id,
        as_of=run.as_of if run else None,
        decision=shown,
        history=tuple(
            {"at": one.at, "by": one.by, "state": f"{one.amount:+,} points", "reason": one.reason} for one in entries
        ),
        evidence=tuple(Tracer(store, run, message, origins).trace(cited)),
    )


def explain_segment(
    store: Store,
    mart_dir: Path,
    strategy: str,
    customer_id: str,
    *,
    message: Message,
    origins: Origins,
    recompute: Recompute | None = None,
) -> list[Explanation]:
    """Explain what a segment or score strategy last decided about a customer, one explanation a row.

    Raises:
        NotFoundError: The strategy never ran, or has no row for this customer.
    """
    with store.read() as connection:
        run = decisions.last_runs(connection).get(strategy)
    if run is None or run.snapshot is None:
        raise NotFoundError(f"{strategy} has decided no segment or score yet. Run it: hcrm decide {strategy}")
    with open_mart(mart_dir, tables=()) as mart:
        rows = row_of(mart, run.snapshot, customer_id)
    if not rows:
        raise NotFoundError(
            f"{strategy} decided nothing about the customer {customer_id!r} in run {run.id}. "
            f"Why: hcrm explain why-not {strategy} {customer_id}"
        )
    tracer = Tracer(store, run, message, origins)
    found = []
    again = recompute(run, customer_id) if recompute and any("evidence" not in row for row in rows) else {}
    for row in rows:
        cited: Any = row.pop("evidence", None) or again.get(str(row[run.kind]), ())
        found.append(
            Explanation(
                kind=run.kind,
                strategy=strategy,
                version=run.version,
                parameters=msgspec.json.decode(run.parameters),
                run=run.id,
                as_of=run.as_of,
                decision={name: plain_value(value) for name, value in row.items()},
                evidence=tuple(tracer.trace(cited)),
            )
        )
    return found


def plain_value(value: Any) -> Any:
    """A value of the mart as JSON has it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date | datetime) else value
