"""Plugins: found without importing, enabled by configuration, loaded one at a time, and blamed by name."""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pluggy

from hcrm_core import hookspecs
from hcrm_core.config import Configuration, nearest
from hcrm_core.errors import ConfigurationError, HcrmError, PluginError, UsageError
from hcrm_core.model.adapters import Adapter, SourceSettings
from hcrm_core.model.reports import Report
from hcrm_core.model.strategies import Strategy

if TYPE_CHECKING:
    import click

GROUP = "hcrm.plugins"
T = TypeVar("T")


class Installed(NamedTuple):
    """A plugin as its distribution's metadata describes it; nothing of it has been imported."""

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint


def installed() -> dict[str, Installed]:
    """All installed plugins by name.

    Raises:
        PluginError: Two distributions offer the same name.
    """
    found: dict[str, Installed] = {}
    for point in entry_points(group=GROUP):
        distribution = point.dist
        plugin = Installed(
            point.name,
            distribution.name if distribution else "unknown",
            distribution.version if distribution else "unknown",
            point,
        )
        other = found.get(point.name)
        if other and other.distribution != plugin.distribution:
            raise PluginError(
                f"The plugin name {point.name!r} is offered by {other.distribution} and by {plugin.distribution}. "
                "Uninstall one of them."
            )
        found[point.name] = plugin
    return dict(sorted(found.items()))


