"""The conformance kit for strategies: a little hospital, every strategy of a plugin, and every promise checked."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from hcrm_core.testing.strategies import checks_decided, checks_declared, checks_engines, checks_people, checks_time
from hcrm_core.testing.strategies.bench import Bench, Examined
from hcrm_core.testing.strategies.suite import SUITE
from hcrm_core.testing.world import World, hospital

__all__ = ["SUITE", "Bench", "Examined", "bench", "strategy_kit"]

_REGISTERED = (checks_decided, checks_declared, checks_engines, checks_people, checks_time)


def strategy_kit(
    plugin: str,
    *,
    settings: str = "",
    files: Mapping[str, str] | None = None,
    beside: Sequence[str] = (),
    world: int | Callable[[], World] = 1,
    exempt: Mapping[str, str] | None = None,
) -> type:
    """Make a class that pytest collects: for each strategy of a plugin one test a check.

    `TestKit = strategy_kit("lapsed")` in a file of tests is all there is to it.

    Args:
        plugin: An installed plugin's name.
        settings: Text of `hcrm.toml` for it, as `[strategies.lapsed]` and its keys.
        files: Further files of the workspace, path → text.
        beside: Other plugins whose decisions its strategies read; they are not checked.
        world: The seed of the hospital, or what returns a world of its own.
        exempt: Check's id → the reason why it does not apply to this plugin; pytest shows it as skipped.

    Raises:
        HcrmError: The plugin or its settings are wrong.
        ValueError: An exemption names no check or gives no reason.
    """
    made = bench(plugin, settings=settings, files=files, beside=beside, world=world)
    classes = {}
    for name in made.own:
        called = f"Test_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"
        classes[called] = SUITE.test_class(called, partial(made.examined, name), exempt)
    return type("TestStrategies", (), {"__doc__": f"The conformance kit for the strategies of {plugin}.", **classes})


def bench(
    plugin: str,
    *,
    settings: str = "",
    files: Mapping[str, str] | None = None,
    beside: Sequence[str] = (),
    world: int | Callable[[], World] = 1,
) -> Bench:
    """A plugin's strategies ready to be looked at, for who runs checks without pytest; arguments of `strategy_kit`."""
    return Bench(plugin, settings, files or {}, beside, hospital(world) if isinstance(world, int) else world())
