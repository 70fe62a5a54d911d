"""The house rules: style, types, import direction, packaging, locks, and no file that fits one machine."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
MEMBERS = sorted(path.parent for kind in ("adapters", "plugins") for path in ROOT.glob(f"{kind}/*/pyproject.toml"))
PROJECTS = [ROOT, *MEMBERS]
LOCKS = [ROOT / "configs" / "requirements.txt", ROOT / "configs" / "requirements-dev.txt"]


def project(folder: Path) -> dict:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def import_name(folder: Path) -> str:
    return folder.name.replace("-", "_")


def package_folder(folder: Path) -> Path:
    return folder / "hcrm_core" if folder == ROOT else folder / "src" / import_name(folder)


def run(*command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"{' '.join(map(str, command))}\n{done.stdout}", pytrace=False)


def tracked_files() -> list[Path]:
    """What git tracks; in an unpacked archive without git, every file that is not hidden or generated."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 0 and done.stdout:
        files = [ROOT / name for name in done.stdout.decode("utf-8").split("\0") if name]
        return [path for path in files if path.is_file()]
    generated = re.compile(r"(^|/)(\.(venv|git|[a-z_]+_cache|hypothesis)|__pycache__|build|dist)(/|$)")
    every = (path for path in ROOT.rglob("*") if path.is_file())
    return [path for path in every if not generated.search(path.relative_to(ROOT).as_posix())]


# Style, types, imports


def test_ruff_check() -> None:
    run(sys.executable, "-m", "ruff", "check", ".")


def test_ruff_format() -> None:
    run(sys.executable, "-m", "ruff", "format", "--check", ".")


def test_mypy() -> None:
    run(sys.executable, "-m", "mypy")


def test_import_direction() -> None:
    run(BIN / "lint-imports")


def test_import_direction_knows_every_member() -> None:
    """import-linter needs its packages by name; a new adapter or plugin must not escape it."""
    config = project(ROOT)["tool"]["importlinter"]
    members = {import_name(folder) for folder in MEMBERS}
    contracts = {contract["id"]: contract for contract in config["contracts"]}
    assert set(config["root_packages"]) == members | {"hcrm_core"}
    assert set(contracts["no-plugins-in-core"]["forbidden_modules"]) == members
    assert set(contracts["independent-plugins"]["modules"]) == members


