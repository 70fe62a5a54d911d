"""The check of every SELECT that is not the core's own: one statement, read-only, from known parts only.

What is not in `allowed.toml` is refused: statements, tables, functions, casts, operators. Names of columns and types
are left to `binding`, which lets DuckDB resolve them against the documented tables.
"""

import logging
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from hcrm_core.config import nearest
from hcrm_core.errors import StrategyError
from hcrm_core.mart.columns import schema

ALWAYS_GIVEN = ("as_of", "today")
"""Parameters every SELECT may use: `$as_of` (TIMESTAMP, UTC) and `$today` (DATE, in the workspace's zone)."""

MAX_BYTES = 256 * 1024
MAX_DEPTH = 150
"""How deep expressions may be nested, or how long a chain of them may be: `a OR b OR c` is one inside the other."""

_TOO_DEEP = "nested too deeply. Write IN for chains of OR, and CTEs for what is inside."


class Checked(NamedTuple):
    """A SELECT that passed.

    Attributes:
        sql: As it was given.
        parameters: The names it uses.
        tables: The tables of the mart it reads.
    """

    sql: str
    parameters: frozenset[str]
    tables: frozenset[str]


class _At(NamedTuple):
    """Where a node stands; looked for only when it is told, since that takes a walk through what is below it."""

    name: str
    sql: str
    node: exp.Expr

    def __format__(self, _: str) -> str:
        return f"{self.name}, line {line_of(self.sql, self.node)}"


class Allowed(NamedTuple):
    """`allowed.toml`, typed."""

    functions: frozenset[str]
    ordered: frozenset[str]
    casts: frozenset[str]
    syntax: frozenset[str]
    extract: frozenset[str]
    intervals: frozenset[str]
    instead: dict[str, str]


@cache
def allowed() -> Allowed:
    """What a SELECT may be made of."""
    table = tomllib.loads(files("hcrm_core.mart").joinpath("allowed.toml").read_text(encoding="utf-8"))
    instead = table.pop("instead")
    return Allowed(**{name: frozenset(values) for name, values in table.items()}, instead=instead)


def check(
    sql: str,
    *,
    name: str,
    tables: Collection[str],
    parameters: Collection[str] = (),
    own: Mapping[str, Mapping[str, str]] = {},
) -> Checked:
    """Check one SELECT of a strategy or report.

    Args:
        sql: DuckDB's dialect, parameters written `$name`.
        name: The strategy or report and query, for errors.
        tables: The tables of the mart it declares to read.
        parameters: The parameters it declares, beside `ALWAYS_GIVEN`.
        own: Tables that exist for it alone.

    Raises:
        StrategyError: With the line, what is refused, and what to write instead.
    """
    known = {**schema(), **own}
    for table in tables:
        if table not in known:
            raise StrategyError(
                f"{name}: it declares the table {table!r}, which does not exist. " + nearest(table, list(known))
            )
    root = _parse(sql, name)
    used: set[str] = set()
    read: set[str] = set()
    for node in root.walk():
        try:
            _look_at(node, _At(name, sql, node), tables, parameters, used, read)
        except StrategyError as error:
            error.place = start_of(node)
            raise
    return Checked(sql, frozenset(used), frozenset(read))


def _look_at(
    node: exp.Expr, at: _At, tables: Collection[str], parameters: Collection[str], used: set[str], read: set[str]
) -> None:
    if isinstance(node, exp.Placeholder | exp.Parameter):
        used.add(_parameter(node, at, (*ALWAYS_GIVEN, *parameters)))
    elif isinstance(node, exp.Table):
        read |= _table(node, at, tables)
    elif isinstance(node, exp.Cast | exp.TryCast):
        _cast(node, at)
    elif isinstance(node, exp.Func):
        _function(node, at)
    else:
        _syntax(node, at)


