"""The command line starts without what it does not need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hcrm_core import cli
from hcrm_core.cli import COMMANDS, main

HEAVY = (
    "pluggy", "sqlalchemy", "alembic", "duckdb", "pyarrow", "sqlglot", "msgspec", "yaml", "importlib.metadata",
    "hcrm_core.registry", "hcrm_core.store", "hcrm_core.mart",
)  # fmt: skip


def modules_after(*arguments: str, cwd: Path) -> tuple[set[str], str]:
    """What a fresh interpreter has imported when the command has ended, and what the command said."""
    code = (
        "import sys\nfrom hcrm_core.cli import main\n"
        f"sys.argv = ['hcrm', *{list(arguments)!r}]\n"
        "try:\n    main.main()\nexcept SystemExit:\n    pass\n"
        "print('\\x00'.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stderr.strip().splitlines()[-1].split("\0")), done.stdout


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("--version",), ()])
def test_help_and_version_import_neither_plugins_nor_databases(arguments: tuple[str, ...], tmp_path: Path) -> None:
    loaded, said = modules_after(*arguments, cwd=tmp_path)
    assert not loaded & set(HEAVY)
    assert not [name for name in loaded if name.startswith(("hcrm_adapter_", "hcrm_plugin_"))]
    assert "hcrm" in said or not arguments


def test_help_inside_a_workspace_imports_no_plugin_either(workspace: Path) -> None:
    loaded, said = modules_after("--help", cwd=workspace)
    assert not loaded & set(HEAVY)
    assert all(name in said for name in COMMANDS)


@pytest.mark.parametrize("name", ["customers", "ingest", "init", "listen", "messages", "points", "run", "tasks"])
def test_what_decides_nothing_imports_no_analytical_engine(name: str, workspace: Path) -> None:
    loaded, said = modules_after(name, "--help", cwd=workspace)
    assert said.startswith("Usage: ")
    assert not loaded & {"duckdb", "pyarrow", "sqlglot", "sqlalchemy.dialects.postgresql", "alembic", "packaging"}


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert version("hcrm") == cli.VERSION
    assert CliRunner().invoke(main, ["--version"]).stdout == f"hcrm, version {cli.VERSION}\n"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_of_the_table_exists_and_has_the_name_it_is_called_by(name: str) -> None:
    command = cli.load(name)
    assert command.name == name
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0 and result.stdout.startswith("Usage: ")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_table_and_the_command_describe_themselves_alike(name: str) -> None:
    described = (cli.load(name).help or "").partition("\n")[0]
    assert described.rstrip(".") and COMMANDS[name][1].endswith(".")


def test_an_unknown_command_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["ingets"])
    assert result.exit_code == 2
    assert "There is no command 'ingets'. Did you mean 'ingest'?" in result.stderr


def test_help_ends_soon(tmp_path: Path) -> None:
    """A generous bound; the budget on a quiet machine is a tenth of it."""
    import time

    began = time.perf_counter()
    modules_after("--help", cwd=tmp_path)
    assert time.perf_counter() - began < 15


def test_no_workspace_is_a_sentence_that_lists_the_places_searched(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "HCRM_WORKSPACE"}
    done = subprocess.run(
        [sys.executable, "-c", "from hcrm_core.cli import main; main()", "customers", "list"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "hcrm: There is no workspace here: searched --workspace (not given), HCRM_WORKSPACE (not set) and the current "
        f"directory {tmp_path} for hcrm.toml. Make one with: hcrm init DIR\n"
    )
