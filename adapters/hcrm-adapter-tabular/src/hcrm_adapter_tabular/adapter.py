"""The tabular adapter: spreadsheets and rows of SQL views in, records out."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal, cast

from hcrm_adapter_tabular import rows
from hcrm_adapter_tabular.asking import Views, ViewSettings
from hcrm_adapter_tabular.mapping.compiled import Layout, Layouts
from hcrm_adapter_tabular.mapping.datatypes import Writing
from hcrm_adapter_tabular.mapping.overlay import overlaid
from hcrm_adapter_tabular.mapping.tables import shipped
from hcrm_adapter_tabular.mapping.translate import Translator
from hcrm_adapter_tabular.reading.charset import codec_named
from hcrm_adapter_tabular.splitting import Reading, beginning, messages
from hcrm_core.api import (
    Adapter,
    AnyRecord,
    ConfigurationError,
    FieldCoverage,
    HttpResponse,
    InputError,
    Origin,
    Problem,
    Pulled,
    RawField,
    RawMessage,
    Rows,
    SourceSettings,
    SqlQuery,
    Statement,
    Translation,
    nearest,
)

_ZERO = "It holds a zero byte, which is no text. Take it out where it is written."


class TabularSettings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of a source that offers spreadsheets or SQL views.

    Attributes:
        charset: How text files are encoded; found out where not given (UTF-8, GB18030, UTF-16 with its mark).
        separator: What parts the cells of text files; found out where not given (comma, semicolon, tab, bar).
        quote: The quotation mark of text files; empty: they have none.
        header_row: The row of the headings, from 1; found out where not given.
        tables: Name of a sheet, file or view, `*` for any text, = table of the mapping; for names that say nothing.
        date_order: In which order day and month stand where the year comes last; `ymd`: such a date is refused.
        money: Whether amounts are written in `major` units (元) or in `minor` ones (分).
        currency: ISO 4217 code of amounts.
        authority: Who gave the numbers of patients and visits; the source's name where not given. Sources that share
            their numbers are given the same.
        views: Views of the database at `url`, by the table of the mapping they hold, in the order they are read.
    """

    charset: str | None = None
    separator: str | None = None
    quote: str | None = None
    header_row: int | None = None
    tables: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it
    date_order: Literal["ymd", "dmy", "mdy"] = "ymd"
    money: Literal["major", "minor"] = "major"
    currency: str = "CNY"
    authority: str | None = None
    views: dict[str, ViewSettings] = {}  # noqa: RUF012 - msgspec copies it


