"""Write the reference pages from the code they describe: `python docs/generate.py`.

`tests/docs/test_reference.py` fails when a committed page is not what this writes.
"""

import ast
import importlib
import inspect
import re
import runpy
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Annotated, Any, get_args, get_origin

import click
import msgspec
from msgspec import Struct

FOLDER = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by `python docs/generate.py`. Change the code it describes, not this page. -->\n\n"

SETTINGS = {
    "plugins": "The enabled plugins, in order. Installed is not enabled.",
    "title": "The hospital's name, shown in reports.",
    "timezone": "IANA zone: what `today` is, and the zone of times a source sends without an offset.",
    "store.url": "The store's database: `sqlite:///FILE` or `postgresql+psycopg://USER@HOST/DATABASE`.",
    "store.inbox": "The inbox's database. Where absent: `sqlite:///inbox.db`, or on PostgreSQL the store's database.",
    "store.key_file": "The secret that all ids are computed with.",
    "mart.path": "The folder of the columnar copy.",
    "mart.engine": "What computes on it.",
    "metrics.listen": "Address and port where `hcrm run --watch` gives its figures to Prometheus (`127.0.0.1:9275`).",
    "sources": "One table a source: `[sources.NAME]`, typed by its adapter.",
    "reviews": "One table a review: `[reviews.NAME]` sets its parameters.",
    "strategies": "One table a strategy: `[strategies.NAME]` sets its parameters.",
}
ENVIRONMENT = (
    ("HCRM_WORKSPACE", "The workspace, where `--workspace` is not given; else the current directory."),
    ("HCRM_NOW", "An instant with an offset that commands take for now, for rehearsals and tests."),
    ("HCRM_TRACEBACK", "Where set, an unforeseen error shows its traceback, which may hold patient data."),
)

_DESIGN = re.compile(r",? \(design §[\d., ]+\)")
"""Citations of the design's sections, which the reader of a page does not have."""


def pages() -> dict[str, str]:
    """Every reference page: file name → text."""
    found = {
        "cli.md": cli(),
        "hooks.md": hooks(),
        "mart.md": mart(),
        "records.md": records(),
        "configuration.md": configuration(),
        "hl7v2.md": hl7v2(),
        "quality.md": runpy.run_path(str(FOLDER.parent / "generate_quality.py"))["page"](_table),
    }
    return {name: NOTE + text.rstrip() + "\n" for name, text in found.items()}


# The command line


def cli() -> str:
    from hcrm_adapter_simulator.command import simulate
    from hcrm_core.cli import COMMANDS, load, main

    parts = ["# Command line\n", _help(main, "hcrm"), _exit_codes()]
    for name in COMMANDS:
        parts += _commands(load(name), f"hcrm {name}", 2)
    parts.append("## Commands of plugins\n\n`simulate` is offered by the plugin `simulator`, where it is enabled.\n")
    parts += _commands(simulate, "hcrm simulate", 3)
    return "\n".join(parts)


def _exit_codes() -> str:
    from hcrm_core import errors

    rows = []
    for name, error in inspect.getmembers(errors, inspect.isclass):
        if name != "HcrmError":
            rows.append((f"`{name}`", str(error.exit_code), _first(error)))
    return "## Exit codes\n\n0 done, 1 failed, 2 usage, 3 done with quarantined or rejected items.\n\n" + _table(
        ("error", "exit code", "meaning"), rows
    )


