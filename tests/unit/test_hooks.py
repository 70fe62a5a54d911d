"""Every hook has a shipped user, a test named for it, and a docstring that says all an implementer must know."""

import inspect
from pathlib import Path

import pytest

from hcrm_core import hookspecs
from hcrm_core.config import Configuration
from hcrm_core.errors import ConfigurationError
from hcrm_core.registry.enabled import Registry
from hcrm_core.registry.loader import Workspace

HOOKS = sorted(
    name for name, thing in vars(hookspecs).items() if inspect.isfunction(thing) and hasattr(thing, "hcrm_spec")
)


@pytest.fixture
def registry(workspace: Path) -> Registry:
    return Registry(Configuration(workspace))


def test_hook_register_adapters(registry: Registry) -> None:
    assert registry.adapters["hl7v2"].file_suffixes


def test_hook_register_strategies(registry: Registry) -> None:
    assert {"rfm", "pareto", "followup.discharge"} <= registry.strategies.keys()


def test_hook_register_strategies_sees_the_workspace_and_nothing_beyond_it(workspace: Path) -> None:
    (workspace / "rule.yaml").write_text("a: 1", encoding="utf-8")
    view = Workspace(Configuration(workspace))
    assert view.read_text("rule.yaml") == "a: 1"
    with pytest.raises(ConfigurationError, match="outside the workspace"):
        view.read_text("../outside.yaml")


def test_hook_register_reports(registry: Registry) -> None:
    assert registry.reports["overview"].suffix == ".html"


def test_hook_register_commands(registry: Registry) -> None:
    assert registry.commands["simulate"].name == "simulate"


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_test_named_for_it(name: str) -> None:
    assert f"test_hook_{name}" in globals()


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_says_when_what_and_who(name: str) -> None:
    text = inspect.getdoc(getattr(hookspecs, name)) or ""
    for part in ("When:", "Returns:", "Order:", "Since:", "Used by:"):
        assert part in text, part
