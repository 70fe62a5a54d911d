"""What a decision cites, followed to the message and field each fact came from, as the run had heard of it."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hcrm_core.mart.tables import TABLES
from hcrm_core.model.fold import Event, Folded, fold, said_at
from hcrm_core.model.records import KINDS
from hcrm_core.model.survivorship import place_of
from hcrm_core.model.translation import Origin
from hcrm_core.store.engine import Store
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
    "age_months": ("birth_date",),
    "turns_14": ("birth_date",),
    "turns_18": ("birth_date",),
    "next_birthday": ("birth_date",),
    "district": ("district",),
    "education": ("education",),
    "occupation": ("occupation",),
    "interests": ("interests",),
    "interest_departments": ("interest_departments",),
    "information_needs": ("information_needs",),
    "kinds": ("customer_kinds", "identifier"),
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
        outdated: Whether it is another by now.
        now: What it is now where it is another; `None` where it is said no more.
    """

    cited: str
    member: str | None = None
    value: Any = None
    source: Source | None = None
    outdated: bool = False
    now: Any = None


Message = Callable[[int], Landed | None]
"""Message id → what the inbox knows of it."""
Origins = Callable[[int], Sequence[Origin]]
"""Message id → `adapter.origins` of its payload, by the adapter that translated it."""


class Tracer:
    """Follows citations through one consistent view of the store, to what a run saw."""

    def __init__(self, store: Store, run: RunRow | None, message: Message, origins: Origins) -> None:
        self._store = store
        self._run = run
        self._message = message
        self._origins = origins

    def trace(self, cited: Iterable[str]) -> list[Evidence]:
        """Follow citations, in their order."""
        with self._store.read() as connection:
            instant = seen_by(connection, self._run)
            return [self._one(connection, citation, instant) for citation in cited]

    def _one(self, connection: Any, citation: str, instant: int | None) -> Evidence:
        now = self._at(connection, citation, _ALWAYS)
        if instant is None:
            return now
        then = self._at(connection, citation, instant)
        return then if then.value == now.value else replace(then, outdated=True, now=now.value)

    def _at(self, connection: Any, citation: str, instant: int) -> Evidence:
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
        for member in members:
            # A golden column comes from the patient whose word stands; another fact has just one candidate.
            if table == "customer":
                candidates.sort(key=lambda pair: self._place(member, *pair), reverse=True)
            for folded, row in candidates:
                if member in folded.fields or len(candidates) == 1:
                    source = self._source(connection, row, heard[row.fact_id], member)
                    if source is not None:
                        return Evidence(citation, member, folded.fields.get(member), source)
        return Evidence(citation, members[0] if members else None)

    def _place(self, member: str, folded: Folded, row: FactRow) -> tuple[int | str, ...]:
        return place_of(
            self._store.golden,
            member,
            folded.fields.get(member),
            source=row.source,
            said_at=said_at(folded.stamp),
            patient_id=row.fact_id,
        )

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
