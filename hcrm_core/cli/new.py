"""`hcrm new`: the skeleton of an adapter or a plugin, which works and is tested as it is."""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

import click

from hcrm_core.cli.context import say
from hcrm_core.config import Settings
from hcrm_core.errors import UsageError
from hcrm_core.model.adapters import RECORD_FILES
from hcrm_core.registry.installed import installed

Kind = Literal["adapter", "plugin"]

SUFFIX = ".in"
"""Ends the name of every file of a skeleton, so that no tool takes it for code, a project or a test."""

LONGEST = 30
"""Letters of a name; with more, lines of the skeleton are longer than its style allows."""


@click.group()
def new() -> None:
    """Make the skeleton of an adapter or a plugin."""


@new.command()
@click.argument("name")
@click.option("--dir", "directory", default=".", metavar="DIR", help="Where to make the folder; else here.")
def adapter(name: str, directory: str) -> None:
    """Make the folder hcrm-adapter-NAME: an adapter that reads files of a made-up format, its tests and a sample."""
    _make("adapter", name, directory)


@new.command()
@click.argument("name")
@click.option("--dir", "directory", default=".", metavar="DIR", help="Where to make the folder; else here.")
def plugin(name: str, directory: str) -> None:
    """Make the folder hcrm-plugin-NAME: a plugin with one strategy in SQL, and its tests."""
    _make("plugin", name, directory)


def render(kind: Kind, name: str, directory: Path) -> Path:
    """Write the skeleton of a distribution.

    Args:
        kind: Of which kind.
        name: Of the plugin; it was checked.
        directory: Where the folder is made.

    Returns:
        The folder.

    Raises:
        UsageError: It is there already, or cannot be made.
    """
    module = name.replace("-", "_")
    values = {"name": name, "module": module, "package": f"hcrm_{kind}_{module}"}
    folder = directory / f"hcrm-{kind}-{name}"
    if not directory.is_dir():
        raise UsageError(f"There is no folder {directory}. Make it first, or name another with --dir.")
    try:
        folder.mkdir()
        _write(files("hcrm_core") / "templates" / kind, folder, values)
    except FileExistsError:
        raise UsageError(f"{folder} is there already; it was not touched. Choose another name or --dir.") from None
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}. Choose another place with --dir.") from None
    return folder


def check_name(kind: Kind, name: str) -> None:
    """Refuse a name that no plugin can have.

    Raises:
        UsageError: It is none, or it is taken; the text suggests another.
    """
    if not re.fullmatch(r"(?!hcrm-)[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or len(name) > LONGEST:
        better = _suggestion(name)
        advice = f" Did you mean {better!r}?" if better else " An example: 'clinic-visits'."
        raise UsageError(
            f"{name!r} cannot be a plugin's name: it is made of at most {LONGEST} lower-case letters, digits and "
            f"single hyphens, begins with a letter, and leaves out hcrm-{kind}-, which is put before it.{advice}"
        )
    if name in Settings.__struct_fields__:
        raise UsageError(
            f"{name!r} cannot be a plugin's name: it is a key of hcrm.toml, where a plugin's table has the plugin's "
            f"name. Did you mean 'my-{name}'?"
        )
    if name == RECORD_FILES:
        raise UsageError(
            f"{name!r} cannot be a plugin's name: HCRM reads record files by it. Did you mean 'my-{name}'?"
        )
    if other := installed().get(name):
        raise UsageError(
            f"The name {name!r} is taken by {other.distribution} {other.version}, which is installed. Choose another, "
            f"as 'my-{name}', or uninstall it first: pip uninstall {other.distribution}"
        )


def _make(kind: Kind, name: str, directory: str) -> None:
    check_name(kind, name)
    folder = render(kind, name, Path(directory))
    count = sum(1 for path in folder.rglob("*") if path.is_file())
    say(f"Made {folder}: {count} files. Begin with its README.md. Next, in an environment that has HCRM and pytest:")
    say(f"  pip install -e {folder}")
    say(f"  pytest {folder}")
    say(f"  hcrm plugins enable {name}")


def _suggestion(name: str) -> str:
    """What the person may have meant; empty where nobody can tell."""
    plain = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower())
    plain = re.sub(r"^(hcrm-)?(adapter-|plugin-)?[0-9-]*", "", plain)
    return plain[:LONGEST].strip("-")


def _write(template: Traversable, folder: Path, values: dict[str, str]) -> None:
    for entry in sorted(template.iterdir(), key=lambda entry: entry.name):
        target = folder / _filled(entry.name, values).removesuffix(SUFFIX)
        if entry.is_dir():
            target.mkdir()
            _write(entry, target, values)
        elif entry.name.endswith(SUFFIX):
            target.write_text(_filled(entry.read_text(encoding="utf-8"), values), encoding="utf-8")


def _filled(text: str, values: dict[str, str]) -> str:
    """A text with every `{{key}}` replaced by its value."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], text)
