"""SQL views: which `SELECT` comes next, and what its rows are as messages.

A view is read in one of three ways: what is newer than a watermark, with a key that parts rows of one instant; what a
table of changes has numbered since; or all of it, where rows that did not change are known by their bytes. A position
is JSON: which view is next, and for each how far it has been read.
"""

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from hcrm_adapter_tabular import marks, rows
from hcrm_adapter_tabular.mapping import dates
from hcrm_adapter_tabular.marks import Point
from hcrm_core.api import ConfigurationError, InputError, Problem, Pulled, RawMessage, Rows, SqlQuery, nearest

_CHANGES = {
    **dict.fromkeys(("i", "ins", "insert", "1", "新增", "插入"), "I"),
    **dict.fromkeys(("u", "upd", "update", "2", "修改", "更新"), "U"),
    **dict.fromkeys(("d", "del", "delete", "3", "删除"), "D"),
}
_NOT_GONE_ON = {
    "no-watermark": "Rows without a watermark are read only the first time. Let the view give every row one.",
    "future-watermark": (
        "Rows are dated after now. The pull does not go on from them, so that nothing is missed, and reads them again "
        "every time. Let the view give them the time they were written; if all rows are so, the clock of the database "
        "or the `timezone` of the source is wrong."
    ),
    "odd-watermark": (
        "Rows have a watermark whose order is not known: a time with the year first and every part in two digits, or a "
        "number, is needed. The pull does not go on from them and reads them again every time. Let the view give them "
        "as 2026-06-01 09:30:00."
    ),
}
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL)
_SELECT = re.compile(r"[\s(]*(?:select|with)\b", re.IGNORECASE)
_CHANGE = re.compile(r"\b(?:delete\s+from|insert\s+into|update\s+\S+\s+set|merge\s+into)\b", re.IGNORECASE)
_QUOTES = {"mysql": ("`", "`"), "mariadb": ("`", "`"), "mssql": ("[", "]")}


class ViewSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[sources.NAME.views.TABLE]`: a view of a source's database, and how it is read.

    Attributes:
        view: Its name, as the database writes it (`V_PATIENT`, `hcrm.V_PATIENT`).
        select: Instead of a name, one `SELECT`.
        table: The table of the mapping it holds; the name of this table of settings where not given.
        watermark: Column of the time or number that grows whenever a row is written; rows beyond it are read.
        key: Column that parts rows with the same watermark from each other.
        overlap: How far behind the watermark a pull begins (seconds, or units of a number), for rows that are committed
            later than they are written; what is read twice lands once.
        sequence: Column that numbers the rows of a table of changes, instead of a watermark.
        operation: Column of a table of changes that says what was done: I, U or D.
    """

    view: str | None = None
    select: str | None = None
    table: str | None = None
    watermark: str | None = None
    key: str | None = None
    overlap: Annotated[float, Meta(ge=0)] = 0.0
    sequence: str | None = None
    operation: str | None = None


class _Read(Struct, omit_defaults=True):
    """How far a view has been read."""

    at: Point | None = None
    key: Point | None = None
    within: bool = False
    """Whether a pull was in the midst of it: it goes on just there, without an overlap."""


class _Position(Struct, omit_defaults=True):
    """Where a pull is."""

    next: str = ""
    views: dict[str, _Read] = {}


class Views:
    """The views of a source."""

    def __init__(self, views: dict[str, ViewSettings], tables: list[str], url: str | None, zone: str) -> None:
        """Check the settings.

        Args:
            views: By name, in the order they are read.
            tables: The tables of the mapping.
            url: Of the database; its kind says how names are quoted.
            zone: Of times without an offset.

        Raises:
            ConfigurationError: One is wrong, as `KEY: sentence`.
        """
        self._views = views
        self._names = list(views)
        self._zone = zone
        self._quotes = _QUOTES.get(re.split(r"[+:]", url or "")[0], ('"', '"'))
        for name, view in views.items():
            self._check(name, view, tables)

    def request(self, position: str) -> SqlQuery:
        """What to ask next."""
        if not self._views:
            raise ConfigurationError("views: the source has none. Name one: [sources.his.views.patients].")
        where = self._where(position)
        view, read = self._views[where.next], where.views.get(where.next, _Read())
        rows_of = f"({view.select.strip().rstrip(';')}\n) hcrm_rows" if view.select else self._quoted(view.view or "")
        statement, parameters = f"SELECT * FROM {rows_of}", dict[str, Any]()
        column = view.sequence or view.watermark
        if column is None:
            return SqlQuery(statement=statement)
        mark, key = self._quoted(column), self._quoted(view.key) if view.key else None
        order = f" ORDER BY {mark}" + (f", {key}" if key else "")
        if read.at is not None and read.within and key and read.key is not None:
            statement += f" WHERE ({mark} > :w OR ({mark} = :w2 AND {key} > :k))"
            parameters = {"w": read.at, "w2": read.at, "k": read.key}
        elif read.at is not None:
            # Without a key rows of the last instant are asked for again: some of them may not have been read.
            begin = read.at if read.within else marks.before(read.at, view.overlap, self._zone)
            if begin is None:
                raise InputError(_not_reckoned(where.next, column))
            exact = view.sequence is not None and begin == read.at
            statement += f" WHERE {mark} {'>' if exact else '>='} :w"
            parameters = {"w": begin}
        return SqlQuery(statement=statement + order, parameters=parameters)

    def answer(self, position: str, answer: Rows) -> Pulled:
        """The rows as messages, and the position behind them.

        Raises:
            InputError: A column the settings name is not among them, two have one name, or an overlap cannot be
                reckoned.
        """
        where = self._where(position)
        name, view = where.next, self._views[where.next]
        places = _places(name, answer.columns)
        columns = {
            what: self._place(name, view, what, places) for what in ("watermark", "key", "sequence", "operation")
        }
        read = where.views.get(name, _Read())
        mark = columns["sequence"] if columns["sequence"] is not None else columns["watermark"]
        messages = []
        problems: dict[str, Problem] = {}
        for values in answer.rows:
            cells = {column: rows.cell(value) for column, value in zip(answer.columns, values, strict=True)}
            messages.append(self._message(name, view, cells, values, columns, problems))
            if mark is not None:
                point = values[mark]
                if wrong := self._not_gone_on(view, read, point, answer.asked_at):
                    problems[wrong] = Problem(wrong, f"{name}, {answer.columns[mark]}", _NOT_GONE_ON[wrong])
                else:
                    key = values[columns["key"]] if columns["key"] is not None else None
                    read = _Read(point, key if not isinstance(key, bool) else None, True)
        if read.at is None and view.overlap and "odd-watermark" in problems:
            raise InputError(_not_reckoned(name, view.sequence or view.watermark))
        order = self._names.index(name)
        last = answer.last and order + 1 == len(self._names)
        if answer.last:
            read = _Read(read.at, read.key)
        following = self._names[(order + 1) % len(self._names)] if answer.last else name
        reached = _Position(following, {**where.views, name: read})
        return Pulled(
            position=msgspec.json.encode(reached).decode(),
            messages=tuple(messages),
            problems=tuple(problems.values()),
            done=last,
            progress=name,
        )

    def _message(
        self,
        name: str,
        view: ViewSettings,
        cells: dict[str, rows.Cell],
        values: tuple[Any, ...],
        columns: dict[str, int | None],
        problems: dict[str, Problem],
    ) -> RawMessage:
        mark, operation, sequence = columns["watermark"], columns["operation"], columns["sequence"]
        as_of, change = "", ""
        if mark is not None and isinstance(values[mark], str) and dates.date_time(values[mark], self._zone):
            as_of = values[mark]
        if operation is not None:
            said = rows.text(rows.cell(values[operation])).lower()
            change = _CHANGES.get(said, "")
            if not change:
                problems["no-change"] = Problem(
                    "no-change", name, "Rows of changes that say neither I, U nor D are read as they stand."
                )
        number = values[sequence] if sequence is not None else values[mark] if mark is not None and not as_of else None
        row = rows.Row(
            table=view.table or name,
            cells=cells,
            as_of=as_of,
            change=change,
            sequence=number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else -1,
        )
        return RawMessage(rows.payload(row), place=f"view {name}")

    def _not_gone_on(self, view: ViewSettings, read: _Read, point: Any, asked_at: int) -> str:
        """Why a pull must not go on from a watermark; empty where it may."""
        if point is None or isinstance(point, bool) or point in ("", "-infinity"):
            return "no-watermark"
        if view.sequence:
            return ""
        at = marks.moment(point, self._zone)
        if point == "infinity" or (at is not None and asked_at and at > asked_at):
            return "future-watermark"
        other = at is None and read.at is not None and marks.moment(read.at, self._zone) is not None
        if other or marks.misordered(point, self._zone) or marks.before(point, view.overlap, self._zone) is None:
            return "odd-watermark"
        return ""

    def _where(self, position: str) -> _Position:
        try:
            where = msgspec.json.decode(position, type=_Position) if position else _Position()
        except msgspec.DecodeError:
            raise InputError(
                "The position of the pull is none of this adapter; begin anew: hcrm pull --again."
            ) from None
        # A view that was taken out of the settings is forgotten; a new one is read from its beginning.
        next_ = where.next if where.next in self._views else self._names[0]
        return _Position(next_, {name: read for name, read in where.views.items() if name in self._views})

    def _place(self, name: str, view: ViewSettings, what: str, places: dict[str, int]) -> int | None:
        column = getattr(view, what)
        if column is None:
            return None
        if column.casefold() not in places:
            raise InputError(f"views.{name}.{what}: the view has no column {column!r}. {nearest(column, [*places])}")
        return places[column.casefold()]

    def _quoted(self, name: str) -> str:
        """A name as an identifier of the database; a dot parts a schema from a table."""
        opening, closing = self._quotes
        return ".".join(f"{opening}{part.replace(closing, closing * 2)}{closing}" for part in name.split("."))

    def _check(self, name: str, view: ViewSettings, tables: list[str]) -> None:
        at = f"views.{name}"
        if (view.view is None) == (view.select is None):
            raise ConfigurationError(f"{at}: write view, its name, or select, a statement.")
        if view.select is not None and not _is_one_select(view.select):
            raise ConfigurationError(f"{at}.select: write one SELECT and nothing else; a database is only read.")
        if (view.table or name) not in tables:
            advice = f"{nearest(view.table or name, tables)} Or say table."
            raise ConfigurationError(f"{at}: the mapping has no table {view.table or name!r}. {advice}")
        if view.watermark and view.sequence:
            raise ConfigurationError(f"{at}: a view has a watermark or a sequence, not both.")
        for what in ("view", "watermark", "key", "sequence"):
            text = getattr(view, what)
            if text is not None and (not text.strip() or any(ord(one) < 32 for one in text)):
                raise ConfigurationError(f"{at}.{what}: this is no name of a column or view.")
        for what, needed in (("key", "watermark"), ("operation", "sequence")):
            if getattr(view, what) and not getattr(view, needed):
                raise ConfigurationError(f"{at}.{what}: it goes with {needed}.")
        if view.overlap and not (view.watermark or view.sequence):
            raise ConfigurationError(f"{at}.overlap: it goes with watermark or sequence.")


def _is_one_select(text: str) -> bool:
    """Whether a statement looks like one `SELECT`; the core makes sure of it before it asks."""
    plain = _QUOTED.sub(" ", text).strip().rstrip("; ")
    return bool(_SELECT.match(plain)) and ";" not in plain and not _CHANGE.search(plain)


def _places(name: str, columns: tuple[str, ...]) -> dict[str, int]:
    """Where each column stands, by its name without case."""
    places: dict[str, int] = {}
    for place, column in enumerate(columns):
        if places.setdefault(column.casefold(), place) != place:
            raise InputError(
                f"views.{name}: two columns are named {column!r}, so it is not known which is meant. Give one of them "
                "another name: SELECT a.BRID, b.BRID AS OTHER."
            )
    return places


def _not_reckoned(name: str, column: str | None) -> str:
    return (
        f"views.{name}.overlap: {column} holds neither times written year first (2026-06-01 09:30:00, 20260601093000) "
        "nor numbers, so nothing can be taken off. Let the view give it so, or take overlap out."
    )
