"""The mapping made ready for the headings of one table: which cells each field is read from, looked up once."""

import re
from collections.abc import Sequence
from functools import lru_cache
from keyword import iskeyword
from typing import Any, NamedTuple

from hcrm_adapter_tabular.headings import spellings
from hcrm_adapter_tabular.mapping.tables import Columns, Constants, FieldRule, Key, Tables, listed
from hcrm_adapter_tabular.rows import Cell, text
from hcrm_core.api import fitting

TIME = "time "
"""Before a column in a key: a date or time, however it is written."""

CHANGE = "{change}"
"""In a condition: what a table of changes says of the row."""

REMEMBERED = 2_000
"""Sets of headings whose layouts are kept."""


class Cells(NamedTuple):
    """The headings a rule reads, first choice first."""

    column: tuple[str, ...]
    display: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    plus: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.column, *self.display, *self.unit, *self.plus)


class Field(NamedTuple):
    """One field of a record and the rules it is read by, each with its cells."""

    name: str
    attribute: str
    rules: tuple[tuple[FieldRule, Cells], ...]
    joined: bool


class Test(NamedTuple):
    """A cell that is filled or, where a value is given, has that value; without headings, what a change says."""

    headings: tuple[str, ...]
    value: str | None
    of_change: bool


Condition = tuple[Test, ...]
"""One of them holds."""


class Part(NamedTuple):
    """One part of a key: alternatives, each a heading's list, the key of something else, or a constant text."""

    choices: tuple[tuple[str, Any], ...]
    optional: bool


class Plan(NamedTuple):
    """How one record table makes its record of a row; `needs` are headings of which one each must be filled."""

    name: str
    kind: str
    key: tuple[Part, ...]
    fields: tuple[Field, ...]
    clears: bool
    defaults: dict[str, Any]
    says: dict[str, Any]
    when: tuple[tuple[Condition, dict[str, Any]], ...]
    otherwise: tuple[tuple[Condition, dict[str, Any]], ...]
    void: Condition
    needs: tuple[tuple[str, ...], ...]


class Layout(NamedTuple):
    """One table with these headings."""

    plans: tuple[Plan, ...]
    keys: dict[str, tuple[tuple[Part, ...], ...]]
    said_at: tuple[str, ...]
    mapped: frozenset[str]
    ignored: frozenset[str]
    clearing: frozenset[str]
    """Headings whose empty cells say something."""


class Layouts:
    """The layouts of a mapping, made when they are first needed."""

    def __init__(self, tables: Tables) -> None:
        """Args: tables: the mapping."""
        self.tables = tables
        self.layout = lru_cache(maxsize=REMEMBERED)(self._layout)
        self._names = {spellings(one)[0]: name for name, known in tables.columns.items() for one in (*known, name)}
        self._known = {name: columns_of(tables, name) for name in tables.tables}

    def score(self, table: str, cells: Sequence[Cell], *, named: bool) -> int:
        """How many cells of a line are headings of a table; 0 where one it needs is missing, unless it is `named`."""
        headings = tuple(heading for one in cells if isinstance(one, str) and (heading := text(one)))
        find = _Finder(self.tables, headings)
        needs = self.tables.tables[table].needs
        if not named and not all(any(find(choice) for choice in one.split(" or ")) for one in needs):
            return 0
        return len({heading for column in self._known[table] for heading in find(column)})

    def name_of(self, heading: str) -> str | None:
        """What the mapping calls a heading; `None` where it does not know it."""
        return self._names.get(spellings(heading)[0]) or self._names.get(spellings(heading)[-1])

    def _layout(self, table: str, headings: tuple[str, ...]) -> Layout:
        rule = self.tables.tables[table]
        find = _Finder(self.tables, headings)
        keys = {
            name: tuple(_key(one, find) for one in key.any if all(_possible(part, find) for part in one))
            for name, key in self.tables.keys.items()
        }
        plans = tuple(
            _plan(self.tables, name, find) for name, record in self.tables.records.items() if table in record.tables
        )
        mapped = {heading for plan in plans for heading in _read_by(plan)}
        mapped |= {heading for key in keys.values() for one in key for part in one for heading in _headings(part)}
        said_at = find(rule.said_at)
        ignored = {heading for column in rule.ignored for heading in find(column)}
        mapped |= set(said_at)
        clearing = {
            heading
            for plan in plans
            if plan.clears
            for field in plan.fields
            for _, cells in field.rules
            for heading in cells.column
        }
        return Layout(plans, keys, said_at, frozenset(mapped), frozenset(ignored - mapped), frozenset(clearing))


