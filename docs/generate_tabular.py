"""The page of what the adapter for tables reads; `generate.py` beside this writes it."""

from typing import Any

import generate_text as words
import msgspec
from msgspec import Struct

TOP = {
    "source": "Settings of the source that say how it is read; the same key in `[sources.NAME]` is refused.",
    "columns": "Name = further headings, looked for before the adapter's own; or a new column. A heading given to one "
    "column is no other's.",
    "tables": "`[tables.NAME]`: a table that is changed, or a new one.",
    "keys": "`[keys.NAME]`: how rows name a patient, a visit, …; takes the place of the one of that name.",
    "records": "`[records.NAME]`: a record that is changed, or a new one.",
    "codes": '`[codes.NAME]`: code as written = what it is in a record. `""` is known and says nothing.',
    "conditions": "Name = conditions of which one holds, used as `{name}`; takes the place of the one of that name.",
    "examples": "`[[examples]]`: rows as text (`[table]`, then `heading = cell`, a line each), and what is expected; "
    "as in the [mappings of messages](mappings.md).",
}
TABLE = {
    "names": "Further names of sheets, files and views. Days and numbers behind a name do not matter.",
    "about": "What a row is, in a few words.",
    "needs": "Columns (`A or B`) without which a sheet of another name is not this table.",
    "said_at": "Columns of when the row was written last; the first that is filled orders what is said of one thing.",
    "person": "Whether a row that names no patient is quarantined.",
    "ignored": "Further columns that are known and deliberately not read.",
}
RECORD = {
    "table": "The tables each of whose rows gives one.",
    "key": "What makes the record one and the same, in parts that are joined; see below.",
    "fields": "Field of the record = how it is read; takes the place of the field of that name, or is added. A list of "
    "rules reads a list: all that are filled are its members.",
    "leave_out": "Fields that are not read any more.",
    "kind": "The kind of record; its name where not given.",
    "empty": "What an empty cell says of its field: `says nothing`, or `clears`. A column that is not "
    "there says nothing.",
    "says": 'Constant fields. `""` says that the field is empty.',
    "when": '`"COLUMN"` (is filled), `"COLUMN=VALUE"` or `"{condition}"` = constant fields that hold then.',
    "otherwise": "The same, for fields that no column says.",
    "void": "Conditions under which the row takes its record back; for kinds that have no status.",
    "needs": "Columns (`A or B`) of which each must be filled, or the row gives no such record.",
}
FIELD = {
    "column": "A name of `columns` or a heading; of several the first that is filled.",
    "as": "The data type it is read as; `text` where not given.",
    "display": "For `coding`, `concept`, `location`, `practitioner` and `department`: the column of the name.",
    "table": "For `code`: the code table, which must name the code. For `coding` and `concept`: translates the code; "
    "one it does not name stays, and is reported.",
    "system": "For `coding` and `concept` the code system; for `identifier` who gave the number.",
    "type": "For `identifier`: what the number is, by HL7 table 0203.",
    "use": "For `contact` and `address`: `mobile`, `home`, `work`.",
    "unit": "For `quantity`, `minutes` and `plus`: the column of the unit, or `'天'` itself.",
    "after": "A datetime of the same record. Where no column says the field, it is so long after that …",
    "plus": "… as the first of these columns that is filled says.",
    "from": "Instead of a column: a name of `keys`.",
    "default": "What holds where no column says anything.",
    "must": "Whether a row is quarantined whose cell cannot be read, instead of leaving the field out.",
}

INTRODUCTION = """# Tables

What the adapter `tabular` reads: {about}

Files: {suffixes}. How to work with it: [read spreadsheets](../how-to/read-spreadsheets.md), [pull from SQL
views](../how-to/pull-from-sql-views.md).

The tables below are the adapter's own data (`mapping/data/*.toml`). A source's mapping is laid over them, in the same
notation. A mistake in it is a sentence with file, line and the nearest valid name, before any row is read.
"""


