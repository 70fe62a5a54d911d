"""What can be seen in a plugin's files of each rule: a check yields a sentence for everything that is not so.

A check that needs the project's folder yields nothing where only the package was installed: it cannot tell.
"""

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement

from hcrm_core import hookspecs
from hcrm_core.config import nearest
from hcrm_core.quality.seen import Module, Seen, dotted, words

HEAVY = re.compile(
    "duckdb|hl7apy|matplotlib|numpy|pandas|polars|pyarrow|pyspark|scipy|sklearn|sqlalchemy|torch|vl_convert"
)

OUTSIDE = re.compile(
    r"(aiohttp|ftplib|glob|hcrm_core\.api\.now|http|httpx|multiprocessing|paramiko|psycopg|random|requests|secrets|shutil"
    r"|smtplib|socket|sqlalchemy|sqlite3|ssl|subprocess|tempfile|urllib\.request)(\..*)?"
)
"""Modules that reach for something beyond what a plugin is given."""

OUTSIDE_CALLS = {"open", "input", "os.getenv", "os.popen", "os.system", "os.urandom"}
OUTSIDE_CALLS |= {"date.today", "datetime.now", "datetime.today", "datetime.utcnow", "uuid4", "uuid.uuid4"}
OUTSIDE_CALLS |= {f"time.{name}" for name in ("time", "time_ns", "monotonic", "perf_counter", "sleep", "localtime")}

FOR_NOBODY = {"BaseException", "Exception", "OSError", "RuntimeError", "SystemExit"}
"""Errors that say nothing of what the reader can do."""

ENDING = {"exit", "os._exit", "print", "quit", "sys.exit", "traceback.print_exc"}

CHINESE = re.compile(r"(?m)^[\u4e00-\u9fff]")


def names_agree(seen: Seen) -> Iterator[str]:
    """Distribution, package, entry point."""
    found = re.fullmatch(r"hcrm-(adapter|plugin)-(.+)", seen.distribution)
    if not found or found[2] != seen.name:
        yield (
            f"the distribution is called {seen.distribution} and the entry point {seen.name}; call it "
            f"hcrm-adapter-{seen.name} or hcrm-plugin-{seen.name}."
        )
    if seen.package.stem != seen.distribution.replace("-", "_"):
        yield f"the package is called {seen.package.stem}; call it {seen.distribution.replace('-', '_')}."


def core_capped(seen: Seen) -> Iterator[str]:
    """Both bounds of `hcrm`."""
    if seen.project is None:
        return
    for text in seen.described.get("dependencies", ()):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.name == "hcrm":
            bounds = {one.operator for one in requirement.specifier}
            if not ((bounds & {">=", ">"} and bounds & {"<", "<="}) or bounds & {"~=", "=="}):
                yield f"pyproject.toml asks for {text}, which has no lower or no upper bound."
            return
    yield "pyproject.toml has no dependency on hcrm."


def licence(seen: Seen) -> Iterator[str]:
    """In `pyproject.toml`."""
    if seen.project is not None and not seen.described.get("license"):
        yield "pyproject.toml states no license."


def readme(seen: Seen) -> Iterator[str]:
    """README.md and the command in it."""
    if seen.project is None:
        return
    if not seen.readme.strip():
        yield "there is no README.md."
    elif f"hcrm plugins enable {seen.name}" not in seen.readme:
        yield f"README.md does not show the command: hcrm plugins enable {seen.name}"


def public_api(seen: Seen) -> Iterator[str]:
    """Imports of the package and of its tests."""
    for modules, allowed in ((seen.modules, ("api",)), (seen.tests, ("api", "testing"))):
        own = [seen.package.stem, *(f"hcrm_core.{name}" for name in allowed)]
        for module in modules:
            for line, name in module.imports():
                foreign = name.startswith(("hcrm_core", "hcrm_adapter_", "hcrm_plugin_"))
                if foreign and not any(_under(name, one) for one in own):
                    yield f"{module.path.name}, line {line} imports {name}."


