"""The READMEs name every command there is, and none that there is not."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hcrm_core.cli import main

ROOT = Path(__file__).resolve().parents[2]


def there_are() -> set[str]:
    """All commands of the core, those of groups as `customers list`."""

    def under(group: click.Group, before: str) -> Iterator[str]:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from under(command, f"{before}{name} ")
            else:
                yield f"{before}{name}"

    return set(under(main, ""))


def named(text: str) -> set[str]:
    """The commands in the first column of the table of commands."""
    found = set()
    for row in re.findall(r"^\| (`hcrm [^\n]*)$", text, re.MULTILINE):
        cell = re.split(r"(?<!\\)\|", row)[0]
        for command in re.findall(r"`hcrm ([^`]+)`", cell):
            words = [word for word in command.split() if re.fullmatch(r"[a-z][a-z-]*(\\\|[a-z][a-z-]*)*", word)]
            *before, last = words
            found |= {" ".join((*before, one)) for one in last.split(r"\|")}
    return found


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_table_names_every_command(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    of_the_simulator = {"simulate", "simulate-people"}
    assert named(text) == (there_are() - {"listen"}) | of_the_simulator
    assert "`hcrm listen`" in text
