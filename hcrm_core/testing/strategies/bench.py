"""A plugin's strategies, ready to be looked at: loaded as the core loads them, evaluated by the core's own road."""

import atexit
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hcrm_core.config import Configuration
from hcrm_core.decide.code import PluginCode
from hcrm_core.decide.freshness import day_of
from hcrm_core.decide.order import in_order
from hcrm_core.decide.shown import show_decisions
from hcrm_core.env import CONFIGURATION
from hcrm_core.errors import HcrmError, UsageError
from hcrm_core.mart.check import Checked
from hcrm_core.mart.columns import schema
from hcrm_core.mart.contract import KEYS, check_strategy, evaluate
from hcrm_core.mart.snapshots import write
from hcrm_core.model.strategies import Strategy
from hcrm_core.registry.enabled import Registry
from hcrm_core.store.codec import Codec
from hcrm_core.store.engine import Store
from hcrm_core.testing.strategies.scene import Scene
from hcrm_core.testing.strategies.wards import KEY, Ward, Wards, wards
from hcrm_core.testing.world import World

Row = dict[str, Any]
SNAPSHOTS = ("segment", "score")


class Bench:
    """The strategies of one plugin, in a workspace of its own.

    Attributes:
        plugin, settings, files, beside: As they were given.
        histories: What `history.Histories` makes of it, once somebody asked.
        own: The names of its strategies.
        strategies: Those of all its plugins by name, in running order.
        wards: The stores that heard the world.
    """

    def __init__(
        self, plugin: str, settings: str, files: Mapping[str, str], beside: Sequence[str], world: World
    ) -> None:
        """Args:
        plugin: An installed plugin's name.
        settings: Text of `hcrm.toml` for it.
        files: Path in the workspace → text.
        beside: Other plugins whose decisions it reads.
        world: What the hospital said.

        Raises:
            HcrmError: A plugin or its settings are wrong.
            UsageError: It offers no strategies.
        """
        self._folder = TemporaryDirectory(prefix="hcrm-kit-", ignore_cleanup_errors=True)
        root = Path(self._folder.name)
        enabled = ", ".join(f'"{name}"' for name in (*beside, plugin))
        for path, text in {CONFIGURATION: f"plugins = [{enabled}]\n{settings}", **files}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        self.plugin, self.settings, self.files, self.beside = plugin, settings, dict(files), tuple(beside)
        self.histories: Any = None
        self.configuration = Configuration(root)
        self._registry = Registry(self.configuration)
        try:
            offered = self._registry.strategies
        finally:
            self._registry.close()
        self.strategies = {strategy.name: strategy for strategy in in_order(list(offered.values()))}
        self.own = tuple(
            name for name in self.strategies if self._registry.owner("register_strategies", name) == plugin
        )
        if not self.own:
            raise UsageError(f"The plugin {plugin!r} offers no strategies. Implement register_strategies.")
        self.zone = self.configuration.settings.timezone
        self.code = PluginCode(self._registry)
        self.world = world
        self._scenes: dict[tuple[str, int], Scene] = {}
        atexit.register(self.close)

    @cached_property
    def wards(self) -> Wards:
        """The stores that heard the world, shared with other kits."""
        return wards(self.world, self.zone)

    def scene(self, ward: Ward, threads: int = 1) -> Scene:
        """A mart as it is; it is kept open and must not be changed."""
        key = str(ward.folder), threads
        if key not in self._scenes:
            self._scenes[key] = Scene(ward, threads=threads)
        return self._scenes[key]

    @cached_property
    def changeable(self) -> Scene:
        """The whole world's mart, whose tables may be laid out otherwise; who uses it lays all tables that are read."""
        return Scene(self.wards.whole)

    def today(self, instant: int) -> date:
        """The day of an instant in the workspace's zone."""
        return day_of(instant, self.zone)

    def examined(self, name: str) -> "Examined":
        """One strategy."""
        return Examined(self, self.strategies[name])

    def close(self) -> None:
        """Give back everything."""
        for scene in self._scenes.values():
            scene.close()
        self._scenes.clear()
        if "changeable" in self.__dict__:
            self.__dict__.pop("changeable").close()
        with suppress(HcrmError):
            self.code.close()
        self._folder.cleanup()