def known_hooks(seen: Seen) -> Iterator[str]:
    """Names and arguments of hooks."""
    known = list(hookspecs.STAGES)
    if not seen.hooks:
        yield "nothing is marked by @hookimpl."
    for name in seen.hooks:
        if name not in known:
            yield f"there is no hook {name}. {nearest(name, known)}"
    for module in seen.modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef) and node.name in known and node.name in seen.hooks:
                valid = list(inspect.signature(getattr(hookspecs, node.name)).parameters)
                for argument in node.args.args:
                    if argument.arg not in valid:
                        yield f"the hook {node.name} has no argument {argument.arg}. {nearest(argument.arg, valid)}"


def has_tests(seen: Seen) -> Iterator[str]:
    """A function or a class of tests."""
    if seen.project is None:
        return
    for module in seen.tests:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                return
            if isinstance(node, ast.Assign) and any(dotted(target).startswith("Test") for target in node.targets):
                return
    yield "there is no test in the folder tests."


def conformance_kit(seen: Seen) -> Iterator[str]:
    """A call of the kit of each kind."""
    if seen.project is None:
        return
    called = {name.rpartition(".")[2] for module in seen.tests for _, name in module.calls()}
    for kind, kit in (("adapters", "adapter_kit"), ("strategies", "strategy_kit")):
        if kind in seen.kinds and kit not in called:
            yield f"it offers {kind}, and no test calls {kit}."


def errors_are_sentences(seen: Seen) -> Iterator[str]:
    """Raised errors, prints and exits of what runs in HCRM."""
    for module in seen.reached(inside=True):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Raise) and node.exc is not None:
                raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                if dotted(raised) in FOR_NOBODY:
                    yield f"{module.path.name}, line {node.lineno} raises {dotted(raised)}."
        for call, name in module.calls():
            if name in ENDING:
                yield f"{module.path.name}, line {call.lineno} calls {name}."


def titles(seen: Seen) -> Iterator[str]:
    """Titles that stand in the code; those that are made of rule files cannot be seen."""
    for module in seen.modules:
        for call, name in module.calls():
            if name.rpartition(".")[2] in ("Strategy", "Review", "Channel"):
                given = {one.arg: one.value for one in call.keywords}
                if None not in given and not _bilingual(given.get("title")):
                    yield f"{module.path.name}, line {call.lineno}: a {name} has no title in zh and en."
        for node in module.classes("Report"):
            if not _bilingual(_assigned(node, "title")):
                yield f"{module.path.name}, line {node.lineno}: the report {node.name} has no title in zh and en."


def settings_documented(seen: Seen) -> Iterator[str]:
    """Settings of sources, parameters, and the plugin's own table."""
    if seen.project is None:
        return
    told = words(" ".join(re.findall(r"(?s)```.*?```|`[^`\n]+`", seen.readme)))
    for module in seen.modules:
        for name in dict.fromkeys([*_fields(module), *_parameters(module)]):
            if name not in told:
                yield f"README.md does not name the setting {name}."
        for table in _tables(module):
            if f"[{table}]" not in seen.readme:
                yield f"README.md does not name the table [{table}]."


def pure(seen: Seen) -> Iterator[str]:
    """Imports and calls that reach beyond the arguments."""
    for module in seen.reached(inside=True):
        for line, name in module.imports():
            if OUTSIDE.fullmatch(name):
                yield f"{module.path.name}, line {line} imports {name}."
        for call, name in module.calls():
            if name in OUTSIDE_CALLS or name.removeprefix("datetime.") in OUTSIDE_CALLS:
                yield f"{module.path.name}, line {call.lineno} calls {name}."
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and dotted(node) == "os.environ":
                yield f"{module.path.name}, line {node.lineno} reads os.environ."


