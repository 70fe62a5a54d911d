"""Why a SELECT has no row about a customer: the step that first lacks one, and the predicates that failed there.

Rows are picked out after a step was computed, never before: a window or a share needs everybody's rows.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace
from sqlglot import exp

from hcrm_core.errors import StrategyError
from hcrm_core.mart.anatomy import CUSTOMER, Source, Step, anatomy, conjuncts, key_of
from hcrm_core.mart.engine import Mart, identifier
from hcrm_core.mart.places import Anchor, anchor_of, called, chain, looked_at, names, written
from hcrm_core.model.absence import Cause, Check, Failed, Look, Nearest

MOST = 5
"""Different values that are shown of a predicate."""

_SUBJECT = "subject_of_why_not"


class Absence:
    """Looks for a customer in the steps of one SELECT."""

    def __init__(self, mart: Mart, name: str, sql: str, values: Mapping[str, object], subject: str) -> None:
        """Args:
        mart: With everything shown that the SELECT reads.
        name: The strategy, for errors.
        sql: Checked.
        values: Of its parameters.
        subject: The customer's id.
        """
        self._mart = mart
        self._name = name
        self._values = dict(values) | {_SUBJECT: subject}
        self.result = anatomy(sql)
        self._counts: dict[str, int | None] = {}

    def rows(self, step: Step) -> int | None:
        """How many rows of a step are the customer's; `None` where nothing says whose they are."""
        column = step.owner
        if column is None:
            return None
        sql = f"SELECT count(*) AS n FROM ({step.sql()}) AS x WHERE {self._whose(column, step.owned[column])}"
        if sql not in self._counts:
            self._counts[sql] = self._number(sql)
        return self._counts[sql]

    def shown(self) -> list[dict[str, Any]]:
        """Some of the customer's rows of the whole."""
        column = self.result.owner or "subject"
        sql = f"SELECT * FROM ({self.result.sql()}) AS x WHERE {self._whose(column, CUSTOMER)} ORDER BY ALL"
        return self._rows(f"{sql} LIMIT {MOST}")

    def looks(self) -> Iterator[Look]:
        """Every named step in the order in which it is written."""
        for step in self.result.walk():
            if step.named:
                yield Look(step.name, self.rows(step))

    def causes(self, step: Step | None = None) -> list[Cause]:
        """Why a step, the whole where `None`, has no row; one cause for each part of a UNION."""
        step = step or self.result
        if step.parts:
            return self._of_parts(step)
        for source in step.sources:
            if source.needed and (causes := self._of_source(step, source)) is not None:
                return causes
        try:
            found = self._of_select(step)
        except StrategyError:
            found = Cause(step=step.name, at="unknown", of=names(step.sources))
        return [replace(found, after=tuple(self._after(step)))]

    def _after(self, step: Step) -> Iterator[Look]:
        for source in step.sources:
            if source.needed and source.step:
                yield from self._after(source.step)
                if source.step.named and (rows := self.rows(source.step)) is not None:
                    yield Look(source.name, rows)

    def _of_parts(self, step: Step) -> list[Cause]:
        found = [(part, self.rows(part)) for part in step.parts]
        if isinstance(step.query, exp.Union):
            return [cause for part, _ in found for cause in self.causes(part)]
        first, rows = found[0]
        if not rows:
            return self.causes(first)
        if isinstance(step.query, exp.Except):
            return [Cause(step=step.name, at="except", of=found[1][0].name, rows=rows)]
        if not found[1][1]:
            return self.causes(found[1][0])
        return [Cause(step=step.name, at="intersect", of=found[1][0].name, rows=rows)]

    def _of_source(self, step: Step, source: Source) -> list[Cause] | None:
        """Why a source that is needed has nothing; `None` where it has something."""
        if source.step:
            rows = self.rows(source.step)
            if rows is None:
                rows = self._number(
                    f"SELECT count(*) AS n FROM (SELECT 1 FROM ({source.step.sql()}) AS x LIMIT 1) AS y"
                )
                return None if rows else [Cause(step=step.name, at="empty", of=source.name)]
            return None if rows else self.causes(source.step)
        if source.table:
            where = f" WHERE {self._whose('customer_id', CUSTOMER)}" if source.owned else ""
            if not self._number(f"SELECT count(*) AS n FROM {source.table} AS x{where}"):
                return [Cause(step=step.name, at="table" if source.owned else "empty", of=source.table)]
        return None

    def _of_select(self, step: Step) -> Cause:
        anchor = anchor_of(step)
        joins = step.query.args.get("joins") or []
        if anchor is None or not isinstance(step.query, exp.Select):
            return Cause(step=step.name, at="unknown", of=names(step.sources))
        column = str(anchor.column)
        rows = self._number(f"SELECT count(*) AS n FROM {self._only(anchor.source)}")
        for place in range(max(anchor.place, 1), len(joins) + 1):
            reached = self._number(self._picked(step, anchor, place, {}, "count(*) AS n"))
            if not reached:
                return self._of_join(step, anchor, place, rows)
            rows = reached
        where = step.query.args.get("where")
        parts = conjuncts(where.this if where else None)
        checks, reached = self._where(step, anchor, len(joins), parts)
        if not reached:
            nearest = self._nearest(step, anchor, parts) if all(one.fulfilled for one in checks) else ()
            of = names(step.sources)
            return Cause(step=step.name, at="where", of=of, rows=rows, checks=checks, nearest=nearest)
        for at in ("having", "qualify"):
            if (clause := step.query.args.get(at)) is not None:
                checks, here, reached = self._late(step, at, conjuncts(clause.this))
                if not reached:
                    return Cause(step=step.name, at=at, of=names(step.sources), rows=here, checks=checks)
        if step.query.args.get("limit") or step.query.args.get("offset"):
            return Cause(step=step.name, at="limit", of=names(step.sources), rows=reached)
        return Cause(step=step.name, at="unknown", of=column, rows=reached)

    def _of_join(self, step: Step, anchor: Anchor, place: int, rows: int) -> Cause:
        """No row finds a partner in the source at a place; or, where that one is the customer's, in those before."""
        joins = step.query.args["joins"]
        join = joins[place - 1]
        before = [step.query.args["from_"].this, *(one.this for one in joins[: place - 1])]
        other = step.sources[place]
        left, right = chain(step.query, place - 1), join.this.sql("duckdb")
        if place == anchor.place:
            left, right = join.this.sql("duckdb"), before[0].sql("duckdb") if place == 1 else f"({left})"
            other = step.sources[0]
        parts = [(part.sql("duckdb"), part) for part in conjuncts(join.args.get("on"))]
        using = [column.name for column in join.args.get("using") or ()]
        checks = []
        for text, part, how in [
            *((text, part, f"ON {text}") for text, part in parts),
            *((f"USING ({name})", None, f"USING ({identifier(name)})") for name in using),
        ]:
            whose = self._whose("whose_", anchor.kind)
            met = f"SELECT {anchor.column} AS whose_ FROM {left} SEMI JOIN {right} {how}"
            number = self._number(f"SELECT count(*) AS n FROM ({step.sql(met)}) AS x WHERE {whose}")
            failed: tuple[Failed, ...] = ()
            near = {one.alias.lower() for one in step.sources[:place]} if place != anchor.place else {anchor.alias}
            columns = {name: sql for name, sql in looked_at(part).items() if name.partition(".")[0].lower() in near}
            if columns and number < rows:
                listed = "".join(f", {sql} AS v{n}_" for n, sql in enumerate(columns.values()))
                alone = f"SELECT {anchor.column} AS whose_{listed} FROM {left} ANTI JOIN {right} {how}"
                failed = self._failed(step.sql(alone), whose, list(columns))
            checks.append(Check(written(part) if part else text, number, self._parameters(part), failed))
        return Cause(step=step.name, at="join", of=called(other), rows=rows, checks=tuple(checks))

    def _where(self, step: Step, anchor: Anchor, place: int, parts: list[exp.Expr]) -> tuple[tuple[Check, ...], int]:
        extra = {f"p{n}_": part.sql("duckdb") for n, part in enumerate(parts)}
        counted = ", ".join(f"count(*) FILTER (WHERE {name}) AS {name}" for name in extra)
        every = " AND ".join(extra) or "true"
        listed = f"{counted}{', ' if extra else ''}count(*) FILTER (WHERE {every}) AS n, count(*) AS whole"
        (row,) = self._rows(self._picked(step, anchor, place, extra, listed))
        checks = []
        for name, part in zip(extra, parts, strict=True):
            failed: tuple[Failed, ...] = ()
            columns = looked_at(part)
            if columns and row[name] < row["whole"]:
                values = {f"v{n}_": sql for n, sql in enumerate(columns.values())}
                inner = self._inner(step, anchor, place, {name: extra[name]} | values)
                whose = f"{self._whose('whose_', anchor.kind)} AND {name} IS NOT TRUE"
                failed = self._failed(inner, whose, list(columns))
            checks.append(Check(written(part), row[name], self._parameters(part), failed))
        return tuple(checks), row["n"]

    def _nearest(self, step: Step, anchor: Anchor, parts: list[exp.Expr]) -> tuple[Nearest, ...]:
        """Of rows that each fail something, those that fail the least."""
        columns = {name: sql for part in parts for name, sql in looked_at(part).items()}
        extra = {f"p{n}_": part.sql("duckdb") for n, part in enumerate(parts)}
        extra |= {f"v{n}_": sql for n, sql in enumerate(columns.values())}
        fails = " + ".join(f"CASE WHEN p{n}_ THEN 0 ELSE 1 END" for n in range(len(parts)))
        joins = step.query.args.get("joins") or []
        sql = self._picked(step, anchor, len(joins), extra, f"{', '.join(extra)}, {fails} AS fails, count(*) AS n")
        rows = self._rows(f"{sql} GROUP BY ALL ORDER BY fails, n DESC, {', '.join(extra)} LIMIT {MOST}")
        found = []
        for row in (row for row in rows if row["fails"] == rows[0]["fails"]):
            failing = [(n, part) for n, part in enumerate(parts) if not row[f"p{n}_"]]
            wanted = {name for _, part in failing for name in looked_at(part)}
            values = {name: row[f"v{n}_"] for n, name in enumerate(columns) if name in wanted}
            found.append(Nearest(tuple(written(part) for _, part in failing), values, row["n"]))
        return tuple(found)

    def _late(self, step: Step, at: str, parts: list[exp.Expr]) -> tuple[tuple[Check, ...], int, int]:
        """HAVING and QUALIFY: they see groups and windows, so the step's own columns say whose a row is."""
        query = step.query.copy()
        for clause in (at, "limit", "offset", "order", "distinct", *(("qualify",) if at == "having" else ())):
            query.set(clause, None)
        whose = self._whose(step.owner or "subject", step.owned.get(step.owner or "", CUSTOMER))
        checks = []
        for part in parts:
            columns = looked_at(part, exp.Window if at == "qualify" else exp.AggFunc)
            wide = query.copy().select(f"({part.sql('duckdb')}) AS p_", dialect="duckdb", copy=False)
            for n, sql in enumerate(columns.values()):
                wide = wide.select(f"{sql} AS v{n}_", dialect="duckdb", copy=False)
            inner = step.sql(wide.sql("duckdb"))
            number = self._number(f"SELECT count(*) AS n FROM ({inner}) AS x WHERE {whose} AND p_")
            failed = self._failed(inner, f"{whose} AND p_ IS NOT TRUE", list(columns)) if columns else ()
            checks.append(Check(written(part), number, self._parameters(part), failed))
        whole = step.sql(query.sql("duckdb"))
        query.set(at, step.query.args[at].copy())
        kept = step.sql(query.sql("duckdb"))
        here, reached = (self._number(f"SELECT count(*) AS n FROM ({sql}) AS x WHERE {whose}") for sql in (whole, kept))
        return tuple(checks), here, reached

    def _inner(self, step: Step, anchor: Anchor, place: int, extra: Mapping[str, str]) -> str:
        """The rows of a SELECT after a join, before its WHERE, with further columns."""
        # A condition may name a column of the SELECT's own list.
        named = [
            one.sql("duckdb")
            for one in step.query.expressions
            if isinstance(one, exp.Alias)
            and not isinstance(one.this, exp.Column)
            and not one.find(exp.AggFunc, exp.Window)
            and any(re.search(rf"\b{re.escape(one.alias)}\b", sql) for sql in extra.values())
        ]
        listed = ", ".join(
            [*named, f"{anchor.column} AS whose_", *(f"({sql}) AS {name}" for name, sql in extra.items())]
        )
        return step.sql(f"SELECT {listed} FROM {chain(step.query, place)}")

    def _picked(self, step: Step, anchor: Anchor, place: int, extra: Mapping[str, str], listed: str) -> str:
        inner = self._inner(step, anchor, place, extra)
        return f"SELECT {listed} FROM ({inner}) AS x WHERE {self._whose('whose_', anchor.kind)}"

    def _only(self, source: Source) -> str:
        column = next(name for name in source.owned)
        column = "customer_id" if "customer_id" in source.owned else column
        rows = source.step.sql() if source.step else f"SELECT * FROM {source.table}"
        return f"({rows}) AS x WHERE {self._whose(column, source.owned[column])}"

    def _failed(self, inner: str, where: str, names: list[str]) -> tuple[Failed, ...]:
        listed = ", ".join(f"v{n}_" for n in range(len(names)))
        sql = (
            f"SELECT {listed}, count(*) AS n FROM ({inner}) AS x WHERE {where} GROUP BY {listed} "
            f"ORDER BY n DESC, {listed} LIMIT {MOST}"
        )
        try:
            rows = self._rows(sql)
        except StrategyError:
            return ()
        return tuple(Failed({name: row[f"v{n}_"] for n, name in enumerate(names)}, row["n"]) for row in rows)

    def _parameters(self, part: exp.Expr | None) -> dict[str, Any]:
        found = part.find_all(exp.Placeholder) if part is not None else ()
        return {node.name: self._values.get(node.name) for node in found}

    def _whose(self, column: str, kind: str) -> str:
        """The condition, outside every CTE of the strategy, that a row is the customer's."""
        if kind == CUSTOMER:
            return f"x.{identifier(column)} = ${_SUBJECT}"
        return f"x.{identifier(column)} IN (SELECT {key_of(kind)} FROM {kind} WHERE customer_id = ${_SUBJECT})"

    def _number(self, sql: str) -> int:
        return int(self._rows(sql)[0]["n"])

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        named = set(re.findall(r"\$(\w+)", re.sub(r"'(?:[^']|'')*'", "", sql)))
        values = {name: value for name, value in self._values.items() if name in named}
        rows: list[dict[str, Any]] = self._mart.query(sql, values, name=self._name).to_pylist()
        return rows