def _commands(command: click.Command, path: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{path}`\n\n{_help(command, path)}"
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            if inner:
                yield from _commands(inner, f"{path} {name}", level + 1)


def _help(command: click.Command, path: str) -> str:
    context = click.Context(
        command, info_name=path, terminal_width=80, max_content_width=80, help_option_names=["-h", "--help"]
    )
    return f"```text\n{command.get_help(context)}\n```\n"


# Hooks and contracts


def hooks() -> str:
    from hcrm_core import hookspecs
    from hcrm_core.model import (
        adapters,
        channels,
        listening,
        observing,
        reports,
        reviews,
        rule_file,
        strategies,
        translation,
    )

    parts = ["# Hooks and contracts\n", "A plugin imports `hcrm_core.api` and nothing else of the core.\n"]
    parts.append("## Hooks\n\n" + _doc(hookspecs) + "\n")
    for name, function in inspect.getmembers(hookspecs, inspect.isfunction):
        if hasattr(function, "hcrm_spec"):
            parts.append(_function(name, function, 3) + f"- **Stage**: {hookspecs.STAGES[name]}.\n")
    parts.append("### `WorkspaceView`\n\n" + _doc(hookspecs.WorkspaceView) + "\n")
    parts += [_function(name, one, 4) for name, one in _methods(hookspecs.WorkspaceView)]
    for title, contract in (
        ("Adapters", adapters.Adapter),
        ("Strategies", strategies.Strategy),
        ("Reports", reports.Report),
        ("Reviews", reviews.Review),
        ("Channels", channels.Channel),
        ("What `after_intake` is told", observing.IntakeDone),
        ("What `after_intake` is told of each type", observing.TypeCount),
        ("What `after_decide` is told", observing.DecideDone),
        ("What `after_decide` is told of each strategy", observing.StrategyDone),
        ("What `after_decide` is told of the workload", observing.Load),
        ("What they answer", observing.Finding),
        ("Rule files", rule_file.RuleFile),
    ):
        parts.append(f"## {title}: `{contract.__name__}`\n\n{_doc(contract)}\n")
        if not issubclass(contract, Struct):
            parts += [_function(name, one, 3) for name, one in _methods(contract)]
        if contract is adapters.Adapter:
            parts.append("### What `translate` returns\n")
            parts += [
                f"#### `{one.__name__}`\n\n{_doc(one)}\n"
                for one in (
                    translation.Translation,
                    translation.Statement,
                    translation.CompleteSet,
                    translation.Coverage,
                    translation.Problem,
                    translation.RawMessage,
                    translation.Origin,
                )
            ]
            parts.append("### What an adapter that listens is made of\n")
            for one in (listening.Connection, listening.Received, listening.Verdict):
                parts.append(f"#### `{one.__name__}`\n\n{_doc(one)}\n")
                if not issubclass(one, Struct):
                    parts += [_function(name, method, 5) for name, method in _methods(one)]
        if contract is strategies.Strategy:
            parts.append("### Columns of a strategy's rows\n")
            for kind, columns in strategies.REQUIRED_COLUMNS.items():
                rows = [(f"`{name}`", f"`{sql_type}`") for name, sql_type in columns.items()]
                parts.append(f"A {kind}:\n\n" + _table(("column", "type"), rows))
            parts.append(_after(strategies, "REQUIRED_COLUMNS") + "\n")
        if contract is reports.Report:
            parts.append(f"### `ReportContext`\n\n{_doc(reports.ReportContext)}\n")
    return "\n".join(parts)


def _methods(owner: type) -> list[tuple[str, Any]]:
    return [(name, one) for name, one in vars(owner).items() if inspect.isfunction(one) and name[0] != "_"]


def _function(name: str, function: Any, level: int) -> str:
    node = next(
        node for node in ast.walk(ast.parse(dedent(inspect.getsource(function)))) if isinstance(node, ast.FunctionDef)
    )
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{'#' * level} `{name}`\n\n```python\n{name}({ast.unparse(node.args)}){returns}\n```\n\n{_doc(function)}\n"


# The mart


def mart() -> str:
    from hcrm_core.mart import tables
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
        parts.append(f"## `{table.name}`\n\nOne row for each `{table.kind}`.\n\n" + _table(headers, first + own + said))
    plain = {"customer": (tables.CUSTOMER, "CUSTOMER"), "calendar": (tables.CALENDAR, "CALENDAR")}
    for name, (columns, variable) in plain.items():
        rows = [(f"`{column}`", f"`{kind}`", meaning) for column, kind, meaning in columns]
        about = _after(tables, variable)
        parts.append(f"## `{name}`\n\n{about}\n\n" + _table(("column", "type", "meaning"), rows))
    parts.append("## Decisions\n\n" + _after(tables, "DECISIONS") + "\n")
    for name, decided in tables.DECISIONS.items():
        rows = [(f"`{column}`", f"`{kind}`", meaning) for column, kind, meaning in decided]
        parts.append(f"### `{name}`\n\n" + _table(("column", "type", "meaning"), rows))
    may = allowed()
    parts.append(
        "## What a SELECT may be made of\n\nOne statement, from these parts only; anything else is refused with the "
        "line. Parameters are written `$name`; `$as_of` (TIMESTAMP, UTC) and `$today` (DATE, in the workspace's zone) "
        "are always given. Names of functions are sqlglot's.\n"
    )
    rows = [
        ("functions", _codes(may.functions)),
        ("in a window, only with ORDER BY", _codes(may.ordered)),
        ("casts to", _codes(may.casts)),
        ("parts of a date", _codes(may.extract)),
        ("units of an interval", _codes(may.intervals)),
        ("syntax", _codes(may.syntax)),
    ]
    parts.append(_table(("part", "allowed"), rows))
    parts.append("What to write in place of something refused:\n")
    parts.append(_table(("refused", "instead"), [(f"`{name}`", text) for name, text in may.instead.items()]))
    return "\n".join(parts)


def _how(read: str) -> str:
    return {"code": ", its code", "system": ", its system", "display": ", its display"}.get(read, "")


# Records


def records() -> str:
    from hcrm_core.model import records as module
    from hcrm_core.model import values

    fields = _fields(module)
    parts = [
        "# Records\n",
        _doc(module) + "\n",
        "Types are those of Python; each may also be `None` (empty) or `UNSET` (not mentioned). *Sealed* fields hold "
        "direct identifiers: they never reach the mart.\n",
        "## Every record\n\n" + _doc(module.Record) + "\n",
    ]
    for name, kind in module.KINDS.items():
        rows = [
            (f"`{field}`", f"`{hint}`" + (" *sealed*" if field in kind.SEALED else ""), text)
            for field, hint, text in fields[name]
            if field not in ("SEALED",)
        ]
        parts.append(f"## `{name}`\n\n{_doc(kind)}\n\n" + _table(("field", "type", "meaning"), rows))
    parts.append("## Value types\n\n" + _doc(values) + "\n")
    for name, own in _fields(values).items():
        if own:
            rows = [(f"`{field}`", f"`{hint}`", text) for field, hint, text in own]
            about = _doc(getattr(values, name))
            parts.append(f"### `{name}`\n\n{about}\n\n" + _table(("field", "type", "meaning"), rows))
    return "\n".join(parts)


def _fields(module: ModuleType) -> dict[str, list[tuple[str, str, str]]]:
    """Class → (field, type, the text below it), read from the source."""
    found = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        rows = []
        for index, statement in enumerate(node.body):
            if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
                continue
            name = statement.target.id.rstrip("_")
            hint = ast.unparse(statement.annotation).removesuffix(" | UnsetType").removesuffix(" | None")
            rows.append((name, hint, _text_at(node.body, index + 1)))
        found[node.name] = rows
    return found


# Configuration


def configuration() -> str:
    from hcrm_adapter_hl7v2.adapter import Hl7v2Settings
    from hcrm_core import config
    from hcrm_core.config import MartSettings, MetricsSettings, Settings, StoreSettings, WorkerSettings
    from hcrm_core.model.adapters import SourceSettings
    from hcrm_core.model.listening import ListenerSettings

    parts = [
        "# Configuration\n",
        "`hcrm.toml` in the workspace. Paths are relative to the workspace. An unknown key is an error that names "
        "file, line and the nearest valid key.\n",
    ]
    headers = ("key", "type", "default", "meaning")
    for title, struct, prefix in (
        ("The file itself", Settings, ""),
        ("`[store]`", StoreSettings, "store."),
        ("`[mart]`", MartSettings, "mart."),
        ("`[metrics]`", MetricsSettings, "metrics."),
        ("`[workers]`", WorkerSettings, "workers."),
    ):
        below = {name: text for name, _, text in _fields(config)[struct.__name__]}
        rows = [
            (f"`{name}`", kind, default, SETTINGS.get(prefix + name) or below[name])
            for name, kind, default in _keys(struct)
            if name not in ("store", "mart", "metrics", "workers")
        ]
        parts.append(f"## {title}\n\n" + _table(headers, rows))
    meanings = _attributes(SourceSettings) | _attributes(Hl7v2Settings)
    rows = [
        (f"`{name}`", kind, default, meanings[name])
        for name, kind, default in _keys(Hl7v2Settings)
        if name != "listener"
    ]
    parts.append(
        "## `[sources.NAME]` of the adapter `hl7v2`\n\n`adapter`, `timezone`, `listen` and `acknowledge` are keys of "
        "every source.\n\n" + _table(headers, rows)
    )
    meanings = _attributes(ListenerSettings)
    rows = [(f"`{name}`", kind, default, meanings[name]) for name, kind, default in _keys(ListenerSettings)]
    parts.append(
        "## `[sources.NAME.listener]`\n\nHow the port of a source that has `listen` is guarded. See [listen for "
        "messages](../how-to/listen-for-messages.md).\n\n" + _table(headers, rows)
    )
    parts.append(
        '## `[followup]` of the plugin `followup`\n\n`rules`: a list of rule files, `["rules/discharge.yaml"]`. Where '
        "absent, the shipped rule `discharge` applies. See [follow-up rules](../how-to/follow-up-rules.md).\n"
    )
    parts.append(
        "## `[strategies.NAME]`\n\nParameters of the shipped strategies; a value must have the default's type.\n"
    )
    rows = [
        (f"`{_table_name(strategy.name)}`", f"`{name}`", f"`{value!r}`")
        for strategy in _strategies()
        for name, value in strategy.parameters.items()
    ]
    parts.append(_table(("table", "key", "default"), rows))
    parts.append("## Environment\n\n" + _table(("variable", "meaning"), [(f"`{n}`", text) for n, text in ENVIRONMENT]))
    return "\n".join(parts)


def _keys(struct: type[Struct]) -> Iterator[tuple[str, str, str]]:
    for field in msgspec.structs.fields(struct):
        kind = field.type.__name__ if isinstance(field.type, type) and not str(field.type).startswith("tuple") else (
            str(field.type).replace("typing.", "")
        )  # fmt: skip
        if get_origin(field.type) is Annotated:
            kind = get_args(field.type)[0].__name__
        default = field.default
        if default is msgspec.NODEFAULT:
            default = "required" if field.default_factory is msgspec.NODEFAULT else "empty"
        else:
            default = f"`{default!r}`"
        yield field.encode_name, f"`{kind}`", default


class _NoSettings:
    def settings(self, table: str) -> dict[str, object]:
        return {}

    def read_text(self, path: str) -> str:
        raise FileNotFoundError(path)


def _strategies() -> Iterator[Any]:
    for plugin in ("hcrm_plugin_segmentation", "hcrm_plugin_followup"):
        yield from importlib.import_module(plugin).register_strategies(_NoSettings())


def _table_name(strategy: str) -> str:
    return f'[strategies."{strategy}"]' if "." in strategy else f"[strategies.{strategy}]"


# HL7 v2


def hl7v2() -> str:
    from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter
    from hcrm_adapter_hl7v2.mapping.tables import shipped

    tables = shipped()
    names = list(tables.records)
    parts = [
        "# HL7 v2\n",
        f"What the adapter `hl7v2` reads: {_doc(Hl7v2Adapter)}\n",
        f"Files: {_codes(Hl7v2Adapter.file_suffixes, sort=False)}.\n",
        "The tables below are the adapter's own data (`mapping/data/*.toml`).\n",
        "## Which records an event gives\n",
        "An event that is not listed takes the row with `*`. *Person*: quarantined without a usable patient. *Sets*: "
        "repeated segments state their sets whole. *Cancels*: takes another statement back.\n",
    ]
    rows = []
    for event, rule in tables.events.items():
        said = [f"`{kind}.{f}` = {_said(v)}" for kind, fields in rule.says.items() for f, v in fields.items()]
        said += [
            f"`{kind}.{f}` = {_said(v)} where {path} is filled"
            for kind, paths in rule.when.items()
            for path, fields in paths.items()
            for f, v in fields.items()
        ]
        flags = [_tick(rule.person), _tick(rule.snapshot), _tick(rule.cancels)]
        rows.append((f"`{event}`", *(_tick(name in rule.records) for name in names), *flags, "; ".join(said)))
    parts.append(_table(("event", *names, "person", "sets", "cancels", "the event itself says"), rows))
    parts.append("## Which field goes where\n")
    for name, rule in tables.records.items():
        key = rule.key if isinstance(rule.key, str) else ", ".join(f"`{part}`" for part in rule.key)
        group = f" Set: `{rule.group}`." if rule.group else ""
        rows = [
            (f"`{field}`", _paths(one), one.datatype if not one.origin else "", _codes_table(one.table))
            for field, one in rule.fields.items()
        ]
        title = f"### {name}" + (f" (`{rule.kind}`)" if rule.kind else "")
        about = f"One record for each {rule.segment}. Key: {key}.{group}\n"
        parts.append(f"{title}\n\n{about}\n" + _table(("field", "from", "read as", "code table"), rows))
    parts.append("## Code tables\n\nA code that a table does not name is reported and left out.\n")
    for name, codes in tables.codes.items():
        parts.append(f"### {name}\n\n" + _table(("HL7", "record"), [(f"`{a}`", f"`{b}`") for a, b in codes.items()]))
    parts.append("## Known and not read\n\n" + _codes(tables.ignored) + "\n")
    return "\n".join(parts)


def _paths(rule: Any) -> str:
    if rule.origin:
        return f"the {rule.origin} at hand"
    text = (" and " if rule.join else ", else ").join(rule.paths)
    return text + (f" (only {', '.join(rule.only)})" if rule.only else "")


def _codes_table(name: str | None) -> str:
    return f"[{name}](#{name})" if name else ""


def _said(value: str) -> str:
    return f"`{value}`" if value else "empty"


def _tick(value: bool) -> str:
    return "✓" if value else ""


# Text


def _doc(thing: Any) -> str:
    """A docstring as Markdown: Google's sections become lists."""
    lines, out, section = inspect.getdoc(thing).splitlines(), [], False
    for line in lines:
        if line in ("Args:", "Attributes:", "Returns:", "Raises:", "Class attributes:"):
            out += [f"{line}", ""]
            section = True
        elif section and line.startswith("    ") and not line.startswith("     "):
            head, colon, rest = line.strip().partition(": ")
            out.append(f"- `{head}`: {rest}" if colon and " " not in head.replace(", ", "") else f"- {line.strip()}")
        elif section and line.startswith("     "):
            out.append(f"  {line.strip()}")
        elif line[:1].isalpha() and (head := line.partition(": ")[0]) in (
            "When",
            "Arguments",
            "Returns",
            "Order",
            "Since",
        ):
            section = False
            out.append(f"- **{head}**{line[len(head) :]}")
        else:
            section = section and not line
            out.append(line)
    return _DESIGN.sub("", "\n".join(out))


def _first(thing: Any) -> str:
    return " ".join(inspect.getdoc(thing).split("\n\n")[0].split())


def _attributes(struct: type[Struct]) -> dict[str, str]:
    """The `Attributes:` of a docstring: name → text."""
    found: dict[str, str] = {}
    name = ""
    for line in inspect.getdoc(struct).partition("Attributes:\n")[2].splitlines():
        if line.startswith("     "):
            found[name] += f" {line.strip()}"
        elif line.strip():
            name, _, found_text = line.strip().partition(": ")
            found[name] = found_text
    return found


def _after(module: ModuleType, variable: str) -> str:
    """The text below a module's variable."""
    body = ast.parse(inspect.getsource(module)).body
    for index, node in enumerate(body):
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == variable:
            return inspect.cleandoc(_text_at(body, index + 1, whole=True))
    raise LookupError(variable)


def _text_at(body: Sequence[ast.stmt], index: int, whole: bool = False) -> str:
    node = body[index] if index < len(body) else None
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value if whole else " ".join(node.value.value.split())
    return ""


def _codes(names: Iterable[str], sort: bool = True) -> str:
    return ", ".join(f"`{name}`" for name in (sorted(names) if sort else names))


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in lines) + "\n"


def write() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"Wrote docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(write())