def tabular() -> str:
    from hcrm_adapter_tabular.adapter import TabularAdapter, TabularSettings
    from hcrm_adapter_tabular.asking import ViewSettings
    from hcrm_adapter_tabular.mapping.datatypes import GIVES, LINKS, READERS
    from hcrm_adapter_tabular.mapping.overlay import Overlay, RecordOverlay, TableOverlay
    from hcrm_adapter_tabular.mapping.tables import FieldRule, shipped

    tables = shipped()
    types = [(f"`{name}`", words.first(reader)) for name, reader in READERS.items()]
    types += [(f"`{name}`", f"The key of a record of {made}, which it makes.") for name, made in LINKS.items()]
    assert set(GIVES) <= set(READERS)
    parts = [
        INTRODUCTION.format(
            about=words.first(TabularAdapter)[0].lower() + words.first(TabularAdapter)[1:],
            suffixes=words.codes(TabularAdapter.file_suffixes, sort=False),
        ),
        "## Settings\n\nBeside those [every source has](configuration.md).\n\n" + _settings(TabularSettings),
        "### `[sources.NAME.views.TABLE]`\n\n" + _settings(ViewSettings),
        "## The tables\n\n"
        + words.table(("table", "a row is", "called", "by its headings if it has"), _tables(tables)),
        "## The headings\n\nCase, width, blanks, underscores, hyphens and asterisks do not matter, nor do brackets "
        "behind a heading.\n\n"
        + words.table(("column", "headings"), [(f"`{n}`", ", ".join(known)) for n, known in tables.columns.items()]),
        "## What identifies\n\nThe first key all of whose parts are filled.\n\n"
        + words.table(
            ("name", "kind", "keys"),
            [
                (f"`{name}`", rule.kind, "; else ".join(" + ".join(f"`{part}`" for part in one) for one in rule.any))
                for name, rule in tables.keys.items()
            ],
        ),
        "## Which column goes where\n",
        *(_record(name, rule) for name, rule in tables.records.items()),
        "## Conditions\n\n"
        + words.table(
            ("name", "one of them holds"),
            [(f"`{{{name}}}`", words.codes(some, sort=False)) for name, some in tables.conditions.items()],
        ),
        "## Code tables\n\nCase and width do not matter. A code that a table does not name is reported and left out.\n",
        *(
            f"### {name}\n\n" + words.table(("written", "record"), [(f"`{a}`", _said(b)) for a, b in codes.items()])
            for name, codes in tables.codes.items()
        ),
        "## A mapping\n\n" + _keys(Overlay, TOP),
        "### `[tables.NAME]`\n\n" + _keys(TableOverlay, TABLE),
        "### `[records.NAME]`\n\nA new one needs `table`, `key` and, where it is about a patient, a field from "
        "`patient`.\n\n" + _keys(RecordOverlay, RECORD),
        "### Keys\n\nA part is a column, `A or B` the first that is filled, `time A` a date or time however it is "
        "written, `{name}` one of `keys`, `{authority}` who gave the numbers, or `'text'` itself; a trailing `?` "
        "makes it optional.\n",
        "### Fields\n\n" + _keys(FieldRule, FIELD),
        "### Data types\n\n" + words.table(("as", "reads"), types),
    ]
    return "\n".join(parts)


def _settings(struct: type[Struct]) -> str:
    meanings = words.attributes(struct)
    defaults = {one.encode_name: one.default for one in msgspec.structs.fields(struct)}
    rows = [
        (f"`{name}`", f"`{msgspec.json.encode(defaults[name]).decode()}`" if _has(defaults[name]) else "", text)
        for name, text in meanings.items()
    ]
    return words.table(("key", "default", "meaning"), rows)


def _has(default: Any) -> bool:
    return default not in (None, msgspec.NODEFAULT)


def _tables(tables: Any) -> list[tuple[str, str, str, str]]:
    return [
        (f"`{name}`", rule.about, ", ".join(rule.names), "; ".join(f"`{need}`" for need in rule.needs))
        for name, rule in tables.tables.items()
    ]


def _record(name: str, rule: Any) -> str:
    rows = []
    for field, one in rule.fields.items():
        for each in one if isinstance(one, tuple) else (one,):
            rows.append(
                (f"`{field}`", _read(each), each.datatype if not each.origin else "", each.table or each.type or "")
            )
    rows += [(f"`{field}`", _said(value), "", "") for field, value in rule.says.items()]
    for what, group in (("where", rule.when), ("else, where", rule.otherwise)):
        rows += [
            (f"`{field}`", f"{_said(value)} {what} `{condition}`", "", "")
            for condition, fields in group.items()
            for field, value in fields.items()
        ]
    title = f"### {name}" + (f" (`{rule.kind}`)" if rule.kind else "")
    about = f"From {words.codes(rule.tables, sort=False)}. Key: {' + '.join(f'`{part}`' for part in rule.key)}. "
    about += f"An empty cell {rule.empty}."
    about += f" Taken back where {words.codes(rule.void)} holds." if rule.void else ""
    return f"{title}\n\n{about}\n\n" + words.table(("field", "from", "read as", "by"), rows)


def _read(rule: Any) -> str:
    if rule.origin:
        return f"the key of the {rule.origin}"
    text = ", else ".join(f"`{one}`" for one in _listed(rule.column))
    text += f", called `{'`, else `'.join(_listed(rule.display))}`" if rule.display else ""
    text += f", in `{'`, else `'.join(_listed(rule.unit))}`" if rule.unit and not rule.after else ""
    text += f", else `{rule.after}` plus `{'`, else `'.join(_listed(rule.plus))}`" if rule.after else ""
    text += f", else `{rule.default}`" if rule.default else ""
    return text + (" (must be readable)" if rule.must else "")


def _listed(columns: Any) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else columns


def _said(value: Any) -> str:
    return "" if value == "" else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _keys(struct: type[Struct], told: dict[str, str]) -> str:
    names = [one.encode_name for one in msgspec.structs.fields(struct)]
    assert sorted(names) == sorted(told), (struct, set(names) ^ set(told))
    return words.table(("key", "meaning"), [(f"`{name}`", text) for name, text in told.items()])
