"""The page of what the adapter for HL7 v2 reads; `generate.py` beside this writes it."""

from typing import Any

import generate_text as words


def hl7v2() -> str:
    from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter
    from hcrm_adapter_hl7v2.mapping.tables import shipped

    tables = shipped()
    parts = [
        "# HL7 v2\n",
        f"What the adapter `hl7v2` reads: {words.doc(Hl7v2Adapter)}\n",
        f"Files: {words.codes(Hl7v2Adapter.file_suffixes, sort=False)}.\n",
        "The tables below are the adapter's own data (`mapping/data/*.toml`).\n",
        "## Which records an event gives\n",
        "An event that is not listed takes the row with `*`. In the second table, *person*: quarantined without a "
        "usable patient. *Sets*: repeated segments state their sets whole. *Cancels*: takes another statement back.\n",
    ]
    kinds = {name: rule.kind or name for name, rule in tables.records.items()}
    columns = list(dict.fromkeys(kinds.values()))
    rows = []
    for event, rule in tables.events.items():
        given = {kinds[name] for name in rule.records}
        rows.append((f"`{event}`", *(_tick(kind in given) for kind in columns)))
    parts.append(words.table(("event", *columns), rows))
    parts.append("## What the event itself says\n")
    rows = []
    for event, rule in tables.events.items():
        said = [f"`{kind}.{f}` = {_said(v)}" for kind, fields in rule.says.items() for f, v in fields.items()]
        said += [
            f"`{kind}.{f}` = {_said(v)} where {_holds(path)}"
            for kind, paths in rule.when.items()
            for path, fields in paths.items()
            for f, v in fields.items()
        ]
        flags = [_tick(rule.person), _tick(rule.snapshot), _tick(rule.cancels)]
        rows.append((f"`{event}`", rule.about, *flags, "; ".join(said)))
    parts.append(words.table(("event", "about", "person", "sets", "cancels", "says"), rows))
    parts.append("## Which field goes where\n")
    for name, rule in tables.records.items():
        key = rule.key if isinstance(rule.key, str) else ", ".join(f"`{part}`" for part in rule.key)
        group = f" Set: `{rule.group}`." if rule.group else ""
        rows = [
            (f"`{field}`", _paths(one), one.datatype if not one.origin else "", _codes_table(one.table))
            for field, one in rule.fields.items()
        ]
        rows += [(f"`{field}`", _said(value), "", "") for field, value in rule.says.items()]
        rows += [
            (f"`{field}`", f"{_said(value)} where {_holds(path)}", "", "")
            for path, fields in rule.when.items()
            for field, value in fields.items()
        ]
        title = f"### {name}" + (f" (`{rule.kind}`)" if rule.kind else "")
        about = f"One record for each {rule.segment}. Key: {key}.{group}\n"
        parts.append(f"{title}\n\n{about}\n" + words.table(("field", "from", "read as", "code table"), rows))
    parts.append(
        "## Code tables\n\nA code that a table does not name is reported and left out; one with nothing beside it says "
        "nothing.\n"
    )
    for name, codes in tables.codes.items():
        parts.append(
            f"### {name}\n\n"
            + words.table(("HL7", "record"), [(f"`{a}`", _said(b) if b != "" else "") for a, b in codes.items()])
        )
    parts.append("## Known and not read\n\n" + words.codes(tables.ignored) + "\n")
    return "\n".join(parts)


def _paths(rule: Any) -> str:
    if rule.origin:
        return f"the {rule.origin} at hand"
    text = (" and " if rule.join else ", else ").join(rule.paths)
    text += f", else `{rule.after}` plus {', else '.join(rule.durations)}" if rule.after else ""
    text += f", else `{rule.default}`" if rule.default else ""
    text += f" of the segment where {_holds(rule.where)}" if rule.where else ""
    return text + (f" (only {', '.join(rule.only)})" if rule.only else "")


def _holds(condition: str) -> str:
    path, says, code = condition.partition("=")
    return f"{path} is `{code}`" if says else f"{path} is filled"


def _codes_table(name: str | None) -> str:
    return f"[{name}](#{name})" if name else ""


def _said(value: str | bool) -> str:
    return "empty" if value == "" else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _tick(value: bool) -> str:
    return "✓" if value else ""
