"""`hcrm plugins`: what is installed and what is enabled. Nothing here needs a plugin to work."""

import re
import tomllib
from pathlib import Path

import click

from hcrm_core import env, quality
from hcrm_core.cli.context import find, json_option, opened, say, show_json, show_table, workspace_option
from hcrm_core.config import Configuration, nearest
from hcrm_core.errors import ConfigurationError, UsageError
from hcrm_core.registry.installed import installed


@click.group()
def plugins() -> None:
    """See, enable and disable plugins."""


@plugins.command("list")
@json_option
@workspace_option
def list_(as_json: bool, workspace: str | None) -> None:
    """List installed plugins, which of them this workspace enables, in order, and their level of quality."""
    enabled = Configuration(find(workspace)).settings.plugins
    known = installed()
    order = [*enabled, *(name for name in known if name not in enabled)]
    rows = [
        {
            "name": name,
            "enabled": name in enabled,
            "distribution": known[name].distribution if name in known else None,
            "version": known[name].version if name in known else None,
            "quality": quality.level(known[name]) if name in known else None,
            "problem": known[name].problem if name in known else None,
        }
        for name in order
    ]
    if as_json:
        show_json(rows)
        return
    show_table(
        ("plugin", "enabled", "distribution", "version", "quality"),
        [
            (
                r["name"],
                "yes" if r["enabled"] else "no",
                r["distribution"] or "NOT INSTALLED",
                r["version"] or "",
                r["quality"] or "-",
            )
            for r in rows
        ],
    )
    for problem in (known[name].problem for name in order if name in known):
        if problem:
            say(problem)


@plugins.command()
@click.argument("name")
@workspace_option
def enable(name: str, workspace: str | None) -> None:
    """Add a plugin to the end of `plugins` in hcrm.toml."""
    root = find(workspace)
    known = installed()
    if name not in known:
        raise UsageError(f"There is no installed plugin {name!r}. {nearest(name, list(known))}")
    enabled = Configuration(root).settings.plugins
    if name in enabled:
        say(f"{name} is enabled already.")
        return
    _write(root, (*enabled, name))
    say(f"Enabled {name} ({known[name].distribution} {known[name].version}).")


@plugins.command()
@click.argument("name")
@workspace_option
def disable(name: str, workspace: str | None) -> None:
    """Take a plugin out of `plugins` in hcrm.toml; works with a broken plugin too."""
    root = find(workspace)
    enabled = Configuration(root).settings.plugins
    if name not in enabled:
        raise UsageError(f"{name!r} is not enabled. {nearest(name, list(enabled))}")
    _write(root, tuple(other for other in enabled if other != name))
    say(f"Disabled {name}. What it decided stays; nothing is withdrawn.")


@plugins.command()
@click.argument("names", nargs=-1, metavar="[NAME...]")
@json_option
@workspace_option
def check(names: tuple[str, ...], as_json: bool, workspace: str | None) -> None:
    """Load plugins, each in a process of its own, and check everything they offer; the enabled ones by default.

    One that is installed and not enabled can be checked before it is. What its conformance kit finds is shown by its
    own tests.
    """
    # It checks SQL, and brings all that takes; the other commands of this group need none of it.
    from hcrm_core.cli.plugin_check import examine

    with opened(workspace) as space:
        for name in names:
            if name not in installed() and name not in space.registry.plugins:
                raise UsageError(f"There is no installed plugin {name!r}. {nearest(name, list(installed()))}")
        findings = [finding for name in names or space.registry.plugins for finding in examine(space.registry, name)]
    if as_json:
        show_json([{"plugin": name, "level": level, "finding": text} for name, level, text in findings])
    else:
        show_table(("plugin", "level", "finding"), findings)
    if any(level == "wrong" for _, level, _ in findings):
        raise click.exceptions.Exit(1)


@plugins.command()
@json_option
@workspace_option
def commands(as_json: bool, workspace: str | None) -> None:
    """List the commands that enabled plugins add."""
    with opened(workspace) as space:
        rows = [(name, command.help) for name, command in sorted(space.registry.commands.items())]
    if as_json:
        show_json([{"name": name, "help": text} for name, text in rows])
    else:
        show_table(("command", "what it does"), rows)


def _write(root: Path, enabled: tuple[str, ...]) -> None:
    file = root / env.CONFIGURATION
    text = file.read_text(encoding="utf-8-sig")
    line = "plugins = [" + ", ".join(f'"{name}"' for name in enabled) + "]"
    changed, count = re.subn(r"(?ms)^plugins\s*=\s*\[.*?\]", lambda _: line, text, count=1)
    if not count:
        changed = f"{line}\n{text}"
    try:
        file.write_text(changed, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from None
    try:
        written = tomllib.loads(changed).get("plugins") == list(enabled)
    except tomllib.TOMLDecodeError:
        written = False
    if not written:
        file.write_text(text, encoding="utf-8")
        raise ConfigurationError(f"{file}: `plugins` is written in a way this command cannot change. Edit it by hand.")
