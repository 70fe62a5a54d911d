"""What a strategy's rows must be: the columns of its kind with their types, keys that are unique, evidence that exists.

The result of a strategy is kept in a temporary table, `decided`, whose columns are the required ones in their order
and then the further ones as the strategy gave them.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import NamedTuple, Protocol

import duckdb
import msgspec
import pyarrow as pa

from hcrm_core.config import nearest
from hcrm_core.errors import StrategyError
from hcrm_core.mart.check import Checked, check, line_of, shortened, start_of
from hcrm_core.mart.columns import schema
from hcrm_core.mart.engine import Mart, explain_error, identifier
from hcrm_core.mart.strict import objection
from hcrm_core.mart.where import instead_of, line_in, place_in, placed
from hcrm_core.model.strategies import REQUIRED_COLUMNS, Scalar, Strategy

KEYS: dict[str, tuple[str, ...]] = {
    "task": ("anchor", "step", "occurrence"),
    "points": ("anchor", "step", "occurrence"),
    "segment": ("subject", "segment"),
    "score": ("subject", "score"),
}
"""What makes a row of each kind unique within its strategy."""

_MAY_BE_NULL = ("form", "suppressed")
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})
_FITS: dict[str, frozenset[str]] = {
    "VARCHAR": frozenset({"VARCHAR"}),
    "INTEGER": _WHOLE,
    "BIGINT": _WHOLE,
    # A date plus an interval is a TIMESTAMP here and a DATE on Spark; cast, they are equal.
    "DATE": frozenset({"DATE", "TIMESTAMP"}),
    "VARCHAR[]": frozenset({"VARCHAR[]"}),
}
_NULL = '"NULL"'
_FURTHER = _WHOLE | {"VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN", "VARCHAR[]", _NULL}


Compute = Callable[[Strategy, pa.Table, Mapping[str, Scalar]], pa.Table]
"""Calls a strategy's function: strategy, rows of its SELECT, parameters → its rows."""


class Engine(Protocol):
    """What answers a checked SELECT in DuckDB's place (`mart.spark.Spark`)."""

    def show(self, mart: Mart, checked: Checked, values: Mapping[str, object], *, name: str) -> str:
        """Make its rows the view `computed` and return the SELECT that gives them their types."""


class Decided(NamedTuple):
    """A strategy's rows, in the temporary table `decided` of one mart.

    Attributes:
        strategy: Whose.
        further: The columns beyond the required ones.
        rows: How many.
    """

    strategy: Strategy
    further: tuple[str, ...]
    rows: int


def check_strategy(strategy: Strategy) -> Checked:
    """Check a strategy's SQL and, unless it reads other strategies' further columns, its columns and types.

    Raises:
        StrategyError: Naming the strategy, the line or column, and what to do.
    """
    try:
        return _checked(msgspec.msgpack.encode(strategy))
    except StrategyError as error:
        raise placed(strategy, error) from None


@lru_cache(maxsize=512)
def _checked(encoded: bytes) -> Checked:
    """Reading SQL takes longer than running it for a few customers, so what passed is remembered."""
    strategy = msgspec.msgpack.decode(encoded, type=Strategy)
    for name in strategy.parameters:
        if not name.isidentifier():
            raise StrategyError(f"{strategy.name}: the parameter {name!r} is not a name. Use letters, digits and _.")
    if strategy.frozen_on and strategy.kind not in ("segment", "score"):
        raise StrategyError(f"{strategy.name}: a {strategy.kind} cannot be frozen. Take frozen_on away.")
    checked = check(strategy.sql, name=strategy.name, tables=strategy.tables, parameters=strategy.parameters)
    if strategy.function is None and not checked.tables & {"decision_segment", "decision_score"}:
        values = bound(checked, strategy.parameters, as_of_us=0, today=date(2000, 1, 1))
        _shape(strategy, described(strategy.name, checked.sql, values))
    return checked


def described(name: str, sql: str, values: dict[str, object], kind: str | None = None) -> dict[str, str]:
    """The columns of a SELECT over the documented tables with their types, all of which mean the same on both engines.

    Args:
        name: Of the strategy or review, for errors.
        sql: Checked.
        values: Its parameters'.
        kind: Of the rows in the table `decided`, where it may read that.

    Raises:
        StrategyError: A column does not exist, two are named alike, or types do not go together.
    """
    empty = _empty_mart(kind)
    found = _describe(empty, name, sql, values)

    def binds(rewritten: str) -> bool:
        try:
            empty.execute(f"DESCRIBE {rewritten}", values)
        except duckdb.Error:
            return False
        return True

    if refused := objection(sql, binds):
        node, instead = refused
        unlike = StrategyError(
            f"{name}, line {line_of(sql, node)}: {shortened(node)} is not the same on every engine for values of these "
            f"types. {instead}"
        )
        unlike.place = start_of(node)
        raise unlike
    return found


