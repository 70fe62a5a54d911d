"""Checks of what can be seen without a message: names, settings, imports and their weight."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator

import msgspec

from hcrm_core.api import SourceSettings
from hcrm_core.testing.adapters.case import AdapterCase
from hcrm_core.testing.adapters.child import environment
from hcrm_core.testing.adapters.suite import SUITE

IMPORT_SECONDS = 0.05 * 3
"""The budget of 50 ms with room for a slow or busy machine."""

HEAVY = ("sqlalchemy", "duckdb", "pyarrow", "pandas", "numpy")

_WEIGH = """
import sys, time
import hcrm_core.api
before = time.process_time()
__import__(sys.argv[1])
spent = time.process_time() - before
__import__(sys.argv[2])
print(spent, *sys.modules)
"""


@SUITE.check(
    "A01",
    "Name and version can be used",
    reason="The name stands in hcrm.toml and in commands; a changed version makes stored messages worth replaying.",
    fix="Give the class a name of lower-case letters, digits, hyphens and underscores and a short version, both text.",
)
def name_and_version(case: AdapterCase) -> Iterator[str]:
    name, version = getattr(case.adapter, "name", None), getattr(case.adapter, "version", None)
    if not (isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name)):
        yield f"The name is {name!r}."
    if not (isinstance(version, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,39}", version)):
        yield f"The version is {version!r}."


@SUITE.check(
    "A02",
    "Settings are frozen, given by keyword, and refuse unknown names",
    reason="A misspelt setting that is ignored changes how a hospital's messages are read, and nobody is told.",
    fix="Derive settings_type from SourceSettings with frozen=True, forbid_unknown_fields=True, kw_only=True.",
)
def settings_type(case: AdapterCase) -> Iterator[str]:
    kind = case.adapter.settings_type
    if not (isinstance(kind, type) and issubclass(kind, SourceSettings)):
        yield f"settings_type is {kind!r}, which does not derive from SourceSettings."
        return
    if not kind.__struct_config__.frozen:
        yield f"{kind.__name__} is not frozen."
    if not kind.__struct_config__.forbid_unknown_fields:
        yield f"{kind.__name__} takes unknown settings without a word."
    positional = [
        name
        for name, one in inspect.signature(kind).parameters.items()
        if one.kind is not inspect.Parameter.KEYWORD_ONLY
    ]
    if positional:
        yield f"{kind.__name__} takes {', '.join(positional)} by position."
    try:
        msgspec.convert({"adapter": case.adapter.name, **case.settings}, kind)
    except msgspec.ValidationError as error:
        yield f"The settings that were passed to the kit do not fit: {error}."


@SUITE.check(
    "A03",
    "Only hcrm_core.api is imported from the core",
    reason="Everything else of the core may change in any version and would break the plugin.",
    fix="Import from hcrm_core.api; what is missing there, ask for.",
)
def imports(case: AdapterCase) -> Iterator[str]:
    for path in case.sources:
        for line, module in _imports(path.read_text(encoding="utf-8")):
            if f"{module}.".startswith("hcrm_core.") and not f"{module}.".startswith("hcrm_core.api."):
                yield f"{path.name}, line {line} imports {module}."


def _imports(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module == "hcrm_core":
            yield from ((node.lineno, f"hcrm_core.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__"):
                yield node.lineno, str(node.args[0].value)


@SUITE.check(
    "A04",
    "Importing the plugin is cheap",
    reason="Every worker and many commands import the plugin; a database driver or a data frame library among its "
    "imports makes each of them slow.",
    fix="Import heavy libraries inside the methods that need them.",
)
def import_weight(case: AdapterCase) -> Iterator[str]:
    least = float("inf")
    heavy: set[str] = set()
    for _ in range(3):
        command = [sys.executable, "-c", _WEIGH, case.module, case.adapter.__module__]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60, check=False)
        if done.returncode:
            yield f"In a process of its own {case.module} does not import: {done.stderr.strip().splitlines()[-1]}"
            return
        spent, *modules = done.stdout.split()
        least = min(least, float(spent))
        heavy = {name for name in HEAVY if name in modules}
        if heavy or least <= IMPORT_SECONDS:
            break
    if not heavy and least > IMPORT_SECONDS:
        yield f"Importing {case.module} takes {least * 1000:.0f} ms of processor time beyond hcrm_core.api."
    for name in sorted(heavy):
        yield f"Importing it imports {name}."
