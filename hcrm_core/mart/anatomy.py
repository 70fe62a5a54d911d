"""A SELECT taken apart: its steps, what each reads, and by which column a step's rows belong to a customer."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import sqlglot
from sqlglot import exp

from hcrm_core.mart.columns import is_personal
from hcrm_core.mart.made_tables import DECISIONS
from hcrm_core.mart.tables import TABLES

RESULT = "the result"
"""The name of the step that is the whole SELECT."""

CUSTOMER = ""
"""In `owned`: the column holds a customer's id, not that of a fact."""

Owned = dict[str, str]
"""Column → `CUSTOMER`, or the table of which it holds the id of a row; in lower case."""

_KEEP = (exp.Coalesce, exp.Max, exp.Min, exp.Paren, exp.Cast)


class Source(NamedTuple):
    """What a SELECT reads at one place of its FROM.

    Attributes:
        alias: What the SELECT calls it.
        step: A CTE or subquery; `None` for a table of the mart or VALUES.
        table: The table of the mart, else empty.
        owned: Its columns that say whose a row is.
        needed: Whether the SELECT gives nothing where this gives nothing.
    """

    alias: str
    step: "Step | None"
    table: str
    owned: Owned
    needed: bool

    @property
    def name(self) -> str:
        """The step's or table's own name."""
        return self.step.name if self.step else self.table or self.alias


class Step(NamedTuple):
    """One CTE, subquery, part of a set operation, or the whole SELECT.

    Attributes:
        name: As it is written, or by its place where it has none.
        levels: The CTEs it can read, as SQL, the outermost query's first.
        query: Without its own WITH.
        named: Whether it is a CTE.
        inner: The CTEs of its own WITH, in order.
        sources: What a SELECT reads, in order.
        parts: The sides of a set operation.
        owned: Its columns that say whose a row is.
        origin: Each of these columns → the source it comes from.
    """

    name: str
    levels: tuple[tuple[str, ...], ...]
    query: exp.Query
    named: bool
    inner: tuple["Step", ...]
    sources: tuple[Source, ...]
    parts: tuple["Step", ...]
    owned: Owned
    origin: Mapping[str, str]

    @property
    def owner(self) -> str | None:
        """The column by which its rows are a customer's; `None` where it has none, as a calendar has none."""
        return owner(self.owned)

    def sql(self, query: str | None = None) -> str:
        """Itself, or another query in its place, as a SELECT that stands alone."""
        text = query or self.query.sql("duckdb")
        for level in reversed(self.levels):
            if level:
                text = f"WITH {', '.join(level)} SELECT * FROM ({text}) AS inside"
        return text

    def walk(self) -> Iterator["Step"]:
        """The steps inside it in the order in which they are written, and itself last."""
        for step in (*self.inner, *(one.step for one in self.sources if one.step and not one.step.named), *self.parts):
            yield from step.walk()
        yield self


def owner(owned: Owned) -> str | None:
    """Of columns that say whose a row is, the one to go by."""
    order = {"subject": 0, "customer_id": 1}
    return min(owned, key=lambda name: (owned[name] != CUSTOMER, order.get(name, 2), name), default=None)


def anatomy(sql: str) -> Step:
    """Take a checked SELECT apart."""
    root = sqlglot.parse_one(sql, dialect="duckdb")
    for node in root.walk():
        node.pop_comments()
    assert isinstance(root, exp.Query)
    return _step(root, RESULT, {}, (), "")


def conjuncts(condition: exp.Expr | None) -> list[exp.Expr]:
    """The parts of a condition that must all hold."""
    condition = condition.unnest() if condition is not None else None
    if condition is None:
        return []
    if isinstance(condition, exp.And):
        return [*conjuncts(condition.this), *conjuncts(condition.expression)]
    return [condition]


def _step(
    query: exp.Query,
    name: str,
    scope: Mapping[str, Step],
    levels: tuple[tuple[str, ...], ...],
    place: str,
    named: bool = False,
) -> Step:
    clause = query.args.get("with_")
    query = query.copy()
    query.set("with_", None)
    inner: list[Step] = []
    if isinstance(clause, exp.With):
        scope = dict(scope)
        level: tuple[str, ...] = ()
        for cte in clause.expressions:
            titled = f"{cte.alias} of {place}" if place else cte.alias
            made = _step(cte.this, titled, scope, (*levels, level), place, named=True)
            inner.append(_renamed(made, [column.name for column in cte.args["alias"].columns]))
            scope[cte.alias.lower()] = inner[-1]
            level = (*level, cte.sql("duckdb"))
        levels = (*levels, level)
    if isinstance(query, exp.Subquery):
        found = _step(query.this, name, scope, levels, place, named)
        return found._replace(inner=(*inner, *found.inner))
    if isinstance(query, exp.SetOperation):
        parts = _parts(query, name, scope, levels, place)
        return Step(name, levels, query, named, tuple(inner), (), parts, parts[0].owned, {})
    sources = _sources(query, name, scope, levels, place) if isinstance(query, exp.Select) else ()
    owned, origin = _output(query, sources)
    return Step(name, levels, query, named, tuple(inner), sources, (), owned, origin)


