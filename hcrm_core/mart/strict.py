"""What means different things on DuckDB and on Spark by the types of its parts, found by DuckDB's own binder.

`mart/check.py` sees no types, and nobody knows them better than DuckDB. So each risky expression is rewritten into one
that DuckDB cannot bind for the types that are not admitted: `a - b` into `a + -(b)`, since a day has no negative.
"""

from collections.abc import Callable

import sqlglot
from sqlglot import exp

Binds = Callable[[str], bool]
"""Whether DuckDB can bind a SELECT over the tables it reads."""

_NO_DAY = exp.Interval(this=exp.Literal.string("0"), unit=exp.var("DAY"))


def objection(sql: str, binds: Binds) -> tuple[exp.Expr, str] | None:
    """The first expression of a SELECT whose types are not admitted, and what to write instead.

    Args:
        sql: Checked, and DuckDB binds it.
        binds: Tells whether it binds another.
    """
    root = sqlglot.parse_one(sql, dialect="duckdb")
    if binds(_rewritten(root)):
        return None
    for place, node in enumerate(root.walk()):
        if (found := _strict(node)) is not None and not binds(_rewritten(root, place)):
            return node, found[1]
    return None


def _rewritten(root: exp.Expr, only: int | None = None) -> str:
    """The SELECT with all its risky expressions rewritten, or the one at a place."""
    copied = root.copy()
    for place, node in reversed(list(enumerate(copied.walk()))):  # what is inside first
        if only in (None, place) and (found := _strict(node)) is not None:
            node.replace(found[0])
    return copied.sql("duckdb")


def _strict(node: exp.Expr) -> tuple[exp.Expr, str] | None:
    """What binds for the types that are admitted only, and what to write where it does not; `None` if not risky."""
    match node:
        case exp.Sub():
            other: exp.Expr = exp.Add(this=node.this.copy(), expression=_negative(node.expression))
            return exp.paren(other), "Compare days, or count rows of calendar between them."
        case exp.IntDiv():
            other = exp.BitwiseOr(this=exp.paren(node.copy()), expression=exp.Literal.number(0))
            return exp.paren(other), "Divide whole numbers: cast both sides to BIGINT."
        case exp.EQ() | exp.NEQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE() | exp.NullSafeEQ() | exp.NullSafeNEQ():
            return _alike(node.this, node.expression)
        case exp.Between():
            return _alike(node.this, node.args["low"], node.args["high"])
        case exp.In() if node.expressions:
            return _alike(node.this, *node.expressions)
        case exp.Sum() if not isinstance(node.this, exp.Distinct):
            return exp.Sum(this=_negative(node.this)), "Sum numbers; a truth is one by CASE WHEN … THEN 1 ELSE 0 END."
        case exp.Cast() | exp.TryCast() if not isinstance(node.this.unnest(), exp.Literal | exp.Placeholder | exp.Null):
            return _strict_cast(node)
    return None


def _strict_cast(node: exp.Cast | exp.TryCast) -> tuple[exp.Expr, str] | None:
    kind, given = type(node), node.this
    match node.to.this:
        case exp.DType.INT | exp.DType.BIGINT:
            other: exp.Expr = kind(this=_negative(given), to=node.to.copy())
            return other, "Cast a text to DECIMAL(18, 6) first; a truth is a number by CASE WHEN … THEN 1 ELSE 0 END."
        case exp.DType.DATE | exp.DType.TIMESTAMPNTZ:
            moved = exp.Add(this=exp.paren(given.copy()), expression=_NO_DAY.copy())
            return kind(this=moved, to=node.to.copy()), "Read the columns that are days or instants; no text is one."
        case exp.DType.TEXT:
            other = exp.DPipe(this=exp.paren(given.copy()), expression=exp.Literal.string(""))
            return exp.paren(other), "A list has no text that is the same everywhere."
    return None


def _alike(*sides: exp.Expr) -> tuple[exp.Expr, str]:
    alike = exp.Is(this=exp.func("COALESCE", *(side.copy() for side in sides)), expression=exp.Null())
    return exp.paren(alike), "Compare values of one kind; cast one side."


def _negative(node: exp.Expr) -> exp.Expr:
    return exp.Neg(this=exp.paren(node.copy()))
