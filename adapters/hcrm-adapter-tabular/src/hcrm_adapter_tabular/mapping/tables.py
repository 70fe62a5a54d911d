"""The mapping tables of `data/`, read once and typed."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

from hcrm_adapter_tabular.headings import plain_name

Columns = str | tuple[str, ...]
"""Names of `columns`, or headings; of several the first that is filled."""


class FieldRule(Struct, frozen=True, forbid_unknown_fields=True, rename={"origin": "from", "datatype": "as"}):
    """How one field of a record is read."""

    column: Columns = ()
    datatype: str = "text"
    display: Columns = ()
    """Of a coding, concept, practitioner or department: where its name stands, while `column` holds its code."""
    table: str | None = None
    """Of `codes`; needed for a code, and of a coding or concept it translates the code."""
    system: str | None = None
    """Of a coding or concept the code system; of an identifier who gave it, the source itself where not said."""
    type: str | None = None
    """Of an identifier: HL7 table 0203."""
    use: str | None = None
    """Of a contact: `mobile`, `home`, `work`."""
    unit: Columns = ()
    """Of a quantity, of minutes or of `plus`: where its unit stands, or `'天'` itself."""
    after: str | None = None
    """Where no column says it: so long after another field of the record, a datetime, …"""
    plus: Columns = ()
    """… as the first of these durations says."""
    origin: str | None = None
    """Instead of a column: a key of `keys` (`patient`, `encounter`, …)."""
    default: str | None = None
    """What holds where no column says anything."""
    must: bool = False
    """Whether a row is quarantined whose cell is filled and cannot be read, instead of leaving the field out."""


FieldRules = FieldRule | tuple[FieldRule, ...]
"""Of a list: each reads one member, and all that are filled are joined."""

Codes = dict[str, dict[str, str | bool]]
"""Table → code as written → what it is in a record; an empty text is known and says nothing."""

Constants = dict[str, str | bool]
"""Field → what it is; an empty text says that the field is empty."""

Key = tuple[str, ...]
"""Parts that are joined: a column, `A or B`, `time A`, `{name}` of `keys`, `{authority}`, `'text'`; `?`: optional."""


class TableRule(Struct, frozen=True, forbid_unknown_fields=True):
    """One table a source offers."""

    names: tuple[str, ...] = ()
    """What sheets, files and views of it are called."""
    about: str = ""
    """What a row is, in a few words."""
    needs: tuple[str, ...] = ()
    """Columns (`A or B`) without which it is not this table."""
    said_at: Columns = ()
    """When the row was written last; it orders what is said of the same thing."""
    person: bool = False
    """Whether a row that names no patient is quarantined."""
    ignored: tuple[str, ...] = ()
    """Columns that are known and deliberately not read."""


class RecordRule(Struct, frozen=True, forbid_unknown_fields=True):
    """How the rows of a table become records."""

    table: str | tuple[str, ...]
    key: Key
    fields: dict[str, FieldRules]
    kind: str | None = None
    empty: str = "says nothing"
    """What an empty cell says of its field: `says nothing`, or `clears` it."""
    says: Constants = {}
    when: dict[str, Constants] = {}
    """`COLUMN` (is filled), `COLUMN=VALUE` or `{name}` of `conditions` → what holds then."""
    otherwise: dict[str, Constants] = {}
    """Condition → what holds then of fields that no column says."""
    void: tuple[str, ...] = ()
    """Conditions under which the row takes its record back."""
    needs: tuple[str, ...] = ()
    """Columns (`A or B`) of which each must be filled, or the row gives no such record."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables whose rows give it."""
        return (self.table,) if isinstance(self.table, str) else self.table


class KeyRule(Struct, frozen=True, forbid_unknown_fields=True):
    """How rows name a record: by the first of these keys all of whose parts are filled."""

    kind: str
    any: tuple[Key, ...]


class Tables(Struct, frozen=True):
    """All tables of the mapping."""

    columns: dict[str, tuple[str, ...]]
    """Name → headings it goes by."""
    tables: dict[str, TableRule]
    keys: dict[str, KeyRule]
    records: dict[str, RecordRule]
    codes: Codes
    conditions: dict[str, tuple[str, ...]]
    """Name → conditions of which one holds, used as `{name}`."""

    def table_named(self, name: str) -> str | None:
        """The table that a sheet, file or view of a name is; `None` where none is called so."""
        wanted = plain_name(name)
        for table, rule in self.tables.items():
            if wanted and wanted in map(plain_name, (table, *rule.names)):
                return table
        return None


@cache
def shipped() -> Tables:
    """The tables that come with the adapter."""
    return msgspec.convert({name: data(name) for name in Tables.__struct_fields__}, Tables)


@cache
def data(name: str) -> dict[str, Any]:
    """One of the files that come with the adapter, as it is written."""
    return tomllib.loads((files(__package__) / "data" / f"{name}.toml").read_text(encoding="utf-8"))


def listed(columns: Columns) -> tuple[str, ...]:
    """The columns, first choice first."""
    return (columns,) if isinstance(columns, str) else columns
