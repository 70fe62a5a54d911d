"""A site's mapping: tables in the notation of `data/`, laid over those that come with the adapter."""

from typing import Any

from msgspec import Struct, structs

from hcrm_adapter_tabular.mapping.tables import (
    Codes,
    Columns,
    Constants,
    FieldRules,
    Key,
    KeyRule,
    RecordRule,
    TableRule,
    Tables,
    shipped,
)
from hcrm_core.api import TextFile, TomlFile, nearest


class TableOverlay(Struct, frozen=True, forbid_unknown_fields=True):
    """What is different in a table, or a new one."""

    names: tuple[str, ...] = ()
    """Further names of sheets, files and views."""
    about: str | None = None
    needs: tuple[str, ...] | None = None
    said_at: Columns | None = None
    person: bool | None = None
    ignored: tuple[str, ...] = ()
    """Further columns that are known and not read."""


class RecordOverlay(Struct, frozen=True, forbid_unknown_fields=True):
    """What is different in a record, or a new one: that needs `table` and `key`."""

    table: str | tuple[str, ...] | None = None
    key: Key | None = None
    fields: dict[str, FieldRules] = {}
    """Each takes the place of the field of that name, or is added."""
    leave_out: tuple[str, ...] = ()
    """Fields that are not read."""
    kind: str | None = None
    empty: str | None = None
    says: Constants = {}
    when: dict[str, Constants] = {}
    otherwise: dict[str, Constants] = {}
    void: tuple[str, ...] | None = None
    needs: tuple[str, ...] | None = None


class Overlay(Struct, frozen=True, forbid_unknown_fields=True):
    """An overlay; `source` and `examples` are read by the core."""

    source: dict[str, Any] = {}
    columns: dict[str, tuple[str, ...]] = {}
    """Further headings of a column, looked for before the others; or a new column."""
    tables: dict[str, TableOverlay] = {}
    keys: dict[str, KeyRule] = {}
    """Each takes the place of the key of that name, or is added."""
    records: dict[str, RecordOverlay] = {}
    codes: Codes = {}
    conditions: dict[str, tuple[str, ...]] = {}
    """Each takes the place of the condition of that name, or is added."""
    examples: list[Any] = []


def overlaid(mapping: TextFile) -> Tables:
    """The tables of a source that has a mapping.

    Raises:
        ConfigurationError: Something in it is wrong; with file, line and what to write.
    """
    from hcrm_adapter_tabular.mapping.check import check

    file = TomlFile(mapping.text, mapping.path, Overlay)
    tables = laid_over(file)
    check(file, tables)
    return tables


def laid_over(file: TomlFile[Overlay]) -> Tables:
    """The shipped tables with an overlay over them.

    Raises:
        ConfigurationError: A new record lacks what it needs.
    """
    base, own = shipped(), file.content
    columns = {name: (*own.columns.get(name, ()), *known) for name, known in base.columns.items()}
    claimed = {heading: name for name, headings in own.columns.items() for heading in headings}
    # A heading the site gives to one column is that column's alone.
    columns = {name: tuple(one for one in known if claimed.get(one, name) == name) for name, known in columns.items()}
    return Tables(
        columns=columns | {name: headings for name, headings in own.columns.items() if name not in columns},
        tables=base.tables | {name: _table(base.tables.get(name), one) for name, one in own.tables.items()},
        keys=base.keys | own.keys,
        records=base.records | {name: _record(file, name, base.records.get(name)) for name in own.records},
        codes=base.codes | {name: base.codes.get(name, {}) | table for name, table in own.codes.items()},
        conditions=base.conditions | own.conditions,
    )


def _table(base: TableRule | None, own: TableOverlay) -> TableRule:
    base = base or TableRule()
    said = {name: one for name in ("about", "needs", "said_at", "person") if (one := getattr(own, name)) is not None}
    return structs.replace(base, names=(*own.names, *base.names), ignored=(*base.ignored, *own.ignored), **said)


def _record(file: TomlFile[Overlay], name: str, base: RecordRule | None) -> RecordRule:
    own = file.content.records[name]
    if base is None:
        for needed in ("table", "key"):
            if getattr(own, needed) is None:
                raise file.refusal(
                    f"{needed} is missing. It is a new record; to change one that is there use its name. "
                    + nearest(name, list(shipped().records)),
                    "records", name,
                )  # fmt: skip
        base = RecordRule(table="", key=(), fields={})
    for place, field in enumerate(own.leave_out):
        if field not in base.fields:
            raise file.unknown("field", field, list(base.fields), "records", name, "leave_out", place)
    plain = ("table", "key", "kind", "empty", "void", "needs")
    said = {one: value for one in plain if (value := getattr(own, one)) is not None}
    kept = {field: rule for field, rule in base.fields.items() if field not in own.leave_out}
    return structs.replace(
        base,
        fields=kept | own.fields,
        says=base.says | own.says,
        when=base.when | own.when,
        otherwise=base.otherwise | own.otherwise,
        **said,
    )
