"""What can be seen of a plugin by reading its files; nothing of it is imported."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from hcrm_core.errors import PluginError
from hcrm_core.registry.installed import GROUP, Installed, folder

KINDS = {
    "register_adapters": "adapters",
    "register_strategies": "strategies",
    "register_reports": "reports",
    "register_channels": "channels",
    "register_commands": "commands",
    "review_decisions": "reviews",
    "transform_records": "transforms",
    "after_intake": "observers",
    "after_decide": "observers",
}
"""Hook → what a plugin that implements it offers."""


_IMPORTERS = ("import_module", "__import__")


class Module:
    """One file of Python.

    Attributes:
        path: Where it lies.
        name: Its name inside the package, empty for the package itself.
        tree: Its syntax.
    """

    def __init__(self, path: Path, package: Path) -> None:
        """Raises: SyntaxError, ValueError: It is no Python."""
        self.path = path
        parts = path.relative_to(package).with_suffix("").parts if path != package else ()
        self.name = ".".join(part for part in parts if part != "__init__")
        self.tree = ast.parse(path.read_text(encoding="utf-8"), filename=path.name)

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Each call with the dotted name of what is called, as far as it has one."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node, dotted(node.func)

    def classes(self, base: str) -> Iterator[ast.ClassDef]:
        """The classes that name a base class."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef) and base in [dotted(one).rpartition(".")[2] for one in node.bases]:
                yield node

    def imports(self, *, inside: bool = True) -> Iterator[tuple[int, str]]:
        """Line and name of each absolute import (`json`, `os.path.join`); those for type checks only are left out.

        Args:
            inside: Those inside functions too.
        """
        for node in _walk(self.tree, inside):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = dotted(node.func).rpartition(".")[2]
                yield from [(node.lineno, str(node.args[0].value))] if called in _IMPORTERS else []


class Seen:
    """A plugin as its files show it."""

    def __init__(self, name: str, distribution: str, package: Path) -> None:
        """Args:
        name: Of its entry point.
        distribution: Whose it is.
        package: Its package, or its only module.
        """
        self.name, self.distribution, self.package = name, distribution, package

    @classmethod
    def at(cls, project: Path) -> "Seen":
        """The plugin of a folder with a `pyproject.toml`.

        Raises:
            PluginError: It is no plugin's.
        """
        try:
            described = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            ((name, value),) = described["entry-points"][GROUP].items()
        except (OSError, ValueError, LookupError):
            raise PluginError(f"{project} has no pyproject.toml with one entry point of the group {GROUP}.") from None
        top = value.partition(":")[0].partition(".")[0]
        places = [place for place in (project / "src" / top, project / top) if place.is_dir()]
        if not places:
            raise PluginError(f"{project} has no package {top}, which its entry point names.")
        return cls(name, described["name"], places[0])

    @classmethod
    def of(cls, plugin: Installed) -> "Seen":
        """An installed plugin.

        Raises:
            PluginError: Its files cannot be found.
        """
        place = folder(plugin)
        if place is None:
            raise PluginError(f"{plugin}: its package {plugin.package} cannot be found. Install it again.")
        return cls(plugin.name, plugin.distribution, place)

    @cached_property
    def project(self) -> Path | None:
        """The folder of its `pyproject.toml`; `None` where only the package was installed."""
        for place in (self.package.parent, self.package.parent.parent):
            file = place / "pyproject.toml"
            if file.is_file() and self.distribution in file.read_text(encoding="utf-8"):
                return place
        return None

    @cached_property
    def described(self) -> dict[str, Any]:
        """`[project]` of its `pyproject.toml`; empty where there is none."""
        if self.project is None:
            return {}
        found = tomllib.loads((self.project / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
        return dict(found)

    @cached_property
    def readme(self) -> str:
        """The text of its README.md; empty where there is none."""
        file = (self.project or self.package) / "README.md"
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        """Every file of Python in the package.

        Raises:
            SyntaxError, ValueError: One is none.
        """
        files = sorted(self.package.rglob("*.py")) if self.package.is_dir() else [self.package]
        return tuple(Module(file, self.package) for file in files)

    @cached_property
    def tests(self) -> tuple[Module, ...]:
        """Every file of Python in the folder `tests` of the project."""
        place = self.project / "tests" if self.project else None
        return tuple(Module(file, place) for file in sorted(place.rglob("*.py"))) if place else ()

    @cached_property
    def hooks(self) -> tuple[str, ...]:
        """What is marked as an implementation of a hook."""
        found = []
        for node in (node for module in self._marking for node in ast.walk(module.tree)):
            if isinstance(node, ast.FunctionDef):
                marks = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
                if any(dotted(one).rpartition(".")[2] == "hookimpl" for one in marks):
                    found.append(node.name)
        return tuple(dict.fromkeys(found))

    @cached_property
    def kinds(self) -> frozenset[str]:
        """What it offers (`adapters`, `reviews` …)."""
        return frozenset(KINDS[hook] for hook in self.hooks if hook in KINDS)

    def reached(self, *, inside: bool) -> tuple[Module, ...]:
        """The modules of the package that importing the plugin imports.

        Args:
            inside: Those too that its functions import when they are called.
        """
        known = {module.name: module for module in self.modules}
        found: dict[str, Module] = {}
        waiting = [""]
        while waiting:
            module = known.get(waiting.pop())
            if module is None or module.name in found:
                continue
            found[module.name] = module
            for _, name in module.imports(inside=inside):
                top, _, rest = name.partition(".")
                if top == self.package.stem:
                    parts = rest.split(".")
                    waiting += [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
        return tuple(found.values())

    @property
    def _marking(self) -> Iterator[Module]:
        # Reading one file of fifty keeps listing plugins fast.
        if "modules" in self.__dict__:
            yield from self.modules
            return
        for file in sorted(self.package.rglob("*.py")) if self.package.is_dir() else [self.package]:
            if "hookimpl" in file.read_text(encoding="utf-8"):
                yield Module(file, self.package)


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression that is a name or an attribute of one; empty of any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    return ""


def words(text: str) -> set[str]:
    """The identifiers in a text."""
    return set(re.findall(r"[A-Za-z_]\w*", text))


def _walk(node: ast.AST, inside: bool) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not inside:
            continue
        if isinstance(child, ast.If) and dotted(child.test).rpartition(".")[2] == "TYPE_CHECKING":
            continue
        yield from _walk(child, inside)
