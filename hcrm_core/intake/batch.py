"""What a batch says and what was known before it: the material of `settle.py`."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from hcrm_core.store.queries.facts import Content, FactRow
from hcrm_core.store.queries.log import Numbers, StatementRow, VersionRow


class Entry(NamedTuple):
    """A record as the log takes it.

    Attributes:
        fact_id, kind, source: Of the fact it speaks of.
        key: Its key in the source.
        patient_id: Whose fact it says it is.
        set_id: The set it is a member of.
        content: Its fields, ids for keys.
        empties: Whether it says a field empty.
        encounter_id: The stay it is about, or is.
    """

    fact_id: str
    kind: str
    source: str
    key: str
    patient_id: str | None
    set_id: str | None
    content: Content
    empties: bool
    encounter_id: str | None = None


def one_set(one: str | None, other: str | None) -> str | None:
    """The set of a fact that statements put in different sets, or in one and in none: the same in any order."""
    return min(filter(None, (one, other)), default=None)


@dataclass
class Batch:
    """What a batch says, and what was known before it.

    Attributes:
        now: When it arrived.
        numbers: Gives numbers to what is new.
        said: Fact → its new versions.
        entries: Fact → the last of its entries.
        sets: Set → its new statements.
        void_facts, void_sets: What lost a statement.
        moves: Facts it states of where stays went.
        before: The facts it touches as they were.
        fact_numbers: Fact → its number.
        content_ids: What is in the log by now: (fact, content) → its number.
    """

    now: int
    numbers: Numbers
    said: dict[str, list[VersionRow]] = field(default_factory=lambda: defaultdict(list))
    entries: dict[str, Entry] = field(default_factory=dict)
    sets: dict[str, list[StatementRow]] = field(default_factory=lambda: defaultdict(list))
    void_facts: set[str] = field(default_factory=set)
    void_sets: set[str] = field(default_factory=set)
    moves: set[str] = field(default_factory=set)
    before: dict[str, FactRow] = field(default_factory=dict)
    fact_numbers: dict[str, int] = field(default_factory=dict)
    content_ids: dict[tuple[str, Content], int] = field(default_factory=dict)