def bound(checked: Checked, parameters: Mapping[str, Scalar], *, as_of_us: int, today: date) -> dict[str, object]:
    """The values of the parameters a SELECT uses, `$as_of` and `$today` among them."""
    given: dict[str, object] = dict(parameters) | {"as_of": _instant(as_of_us), "today": today}
    return {name: _exact(given[name]) for name in checked.parameters}


def evaluate(
    mart: Mart,
    strategy: Strategy,
    checked: Checked,
    *,
    as_of_us: int,
    today: date,
    compute: Compute | None = None,
    engine: Engine | None = None,
) -> Decided:
    """Run a strategy into `decided` and check every row.

    Args:
        mart: To read.
        strategy: Whose.
        checked: Its SELECT.
        as_of_us: `$as_of`, microseconds since 1970 UTC.
        today: `$today`.
        compute: Calls its function, where it has one.
        engine: Runs its SELECT; DuckDB where `None`.

    Raises:
        StrategyError: It fails, or its rows break the contract.
    """
    sql, values = checked.sql, bound(checked, strategy.parameters, as_of_us=as_of_us, today=today)
    if engine:
        sql, values = engine.show(mart, checked, values, name=strategy.name), {}
    if strategy.function:
        if compute is None:
            raise StrategyError(f"{strategy.name}: it has a function, and nothing here can call it.")
        found = compute(strategy, mart.query(sql, values, name=strategy.name), strategy.parameters)
        mart.show_computed(found)
        sql, values = "SELECT * FROM computed", {}
    with mart.guarded(strategy.name):
        shape = _shape(strategy, _describe(mart, strategy.name, sql, values))
        columns = ", ".join(f"CAST({identifier(name)} AS {kind}) AS {identifier(name)}" for name, kind in shape.items())
        mart.execute(f"CREATE OR REPLACE TEMP TABLE decided AS SELECT {columns} FROM ({sql}\n)", values)
        _check_rows(mart, strategy)
        (rows,) = mart.execute("SELECT count(*) FROM decided").fetchall()[0]
    required = REQUIRED_COLUMNS[strategy.kind]
    return Decided(strategy, tuple(name for name in shape if name not in required), rows)


def _describe(
    source: "Mart | duckdb.DuckDBPyConnection", name: str, sql: str, values: dict[str, object]
) -> dict[str, str]:
    try:
        rows = source.execute(f"DESCRIBE {sql}", values).fetchall()
    except duckdb.Error as error:
        line = line_in(error)
        said = f"{explain_error(error)} {instead_of(error)}".rstrip()
        refused = StrategyError(f"{name}{f', line {line}' if line else ''}: {said}")
        refused.place = place_in(error, sql)
        raise refused from None
    names = [row[0] for row in rows]
    for column in names:
        if names.count(column) > 1:
            raise StrategyError(f"{name}: two columns are named {column}. Give one another name.")
    return {row[0]: row[1] for row in rows}


def _shape(strategy: Strategy, found: Mapping[str, str]) -> dict[str, str]:
    """The columns to keep with the types to cast them to."""
    required = REQUIRED_COLUMNS[strategy.kind]
    required_types(strategy.name, strategy.kind, required, found)
    further = {}
    for name, kind in found.items():
        if name in required:
            continue
        if kind not in _FURTHER and not kind.startswith("DECIMAL"):
            raise StrategyError(f"{strategy.name}: the column {name} is {kind}. Cast it to BIGINT, DECIMAL or VARCHAR.")
        further[name] = {"HUGEINT": "BIGINT", _NULL: "VARCHAR"}.get(kind, kind)
    return dict(required) | further