def _parts(
    query: exp.SetOperation, name: str, scope: Mapping[str, Step], levels: tuple[tuple[str, ...], ...], place: str
) -> tuple[Step, ...]:
    sides = list(_sides(query, type(query)))
    called = [_called(side) for side in sides]
    alike = len(set(called)) < len(called)
    found = []
    for number, side in enumerate(sides, 1):
        part = f"part {number}" if alike or called[number - 1] is None else repr(called[number - 1])
        within = part + (f" of {place}" if place else "")
        title = within if name == RESULT else f"{part} of {name}"
        found.append(_step(side, title, scope, levels, within if name == RESULT else place))
    return tuple(found)


def _called(side: exp.Query) -> str | None:
    """What all decisions of a part are called, where it says so: its step, segment or score."""
    inside = side.unnest()
    while isinstance(inside, exp.Select) and inside.is_star and (clause := inside.args.get("from_")) is not None:
        inside = clause.this.unnest()
    for one in inside.expressions if isinstance(inside, exp.Select) else ():
        if one.alias.lower() in ("step", "segment", "score") and isinstance(one.unalias(), exp.Literal):
            return str(one.unalias().name)
    return None


def _sides(query: exp.Expr, kind: type[exp.Expr]) -> Iterator[exp.Query]:
    """`a UNION b UNION c` has three sides; those of another operation inside are one."""
    if type(query) is kind and kind is exp.Union and not query.args.get("with_"):
        yield from _sides(query.this, kind)
        yield from _sides(query.args["expression"], kind)
    elif type(query) is kind and kind is not exp.Union:
        yield query.this
        yield query.args["expression"]
    elif isinstance(query, exp.Query):
        yield query


def _sources(
    query: exp.Select, name: str, scope: Mapping[str, Step], levels: tuple[tuple[str, ...], ...], place: str
) -> tuple[Source, ...]:
    clause = query.args.get("from_")
    if clause is None:
        return ()
    alone = query.is_star and not query.args.get("joins") and not query.args.get("where")
    found = [_source(clause.this, 0 if alone else 1, name, scope, levels, place)]
    for number, join in enumerate(query.args.get("joins") or (), 2):
        source = _source(join.this, number, name, scope, levels, place)
        side = (join.side or "").upper()
        if side in ("RIGHT", "FULL"):
            found = [one._replace(needed=False) for one in found]
        found.append(source._replace(needed=side in ("", "RIGHT")))
    return tuple(found)


def _source(
    node: exp.Expr,
    number: int,
    parent: str,
    scope: Mapping[str, Step],
    levels: tuple[tuple[str, ...], ...],
    place: str,
) -> Source:
    alias = node.alias_or_name
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
        title = f"{alias} in {parent}" if alias else f"source {number} of {parent}" if number else parent
        step = _step(node.this, title, scope, levels, place)
        return Source(alias, step, "", step.owned, True)
    if isinstance(node, exp.Table):
        known = scope.get(node.name.lower())
        if known is not None:
            return Source(alias, known, "", known.owned, True)
        return Source(alias, None, node.name.lower(), _of_table(node.name.lower()), True)
    return Source(alias, None, "", {}, True)


def _of_table(name: str) -> Owned:
    for table in TABLES:
        if table.name == name:
            return {"customer_id": CUSTOMER, table.id: name} if is_personal(table) else {}
    if name in DECISIONS:
        first = DECISIONS[name][0][0]
        return {"customer_id": CUSTOMER} | ({first: name} if first.endswith("_id") else {})
    return {"customer_id": CUSTOMER} if name in ("customer", "customer_profile") else {}


def key_of(table: str) -> str:
    """The column that holds the id of a table's rows."""
    return next((one.id for one in TABLES if one.name == table), DECISIONS[table][0][0] if table in DECISIONS else "")


def _renamed(step: Step, columns: list[str]) -> Step:
    """A CTE whose columns are named in its head: `visit(id, day) AS (…)`."""
    if not columns or not isinstance(step.query, exp.Select):
        return step
    names = dict(zip((one.alias_or_name.lower() for one in step.query.expressions), columns, strict=False))
    return step._replace(
        owned={names[name].lower(): of for name, of in step.owned.items() if name in names},
        origin={names[name].lower(): of for name, of in step.origin.items() if name in names},
    )


def _output(query: exp.Query, sources: tuple[Source, ...]) -> tuple[Owned, dict[str, str]]:
    """The columns of a SELECT that say whose a row is, and the alias of the source of each."""
    owned: Owned = {}
    origin: dict[str, str] = {}
    for projection in query.expressions if isinstance(query, exp.Select) else ():
        if projection.is_star:
            of = projection.table.lower() if isinstance(projection, exp.Column) else None
            found = [
                (name, kind, one.alias)
                for one in sources
                if of in (None, one.alias.lower())
                for name, kind in one.owned.items()
            ]
        else:
            traced = _trace(projection.unalias(), sources)
            found = [(projection.alias_or_name.lower(), *traced)] if traced else []
        for name, kind, alias in found:
            owned.setdefault(name, kind)
            origin.setdefault(name, alias)
        if projection.alias_or_name.lower() == "subject":
            owned.setdefault("subject", CUSTOMER)  # by contract, however it is computed
    return owned, origin


def _trace(node: exp.Expr, sources: tuple[Source, ...]) -> tuple[str, str] | None:
    """What a column of the result says whose a row is by, and the source it comes from."""
    if isinstance(node, exp.Column):
        for one in sources:
            kind = one.owned.get(node.name.lower())
            if kind is not None and node.table.lower() in ("", one.alias.lower()):
                return kind, one.alias
        return None
    if isinstance(node, _KEEP):
        return _trace(node.this, sources)
    return None
