"""Places in a step: by which source its rows are picked out, what a predicate looks at, how things are called."""

import re

from msgspec import Struct
from sqlglot import exp

from hcrm_core.mart.anatomy import Source, Step


class Anchor(Struct, frozen=True):
    """The source by whose column the rows of a SELECT are picked out, and its place in FROM."""

    source: Source
    place: int
    column: str
    kind: str

    @property
    def alias(self) -> str:
        return self.source.alias.lower()


def anchor_of(step: Step) -> Anchor | None:
    """The source the step's own column comes from, if it is needed; else the first that says whose its rows are."""
    wanted = step.origin.get(step.owner or "", "")
    able = [(place, one) for place, one in enumerate(step.sources) if one.needed and one.owned]
    for place, one in sorted(able, key=lambda pair: (pair[1].alias != wanted, pair[0])):
        name = "customer_id" if "customer_id" in one.owned else min(one.owned, key=lambda key: (one.owned[key], key))
        column = exp.column(name, table=one.alias or None, quoted=True).sql("duckdb")
        return Anchor(one, place, column, one.owned[name])
    return None


def chain(query: exp.Query, joins: int) -> str:
    """FROM with so many of its joins."""
    joined = (query.args.get("joins") or [])[:joins]
    return " ".join(one.sql("duckdb") for one in (query.args["from_"].this, *joined))


def looked_at(part: exp.Expr | None, whole: type[exp.Expr] | None = None) -> dict[str, str]:
    """What a predicate looks at: its columns, and aggregates or windows as a whole; name → SQL."""
    found: dict[str, str] = {}

    def visit(node: exp.Expr) -> None:
        if isinstance(node, exp.Query):
            return
        if isinstance(node, exp.Column) or (whole is not None and isinstance(node, whole)):
            text = node.sql("duckdb")
            found[text.replace('"', "")] = text
            return
        for child in node.iter_expressions():
            visit(child)

    if part is not None:
        visit(part)
    return found


def written(part: exp.Expr) -> str:
    """A predicate as people write it."""
    return re.sub(r"^NOT (\S+) IS NULL$", r"\1 IS NOT NULL", part.sql("duckdb", normalize_functions="lower"))


def called(source: Source) -> str:
    return source.name if source.alias in ("", source.name.partition(" of ")[0]) else f"{source.alias} ({source.name})"


def names(sources: tuple[Source, ...]) -> str:
    return " and ".join(called(one) for one in sources if one.needed)