def _parse(sql: str, name: str) -> exp.Query:
    if len(sql.encode("utf-8")) > MAX_BYTES:
        raise StrategyError(f"{name}: the SQL is longer than {MAX_BYTES // 1024} KiB. Split it into strategies.")
    if len(re.findall(r"\]\s*\[", sql)) > 20:
        # sqlglot takes seconds for some hundred of them, which would be refused below anyway.
        raise StrategyError(f"{name}: elements of lists are not taken by number. Use list_contains.")
    logger = logging.getLogger("sqlglot")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # it prints statements it does not know, which are refused below anyway
    try:
        statements = [part for part in sqlglot.parse(sql, dialect="duckdb") if part is not None]
    except SqlglotError as error:
        first = (getattr(error, "errors", None) or [{}])[0]
        near = first.get("highlight") or ""
        before = first.get("start_context") or ""
        refused = StrategyError("")
        refused.place = sql.find(before + near) + len(before)
        line = _line_at(sql, refused.place)
        refused.args = (f"{name}, line {line}: this is not valid SQL near {near!r}. Mend it.",)
        raise refused from None
    except RecursionError:
        raise StrategyError(f"{name}: the SQL is {_TOO_DEEP}") from None
    finally:
        logger.setLevel(level)
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        what = f"{len(statements)} statements" if len(statements) != 1 else statements[0].key.upper()
        raise StrategyError(f"{name}: it must be exactly one SELECT, and is {what}. Write one SELECT; CTEs are fine.")
    if _depth(statements[0]) > MAX_DEPTH:
        raise StrategyError(f"{name}: the SQL is {_TOO_DEEP}")
    return statements[0]


def _depth(root: exp.Expr) -> int:
    level, depth = [root], 0
    while level and depth <= MAX_DEPTH:
        level, depth = [child for node in level for child in node.iter_expressions()], depth + 1
    return depth


def _parameter(node: exp.Expr, at: _At, declared: tuple[str, ...]) -> str:
    name = node.name
    if not name or not node.sql("duckdb").startswith("$"):
        raise StrategyError(f"{at}: a parameter is written $name. {nearest(name or '', list(declared))}")
    if name not in declared:
        raise StrategyError(f"{at}: ${name} is not a declared parameter. {nearest(name, list(declared))}")
    return name


def _table(node: exp.Table, at: _At, declared: Collection[str]) -> set[str]:
    name = node.name
    if not isinstance(node.this, exp.Identifier):
        raise StrategyError(f"{at}: {shortened(node)} is not a table. Read one of: {', '.join(sorted(declared))}.")
    if node.args.get("db") or node.args.get("catalog"):
        raise StrategyError(f"{at}: {shortened(node)} names a schema. Write the table's name alone.")
    for part in ("pivots", "sample", "version", "when", "ordinality", "laterals"):
        if node.args.get(part):
            raise StrategyError(f"{at}: {part} of a table are not allowed. Use CTEs.")
    if name in _ctes_in_scope(node):
        return set()
    if name in declared:
        return {name}
    if name in schema():
        raise StrategyError(f"{at}: it reads {name}, which it does not declare. Add it to its tables.")
    raise StrategyError(f"{at}: there is no table {name!r}. {nearest(name, list(schema()))}")


def _ctes_in_scope(node: exp.Expr) -> Iterator[str]:
    """Names of CTEs a table reference can mean: those of the queries around it that stand before it."""
    child, parent = node, node.parent
    while parent is not None:
        clause = parent.args.get("with_") or parent.args.get("with")
        if isinstance(clause, exp.With):
            yield from (cte.alias for cte in clause.expressions)
        if isinstance(parent, exp.With):
            yield from (cte.alias for cte in parent.expressions if cte is not child)
        child, parent = parent, parent.parent


def _cast(node: exp.Cast | exp.TryCast, at: _At) -> None:
    for kind in node.to.find_all(exp.DataType):
        name = {exp.DType.TIMESTAMPNTZ: "TIMESTAMP"}.get(kind.this, kind.this.name)
        if name not in allowed().casts or kind.args.get("values"):
            valid = ", ".join(sorted(allowed().casts))
            raise StrategyError(f"{at}: a cast to {shortened(node.to)} is not allowed. Cast to one of: {valid}.")


def _function(node: exp.Func, at: _At) -> None:
    known = isinstance(node, exp.Anonymous | exp.AnonymousAggFunc)
    name = node.name if known else node.sql_name()
    if name not in allowed().functions:
        lowered = [function.lower() for function in allowed().functions]
        hint = allowed().instead.get(name) or nearest(name.lower(), lowered)
        written = node.sql(dialect="duckdb").partition("(")[0].lower()
        raise StrategyError(
            f"{at}: the function {written if written.isidentifier() else name.lower()} is not allowed. {hint}"
        )
    _places(node, at)
    if isinstance(node, exp.Extract) and node.this.name.upper() not in allowed().extract:
        raise StrategyError(f"{at}: {node.this.name} cannot be extracted. Join calendar instead.")
    if name in allowed().ordered:
        window = node.parent
        while window is not None and not isinstance(window, exp.Window | exp.Query):
            window = window.parent
        if not isinstance(window, exp.Window) or not window.args.get("order"):
            raise StrategyError(
                f"{at}: {name.lower()} needs OVER (… ORDER BY …) that orders every row; end it with an id."
            )


