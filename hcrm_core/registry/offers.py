"""What plugins offer, as data: how a host that has loaded them tells the core, which has not."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from hcrm_core.config import Configuration, Handed
from hcrm_core.errors import PluginError
from hcrm_core.hosting.serve import limit_memory
from hcrm_core.model.adapters import Adapter, SourceSettings
from hcrm_core.model.channels import Channel
from hcrm_core.model.reports import Report
from hcrm_core.model.reviews import Review
from hcrm_core.model.strategies import Strategy
from hcrm_core.registry.installed import Installed
from hcrm_core.registry.loader import Loader, Workspace


class Opening(Struct, frozen=True):
    """What a host is told first.

    Attributes:
        configuration: The workspace's.
        memory: Megabytes it may have.
        installed: The plugins by name, so that not every host looks for them.
    """

    configuration: Handed
    memory: int
    installed: dict[str, Installed]

    def loader(self) -> Loader:
        """Limit this process and let it load plugins."""
        limit_memory(self.memory)
        return Loader(Configuration(self.configuration), self.installed)


class AdapterOffer(Struct, frozen=True):
    """An adapter; the attributes are those of `model.adapters.Adapter`."""

    name: str
    version: str
    file_suffixes: tuple[str, ...]
    line_suffixes: tuple[str, ...]
    table_suffixes: tuple[str, ...]
    listens: bool
    pulls: bool
    maps: bool

    @classmethod
    def of(cls, adapter: type[Adapter]) -> "AdapterOffer":
        """What an adapter says of itself."""
        return cls(**{name: getattr(adapter, name) for name in cls.__struct_fields__})


class ReportOffer(Struct, frozen=True):
    """A report; the attributes are those of `model.reports.Report`."""

    name: str
    title: dict[str, str]
    suffix: str
    tables: tuple[str, ...]
    queries: dict[str, str]


class CommandOffer(Struct, frozen=True):
    """A command and its line in a list."""

    name: str
    help: str


class Source(Struct, frozen=True):
    """A source of the workspace and the adapter that reads it.

    Attributes:
        source: Its name.
        plugin: Which offers the adapter.
        adapter: What the plugin says of it.
        settings: Those every source has.
    """

    source: str
    plugin: str
    adapter: AdapterOffer
    settings: SourceSettings

    @property
    def name(self) -> str:
        """The adapter's name."""
        return self.adapter.name

    @property
    def version(self) -> str:
        """The adapter's version."""
        return self.adapter.version

    @property
    def by(self) -> str:
        """Adapter, version and, where there is one, the mapping: what a translation is recorded as made by."""
        mapping = self.settings.mapping
        return f"{self.name} {self.version}" + (f" mapping {mapping.fingerprint}" if mapping else "")

    @property
    def listens(self) -> bool:
        """Whether the adapter does."""
        return self.adapter.listens

    @property
    def pulls(self) -> bool:
        """Whether it says where it is pulled from, and its adapter knows what to ask."""
        return self.adapter.pulls and self.settings.url is not None


def _adapter(item: Any) -> AdapterOffer:
    if not (isinstance(item, type) and issubclass(item, Adapter)):
        raise TypeError("an adapter class was expected")
    return AdapterOffer.of(item)


def _strategy(item: Any) -> Strategy:
    if not isinstance(item, Strategy):
        raise TypeError("a Strategy was expected")
    return item


def _channel(item: Any) -> Channel:
    if not isinstance(item, Channel):
        raise TypeError("a Channel was expected")
    return item


def _review(item: Any) -> Review:
    if not isinstance(item, Review):
        raise TypeError("a Review was expected")
    return item


def _report(item: Any) -> ReportOffer:
    if not (isinstance(item, type) and issubclass(item, Report)):
        raise TypeError("a report class was expected")
    return ReportOffer(item.name, dict(item.title), item.suffix, tuple(item.tables), dict(item.queries))


def _command(item: Any) -> CommandOffer:
    return CommandOffer(item.name, item.get_short_help_str(80))


class Hook(Struct, frozen=True):
    """A hook that collects.

    Attributes:
        offer: Its items as data.
        kind: The type of that.
        sees_workspace: Whether implementers are given the workspace.
    """

    offer: Callable[[Any], Any]
    kind: Any
    sees_workspace: bool = False


HOOKS: dict[str, Hook] = {
    "register_adapters": Hook(_adapter, AdapterOffer),
    "register_strategies": Hook(_strategy, Strategy, sees_workspace=True),
    "register_reports": Hook(_report, ReportOffer),
    "register_channels": Hook(_channel, Channel),
    "review_decisions": Hook(_review, Review, sees_workspace=True),
    "register_commands": Hook(_command, CommandOffer),
}
"""Hooks whose answers reach the core as data."""


def offers(loader: Loader, plugin: str, hook: str) -> list[Any]:
    """What a plugin offers, checked.

    Raises:
        PluginError: It fails, or offers what is none of its kind.
        HcrmError: Any other it raised on purpose.
    """
    known = HOOKS[hook]
    given = {"workspace": Workspace(loader.configuration)} if known.sees_workspace else {}
    found = loader.call(plugin, hook, **given)
    try:
        return [msgspec.convert(msgspec.to_builtins(known.offer(item)), known.kind) for item in found]
    except Exception as error:
        reason = str(error) if isinstance(error, msgspec.ValidationError) else type(error).__name__
        raise PluginError(
            f"{loader.known(plugin)} offers by {hook} what breaks the contract ({reason}). Disable it with: "
            f"hcrm plugins disable {plugin}"
        ) from None