class Workspace:
    """What plugins may see of a workspace while they register (`hookspecs.WorkspaceView`)."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def settings(self, table: str) -> dict[str, object]:
        """The TOML table `[table]`, empty where absent."""
        return self._configuration.table(table)

    def read_text(self, path: str) -> str:
        """A UTF-8 text file inside the workspace."""
        root = self._configuration.root.resolve()
        file = (root / path).resolve()
        if not file.is_relative_to(root):
            raise ConfigurationError(f"{path} lies outside the workspace {root}. Copy it into the workspace.")
        try:
            return file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(f"{file} is not a readable UTF-8 file. Check the path in hcrm.toml.") from None


class Registry:
    """The enabled plugins of one workspace."""

    def __init__(self, configuration: Configuration) -> None:
        """Nothing is imported until it is asked for."""
        self.configuration = configuration

    @cached_property
    def plugins(self) -> dict[str, ModuleType]:
        """The enabled plugins' modules in configured order, each loaded by itself.

        Raises:
            PluginError: One is not installed, does not import, or breaks a hook's signature.
        """
        return {name: self.load(name) for name in self.configuration.settings.plugins}

    @cached_property
    def adapters(self) -> dict[str, type[Adapter]]:
        """The adapters of the enabled plugins by name."""
        return self._collect("register_adapters", lambda adapter: adapter.name)

    @cached_property
    def strategies(self) -> dict[str, Strategy]:
        """The strategies of the enabled plugins by name, with the workspace's parameters."""
        view = Workspace(self.configuration)
        found = self._collect("register_strategies", lambda strategy: strategy.name, workspace=view)
        for name in self.configuration.settings.strategies:
            if name not in found:
                raise ConfigurationError(
                    f"{self.configuration.where('strategies', name)}: there is no enabled strategy {name!r}. "
                    + nearest(name, list(found))
                )
        return {name: self._with_parameters(strategy) for name, strategy in found.items()}

    @cached_property
    def reports(self) -> dict[str, type[Report]]:
        """The reports of the enabled plugins by name."""
        return self._collect("register_reports", lambda report: report.name)

    @cached_property
    def commands(self) -> dict[str, "click.Command"]:
        """The commands of the enabled plugins by name."""
        return self._collect("register_commands", lambda command: command.name)

    def adapter(self, source: str, name: str | None = None) -> Adapter:
        """The adapter of a source, with the source's settings.

        Args:
            source: A name under `[sources]`, or any name when `name` is given.
            name: The adapter to use where `[sources.SOURCE]` is absent.

        Raises:
            UsageError: There is no such source or adapter.
            ConfigurationError: The source's table is wrong.
        """
        configured = self.configuration.table("sources", source)
        wanted = name or configured.get("adapter")
        if wanted is None:
            known = list(self.configuration.settings.sources)
            if source in known:
                # Says which key is misspelt, or that it is missing.
                self.configuration.typed(SourceSettings, "sources", source)
            raise UsageError(f"There is no source {source!r} in hcrm.toml. {nearest(source, known)}")
        if wanted not in self.adapters:
            raise UsageError(
                f"There is no enabled adapter {wanted!r}. {nearest(str(wanted), list(self.adapters))} "
                "Installed plugins are shown by: hcrm plugins list"
            )
        adapter = self.adapters[wanted]
        settings: SourceSettings = self.configuration.typed(
            adapter.settings_type,
            "sources",
            source,
            adapter=wanted,
            timezone=self.configuration.settings.timezone,
        )
        try:
            return adapter(source, settings)
        except ConfigurationError as error:
            key = str(error).partition(":")[0]
            where = self.configuration.where("sources", source, *([key] if key in configured else []))
            raise ConfigurationError(f"{where}: sources.{source}.{error}") from None

    def load(self, name: str) -> ModuleType:
        """Import one enabled plugin and check its hooks.

        Raises:
            PluginError: It is not installed, does not import, or breaks a hook's signature.
        """
        available = self._installed
        if name not in available:
            raise PluginError(
                f"{self.configuration.where('plugins')}: the plugin {name!r} is enabled but not installed. "
                f"{nearest(name, list(available))}"
            )
        plugin = available[name]
        blame = f"The plugin {name!r} of {plugin.distribution} {plugin.version}"
        try:
            module: ModuleType = plugin.entry_point.load()
        except ModuleNotFoundError as error:
            missing = re.sub(r"\..*", "", error.name or "")
            raise PluginError(
                f"{blame} needs the module {missing!r}, which is not installed. Install it with the plugin: "
                f"pip install {plugin.distribution}"
            ) from error
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"{blame} does not import ({type(error).__name__}). Disable it with: hcrm plugins disable {name}"
            ) from error
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        try:
            manager.register(module, name)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(f"{blame} does not fit the hooks of this version: {error}") from error
        self._managers[name] = manager
        return module

    @cached_property
    def _installed(self) -> dict[str, Installed]:
        return installed()

    @cached_property
    def _managers(self) -> dict[str, pluggy.PluginManager]:
        return {}

    def _collect(self, hook: str, name_of: Any, **arguments: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        offered_by: dict[str, str] = {}
        for plugin in self.plugins:
            for item in self._call(plugin, hook, arguments):
                name = name_of(item)
                if name in found:
                    raise PluginError(
                        f"{name!r} is offered by the plugins {offered_by[name]!r} and {plugin!r} ({hook}). "
                        "Disable one of them."
                    )
                found[name], offered_by[name] = item, plugin
        return found

    def _call(self, plugin: str, hook: str, arguments: dict[str, Any]) -> Iterable[Any]:
        try:
            answers: Sequence[Sequence[Any] | None] = getattr(self._managers[plugin].hook, hook)(**arguments)
            return [item for answer in answers for item in answer or ()]
        except HcrmError:
            raise
        except (Exception, SystemExit) as error:
            known = self._installed[plugin]
            raise PluginError(
                f"The plugin {plugin!r} of {known.distribution} {known.version} failed in {hook} "
                f"({type(error).__name__}). Disable it with: hcrm plugins disable {plugin}"
            ) from error

    def _with_parameters(self, strategy: Strategy) -> Strategy:
        given = self.configuration.table("strategies", strategy.name)
        where = ("strategies", strategy.name)
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
        from msgspec.structs import replace

        return replace(strategy, parameters=strategy.parameters | given)
