"""One `SELECT` of an adapter, checked to be that, with its parameters as a driver wants them."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from hcrm_core.errors import PluginError
from hcrm_core.model.pulling import SqlQuery

_DIALECTS = {"postgresql": "postgres", "mssql": "tsql", "mariadb": "mysql"}
_OTHERWISE = "which an adapter may not ask: one SELECT and nothing else. Report it to the adapter's author."

_MARKS: dict[str, Callable[[str], str]] = {
    "qmark": lambda name: "?",
    "format": lambda name: "%s",
    "named": lambda name: f":{name}",
    "pyformat": lambda name: f"%({name})s",
}
"""How a driver's parameter style (PEP 249) marks a parameter."""

_IN_ORDER = ("qmark", "format")


def bound(query: SqlQuery, backend: str, style: str) -> tuple[str, Any]:
    """The statement and its parameters for a driver.

    Args:
        query: Of an adapter.
        backend: SQLAlchemy's name of the database.
        style: The driver's parameter style.

    Raises:
        PluginError: It is not one `SELECT`, changes something, or names a parameter that is not given.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.tokens import TokenType

    dialect = _DIALECTS.get(backend, backend)
    try:
        statements = [one for one in sqlglot.parse(query.statement, dialect=dialect) if one is not None]
        tokens = sqlglot.tokenize(query.statement, dialect=dialect)
    except (SqlglotError, ValueError):
        raise PluginError(
            f"The adapter asks a statement that cannot be read as SQL of {backend}. If it is right, put it into a view "
            "and ask that."
        ) from None
    changing = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock, exp.Set, exp.Pragma)
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise PluginError(f"The adapter asks something other than one SELECT, {_OTHERWISE}")
    if any(isinstance(node, changing) and not isinstance(node, exp.Query) for node in statements[0].walk()):
        raise PluginError(f"The adapter asks a SELECT that changes or locks something, {_OTHERWISE}")
    made, end, names = [], 0, list[str]()
    escape = (lambda text: text.replace("%", "%%")) if style in ("format", "pyformat") else str
    for colon, name in pairwise(tokens):
        if colon.token_type is not TokenType.COLON or name.start != colon.end + 1 or not name.text.isidentifier():
            continue
        if name.text not in query.parameters:
            raise PluginError(f"The adapter's statement has a parameter {name.text} that it does not give.")
        made += [escape(query.statement[end : colon.start]), _MARKS[style](name.text)]
        names.append(name.text)
        end = name.end + 1
    statement = "".join([*made, escape(query.statement[end:])])
    if style in _IN_ORDER:
        return statement, tuple(query.parameters[name] for name in names)
    return statement, {name: query.parameters[name] for name in names}
