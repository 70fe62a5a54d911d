"""Why a decision is what it is: from the decision over its evidence to the message and field each fact came from."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from hcrm_core.errors import NotFoundError
from hcrm_core.mart.engine import open_mart
from hcrm_core.mart.snapshots import row_of
from hcrm_core.mart.tables import TABLES
from hcrm_core.model.fold import Event, fold, said_at
from hcrm_core.model.records import KINDS
from hcrm_core.model.translation import Origin
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import decisions, points
from hcrm_core.store.queries.decisions import RunRow
from hcrm_core.store.queries.facts import FactRow, facts
from hcrm_core.store.queries.heard import HeardRow, heard_by, members_at, seen_by
from hcrm_core.store.queries.processing import outcomes

_ALWAYS = 2**62
"""Later than any instant."""

_CITED = re.compile(r"([a-z_]+)/([^/#]+)#([a-z_0-9]+)")

# The golden columns of `customer` and the members of a Patient they are read from, the likeliest first.
_CUSTOMER_MEMBERS = {
    "sex": ("gender",),
    "birth_year": ("birth_date",),
    "next_birthday": ("birth_date",),
    "district": ("district",),
    "deceased": ("deceased_date_time", "deceased"),
    "deceased_on": ("deceased_date_time",),
}


class Landed(Struct, frozen=True):
    """What the inbox knows of a message; `received_at` in microseconds since 1970 UTC."""

    source: str
    control_id: str
    received_at: int
    pruned: bool = False


class Source(Struct, frozen=True):
    """The statement a value rests on.

    Attributes:
        message_id: In the inbox.
        source, control_id, message_type: Of the message.
        said_at, received_at: Microseconds since 1970 UTC.
        fields: Where in the message it stands (`PV1-45`); empty where the adapter cannot tell.
        pruned: Whether the message's bytes are gone, so that nobody can tell.
    """

    message_id: int
    source: str
    control_id: str
    message_type: str
    said_at: int
    received_at: int
    fields: tuple[str, ...] = ()
    pruned: bool = False


class Evidence(Struct, frozen=True):
    """One fact a decision cites.

    Attributes:
        cited: As the strategy wrote it: `table/fact id#column`.
        member: The member of the fact's body the column is read from.
        value: That member as the run saw it.
        source: The statement it rests on; `None` where none mentioned it by then.
    """

    cited: str
    member: str | None = None
    value: Any = None
    source: Source | None = None


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


Message = Callable[[int], Landed | None]
"""Message id → what the inbox knows of it."""
Origins = Callable[[int], Sequence[Origin]]
"""Message id → `adapter.origins` of its payload, by the adapter that translated it."""


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
        evidence=tuple(_Tracer(store, run, message, origins).trace(cited)),
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
        evidence=tuple(_Tracer(store, run, message, origins).trace(cited)),
    )


def explain_segment(
    store: Store, mart_dir: Path, strategy: str, customer_id: str, *, message: Message, origins: Origins
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
    tracer = _Tracer(store, run, message, origins)
    found = []
    for row in rows:
        cited: Any = row.pop("evidence")
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


class _Tracer:
    """Follows citations through one consistent view of the store, to what a run saw."""

    def __init__(self, store: Store, run: RunRow | None, message: Message, origins: Origins) -> None:
        self._store = store
        self._run = run
        self._message = message
        self._origins = origins

    def trace(self, cited: Iterable[str]) -> list[Evidence]:
        with self._store.read() as connection:
            instant = seen_by(connection, self._run)
            return [self._one(connection, citation, _ALWAYS if instant is None else instant) for citation in cited]

    def _one(self, connection: Any, citation: str, instant: int) -> Evidence:
        match = _CITED.fullmatch(citation)
        if match is None:
            return Evidence(citation)
        table, identity, column = match.groups()
        members = _members(table, column)
        wanted = members_at(connection, identity, instant) or [identity] if table == "customer" else [identity]
        heard = heard_by(connection, wanted, instant)
        candidates = []
        for row in facts(connection, heard).values():
            folded = fold((Event(one.stamp, _fields_of(one)) for one in heard[row.fact_id]), None, _namespaces(row))
            if folded is not None:
                candidates.append((folded, row))
        candidates.sort(key=lambda pair: (said_at(pair[0].stamp), pair[1].fact_id), reverse=True)
        for member in members:
            for folded, row in candidates:
                # A golden column comes from the patient that has a value; another fact has just one candidate.
                # The mart takes a customer for dead where any source says so, so the source that says so is cited.
                if member == "deceased" and len(candidates) > 1 and not folded.fields.get(member):
                    continue
                if member in folded.fields or len(candidates) == 1:
                    source = self._source(connection, row, heard[row.fact_id], member)
                    if source is not None:
                        return Evidence(citation, member, folded.fields.get(member), source)
        return Evidence(citation, members[0] if members else None)

    def _source(self, connection: Any, fact: FactRow, heard: Sequence[HeardRow], member: str) -> Source | None:
        for one in reversed(heard):
            if member in (_fields_of(one) or ()):
                landed = self._message(one.message_id)
                processed = outcomes(connection, [one.message_id]).get(one.message_id)
                return Source(
                    message_id=one.message_id,
                    source=landed.source if landed else fact.source,
                    control_id=landed.control_id if landed else "",
                    message_type=processed.message_type if processed else "",
                    said_at=said_at(one.stamp),
                    received_at=landed.received_at if landed else one.known_at,
                    fields=self._fields(one.message_id, fact, member),
                    pruned=landed is not None and landed.pruned,
                )
        return None

    def _fields(self, message_id: int, fact: FactRow, member: str) -> tuple[str, ...]:
        key = self._store.codec.open(bytes(fact.key)).decode("utf-8")
        named = {member, f"{member}_"}  # Python spells `class` with an underscore
        found = [
            origin.path
            for origin in self._origins(message_id)
            if (origin.kind, origin.key) == (fact.kind, key) and origin.field in named
        ]
        return tuple(dict.fromkeys(found))


def _fields_of(heard: HeardRow) -> dict[str, Any] | None:
    return None if heard.body is None else msgspec.json.decode(heard.body)


def _namespaces(fact: FactRow) -> frozenset[str]:
    return frozenset(KINDS[fact.kind].BY_NAMESPACE) if fact.kind in KINDS else frozenset()


def _members(table: str, column: str) -> tuple[str, ...]:
    if table == "customer":
        return _CUSTOMER_MEMBERS.get(column, ())
    for known in TABLES:
        if known.name == table:
            return tuple(c.member.split(".")[0] for c in known.columns if c.name == column)
    return ()


def plain_value(value: Any) -> Any:
    """A value of the mart as JSON has it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date | datetime) else value
