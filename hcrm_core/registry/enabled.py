"""The enabled plugins of one workspace, as the core knows them: by what hosts that loaded them say."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from hcrm_core.config import Configuration, nearest
from hcrm_core.errors import ConfigurationError, HcrmError, PluginError
from hcrm_core.hosting.host import Host, HostDied
from hcrm_core.model.adapters import SourceSettings
from hcrm_core.model.channels import Channel
from hcrm_core.model.manual import CORE, Manual
from hcrm_core.model.reviews import Review
from hcrm_core.model.strategies import Strategy
from hcrm_core.model.survivorship import MANUAL
from hcrm_core.registry.describing import Asked
from hcrm_core.registry.installed import Installed, installed, mentions
from hcrm_core.registry.loader import require_adapter
from hcrm_core.registry.offers import HOOKS, AdapterOffer, CommandOffer, Opening, ReportOffer, Source
from hcrm_core.registry.weighing import Weight

T = TypeVar("T")
P = TypeVar("P", Strategy, Review)


class Registry:
    """The enabled plugins of one workspace. Nothing is loaded until it is asked for."""

    def __init__(self, configuration: Configuration, *, keep_going: bool = False) -> None:
        """Args:
        configuration: Of the workspace.
        keep_going: Leave out plugins that fail, in `left_out`, instead of raising.
        """
        self.configuration = configuration
        self.left_out: dict[str, str] = {}
        """A sentence for each plugin that was left out."""
        self._keep_going = keep_going
        self._failed: dict[str, PluginError] = {}
        self._owners: dict[str, dict[str, str]] = {}
        self._hosts: dict[str, Host] = {}

    @property
    def plugins(self) -> tuple[str, ...]:
        """The names of the enabled plugins, in configured order."""
        return self.configuration.settings.plugins

    @cached_property
    def opening(self) -> Opening:
        """What a host of this workspace is told first."""
        memory = self.configuration.settings.workers.memory_mb
        return Opening(self.configuration.handed(), memory, self._known_plugins)

    @cached_property
    def adapters(self) -> dict[str, AdapterOffer]:
        """The adapters of the enabled plugins by name.

        Raises:
            PluginError: A plugin cannot be loaded, fails or breaks a contract; two offer the same name.
        """
        return self._collect("register_adapters")

    @cached_property
    def strategies(self) -> dict[str, Strategy]:
        """The strategies of the enabled plugins by name, with the workspace's parameters; raises as `adapters`."""
        found: dict[str, Strategy] = self._collect("register_strategies")
        for name in self.configuration.settings.strategies:
            if name not in found and not self.left_out:
                raise ConfigurationError(
                    f"{self.configuration.where('strategies', name)}: there is no enabled strategy {name!r}. "
                    + nearest(name, list(found))
                )
        return {name: self._with_parameters(strategy, "strategies") for name, strategy in found.items()}

    @cached_property
    def reports(self) -> dict[str, ReportOffer]:
        """The reports of the enabled plugins by name; raises as `adapters`."""
        return self._collect("register_reports")

    @cached_property
    def channels(self) -> dict[str, Channel]:
        """The channels of the enabled plugins by name; raises as `adapters`."""
        return self._collect("register_channels")

    @cached_property
    def reviews(self) -> dict[str, Review]:
        """The reviews of the enabled plugins by name, with the workspace's parameters.

        Raises:
            PluginError: As `adapters`; and where a plugin that was left out may review.
        """
        found: dict[str, Review] = self._collect("review_decisions")
        for plugin, sentence in self.left_out.items():
            if plugin not in self._known_plugins or mentions(self._known_plugins[plugin], "review_decisions"):
                raise PluginError(f"{sentence} It reviews decisions, so nothing is decided without it.")
        return {name: self._with_parameters(review, "reviews") for name, review in found.items()}

    @cached_property
    def commands(self) -> dict[str, CommandOffer]:
        """The commands of the enabled plugins by name; raises as `adapters`."""
        return self._collect("register_commands")

    def owner(self, hook: str, name: str) -> str:
        """The plugin that offers `name` by a hook that was collected."""
        return self._owners[hook][name]

    def hooks(self, plugin: str) -> list[str]:
        """The hooks a plugin implements; it is loaded for that.

        Raises:
            PluginError: It cannot be loaded.
        """
        return msgspec.msgpack.decode(self._ask("hooks", Asked(plugin)), type=list[str])

    def implementers(self, hook: str) -> list[str]:
        """The enabled plugins that implement a hook, in configured order; raises as `adapters`."""
        return [plugin for plugin in self.plugins if hook in self._unless_left_out(plugin, self.hooks)]

    def offers(self, plugin: str, hook: str) -> list[Any]:
        """What a plugin offers by a hook; the plugin need not be enabled.

        Raises:
            PluginError: It cannot be loaded, fails, or breaks a contract.
        """
        kind: Any = HOOKS[hook].kind
        return msgspec.msgpack.decode(self._ask("offers", Asked(plugin, hook)), type=list[kind])

    def warnings(self, plugin: str) -> list[str]:
        """What the author of a plugin should know: hooks and arguments that will go; raises as `hooks`."""
        return msgspec.msgpack.decode(self._ask("warnings", Asked(plugin)), type=list[str])

    def weigh(self, plugin: str) -> Weight:
        """What importing a plugin takes, in a fresh process; raises as `hooks`."""
        seconds = self.configuration.settings.workers.start_seconds
        host = Host("hcrm_core.registry.weighing", self.opening, seconds)
        try:
            return msgspec.msgpack.decode(host.ask("weigh", plugin, seconds), type=Weight)
        except HostDied as reason:
            raise PluginError(f"{self._known(plugin)}: its process {reason} while it was loaded.") from None
        finally:
            host.stop()

    def source(self, source: str, name: str | None = None) -> Source:
        """A source with its adapter and settings.

        Args:
            source: A name under `[sources]`, or any name when `name` is given; `manual` is the core's.
            name: The adapter to use, whatever `[sources.SOURCE]` says.

        Raises:
            UsageError: There is no such source or adapter.
            ConfigurationError: The source's table is wrong.
            PluginError: As `adapters`.
        """
        if source == MANUAL:
            zone = self.configuration.settings.timezone
            return Source(MANUAL, CORE, AdapterOffer.of(Manual), SourceSettings(adapter=MANUAL, timezone=zone))
        adapter = require_adapter(self.configuration, source, name, list(self.adapters))
        plugin = self.owner("register_adapters", adapter)
        answer = self._ask("settings", Asked(plugin, adapter=adapter, source=source))
        settings = msgspec.msgpack.decode(answer, type=SourceSettings)
        return Source(source, plugin, self.adapters[adapter], settings)

    def close(self) -> None:
        """End the hosts."""
        for host in self._hosts.values():
            host.stop()

    def _collect(self, hook: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        owners = self._owners[hook] = {}
        for plugin in self.plugins:
            for item in self._unless_left_out(plugin, lambda plugin: self.offers(plugin, hook)):
                if item.name in found:
                    raise PluginError(
                        f"{item.name!r} is offered by the plugins {owners[item.name]!r} and {plugin!r} ({hook}). "
                        "Disable one of them."
                    )
                found[item.name], owners[item.name] = item, plugin
        return found

    def _unless_left_out(self, plugin: str, ask: Callable[[str], list[T]]) -> list[T]:
        if plugin in self.left_out:
            return []
        try:
            return ask(plugin)
        except HcrmError as error:
            if not self._keep_going:
                raise
            self.left_out[plugin] = str(error)
            return []

    def _ask(self, verb: str, asked: Asked) -> msgspec.Raw:
        if asked.plugin in self._failed:
            raise self._failed[asked.plugin]
        seconds = self.configuration.settings.workers.start_seconds
        # One each: what a plugin does to its process while it is loaded must not harm the next.
        host = self._hosts.setdefault(asked.plugin, Host("hcrm_core.registry.describing", self.opening, seconds))
        try:
            return host.ask(verb, asked, seconds)
        except HostDied as reason:
            plugin = self._known(asked.plugin)
            doing = f"while it answered {asked.hook}" if asked.hook else "while it was loaded"
            # Nobody tries again what may take its time each time.
            self._failed[asked.plugin] = PluginError(
                f"{plugin}: its process {reason} {doing}. Disable it with: hcrm plugins disable {asked.plugin}"
            )
            raise self._failed[asked.plugin] from None

    @cached_property
    def _known_plugins(self) -> dict[str, Installed]:
        return installed()

    def _known(self, plugin: str) -> "Installed | str":
        return self._known_plugins.get(plugin, f"The plugin {plugin!r}")

    def _with_parameters(self, strategy: P, table: str) -> P:
        given = self.configuration.table(table, strategy.name)
        where = (table, strategy.name)
        for key, value in given.items():
            if key not in strategy.parameters:
                raise ConfigurationError(
                    f"{self.configuration.where(*where, key)}: {strategy.name} has no parameter {key!r}. "
                    + nearest(key, list(strategy.parameters))
                )
            default = strategy.parameters[key]
            if default is not None and type(value) is not type(default):
                raise ConfigurationError(
                    f"{self.configuration.where(*where, key)}: {strategy.name}.{key} must be of type "
                    f"{type(default).__name__}, as its default {default!r} is."
                )
        return msgspec.structs.replace(strategy, parameters=strategy.parameters | given)
