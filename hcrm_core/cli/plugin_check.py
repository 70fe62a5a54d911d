"""What `hcrm plugins check` finds out about one plugin."""

from collections.abc import Callable, Iterator
from typing import Any

from hcrm_core.errors import HcrmError
from hcrm_core.hookspecs import STAGES
from hcrm_core.mart.contract import check_strategy
from hcrm_core.mart.reports import check_report
from hcrm_core.mart.reviews import check_review
from hcrm_core.quality import Seen, findings, level
from hcrm_core.registry.enabled import Registry
from hcrm_core.registry.installed import installed
from hcrm_core.registry.offers import HOOKS

_CHECKS: dict[str, Callable[[Any], object]] = {
    "register_strategies": check_strategy,
    "review_decisions": check_review,
    "register_reports": check_report,
}
_CALLED = {
    "register_adapters": "adapter",
    "register_strategies": "strategy",
    "register_reports": "report",
    "register_channels": "channel",
    "review_decisions": "review",
    "register_commands": "command",
}


def examine(registry: Registry, name: str) -> Iterator[tuple[str, str, str]]:
    """(plugin, level, sentence) for each thing looked at; a level is `good`, `note` or `wrong`."""
    try:
        hooks = registry.hooks(name)
        warnings = registry.warnings(name)
    except HcrmError as error:
        yield name, "wrong", str(error)
        return
    yield name, "good", f"It loads, and implements {', '.join(hooks) or 'no hook'}."
    for hook in hooks:
        if STAGES.get(hook) == "experimental":
            yield name, "note", f"The hook {hook} is experimental: it may change in any release."
    for text in warnings:
        yield name, "note", text
    yield from _quality(name)
    for hook in hooks:
        if hook in HOOKS:
            yield from _offers(registry, name, hook)


def _quality(name: str) -> Iterator[tuple[str, str, str]]:
    """What the plugin's quality.toml says and is not so, as far as its files tell."""
    plugin = installed()[name]
    if level(plugin) is None:
        return
    try:
        found = findings(Seen.of(plugin))
    except HcrmError as error:
        yield name, "note", str(error)
        return
    for text in found:
        yield name, "note", text
    if not found:
        yield name, "good", f"Its quality.toml says {level(plugin)}, and its files show it as far as files can."


def _offers(registry: Registry, name: str, hook: str) -> Iterator[tuple[str, str, str]]:
    try:
        offered = registry.offers(name, hook)
    except HcrmError as error:
        yield name, "wrong", str(error)
        return
    for item in offered:
        try:
            if hook in _CHECKS:
                _CHECKS[hook](item)
        except HcrmError as error:
            yield name, "wrong", str(error)
        else:
            yield name, "good", f"The {_CALLED[hook]} {item.name} keeps to its contract."
