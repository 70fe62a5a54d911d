"""Load plugins into this process, one at a time, and call their hooks.

The core's own process does so only for commands that plugins add, and a listener for the adapters that listen;
everywhere else plugins are loaded in hosts.
"""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import pluggy

from hcrm_core import hookspecs
from hcrm_core.config import Configuration, nearest, read_text
from hcrm_core.errors import ConfigurationError, HcrmError, PluginError, UsageError
from hcrm_core.model.adapters import Adapter, SourceSettings
from hcrm_core.model.manual import CORE, Manual
from hcrm_core.registry.installed import Installed, installed
from hcrm_core.registry.mapped import place_of, source_settings


class Workspace:
    """What plugins may see of a workspace while they register (`hookspecs.WorkspaceView`)."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def settings(self, table: str) -> dict[str, object]:
        """The TOML table `[table]`, empty where absent."""
        return self._configuration.table(table)

    def read_text(self, path: str) -> str:
        """A UTF-8 text file inside the workspace."""
        return read_text(self._configuration.root, path)


class Loader:
    """The plugins of one workspace that this process has loaded."""

    def __init__(self, configuration: Configuration, known: Mapping[str, Installed] | None = None) -> None:
        """Nothing is imported until it is asked for.

        Args:
            configuration: Of the workspace.
            known: What is installed, where somebody has looked already.
        """
        self.configuration = configuration
        self._available = known
        self._managers: dict[str, pluggy.PluginManager] = {}
        self._modules: dict[str, ModuleType] = {}
        self._warnings: dict[str, list[str]] = {}

    def load(self, name: str) -> ModuleType:
        """Import one plugin and check its hooks.

        Raises:
            PluginError: It is not installed, does not import, or breaks a hook's signature.
        """
        self._manager(name)
        return self._modules[name]

    def hooks(self, name: str) -> list[str]:
        """The hooks a plugin implements; raises as `load`."""
        return sorted(caller.name for caller in self._manager(name).get_hookcallers(self.load(name)) or ())

    def warnings(self, name: str) -> list[str]:
        """What the author of a plugin should know: deprecated hooks and arguments it implements; raises as `load`."""
        self._manager(name)
        return self._warnings[name]

    def call(self, name: str, hook: str, **arguments: Any) -> list[Any]:
        """What a plugin answers to a hook that collects; nothing where it does not implement it.

        Raises:
            PluginError: It fails, or answers with what is no list.
            HcrmError: Any other it raised on purpose.
        """
        manager = self._manager(name)
        try:
            answers: list[Any] = getattr(manager.hook, hook)(**arguments)
            return [item for answer in answers for item in _items(answer)]
        except HcrmError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"{self.known(name)} failed in {hook} ({type(error).__name__}). Disable it with: "
                f"hcrm plugins disable {name}"
            ) from error

    def answer(self, name: str, hook: str, **arguments: Any) -> Any:
        """What a plugin answers to a hook that does not collect; `None` where it does not implement it. Raises what
        the plugin raises."""
        answers: list[Any] = getattr(self._manager(name).hook, hook)(**arguments)
        return answers[0] if answers else None

    def adapter(self, plugin: str, name: str, source: str) -> Adapter:
        """An adapter of a plugin for a source, with the source's settings.

        Raises:
            ConfigurationError: The source's table is wrong.
            PluginError: As `load`; or the plugin offers no such adapter.
        """
        if plugin == CORE:
            return Manual(source, SourceSettings(adapter=name, timezone=self.configuration.settings.timezone))
        offered = {kind.name: kind for kind in self.call(plugin, "register_adapters")}
        if name not in offered:
            raise PluginError(f"{self.known(plugin)} offers no adapter {name!r}. Update the plugin.")
        adapter = offered[name]
        settings = source_settings(self.configuration, adapter, source)
        try:
            made: Adapter = adapter(source, settings)
        except ConfigurationError as error:
            raise ConfigurationError(place_of(str(error), self.configuration, settings, source)) from None
        return made

    def known(self, name: str) -> Installed:
        """A plugin's metadata.

        Raises:
            PluginError: It is not installed, or something it requires is not.
        """
        if self._available is None:
            self._available = installed()
        if name not in self._available:
            raise PluginError(
                f"{self.configuration.where('plugins')}: the plugin {name!r} is enabled but not installed. "
                f"{nearest(name, list(self._available))}"
            )
        if problem := self._available[name].problem:
            raise PluginError(problem)
        return self._available[name]

    def _manager(self, name: str) -> pluggy.PluginManager:
        if name in self._managers:
            return self._managers[name]
        plugin = self.known(name)
        module = _imported(plugin)
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        try:
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always", DeprecationWarning)
                manager.register(module, name)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(f"{plugin} does not fit the hooks of this version: {error}") from error
        for caller in manager.get_hookcallers(module) or ():
            if any(implementation.wrapper or implementation.hookwrapper for implementation in caller.get_hookimpls()):
                # Plugins are called one at a time, so there is nothing a wrapper could wrap.
                raise PluginError(f"{plugin} wraps the hook {caller.name}, which no plugin may. Implement it plainly.")
        self._managers[name], self._modules[name] = manager, module
        self._warnings[name] = [str(one.message) for one in heard]
        return manager


def require_adapter(configuration: Configuration, source: str, name: str | None, offered: Sequence[str]) -> str:
    """The name of the adapter that a source is read by.

    Args:
        configuration: Of the workspace.
        source: A name under `[sources]`, or any name when `name` is given.
        name: The adapter to use, whatever `[sources.SOURCE]` says.
        offered: The adapters of the enabled plugins.

    Raises:
        UsageError: There is no such source or adapter.
    """
    wanted = name or configuration.table("sources", source).get("adapter")
    if wanted is None:
        known = list(configuration.settings.sources)
        if source in known:
            # Says which key is misspelt, or that it is missing.
            configuration.typed(SourceSettings, "sources", source)
        raise UsageError(f"There is no source {source!r} in hcrm.toml. {nearest(source, known)}")
    if wanted not in offered:
        raise UsageError(
            f"There is no enabled adapter {wanted!r}. {nearest(str(wanted), list(offered))} "
            "Installed plugins are shown by: hcrm plugins list"
        )
    return str(wanted)


def _imported(plugin: Installed) -> ModuleType:
    try:
        module: ModuleType = plugin.entry_point.load()
    except ModuleNotFoundError as error:
        missing = re.sub(r"\..*", "", error.name or "")
        raise PluginError(
            f"{plugin} needs the module {missing!r}, which is not installed. Install it with the plugin: "
            f"pip install {plugin.distribution}"
        ) from error
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{plugin} does not import ({type(error).__name__}). Disable it with: hcrm plugins disable {plugin.name}"
        ) from error
    return module


def _items(answer: Any) -> Iterator[Any]:
    if answer is None:
        return
    if not isinstance(answer, list | tuple):
        raise TypeError(f"a list was expected, not {type(answer).__name__}")
    yield from answer
