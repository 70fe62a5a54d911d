"""Every hook has a shipped user, a test named for it, a stage, and a docstring that says all that must be known."""

import inspect
import json
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pluggy
import pytest
from support.plugins import distribution
from support.ward import NOW, hcrm, hospital, told, write

from hcrm_core import hookspecs
from hcrm_core.config import Configuration
from hcrm_core.errors import ConfigurationError
from hcrm_core.hookspecs import STAGES
from hcrm_core.registry.enabled import Registry
from hcrm_core.registry.loader import Workspace

ROOT = Path(__file__).parents[2]
HOOKS = sorted(
    name for name, thing in vars(hookspecs).items() if inspect.isfunction(thing) and hasattr(thing, "hcrm_spec")
)
DISTRIBUTIONS = {file.parent.name: file.parent for file in ROOT.glob("*/*/pyproject.toml")}


@pytest.fixture
def registry(workspace: Path) -> Iterator[Registry]:
    made = Registry(Configuration(workspace))
    yield made
    made.close()


def enable(workspace: Path, *names: str, more: str = "") -> None:
    """Enable further plugins."""
    file = workspace / "hcrm.toml"
    listed = "".join(f'"{name}", ' for name in names)
    file.write_text(file.read_text(encoding="utf-8").replace("plugins = [", f"plugins = [{listed}", 1) + more, "utf-8")


# --- each hook, through a shipped user --------------------------------------------------------------------------------


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


def test_hook_register_channels(registry: Registry, workspace: Path) -> None:
    assert registry.channels["call"].title == {"zh": "电话", "en": "call"}
    code = """
from hcrm_core.api import Strategy, hookimpl
SQL = '''SELECT customer_id AS subject, customer_id AS anchor, 's' AS step, 1 AS occurrence, 't' AS topic,
  $today AS due_on, $today AS window_start, $today AS window_end, 'o' AS owner, 'cal' AS channel, NULL AS form,
  NULL AS suppressed, ['customer/' || customer_id || '#sex'] AS evidence FROM customer'''
@hookimpl
def register_strategies(workspace):
    return [Strategy(name="shout", version="1", kind="task", scope="subject", tables=("customer",), sql=SQL)]
"""
    site = distribution(workspace / "site", "shouting", code)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        enable(workspace, "shouting")
        write(workspace / "in", hospital())
        hcrm("ingest", "in")
        outcomes = json.loads(hcrm("decide", "--json").stdout)["strategies"]
    (wrong,) = [row["error"] for row in outcomes if "error" in row]
    assert wrong == "shout: no enabled plugin offers the channel 'cal'. Did you mean 'call'?"


def test_hook_register_commands(registry: Registry) -> None:
    assert registry.commands["simulate"].name == "simulate"


def test_hook_transform_records(workspace: Path) -> None:
    enable(workspace, "resident-identity")
    pid = "PID|1||7^^^RMYY^MR~11010519491231002X^^^PRC^NI||张^三"
    message = "\r".join(["MSH|^~\\&|HIS|RMYY|||20260301080000||ADT^A04|C1|P|2.5", "EVN||20260301080000", pid])
    (workspace / "a.hl7").write_text(message, encoding="utf-8")
    assert told("ingest", "a.hl7")["translated"] == 1
    (customer,) = told("customers", "list")
    assert (customer["birth_date"], customer["sex"]) == ("1949-12-31", "female")
    shown = {row["field"]: row["from"] for row in told("messages", "show", "C1")["mapped"]}
    assert shown["birth_date"] == "plugin resident-identity" and shown["identifier"] == "PID-3"


def test_hook_review_decisions(workspace: Path) -> None:
    enable(workspace, "compliance")
    registry = Registry(Configuration(workspace))
    assert registry.reviews["insured-lines"].kind == "points"
    registry.close()


def test_hook_after_intake(workspace: Path) -> None:
    enable(workspace, "monitoring", more="[monitoring]\nmessages = 1\nquarantined_percent = 0\n")
    write(workspace / "in", hospital())
    (workspace / "in" / "bad.hl7").write_text(
        "MSH|^~\\&|HIS|RMYY|||20260301080000||ADT^A01|B1|P|2.5\r", encoding="utf-8"
    )
    said = hcrm("ingest", "in").stderr
    assert "monitoring: WARNING: 1 of 4 messages ADT^A01 of the source his were quarantined (25%)." in said


