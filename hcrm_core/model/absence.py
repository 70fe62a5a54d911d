"""Why somebody is missing from what a SELECT gives, as data."""

from typing import Any

from msgspec import Struct


class Failed(Struct, frozen=True):
    """Values of the columns a predicate names, in rows that do not fulfil it, and in how many rows they stand."""

    values: dict[str, Any]
    rows: int


class Check(Struct, frozen=True):
    """One predicate of a step.

    Attributes:
        predicate: As SQL.
        fulfilled: How many of the rows fulfil it; of a join, find a partner by it.
        parameters: The values of the parameters it names.
        failed: What stands in the rows that do not, the most frequent first.
    """

    predicate: str
    fulfilled: int
    parameters: dict[str, Any] = {}
    failed: tuple[Failed, ...] = ()


class Nearest(Struct, frozen=True):
    """A kind of row that fails the fewest predicates: those it fails, with its values there, and how many are so."""

    fails: tuple[str, ...]
    values: dict[str, Any]
    rows: int


class Cause(Struct, frozen=True, kw_only=True):
    """Where the customer's rows end.

    Attributes:
        step: The step that has none.
        at: `table` (a table has no row about the customer), `empty` (what it reads is empty for everybody), `where`,
            `join`, `having`, `qualify`, `limit`, `except`, `intersect`, or `unknown`.
        of: What it reads the rows from; at a `join` what has no partner for them.
        rows: How many rows of the customer come so far.
        checks: Its predicates, in order.
        nearest: Where some row fulfils each of them, and none all: the rows that come nearest.
        after: The named steps it hangs on, which have rows, in order.
    """

    step: str
    at: str
    of: str = ""
    rows: int = 0
    checks: tuple[Check, ...] = ()
    nearest: tuple[Nearest, ...] = ()
    after: "tuple[Look, ...]" = ()


class Look(Struct, frozen=True):
    """A named step and how many rows of it are the customer's; `None` where its rows are nobody's (a calendar)."""

    step: str
    rows: int | None