def cheap_import(seen: Seen) -> Iterator[str]:
    """What importing the plugin imports with it."""
    for module in seen.reached(inside=False):
        for line, name in module.imports(inside=False):
            if HEAVY.fullmatch(name.partition(".")[0]):
                yield f"{module.path.name}, line {line} imports {name} when the plugin is imported."


def typed(seen: Seen) -> Iterator[str]:
    """Annotations, and the marker."""
    if seen.package.is_dir() and not (seen.package / "py.typed").is_file():
        yield "the package has no file py.typed."
    for module in seen.modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                bare = [one.arg for one in given if one.annotation is None and one.arg not in ("self", "cls")]
                if bare or node.returns is None:
                    yield f"{module.path.name}, line {node.lineno}: {node.name} is not annotated."


def example(seen: Seen) -> Iterator[str]:
    """A block of TOML."""
    if seen.project is None:
        return
    blocks = re.findall(r"(?ms)^```toml\n(.*?)^```", seen.readme)
    if not blocks:
        yield "README.md has no block marked toml."
    for block in blocks:
        try:
            tomllib.loads(block)
        except tomllib.TOMLDecodeError as error:
            yield f"a block of README.md is no TOML: {error}."


def chinese(seen: Seen) -> Iterator[str]:
    """A line that begins in Chinese."""
    if seen.project is not None and not CHINESE.search(seen.readme):
        yield "README.md has no line that begins in Chinese."


def docs_page(seen: Seen) -> Iterator[str]:
    """A page in the project, a link to one, or its address."""
    if seen.project is None:
        return
    links = re.findall(r"\]\(([^)#:\s]+\.md)", seen.readme)
    pages = [link for link in links if (seen.project / link).is_file()]
    addressed = "documentation" in {name.lower() for name in seen.described.get("urls", {})}
    if not (pages or addressed or any((seen.project / "docs").glob("**/*.md"))):
        yield "there is no page under docs, no link to one in README.md, and no URL Documentation."


def origins(seen: Seen) -> Iterator[str]:
    """The methods that trace."""
    for module in seen.modules:
        for node in module.classes("Adapter"):
            made = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
            for name in ("fields", "origins", "field_name"):
                if name not in made:
                    yield f"{module.path.name}, line {node.lineno}: {node.name} does not implement {name}."


def property_tests(seen: Seen) -> Iterator[str]:
    """Tests that import hypothesis."""
    if seen.project is not None:
        imported = {name.partition(".")[0] for module in seen.tests for _, name in module.imports()}
        if "hypothesis" not in imported:
            yield "no test imports hypothesis."


def _under(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def _bilingual(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Dict):
        return {"en", "zh"} <= {key.value for key in node.keys if isinstance(key, ast.Constant)}
    return node is not None


def _assigned(node: ast.ClassDef, name: str) -> ast.expr | None:
    for one in node.body:
        if isinstance(one, ast.Assign) and any(dotted(target) == name for target in one.targets):
            return one.value
        if isinstance(one, ast.AnnAssign) and dotted(one.target) == name:
            return one.value
    return None


def _tables(module: Module) -> Iterator[str]:
    for call, name in module.calls():
        if name.endswith(".settings") and call.args and isinstance(call.args[0], ast.Constant):
            yield str(call.args[0].value)


def _fields(module: Module) -> Iterator[str]:
    own = [*module.classes("SourceSettings")]
    if any(_tables(module)):
        own += [node for node in module.classes("Struct") if node.name.endswith("Settings")]
    for node in own:
        yield from (dotted(one.target) for one in node.body if isinstance(one, ast.AnnAssign))


def _parameters(module: Module) -> Iterator[str]:
    for call, name in module.calls():
        if name.rpartition(".")[2] in ("Strategy", "Review"):
            for given in (one.value for one in call.keywords if one.arg == "parameters"):
                keys = given.keys if isinstance(given, ast.Dict) else []
                yield from (str(key.value) for key in keys if isinstance(key, ast.Constant))