def test_hook_after_decide(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCRM_NOW", NOW)
    enable(workspace, "monitoring", more="[monitoring]\ntasks_per_day = 0\n")
    write(workspace / "in", hospital())
    hcrm("ingest", "in")
    said = hcrm("decide").stderr
    due = told("tasks", "list")
    assert due and "monitoring: WARNING: " in said and "more than can be done in a day (0)" in said


# --- what holds for all -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_test_named_for_it(name: str) -> None:
    assert f"test_hook_{name}" in globals()


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_says_when_what_and_who(name: str) -> None:
    text = inspect.getdoc(getattr(hookspecs, name)) or ""
    for part in ("When:", "Returns:", "`None`", "Order:", "Since:", "Used by:"):
        assert part in text, part
    if inspect.signature(getattr(hookspecs, name)).parameters:
        assert "Arguments:" in text
        for argument in inspect.signature(getattr(hookspecs, name)).parameters:
            assert f"`{argument}`" in text


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_used_by_the_shipped_plugins_it_names(name: str) -> None:
    named = (inspect.getdoc(getattr(hookspecs, name)) or "").partition("Used by:")[2].replace(",", " ").split()
    users = [word.rstrip(".") for word in named if word.startswith("hcrm-")]
    assert users
    for user in users:
        code = "".join(file.read_text(encoding="utf-8") for file in DISTRIBUTIONS[user].rglob("src/**/*.py"))
        assert f"def {name}(" in code, user


@pytest.mark.parametrize("name", HOOKS)
def test_the_reference_page_has_every_hook_with_its_signature_and_stage(name: str) -> None:
    page = (ROOT / "docs" / "reference" / "hooks.md").read_text(encoding="utf-8")
    _, _, section = page.partition(f"### `{name}`\n")
    section = section.partition("\n### ")[0]
    for argument in inspect.signature(getattr(hookspecs, name)).parameters:
        assert f"{argument}:" in section
    assert f"Stage**: {STAGES[name]}" in section


def test_every_shipped_plugin_caps_the_core_s_version() -> None:
    for folder in DISTRIBUTIONS.values():
        described = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        assert "hcrm>=0.1,<0.2" in described["project"]["dependencies"], folder.name


# --- the life of a hook -----------------------------------------------------------------------------------------------


def older(argument_only: bool = False) -> ModuleType:
    """The hook specifications of a core in which a hook, or an argument, is on its way out."""
    made = ModuleType("older")
    text = "deprecated since 0.3, use register_adapters; it goes in 0.5"

    def old_hook(source: str, payload: bytes) -> None:
        """An old one."""

    told_of = {"arguments": {"payload": text}} if argument_only else {"warning": text}
    before = dict(STAGES)
    made.old_hook = hookspecs.hook("stable" if argument_only else "deprecated", **told_of)(old_hook)  # type: ignore[attr-defined]
    STAGES.clear()
    STAGES.update(before)
    return made


def implementation(text: str) -> ModuleType:
    made = ModuleType("plugin")
    exec(text, made.__dict__)  # a plugin's own text
    return made


@pytest.mark.parametrize(
    ("argument_only", "arguments", "warned"),
    [(False, "source", True), (True, "source, payload", True), (True, "source", False)],
)
def test_who_implements_what_is_deprecated_is_warned(argument_only: bool, arguments: str, warned: bool) -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(older(argument_only))
    code = f"from hcrm_core.api import hookimpl\n@hookimpl\ndef old_hook({arguments}):\n    return 1\n"
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        manager.register(implementation(code))
    texts = [str(one.message) for one in heard if issubclass(one.category, DeprecationWarning)]
    assert ["it goes in 0.5" in text for text in texts] == [True] * warned


def test_an_argument_with_a_default_works_on_a_core_that_has_it_not() -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    code = "from hcrm_core.api import hookimpl\n@hookimpl\ndef register_adapters(later=None):\n    return [later]\n"
    manager.register(implementation(code))
    manager.check_pending()
    assert manager.hook.register_adapters() == [[None]]


def test_an_experimental_hook_is_told_to_who_checks_a_plugin(workspace: Path) -> None:
    rows = told("plugins", "check", "monitoring")
    assert {"plugin": "monitoring", "level": "note",
            "finding": "The hook after_intake is experimental: it may change in any release."} in rows  # fmt: skip


def test_no_plugin_wraps_a_hook(workspace: Path) -> None:
    code = "import hcrm_core.api\n@hcrm_core.api.hookimpl(wrapper=True)\ndef register_adapters():\n    return (yield)\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(distribution(workspace / "site", "wrapping", code)))
        result = hcrm("plugins", "check", "wrapping")
    assert result.exit_code == 1
    assert "wraps the hook register_adapters, which no plugin may." in result.stdout
