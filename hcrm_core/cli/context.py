"""What the commands share: the opened workspace, options, and how results are shown."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hcrm_core import env
from hcrm_core.config import Configuration, nearest
from hcrm_core.errors import ConfigurationError, UsageError, WorkspaceError
from hcrm_core.intake.pool import WorkerPool
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.registry.enabled import Registry
from hcrm_core.registry.loader import Loader
from hcrm_core.registry.offers import Source
from hcrm_core.store import schema
from hcrm_core.store.codec import Codec, read_key
from hcrm_core.store.engine import Store

if TYPE_CHECKING:
    from hcrm_core.decide.code import PluginCode
    from hcrm_core.mart.spark import Spark

F = TypeVar("F", bound=Callable[..., Any])

PARTIAL = 3
"""Exit code: done, with items that were quarantined, rejected, or did not pass."""


class Opened:
    """A workspace in use; its parts are made when first asked for.

    Attributes:
        root: The workspace folder.
        configuration: Its `hcrm.toml`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.configuration = _read(root)
        self.keep_going = False
        """Whether to leave out plugins that fail."""
        self.workers: int | None = None
        """How many hosts translate at once; by the machine where not given."""

    def reload(self) -> None:
        """Read `hcrm.toml` anew; databases stay as they are.

        Raises:
            ConfigurationError: It or the mapping of a source is wrong; what was read before goes on.
            PluginError: An enabled plugin fails; likewise.
        """
        configuration = _read(self.root)
        registry = Registry(configuration, keep_going=self.keep_going)
        try:
            for source in configuration.settings.sources:
                # One that is read by no enabled adapter is told, and held back, where its messages are.
                with suppress(UsageError):
                    registry.source(source)
            if "pool" in self.__dict__:
                self.pool.reload(registry)
        except BaseException:
            registry.close()
            raise
        self.registry.close()
        self.configuration, self.registry = configuration, registry
        self.__dict__.pop("source_of", None)
        if code := self.__dict__.pop("code", None):
            code.close()

    def close(self) -> None:
        """Give back connections and end hosts."""
        for name in ("pool", "code", "registry", "store", "unchecked_store"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @cached_property
    def store(self) -> Store:
        """The store, at this version's schema."""
        store = self.unchecked_store
        schema.require_current(store)
        return store

    @cached_property
    def unchecked_store(self) -> Store:
        """The store, whatever its schema; for commands that mend it."""
        settings = self.configuration.settings
        key = read_key(self.configuration.path(settings.store.key_file))
        return Store(
            self.configuration.store_url,
            self.configuration.inbox_url,
            Codec(key),
            settings.timezone,
            self.configuration.identity,
            settings.golden,
        )

    @cached_property
    def registry(self) -> Registry:
        """The enabled plugins."""
        return Registry(self.configuration, keep_going=self.keep_going)

    @cached_property
    def pool(self) -> WorkerPool:
        """The hosts that read messages."""
        return WorkerPool(self.registry, self.workers)

    @cached_property
    def code(self) -> "PluginCode":
        """What strategies and reports have beside their SQL."""
        from hcrm_core.decide.code import PluginCode  # it takes Arrow, which most commands do without

        return PluginCode(self.registry)

    @cached_property
    def source_of(self) -> Callable[[str], Source]:
        """Name → source; of one that is only known by its messages, with the adapter of its name."""
        return lru_cache(self._source_of)

    def _source_of(self, source: str) -> Source:
        known = source in self.configuration.settings.sources
        if not known and source != MANUAL and source not in self.registry.adapters:
            raise ConfigurationError(
                f"Messages of the source {source!r} wait to be translated, but hcrm.toml has no table "
                f"[sources.{source}]. Put it back."
            )
        return self.registry.source(source, None if known else source)

    @property
    def mart(self) -> Path:
        """The mart's folder."""
        return self.configuration.path(self.configuration.settings.mart.path)

    def engine(self, chosen: str | None = None) -> "Spark | None":
        """What runs SELECTs in DuckDB's place: Spark, where it is chosen or else configured."""
        if (chosen or self.configuration.settings.mart.engine) != "spark":
            return None
        from hcrm_core.mart.spark import Spark

        return Spark(self.configuration.settings.mart.spark)

    @property
    def timezone(self) -> str:
        """The workspace's zone."""
        return self.configuration.settings.timezone


def _read(root: Path) -> Configuration:
    """A workspace's settings; the linking model they name is read, so that nobody learns of a mistake half-way."""
    configuration = Configuration(root)
    if configuration.settings.identity.model is not None:
        from hcrm_core.identity.model import scorer_of  # it takes long, and most workspaces name no model

        try:
            scorer_of(configuration.identity)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{configuration.where('identity', 'model')}: {error} Correct the path, or take the line out to "
                "link by the model that is shipped."
            ) from None
    return configuration