class TabularAdapter(Adapter):
    """Tables of rows: CSV, TSV, XLSX, XLS, ODS and Parquet files, and SQL views."""

    name = "tabular"
    version = "1"
    settings_type = TabularSettings
    file_suffixes = (".csv", ".tsv", ".tab", ".xlsx", ".xlsm", ".xls", ".ods", ".parquet")
    table_suffixes = (".csv", ".tsv", ".tab")
    pulls = True
    maps = True

    def __init__(self, source: str, settings: SourceSettings) -> None:
        """Args: source: its name; settings: `TabularSettings`."""
        super().__init__(source, settings)
        assert isinstance(settings, TabularSettings)
        tables = overlaid(settings.mapping) if settings.mapping else shipped()
        self._layouts = Layouts(tables)
        self._writing = Writing(
            source,
            settings.authority or source,
            settings.timezone,
            settings.date_order,
            settings.currency,
            settings.money == "minor",
            tables.codes,
        )
        self._reading = _reading(settings, [*tables.tables])
        self._views = Views(settings.views, [*tables.tables], settings.url, settings.timezone)

    def split(self, data: bytes, name: str) -> Iterator[RawMessage]:
        """The rows of a file, each a message of its own; what is such a message already is itself.

        Raises:
            InputError: No table of the mapping is in it, or it cannot be read.
        """
        if data.startswith(rows.BEGINNING):
            with suppress(ValueError):
                rows.read(data)
                return iter([RawMessage(data)])
        return messages(data, name, self._reading, self._layouts)

    def beginning(self, data: bytes, name: str) -> bytes:
        """What was found out of a text file by its first piece: table, headings, separator and charset."""
        return beginning(data, name, self._reading, self._layouts)

    def request(self, position: str) -> SqlQuery:
        """The `SELECT` of the view that comes next.

        Raises:
            ConfigurationError: The source has no view.
        """
        return self._views.request(position)

    def answer(self, position: str, response: HttpResponse | Rows) -> Pulled:
        """The rows of a view, each a message of its own.

        Raises:
            InputError: They lack a column that the settings name, or are no rows.
        """
        if not isinstance(response, Rows):
            raise InputError("A web server answers where a database was asked. Check `url`.")
        return self._views.answer(position, response)

    def translate(self, payload: bytes) -> Translation:
        """Read and map one row."""
        row, layout = self._row(payload)
        if isinstance(layout, Problem):
            return Translation(row.table if row else "", quarantine=layout)
        assert row is not None
        rule = self._layouts.tables.tables[row.table]
        translator = Translator(row, layout, self._writing)
        if rule.person and translator.key("patient") is None:
            text = "No column names the patient of this row by a number. Fill it, or map the column in the mapping."
            return Translation(row.table, quarantine=Problem("no-patient", "", text))
        said_at = translator.said_at()
        translator.run()
        if translator.quarantine is not None:
            return Translation(row.table, quarantine=translator.quarantine)
        if not translator.records and not translator.complete:
            text = "Nothing could be made of this row: the columns that tell it from others are empty."
            return Translation(row.table, quarantine=Problem("no-record", "", text))
        if said_at is None and row.sequence < 0:
            translator.report(
                "no-statement-time", "",
                "Neither the row nor its file says when it was written; any dated statement wins over this one. Name a "
                "column of times as `said_at` in the mapping, or put the day into the name of the file.",
            )  # fmt: skip
        return Translation(
            message_type=row.table,
            # A database's numbers outgrow what a sequence number may be.
            statement=Statement(said_at=said_at or 0, rising=str(row.sequence) if row.sequence >= 0 else ""),
            records=tuple(cast("dict[Any, AnyRecord]", translator.records).values()),
            complete=tuple(translator.complete),
            coverage=_coverage(row, layout),
            problems=tuple(translator.problems),
        )

    def origins(self, payload: bytes) -> list[Origin]:
        """Where each field of each record came from."""
        row, layout = self._row(payload)
        if row is None or isinstance(layout, Problem):
            return []
        translator = Translator(row, layout, self._writing, trace=True)
        translator.run()
        return [] if translator.quarantine else translator.origins

    def fields(self, payload: bytes) -> list[RawField]:
        """Every filled cell, and every empty one that says something; each may tell who somebody is."""
        row, layout = self._row(payload)
        if row is None:
            return []
        clearing = layout.clearing if isinstance(layout, Layout) else frozenset()
        return [
            RawField(heading, heading, rows.text(cell), True)
            for heading, cell in row.cells.items()
            if rows.text(cell) or heading in clearing
        ]

    def encoded(self, message: str) -> bytes:
        """A row of an example: `[table]`, then `heading = cell`, a line each."""
        return rows.written(message)

    def field_name(self, field: str) -> str | None:
        """What the mapping calls a column."""
        return self._layouts.name_of(field)

    def _row(self, payload: bytes) -> tuple[rows.Row | None, Layout | Problem]:
        """The row that a message holds, with the layout of its table, or why it cannot be read."""
        try:
            row = rows.read(payload)
        except ValueError:
            return None, Problem("unreadable", "", "This is no row of a table.")
        tables = self._layouts.tables.tables
        if row.table not in tables:
            text = f"The mapping has no table of its name. {nearest(row.table, [*tables])}"
            return row, Problem("no-table", "", text)
        if row.undecodable:
            text = "It holds bytes that are no text of the file's charset. Save the file as UTF-8, or say `charset`."
            return row, Problem("bad-encoding", "", _ZERO if 0 in bytes.fromhex(row.undecodable) else text)
        if b"\\u0000" in payload:
            for heading, cell in row.cells.items():
                if isinstance(cell, str) and "\0" in cell:
                    return row, Problem("bad-encoding", heading, _ZERO)
        if row.unclosed:
            text = (
                "A quotation mark opens a cell in this line and is never closed; the lines behind it were read as rows "
                'of their own. Close it, write it twice if it belongs to the text, or say `quote` = "" if the file has '
                "no quotes."
            )
            return row, Problem("unclosed-quote", "", text)
        if row.in_sheet:
            text = (
                "It has cells to the right of the last heading. Write the headings of all columns into one row, say "
                "which row that is (`header_row`), or take out what stands beside the table."
            )
            return row, Problem("out-of-step", "", text)
        if row.beyond or row.missing:
            many, more = (len(row.beyond), "more") if row.beyond else (row.missing, "fewer")
            text = (
                f"It has {many} cell{'s' * (many > 1)} {more} than there are headings, so they are out of step. Quote "
            )
            return row, Problem("out-of-step", "", text + "texts that hold a separator or a line break.")
        return row, self._layouts.layout(row.table, tuple(row.cells))


def _reading(settings: TabularSettings, tables: list[str]) -> Reading:
    charset = None
    if settings.charset is not None:
        try:
            charset = codec_named(settings.charset)
        except ValueError as error:
            raise ConfigurationError(f"charset: {error}.") from None
    if settings.separator is not None and len(settings.separator) != 1:
        raise ConfigurationError('separator: write one character, "\\t" for a tab.')
    if settings.quote is not None and len(settings.quote) > 1:
        raise ConfigurationError('quote: write one character, or "" for none.')
    if settings.header_row is not None and settings.header_row < 1:
        raise ConfigurationError("header_row: rows are counted from 1.")
    for table in settings.tables.values():
        if table not in tables:
            raise ConfigurationError(f"tables: the mapping has no table {table!r}. {nearest(table, tables)}")
    return Reading(charset, settings.separator, settings.quote, settings.header_row, settings.tables)


def _coverage(row: rows.Row, layout: Layout) -> FieldCoverage:
    filled = [heading for heading, cell in row.cells.items() if rows.text(cell) or heading in layout.clearing]
    mapped, ignored = layout.mapped, layout.ignored
    return FieldCoverage(
        tuple(one for one in filled if one in mapped),
        tuple(one for one in filled if one in ignored),
        tuple(one for one in filled if one not in mapped and one not in ignored),
    )
