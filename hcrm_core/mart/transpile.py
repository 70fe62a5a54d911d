"""A checked SELECT in Spark's dialect, with the same meaning.

sqlglot writes the syntax: the order of NULLs, names of functions and types. What both engines have under one name and
do differently stands here. Spark's session (`mart/spark.py`) does the rest: ANSI mode, UTC, exact decimals.
"""

from functools import cache
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

_SPACE = r"[ \t\n\x0B\f\r]*"
_NUMBER = rf"^{_SPACE}([+-]?(?:[0-9]+(?:_[0-9]+)*[.]?[0-9]*|[.][0-9]+)(?:[eE][+-]?[0-9]+)?){_SPACE}$"
_DATE = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_TIME = r"[ T][0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2}(?:[.][0-9]*)?)?"
_READ = {
    exp.DType.DATE: rf"^{_SPACE}({_DATE})(?:{_TIME})?{_SPACE}$",
    exp.DType.TIMESTAMPNTZ: rf"^{_SPACE}({_DATE}(?:{_TIME})?){_SPACE}$",
}
"""Texts that are read as a day or an instant; Spark would also take `2024` or `today`."""

_WIDE = "DECIMAL(38, 18)"
_COUNTED = (exp.Length, exp.Year, exp.Month, exp.Day, exp.DayOfMonth, exp.Extract)
_NUMBERING = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile)


def to_spark(sql: str) -> str:
    """A checked SELECT as Spark SQL; parameters are written `:name`."""
    root = sqlglot.parse_one(sql, dialect="duckdb")
    for node in reversed(list(root.walk(bfs=True))):  # what is inside first, so that nothing is met twice
        if (same := _same(node)) is not node:
            node.replace(same)
    return root.sql("spark", identify=True)


def spark_type(kind: str) -> str:
    """A type as DuckDB names it, as Spark's."""
    if kind.endswith("[]"):
        return f"ARRAY<{spark_type(kind[:-2])}>"
    if kind == '"NULL"':
        return "STRING"
    return "DECIMAL(38, 0)" if kind == "HUGEINT" else exp.DataType.build(kind, dialect="duckdb").sql("spark")


def _same(node: exp.Expr) -> exp.Expr:
    """What means on Spark what the node means on DuckDB."""
    match node:
        case exp.Sum():
            return _exact(node)
        case exp.CountIf():
            # NULL, not 0, where the condition was never known.
            counted = f"SUM(CASE WHEN {_text(node.this)} THEN 1 WHEN NOT ({_text(node.this)}) THEN 0 END)"
            return _spark(counted)
        case exp.Window() if isinstance(node.this, _NUMBERING):
            return exp.cast(node.copy(), "BIGINT")
        case exp.Sign():
            return exp.cast(node.copy(), "TINYINT")
        case exp.Lower() | exp.Upper():
            before, after = _changed_by(node.key)
            return exp.func("TRANSLATE", node.this.copy(), exp.Literal.string(before), exp.Literal.string(after))
        case exp.Like():
            # Spark takes a backslash in a pattern for an escape.
            escaped = exp.func("REPLACE", node.expression.copy(), exp.Literal.string("\\"), exp.Literal.string("\\\\"))
            like = node.copy()
            like.set("expression", escaped)
            return like
        case exp.ArrayContains():
            # False, not NULL, where the list holds a NULL and not the element.
            said = f"ARRAY_CONTAINS(FILTER({_text(node.this)}, e -> e IS NOT NULL), {_text(node.expression)})"
            return _spark(said)
        case exp.Add() | exp.Sub() if isinstance(node.expression, exp.Interval):
            return type(node)(this=_instant(node.this), expression=node.expression.copy())
        case exp.Add() if isinstance(node.this, exp.Interval):
            return exp.Add(this=_instant(node.expression), expression=node.this.copy())
        case exp.Cast() | exp.TryCast():
            return _cast(node)
        case _ if isinstance(node, _COUNTED):
            return exp.cast(node.copy(), "BIGINT")
    return node


def _exact(node: exp.Sum) -> exp.Expr:
    """A sum that grows beyond BIGINT where DuckDB's does: over decimals of the same scale."""
    summed = node.copy()
    place: Any = summed.this.expressions[0] if isinstance(summed.this, exp.Distinct) else summed.this
    place.replace(exp.Mul(this=exp.paren(place.copy()), expression=exp.cast("1", "DECIMAL(1, 0)")))
    return summed


def _cast(node: exp.Cast | exp.TryCast) -> exp.Expr:
    given, to, how = node.this, node.to.this, "TRY_CAST" if isinstance(node, exp.TryCast) else "CAST"
    if isinstance(given, exp.Null):
        return node
    text = f"CAST({_text(given)} AS STRING)"
    match to:
        case exp.DType.INT | exp.DType.BIGINT:
            # Fractions are rounded, half away from zero; Spark would cut them off.
            exact = f"ROUND({how}({_text(given)} AS {_WIDE}), 0)"
            return _spark(f"{how}({exact} AS {to.value})")
        case exp.DType.DECIMAL:
            number = f"REPLACE({_first_group(text, _NUMBER)}, '_', '')"
            return _spark(f"{how}({number} AS {node.to.sql('spark')})")
        case exp.DType.DATE | exp.DType.TIMESTAMPNTZ if _constant(given):
            return _spark(f"{how}({_first_group(text, _READ[to])} AS {node.to.sql('spark')})")
        case _:
            return node


def _constant(node: exp.Expr) -> bool:
    return isinstance(node.unnest(), exp.Literal | exp.Placeholder)


def _first_group(text: str, pattern: str) -> str:
    return f"REGEXP_EXTRACT({text}, {exp.Literal.string(pattern).sql('spark')}, 1)"


def _instant(node: exp.Expr) -> exp.Expr:
    """A day plus an interval is an instant on DuckDB; on Spark it would remain a day, or take a zone."""
    return exp.cast(node.copy(), "TIMESTAMP_NTZ", dialect="spark")


def _text(node: exp.Expr) -> str:
    return node.sql("spark", identify=True)


def _spark(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, dialect="spark")


@cache
def _changed_by(function: str) -> tuple[str, str]:
    """The characters that `lower` or `upper` changes on DuckDB, and what into.

    Unicode has several answers to what the capital of ß is; as a table, both engines give the same.
    """
    found: tuple[str, str] = (
        duckdb.connect()
        .execute(
            f"SELECT string_agg(c, '' ORDER BY n), string_agg({function}(c), '' ORDER BY n) FROM "
            "(SELECT n, chr(CASE WHEN n BETWEEN 55296 AND 57343 THEN 32 ELSE n END::INTEGER) AS c "
            f"FROM range(1, 1114112) AS r(n)) WHERE {function}(c) <> c"
        )
        .fetchall()[0]
    )
    return found