class Examined:
    """What the checks are given: one strategy and all it takes to evaluate it.

    Attributes:
        bench: Of its plugin.
        strategy: The strategy, with the workspace's parameters.
        key: The columns that make its rows unique.
        before: The strategies whose decisions it reads, and those they read, in running order.
    """

    def __init__(self, bench: Bench, strategy: Strategy) -> None:
        self.bench = bench
        self.strategy = strategy
        self.key = KEYS[strategy.kind]
        wanted = set(strategy.reads)
        found = []
        for one in reversed(bench.strategies.values()):
            if one.name in wanted and one.name != strategy.name:
                found.append(one)
                wanted |= set(one.reads)
        self.before = found[::-1]

    @property
    def wards(self) -> Wards:
        """The bench's."""
        return self.bench.wards

    @cached_property
    def checked(self) -> Checked:
        """Its SQL, checked; raises StrategyError."""
        return check_strategy(self.strategy)

    @cached_property
    def tables(self) -> frozenset[str]:
        """The tables it and those before it read."""
        return self.checked.tables.union(*(one.tables for one in self.before))

    @cached_property
    def usual(self) -> list[Row]:
        """What it decides on the world."""
        return self.on(self.wards.whole)

    @cached_property
    def shared(self) -> list[tuple[Strategy, list[Row], str | None]]:
        """What those before it decide on the world."""
        return self._decided_before(self.bench.scene(self.wards.whole), self.wards.end)

    def on(self, ward: Ward, threads: int = 1) -> list[Row]:
        """What it decides on a ward at the ward's instant."""
        return self.rows(self.bench.scene(ward, threads), ward.now)

    def rows(
        self,
        scene: Scene,
        as_of: int,
        *,
        remembered: Store | None = None,
        customers: Collection[str] | None = None,
        changed: Callable[[Strategy], Strategy] = lambda strategy: strategy,
    ) -> list[Row]:
        """What it decides.

        Args:
            scene: Over which tables.
            as_of: `$as_of`, microseconds since 1970 UTC.
            remembered: A store whose decisions are shown where it names no strategy they come from.
            customers: Show decisions about these only, as they were over everybody.
            changed: Gives it and those before it other parameters.

        Raises:
            HcrmError: It fails, or its rows break the contract.
        """
        shown = self._decided_before(scene, as_of, changed) if customers is None else self.shared
        self._show(scene, self.checked.tables, shown, as_of, remembered)
        if customers is not None:
            scene.cut_decisions(self.checked.tables, customers)
        return self._evaluate(scene, changed(self.strategy), self.checked, as_of)

    def _decided_before(
        self, scene: Scene, as_of: int, changed: Callable[[Strategy], Strategy] = lambda strategy: strategy
    ) -> list[tuple[Strategy, list[Row], str | None]]:
        shown: list[tuple[Strategy, list[Row], str | None]] = []
        for place, one in enumerate(map(changed, self.before)):
            checked = check_strategy(one)
            self._show(scene, checked.tables, shown, as_of, None)
            decided = evaluate(
                scene.mart, one, checked, as_of_us=as_of, today=self.bench.today(as_of), compute=self.bench.code.compute
            )
            file = write(scene.mart, decided, place + 1, f"kit-{id(scene)}") if one.kind in SNAPSHOTS else None
            rows = scene.mart.query("SELECT * FROM decided", {}, name=one.name).to_pylist()
            shown.append((one, rows, file))
        return shown

    def _show(
        self,
        scene: Scene,
        tables: Collection[str],
        shown: Sequence[tuple[Strategy, list[Row], str | None]],
        as_of: int,
        remembered: Store | None,
    ) -> None:
        for view in sorted(table for table in tables if table.startswith("decision_")):
            kind = view.removeprefix("decision_")
            of_kind = [one for one in shown if one[0].kind == kind]
            if remembered is not None and not of_kind:
                show_decisions(scene.mart, remembered, (view,))
            elif kind in SNAPSHOTS:
                scene.mart.show_snapshots(kind, {strategy.name: file for strategy, _, file in of_kind if file})
            else:
                stored = [tuple(_stored(view, strategy, row, as_of)) for strategy, rows, _ in of_kind for row in rows]
                scene.mart.show_rows(view, [stored])

    def _evaluate(self, scene: Scene, strategy: Strategy, checked: Checked, as_of: int) -> list[Row]:
        evaluate(
            scene.mart,
            strategy,
            checked,
            as_of_us=as_of,
            today=self.bench.today(as_of),
            compute=self.bench.code.compute,
        )
        found: list[Row] = scene.mart.query("SELECT * FROM decided", {}, name=strategy.name).to_pylist()
        return found


def _stored(view: str, strategy: Strategy, row: Row, as_of: int) -> Iterator[Any]:
    """A task's or points' row as the store would keep it and show it to others."""
    suppressed = row["suppressed"] is not None
    key = (strategy.name, row["anchor"], row["step"], str(row["occurrence"]))
    states = ("suppressed", "open") if strategy.kind == "task" else ("refused", "granted")
    known = row | {
        f"{strategy.kind}_id": Codec(KEY).token(strategy.kind, *key),
        "strategy": strategy.name,
        "customer_id": row["subject"],
        "state": states[0] if suppressed else states[1],
        "reason": row["suppressed"],
        "created_at": as_of,
        "closed_at": as_of if suppressed else None,
    }
    for column in schema()[view]:
        value = known.get(column)
        yield value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


def differences(key: Sequence[str], expected: Sequence[Row], found: Sequence[Row]) -> Iterator[str]:
    """How rows differ from those expected, a sentence each."""
    wanted, got = ({tuple(row[column] for column in key): row for row in rows} for rows in (expected, found))
    for place in sorted(wanted.keys() | got.keys(), key=str):
        named = ", ".join(f"{column} {value}" for column, value in zip(key, place, strict=True))
        if place not in got:
            yield f"The decision of {named} is missing."
        elif place not in wanted:
            yield f"The decision of {named} is new."
        else:
            for column, value in wanted[place].items():
                if (other := got[place].get(column)) != value:
                    yield f"In the decision of {named}, {column} is {other!r} and not {value!r}."