def imported_modules(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, module) for each absolute import, `import_module` with a literal name included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "hcrm_core":  # `from hcrm_core import store` imports hcrm_core.store
                yield from ((node.lineno, f"hcrm_core.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if called in {"import_module", "__import__"} and isinstance(first, ast.Constant):
                yield node.lineno, str(first.value)


def foreign_imports(source: str, own: str, allowed: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield the imports of HCRM packages that are neither `own` nor under one of `allowed`."""
    for line, module in imported_modules(source):
        if not module.startswith(("hcrm_core", "hcrm_adapter_", "hcrm_plugin_")):
            continue
        if not any(module == name or module.startswith(f"{name}.") for name in (own, *allowed)):
            yield line, module


@pytest.mark.parametrize("folder", MEMBERS, ids=lambda folder: folder.name)
def test_member_imports_only_the_public_api(folder: Path) -> None:
    """Adapters and plugins see only `hcrm_core.api` of the core; their tests also `hcrm_core.testing`."""
    wrong = []
    for part, allowed in {"src": ("hcrm_core.api",), "tests": ("hcrm_core.api", "hcrm_core.testing")}.items():
        for path in sorted((folder / part).rglob("*.py")):
            found = foreign_imports(path.read_text(encoding="utf-8"), import_name(folder), allowed)
            wrong += [f"{path.relative_to(ROOT)}:{line} imports {module}" for line, module in found]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from hcrm_core.api import hookimpl", []),
        ("from hcrm_core import api", []),
        ("import hcrm_core.api as api", []),
        ("from hcrm_plugin_x.rules import load", []),
        ("from . import rules", []),
        ("import click", []),
        ("import hcrm_core", ["hcrm_core"]),
        ("from hcrm_core import store", ["hcrm_core.store"]),
        ("from hcrm_core.store import engine", ["hcrm_core.store"]),
        ("from hcrm_core.apiary import bee", ["hcrm_core.apiary"]),
        ("def f():\n    import hcrm_core.mart", ["hcrm_core.mart"]),
        ("import importlib\nimportlib.import_module('hcrm_core.store')", ["hcrm_core.store"]),
        ("from hcrm_plugin_y import rules", ["hcrm_plugin_y"]),
    ],
)
def test_foreign_imports_are_found(source: str, expected: list[str]) -> None:
    found = [module for _, module in foreign_imports(source, "hcrm_plugin_x", ("hcrm_core.api",))]
    assert found == expected


# Packaging


@pytest.mark.parametrize("folder", MEMBERS, ids=lambda folder: folder.name)
def test_member_is_installed_with_its_entry_point(folder: Path) -> None:
    described = project(folder)["project"]
    name = folder.name.split("-", 2)[2]
    assert described["name"] == folder.name
    assert described["entry-points"]["hcrm.plugins"] == {name: import_name(folder)}
    assert "hcrm>=0.1,<0.2" in described["dependencies"], "first-party plugins cap the core's version"

    installed = metadata.distribution(folder.name)
    points = [point for point in installed.entry_points if point.group == "hcrm.plugins"]
    assert [(point.name, point.value) for point in points] == [(name, import_name(folder))]
    spec = find_spec(import_name(folder))
    assert spec is not None and spec.origin is not None
    assert Path(spec.origin).is_relative_to(folder), f"{import_name(folder)} is imported from {spec.origin}"


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: "hcrm" if folder == ROOT else folder.name)
def test_wheel_holds_every_file_of_the_package(folder: Path, tmp_path: Path) -> None:
    """A pattern in .gitignore, or data of a new kind, must not drop a file from what users install."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = package_folder(folder)
    expected = {path.relative_to(package.parent).as_posix() for path in tracked_files() if path.is_relative_to(package)}
    assert expected, f"{package} has no tracked file"
    assert not expected - names


def test_versions_agree() -> None:
    source = (ROOT / "hcrm_core" / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{project(ROOT)["project"]["version"]}"' in source


# Locks


def locked(path: Path) -> dict[str, tuple[str, int]]:
    """Read a lock as {distribution: (version, number of hashes)}."""
    found = {}
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", path.read_text(encoding="utf-8")):
        if block.strip():
            match = re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", block)
            assert match, f"{path.name}: not an exact version: {block.splitlines()[0]}"
            found[canonicalize_name(match[1])] = (
                match[2],
                len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block)),
            )
    return found


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_lock_has_hashes_and_no_address(path: Path) -> None:
    pins = locked(path)
    assert pins
    assert [name for name, (_, hashes) in pins.items() if not hashes] == []
    addresses = re.findall(r".*(?://|\bfile:|--(?:extra-)?index|--find-links|^-e | @ ).*", path.read_text("utf-8"))
    assert addresses == []


def test_development_lock_holds_the_runtime_lock() -> None:
    runtime, development = map(locked, LOCKS)
    assert {name: pin for name, pin in runtime.items() if development.get(name) != pin} == {}


def test_locks_satisfy_every_requirement() -> None:
    """`make lock` was run after the last change of a requirement."""
    runtime, development = map(locked, LOCKS)
    wanted: list[tuple[str, str, dict[str, tuple[str, int]]]] = []
    for folder in PROJECTS:
        described = project(folder)
        named = [
            *described["project"].get("dependencies", []),
            *chain.from_iterable(described["project"].get("optional-dependencies", {}).values()),
            *described["build-system"]["requires"],
        ]
        wanted += [(folder.name, text, runtime) for text in named]
    groups = project(ROOT)["dependency-groups"]
    wanted += [("build", text, runtime) for text in groups["build"]]
    wanted += [("dev", text, development) for text in groups["dev"] if isinstance(text, str)]

    wrong = []
    for origin, text, pins in wanted:
        requirement = Requirement(text)
        version, _ = pins.get(canonicalize_name(requirement.name), (None, 0))
        if requirement.name != "hcrm" and (version is None or not requirement.specifier.contains(version)):
            wrong.append(f"{origin} wants {text}, locked is {version}")
    assert not wrong, "\n".join([*wrong, "run `make lock`"])


# Nothing of one machine


def test_no_machine_path_and_no_package_index_in_tracked_files() -> None:
    """A path or an address of one machine works nowhere else."""
    # Put together here, so that this file does not hold what it looks for.
    folders = "|".join(["work", "opt", "root"])
    indexes = [
        "pypi" + r"\.org/simple",
        "files\\." + "pythonhosted",
        r"--(?:extra-)?index-" + "url[ =]",
        "--find-" + "links[ =]",
    ]
    pattern = re.compile(rf"(?<![\w.~}}>)-])/(?:{folders})/|" + "|".join(indexes))
    wrong = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), start=1):
            if pattern.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert not wrong, "\n".join(wrong)
