"""What strategies and reports have beside their SQL, called in hosts: one of each plugin's."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec

from hcrm_core.decide.worker import Computing, Observing, Rendering
from hcrm_core.errors import PluginError
from hcrm_core.hosting.breaker import Breaker
from hcrm_core.hosting.host import Host, HostDied
from hcrm_core.mart.arrow import packed, unpacked
from hcrm_core.model.observing import DecideDone, Finding, IntakeDone
from hcrm_core.model.reports import ReportContext
from hcrm_core.model.strategies import Strategy
from hcrm_core.registry.enabled import Registry


class PluginCode:
    """The functions and reports of a workspace's plugins."""

    def __init__(self, registry: Registry) -> None:
        """Args: registry: The enabled plugins."""
        self._registry = registry
        self._limits = registry.configuration.settings.workers
        self._hosts: dict[str, Host] = {}
        self._breakers: dict[str, Breaker] = defaultdict(Breaker)

    def compute(self, strategy: Strategy, table: Any, parameters: Mapping[str, Any]) -> Any:
        """Call a strategy's function.

        Args:
            strategy: Whose.
            table: The rows of its SELECT, a `pyarrow.Table`.
            parameters: Those of the strategy.

        Returns:
            Its rows, a `pyarrow.Table`.

        Raises:
            PluginError: It fails.
        """
        plugin = self._registry.owner("register_strategies", strategy.name)
        asked = Computing(plugin, strategy.function or "", packed(table), dict(parameters))
        return unpacked(_bytes(self._ask(plugin, "compute", asked, f"the function of {strategy.name}")))

    def render(self, report: str, tables: Mapping[str, Any], context: ReportContext) -> bytes:
        """Render a report.

        Args:
            report: Its name.
            tables: Query name → rows, a `pyarrow.Table`.
            context: Language and dates.

        Raises:
            PluginError: It fails.
        """
        plugin = self._registry.owner("register_reports", report)
        asked = Rendering(plugin, report, {name: packed(table) for name, table in tables.items()}, context)
        return _bytes(self._ask(plugin, "render", asked, f"the report {report}"))

    def observe(self, plugin: str, hook: str, done: IntakeDone | DecideDone) -> list[Finding]:
        """Tell a plugin what was done, and hear what it found.

        Args:
            plugin: That implements the hook.
            hook: `after_intake` or `after_decide`.
            done: What it is told.

        Raises:
            PluginError: It fails.
        """
        breaker = self._breakers[plugin]
        if breaker.seconds_left:
            return []  # it was named each time it failed
        asked = Observing(plugin, hook, msgspec.Raw(msgspec.msgpack.encode(done)))
        try:
            answer = self._ask(plugin, "observe", asked, hook, self._limits.message_seconds)
        except PluginError:
            breaker.failed()
            raise
        breaker.succeeded()
        return msgspec.msgpack.decode(answer, type=list[Finding])

    def close(self) -> None:
        """End the hosts."""
        for host in self._hosts.values():
            host.stop()

    def _ask(self, plugin: str, verb: str, asked: Any, what: str, seconds: float | None = None) -> msgspec.Raw:
        if plugin not in self._hosts:
            start = self._registry.configuration.settings.workers.start_seconds
            self._hosts[plugin] = Host("hcrm_core.decide.worker", self._registry.opening, start)
        try:
            return self._hosts[plugin].ask(verb, asked, seconds or self._limits.result_seconds)
        except HostDied as reason:
            raise PluginError(
                f"The plugin {plugin!r}: its process {reason} over {what}. Report it to its author, or disable it "
                f"with: hcrm plugins disable {plugin}"
            ) from None


def _bytes(answer: msgspec.Raw) -> bytes:
    return msgspec.msgpack.decode(answer, type=bytes)
