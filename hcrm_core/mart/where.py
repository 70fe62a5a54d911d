"""Where in a SELECT DuckDB finds a mistake, and where that stands in the rule file it was put in from."""

import re

import duckdb

from hcrm_core.config import nearest
from hcrm_core.errors import StrategyError
from hcrm_core.model.strategies import Strategy, Written

_BEYOND = 8
"""A condition that ends too early is noticed just behind it."""


def line_in(error: duckdb.Error) -> int | None:
    """The line of the SELECT that DuckDB names in an error."""
    found = re.search(r"^LINE (\d+): ", str(error), re.MULTILINE)
    return int(found.group(1)) if found else None


def place_in(error: duckdb.Error, sql: str) -> int | None:
    """The place in the SELECT that DuckDB underlines in an error; it may show a part of the line only."""
    found = re.search(r"^(LINE (\d+): )(.*)\n( *)(\^+)", str(error), re.MULTILINE)
    if not found:
        return None
    start = len(found[4]) - len(found[1])
    underlined = found[3][start : start + len(found[5])]
    word = re.match(r"\w+", found[3][start:]) if len(found[5]) == 1 else None
    before = sum(len(line) + 1 for line in sql.split("\n")[: int(found[2]) - 1])
    looked_for = re.compile(rf"(?<!\w){re.escape(word.group() if word else underlined)}(?!\w)")
    at = looked_for.search(sql, before)
    return at.start() if at else None


def instead_of(error: duckdb.Error) -> str:
    """The nearest name, where a column does not exist and DuckDB lists those that do; else empty."""
    missing = re.search(r'(?:Referenced column|a column named) "(.*?)"', str(error))
    listed = re.search(r"Candidate bindings: (.*)", str(error))
    if not missing or not listed:
        return ""
    return nearest(missing.group(1), [name.split(".")[-1] for name in re.findall(r'"([^"]+)"', listed.group(1))])


def placed(strategy: Strategy, error: StrategyError) -> StrategyError:
    """The error, with file, line and column where what it is about was put in from a rule file."""
    if error.place is None:
        return error
    for one in strategy.written:
        if one.start <= error.place < one.start + one.length + _BEYOND:
            said = re.sub(rf"^{re.escape(strategy.name)}(, line \d+)?: ", "", str(error))
            return StrategyError(f"{_where(one, error.place - one.start)}: {said}")
    return error


def _where(written: Written, place: int) -> str:
    marks = [mark for mark in written.marks if mark[0] <= place]
    if not marks:
        return written.file
    at, line, column = marks[-1]
    return f"{written.file}, line {line}, column {column + min(place, written.length - 1) - at}"