class _Finder:
    """Which of some headings a name of `columns`, or a heading written in the mapping, means."""

    def __init__(self, tables: Tables, headings: Sequence[str]) -> None:
        self._columns = tables.columns
        self._headings: dict[str, list[str]] = {}
        for depth in (0, 1):
            for heading in headings:
                forms = spellings(re.sub(r" \(\d+\)$", "", heading))
                if depth < len(forms):
                    self._headings.setdefault(forms[depth], []).append(heading)

    def __call__(self, columns: Columns) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for name in listed(columns):
            for written in (*self._columns.get(name, ()), name):
                for form in spellings(written)[:1]:
                    found |= dict.fromkeys(self._headings.get(form, ()))
        return tuple(found)


def columns_of(tables: Tables, table: str) -> tuple[str, ...]:
    """The columns that the records of a table are read from."""
    found: dict[str, None] = dict.fromkeys((*listed(tables.tables[table].said_at),))
    for record in tables.records.values():
        if table in record.tables:
            for one in record.fields.values():
                for rule in (one,) if isinstance(one, FieldRule) else one:
                    found |= dict.fromkeys((*listed(rule.column), *listed(rule.display), *listed(rule.unit)))
            found |= dict.fromkeys(choice for part in record.key for choice in _plain_choices(part))
    for key in tables.keys.values():
        found |= dict.fromkeys(choice for one in key.any for part in one for choice in _plain_choices(part))
    return tuple(found)


def choices(part: str) -> list[str]:
    """The alternatives of a part of a key."""
    return part.removesuffix("?").split(" or ")


def _plain_choices(part: str) -> list[str]:
    return [choice.removeprefix(TIME) for choice in choices(part) if choice[0] not in "{'"]


def _key(key: Key, find: _Finder) -> tuple[Part, ...]:
    return tuple(_part(part, find) for part in key)


def _part(part: str, find: _Finder) -> Part:
    made: list[tuple[str, Any]] = []
    for choice in choices(part):
        if choice.startswith("{"):
            made.append(("key", choice[1:-1]))
        elif choice.startswith("'"):
            made.append(("text", choice[1:-1]))
        else:
            timed = choice.startswith(TIME)
            made.append(("time" if timed else "column", find(choice.removeprefix(TIME))))
    return Part(tuple(made), part.endswith("?"))


def _possible(part: str, find: _Finder) -> bool:
    return part.endswith("?") or any(choice[0] in "{'" or find(choice.removeprefix(TIME)) for choice in choices(part))


def _headings(part: Part) -> tuple[str, ...]:
    return tuple(heading for form, found in part.choices if form in ("column", "time") for heading in found)


def _plan(tables: Tables, name: str, find: _Finder) -> Plan:
    rule = tables.records[name]
    kind = rule.kind or name
    fields = []
    for field, one in rule.fields.items():
        rules = (one,) if isinstance(one, FieldRule) else one
        cells = [
            (each, Cells(find(each.column), find(each.display), find(each.unit), find(each.plus))) for each in rules
        ]
        given = tuple((each, read) for each, read in cells if each.origin or read.column or read.display or read.plus)
        if given:
            fields.append(Field(field, attribute(field), given, not isinstance(one, FieldRule)))
    defaults: Constants = {
        field: one.default
        for field, one in rule.fields.items()
        if isinstance(one, FieldRule) and one.default is not None
    }
    return Plan(
        name,
        kind,
        _key(rule.key, find),
        tuple(fields),
        rule.empty == "clears",
        _constants(kind, defaults),
        _constants(kind, rule.says),
        _conditional(tables, kind, rule.when, find),
        _conditional(tables, kind, rule.otherwise, find),
        tuple(test for text in rule.void for test in _condition(tables, text, find)),
        tuple(find(tuple(need.split(" or "))) for need in rule.needs),
    )


def _read_by(plan: Plan) -> set[str]:
    read = {heading for field in plan.fields for _, cells in field.rules for heading in cells.all}
    read |= {heading for part in plan.key for heading in _headings(part)}
    conditions = [*(condition for condition, _ in (*plan.when, *plan.otherwise)), plan.void]
    return read | {heading for condition in conditions for test in condition for heading in test.headings}


def _conditional(
    tables: Tables, kind: str, rules: dict[str, Constants], find: _Finder
) -> tuple[tuple[Condition, dict[str, Any]], ...]:
    made = ((_condition(tables, text, find), _constants(kind, fields)) for text, fields in rules.items())
    return tuple((condition, constants) for condition, constants in made if condition)


def _condition(tables: Tables, written: str, find: _Finder) -> Condition:
    """The tests of a condition that these headings allow."""
    if written.startswith("{") and written.endswith("}"):
        return tuple(test for one in tables.conditions[written[1:-1]] for test in _condition(tables, one, find))
    column, says, value = written.partition("=")
    if column == CHANGE:
        return (Test((), value, True),)
    headings = find(column)
    return (Test(headings, value if says else None, False),) if headings else ()


def _constants(kind: str, fields: Constants) -> dict[str, Any]:
    return {attribute(name): None if value == "" else fitting(kind, name, value) for name, value in fields.items()}


def attribute(name: str) -> str:
    """A field's name in Python."""
    return f"{name}_" if iskeyword(name) else name