def workspace_option(command: F) -> F:
    """`--workspace` on a command, besides the one on `hcrm` itself."""
    return click.option("--workspace", metavar="DIR", help="The workspace, where it is not the current directory.")(
        command
    )


def json_option(command: F) -> F:
    """`--json`: one JSON document on standard output and nothing else there."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")(command)


def keep_going_option(command: F) -> F:
    """`--keep-going`: leave out plugins that fail, where a run would stop otherwise."""
    return click.option("--keep-going", is_flag=True, help="Go on without plugins that fail to load.")(command)


def find(given: str | None) -> Path:
    """The workspace folder, by the command's option or that of `hcrm`."""
    ctx = click.get_current_context(silent=True)
    return env.find_workspace(given or (ctx.find_root().obj if ctx else None))


@contextmanager
def opened(given: str | None) -> Iterator[Opened]:
    """The workspace a command works on; connections are given back at the end."""
    workspace = Opened(find(given))
    try:
        yield workspace
    finally:
        workspace.close()


def plugin_command(ctx: click.Context, name: str, own: list[str]) -> click.Command:
    """A command an enabled plugin offers.

    Args:
        ctx: Of `hcrm`.
        name: The command asked for.
        own: The core's commands, for a suggestion.

    Raises:
        UsageError: There is none.
    """
    try:
        root = env.find_workspace(ctx.params.get("workspace"))
    except WorkspaceError as error:
        raise UsageError(
            f"There is no command {name!r}. {nearest(name, own)} Commands of plugins need a workspace. {error}"
        ) from None
    # One that is broken must not stand between a person and the commands of the others.
    registry = Registry(Configuration(root), keep_going=True)
    try:
        offered = registry.commands
    finally:
        registry.close()
    for sentence in registry.left_out.values():
        say(f"hcrm: {sentence}")
    if name not in offered:
        raise UsageError(f"There is no command {name!r}. {nearest(name, [*own, *offered])}")
    return contributed(registry, name)


def contributed(registry: Registry, name: str) -> click.Command:
    """A command that a plugin offers, loaded into this process.

    Raises:
        PluginError: The plugin fails.
    """
    plugin = registry.owner("register_commands", name)
    commands = Loader(registry.configuration).call(plugin, "register_commands")
    found: click.Command = next(command for command in commands if command.name == name)
    return found


def show_json(value: Any) -> None:
    """Print the one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: object) -> str:
    """Days and instants as ISO 8601, exact numbers as they are written."""
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def show_table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under headers, aligned by what a terminal shows: a Chinese character is two columns wide."""
    texts = [tuple("" if cell is None else str(cell) for cell in row) for row in rows]
    widths = [max(map(width, column)) for column in zip(headers, *texts, strict=True)]
    for row in (tuple(headers), tuple("─" * w for w in widths), *texts):
        click.echo("  ".join(pad(cell, w) for cell, w in zip(row, widths, strict=True)).rstrip())


def width(text: str) -> int:
    """How many columns a text takes on a terminal."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def pad(text: str, to: int) -> str:
    """A text filled with blanks to a number of columns."""
    return text + " " * (to - width(text))


def say(text: str) -> None:
    """Tell the person something on standard error."""
    click.echo(text, err=True)


def counted(count: int, thing: str) -> str:
    """`1 file`, `2 files`, `1,000 files`."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


class Progress:
    """A counter on the terminal; silent where nobody is watching."""

    def __init__(self, label: str, unit: str) -> None:
        """Args: label: what is going on; unit: what is counted."""
        self._label, self._unit = label, unit
        self._count = 0
        self._watched = env.terminal()

    def add(self, count: int) -> None:
        """Count on."""
        self._count += count
        if self._watched:
            sys.stderr.write(f"\r{self._label} {self._count:,} {self._unit}")
            sys.stderr.flush()

    def end(self) -> None:
        """End the line."""
        if self._watched and self._count:
            sys.stderr.write("\n")