def required_types(owner: str, what: str, required: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Check that a SELECT has the columns it must have, with types that fit.

    Raises:
        StrategyError: Naming the column and what to do.
    """
    for name, kind in required.items():
        if name not in found:
            raise StrategyError(f"{owner}: a {what} needs the column {name} ({kind}). {nearest(name, list(found))}")
        fits = _FITS[kind] | ({_NULL} if name in _MAY_BE_NULL else frozenset())
        if found[name] not in fits:
            raise StrategyError(f"{owner}: the column {name} is {found[name]}. Cast it to {kind}.")


_WRONG: dict[str, tuple[str, str]] = {
    "points": ("points <= 0", "without points. Filter them out; what is taken back is countered."),
    "task": (
        "NOT (window_start <= due_on AND due_on <= window_end)",
        "whose due_on lies outside window_start to window_end. Mend the days.",
    ),
}
"""Kind → what its rows must not be, and what to say of those."""


def _check_rows(mart: Mart, strategy: Strategy) -> None:
    name, key = strategy.name, KEYS[strategy.kind]
    listed = ", ".join(key)
    wrong = {
        f"{column} IS NULL": f"without {column}. Filter them out or give them a value."
        for column in REQUIRED_COLUMNS[strategy.kind]
        if column not in _MAY_BE_NULL
    }
    wrong["len(evidence) = 0 OR list_contains(evidence, NULL)"] = (
        "without evidence. Cite table/id#column for the facts they rest on."
    )
    if "suppressed" in REQUIRED_COLUMNS[strategy.kind]:
        wrong["suppressed = ''"] = "with an empty reason in suppressed. Return NULL where nothing stands against a row."
    wrong |= dict([_WRONG[strategy.kind]] if strategy.kind in _WRONG else [])
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in wrong)
    found = mart.execute(f"SELECT {counts} FROM decided").fetchall()[0]
    for (condition, sentence), count in zip(wrong.items(), found, strict=True):
        if count:
            raise StrategyError(f"{name}: {_first(mart, condition, key)} {sentence}")
    doubled = mart.execute(f"SELECT {listed}, count(*) FROM decided GROUP BY {listed} HAVING count(*) > 1 LIMIT 1")
    if row := doubled.fetchone():
        at = ", ".join(f"{column} {value}" for column, value in zip(key, row, strict=False))
        raise StrategyError(f"{name}: {row[-1]} rows have the same key ({at}). Return each {listed} once.")
    _check_evidence(mart, name)


def _first(mart: Mart, condition: str, key: tuple[str, ...]) -> str:
    listed = ", ".join(key)
    rows = mart.execute(f"SELECT {listed}, count(*) OVER () FROM decided WHERE {condition} ORDER BY {listed} LIMIT 1")
    row = rows.fetchall()[0]
    at = ", ".join(f"{column} {value}" for column, value in zip(key, row, strict=False))
    return f"{row[-1]} row{'s' if row[-1] > 1 else ''} (first: {at})"


def _check_evidence(mart: Mart, name: str) -> None:
    known = schema()
    pairs = mart.execute(
        r"SELECT DISTINCT regexp_extract(cited, '^([a-z_]+)/[^/#]+#[a-z_0-9]+$', 1) AS t, "
        r"regexp_extract(cited, '#([a-z_0-9]+)$', 1) AS c FROM (SELECT unnest(evidence) AS cited FROM decided) "
        "ORDER BY t, c"
    ).fetchall()
    for table, column in pairs:
        if table not in known:
            raise StrategyError(
                f"{name}: evidence must read table/id#column with a documented table. {nearest(table, list(known))}"
            )
        if column not in known[table]:
            raise StrategyError(
                f"{name}: evidence cites {table}#{column}, which is no column. {nearest(column, list(known[table]))}"
            )


@cache
def _empty_mart(kind: str | None) -> duckdb.DuckDBPyConnection:
    """All documented tables without a row, to resolve names and types against."""
    connection = duckdb.connect(":memory:")
    decided = {"decided": REQUIRED_COLUMNS[kind]} if kind else {}
    for name, columns in (schema() | decided).items():
        listed = ", ".join(f"{identifier(column)} {kind}" for column, kind in columns.items())
        connection.execute(f"CREATE TABLE {name} ({listed})")
    for setting in (
        "SET enable_external_access = false",
        "SET python_enable_replacements = false",
        "SET lock_configuration = true",
    ):
        connection.execute(setting)
    return connection


def _exact(value: object) -> object:
    """A fraction as the decimal it was written as: engines add up binary fractions in different orders."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def _instant(microseconds: int) -> datetime:
    # Whole arithmetic: a float of seconds would lose the microsecond.
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest, tzinfo=None)