def _syntax(node: exp.Expr, at: _At) -> None:
    name = type(node).__name__
    _shape_of(node, at)
    if isinstance(node, exp.IntDiv | exp.Mod) and not _cannot_be_zero(node.expression):
        raise StrategyError(f"{at}: {shortened(node)} may divide by zero. Write nullif(…, 0) around the divisor.")
    if isinstance(node, exp.Interval) and not _plain_interval(node):
        raise StrategyError(f"{at}: {shortened(node)} is not allowed. Write a number and days, months or years.")
    if isinstance(node, exp.With) and node.args.get("recursive"):
        raise StrategyError(f"{at}: WITH RECURSIVE is not allowed. Join the calendar or the steps instead.")
    if isinstance(node, exp.Star | exp.Distinct) and any(node.args.get(part) for part in ("except_", "replace", "on")):
        raise StrategyError(f"{at}: {shortened(node)} is not allowed. Name the columns.")
    if name not in allowed().syntax:
        hint = allowed().instead.get(name, "Write it with the documented syntax.")
        raise StrategyError(f"{at}: {shortened(node)} is not allowed ({name}). {hint}")


def _shape_of(node: exp.Expr, at: _At) -> None:
    """Refuse what the engines read differently, or only one of them reads, though the parts are allowed."""
    match node:
        case exp.Literal() if not node.is_string and not re.fullmatch(r"\d{1,18}|\d{0,18}\.\d{1,18}", node.name):
            raise StrategyError(f"{at}: the number {shortened(node)} is not exact everywhere. Write up to 18 digits.")
        case exp.Join() if node.args.get("method"):
            raise StrategyError(f"{at}: a {node.args['method'].lower()} join is not allowed. Name the columns in ON.")
        case exp.WindowSpec() if node.args.get("kind") == "GROUPS" or node.args.get("exclude"):
            raise StrategyError(
                f"{at}: a window is written with ROWS or RANGE. Use a CTE for what GROUPS or EXCLUDE do."
            )
        case exp.Filter() if isinstance(node.parent, exp.Window):
            raise StrategyError(f"{at}: FILTER inside a window is not allowed. Write CASE WHEN … THEN … END.")
        case exp.Tuple() if not isinstance(node.parent, exp.Values):
            raise StrategyError(f"{at}: {shortened(node)} is not allowed. Compare the columns one by one.")
        case exp.Limit() if not node.parent or not node.parent.args.get("order"):
            raise StrategyError(f"{at}: LIMIT without ORDER BY picks any rows. Order every row; end with an id.")


def _plain_interval(node: exp.Interval) -> bool:
    unit = node.unit.name.upper().removesuffix("S") if node.unit else ""
    return unit in allowed().intervals and re.fullmatch(r"-?\d{1,9}", node.this.name) is not None


def _places(node: exp.Func, at: _At) -> None:
    """Refuse places in a text that are not plain numbers from 1 on, and lengths that are not from 0 on."""
    places = {exp.Substring: ("start", "length"), exp.Left: ("expression",), exp.Right: ("expression",)}
    for part in places.get(type(node), ()):
        number = node.args.get(part)
        if number is not None and not (number.is_int and int(number.name) >= (part == "start")):
            raise StrategyError(f"{at}: {shortened(node)} needs plain numbers: places from 1 on, lengths from 0 on.")


def _cannot_be_zero(node: exp.Expr) -> bool:
    node = node.unnest()
    if isinstance(node, exp.Neg):
        node = node.this.unnest()
    if isinstance(node, exp.Literal):
        return not node.is_string and float(node.name) != 0
    return isinstance(node, exp.Nullif) and node.expression.name == "0"


def line_of(sql: str, node: exp.Expr) -> int:
    """The line on which a node stands."""
    return _line_at(sql, start_of(node))


def start_of(node: exp.Expr) -> int:
    """Where a node stands: sqlglot keeps places with names and functions only, so the nearest of those."""
    starts: list[int] = [part.meta["start"] for part in node.walk() if "start" in part.meta]
    if starts:
        return min(starts)
    return start_of(node.parent) if node.parent is not None else 0


def _line_at(sql: str, start: int) -> int:
    # Counted here: sqlglot counts lines twice after a `$`, which it first tries to read as a quoted text.
    return sql.count("\n", 0, max(start, 0)) + 1


def shortened(node: exp.Expr) -> str:
    """An expression for an error."""
    text = node.sql("duckdb", unsupported_level=sqlglot.ErrorLevel.IGNORE)
    return text if len(text) <= 60 else text[:57] + "…"
