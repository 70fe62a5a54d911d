"""The pages of what is kept: the tables of the mart and records; `generate.py` beside this writes them."""

import generate_text as words


def mart() -> str:
    from hcrm_core.mart import made_tables, profile, tables
    from hcrm_core.mart.check import allowed
    from hcrm_core.mart.columns import is_personal

    said = [
        ("`said_at`", "`TIMESTAMP`", "", "when the source last said something of the fact (UTC)"),
        ("`known_at`", "`TIMESTAMP`", "", "when HCRM last heard something of it (UTC)"),
    ]
    parts = [
        "# Tables of the mart\n",
        "What strategies and reports may read. Every table is a copy of the facts of one kind; void facts and those "
        "entered in error are left out. Names, phones, addresses, document numbers and free text have no column.\n",
    ]
    headers = ("column", "type", "member of the record", "meaning")
    for table in tables.TABLES:
        first = [(f"`{table.id}`", "`VARCHAR`", "", "the fact's id")]
        if is_personal(table):
            first += [
                ("`customer_id`", "`VARCHAR`", "", "the customer it is about"),
                ("`patient_id`", "`VARCHAR`", "", "the source patient it is about"),
            ]
        own = [
            (f"`{c.name}`", f"`{tables.SQL_TYPES[c.read]}`", f"`{c.member}`{_how(c.read)}", c.meaning)
            for c in table.columns
        ]
        parts.append(
            f"## `{table.name}`\n\nOne row for each `{table.kind}`.\n\n"
            + words.table(headers, first + own + (said if is_personal(table) else []))
        )
    plain = {
        "customer": (made_tables, made_tables.CUSTOMER, "CUSTOMER"),
        profile.NAME: (profile, profile.PROFILE, "PROFILE"),
        "calendar": (made_tables, made_tables.CALENDAR, "CALENDAR"),
    }
    for name, (module, columns, variable) in plain.items():
        rows = [(f"`{column}`", f"`{kind}`", meaning) for column, kind, meaning in columns]
        about = words.after(module, variable)
        parts.append(f"## `{name}`\n\n{about}\n\n" + words.table(("column", "type", "meaning"), rows))
    parts.append("## Decisions\n\n" + words.after(made_tables, "DECISIONS") + "\n")
    for name, decided in made_tables.DECISIONS.items():
        rows = [(f"`{column}`", f"`{kind}`", meaning) for column, kind, meaning in decided]
        parts.append(f"### `{name}`\n\n" + words.table(("column", "type", "meaning"), rows))
    may = allowed()
    parts.append(
        "## What a SELECT may be made of\n\nOne statement, from these parts only; anything else is refused with the "
        "line. Parameters are written `$name`; `$as_of` (TIMESTAMP, UTC) and `$today` (DATE, in the workspace's zone) "
        "are always given. Names of functions are sqlglot's.\n"
    )
    rows = [
        ("functions", words.codes(may.functions)),
        ("in a window, only with ORDER BY", words.codes(may.ordered)),
        ("casts to", words.codes(may.casts)),
        ("parts of a date", words.codes(may.extract)),
        ("units of an interval", words.codes(may.intervals)),
        ("syntax", words.codes(may.syntax)),
    ]
    parts.append(words.table(("part", "allowed"), rows))
    parts.append("What to write in place of something refused:\n")
    parts.append(words.table(("refused", "instead"), [(f"`{name}`", text) for name, text in may.instead.items()]))
    return "\n".join(parts)


def _how(read: str) -> str:
    return {"code": ", its code", "system": ", its system", "display": ", its display"}.get(read, "")


def records() -> str:
    from hcrm_core.model import care, people, values
    from hcrm_core.model import records as module

    fields = words.fields(people) | words.fields(care)
    parts = [
        "# Records\n",
        words.doc(module) + "\n",
        "Types are those of Python; each may also be `None` (empty) or `UNSET` (not mentioned). *Sealed* fields hold "
        "direct identifiers: they never reach the mart.\n",
        "## Every record\n\n" + words.doc(module.Record) + "\n",
    ]
    for name, kind in module.KINDS.items():
        rows = [
            (f"`{field}`", f"`{hint}`" + (" *sealed*" if field in kind.SEALED else ""), text)
            for field, hint, text in fields[name]
            if field not in ("SEALED",)
        ]
        parts.append(f"## `{name}`\n\n{words.doc(kind)}\n\n" + words.table(("field", "type", "meaning"), rows))
    parts.append("## Value types\n\n" + words.doc(values) + "\n")
    for name, own in words.fields(values).items():
        if own:
            rows = [(f"`{field}`", f"`{hint}`", text) for field, hint, text in own]
            about = words.doc(getattr(values, name))
            parts.append(f"### `{name}`\n\n{about}\n\n" + words.table(("field", "type", "meaning"), rows))
    return "\n".join(parts)
