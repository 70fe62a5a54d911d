"""Plugins: installed is not enabled, and a broken one is named and harms nobody else."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import psutil
import pytest
from click.testing import CliRunner
from support.plugins import distribution

from hcrm_core.cli import main
from hcrm_core.config import Configuration
from hcrm_core.errors import ConfigurationError, HcrmError, PluginError, UsageError
from hcrm_core.registry.enabled import Registry
from hcrm_core.registry.installed import installed
from hcrm_core.registry.loader import Workspace

ADAPTER = """
from hcrm_core.api import Adapter, Translation, hookimpl

class Own(Adapter):
    name = "{name}"
    version = "1"
    def translate(self, payload):
        return Translation("")

@hookimpl
def register_adapters():
    return [Own]
"""
NOTHING = "from hcrm_core.api import hookimpl\n"

Install = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path, where distributions can be installed; their modules are forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith("fake_plugin_"):
            del sys.modules[name]


@pytest.fixture
def enable(tmp_path: Path) -> Callable[..., Registry]:
    """The registry of a workspace that enables these plugins."""

    def make(*names: str, more: str = "") -> Registry:
        listed = ", ".join(f'"{name}"' for name in names)
        (tmp_path / "hcrm.toml").write_text(f"plugins = [{listed}]\n{more}", encoding="utf-8")
        return Registry(Configuration(tmp_path))

    return make


def blame(registry: Registry, name: str) -> str:
    with pytest.raises(PluginError) as raised:
        registry.hooks(name)
    return str(raised.value)


# --- installed and enabled --------------------------------------------------------------------------------------------


def test_installed_plugins_are_found_without_importing_them(site: Path) -> None:
    distribution(site, "bomb", "raise SystemExit(9)")
    found = installed()["bomb"]
    assert (found.name, found.distribution, found.version) == ("bomb", "fake-plugin-bomb", "1.2")
    assert "fake_plugin_bomb" not in sys.modules


def test_installed_is_not_enabled(site: Path, enable: Callable[..., Registry]) -> None:
    distribution(site, "one", ADAPTER.format(name="one"))
    distribution(site, "two", "raise RuntimeError")
    registry = enable("one")
    assert list(registry.adapters) == ["one"]
    assert "fake_plugin_two" not in sys.modules


def test_nothing_is_imported_before_it_is_asked_for(site: Path, enable: Callable[..., Registry]) -> None:
    distribution(site, "one", ADAPTER.format(name="one"))
    enable("one")
    assert "fake_plugin_one" not in sys.modules


def test_plugins_are_loaded_in_the_order_of_the_configuration(site: Path, enable: Callable[..., Registry]) -> None:
    for name in ("one", "two", "three"):
        distribution(site, name, NOTHING)
    assert list(enable("three", "one", "two").plugins) == ["three", "one", "two"]


def test_a_plugin_that_offers_nothing_is_no_error(site: Path, enable: Callable[..., Registry]) -> None:
    distribution(site, "mute", "")
    distribution(site, "none", NOTHING + "@hookimpl\ndef register_adapters():\n    return None\n")
    assert enable("mute", "none").adapters == {}


# --- every way to be broken, each a sentence --------------------------------------------------------------------------


def test_an_enabled_plugin_that_is_not_installed_names_line_and_nearest(
    tmp_path: Path, enable: Callable[..., Registry]
) -> None:
    assert blame(enable("hl7v3"), "hl7v3") == (
        f"{tmp_path}/hcrm.toml, line 1: the plugin 'hl7v3' is enabled but not installed. Did you mean 'hl7v2'?"
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("raise RuntimeError('the password is hunter2')", "RuntimeError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("import sys\nsys.exit()", "SystemExit"),
        ("def broken(:\n", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("from hcrm_core.api import no_such_thing", "ImportError"),
    ],
)
def test_a_plugin_that_does_not_import_is_named_with_what_to_do(
    site: Path, enable: Callable[..., Registry], code: str, kind: str
) -> None:
    distribution(site, "broken", code)
    assert blame(enable("broken"), "broken") == (
        f"The plugin 'broken' of fake-plugin-broken 1.2 does not import ({kind}). "
        "Disable it with: hcrm plugins disable broken"
    )


@pytest.mark.parametrize(
    "code", ["import no_such_library", "import no_such_library.inner", "from no_such_library import x"]
)
def test_a_missing_dependency_names_it_and_the_pip_command(
    site: Path, enable: Callable[..., Registry], code: str
) -> None:
    distribution(site, "needy", code)
    assert blame(enable("needy"), "needy") == (
        "The plugin 'needy' of fake-plugin-needy 1.2 needs the module 'no_such_library', which is not installed. "
        "Install it with the plugin: pip install fake-plugin-needy"
    )


@pytest.mark.parametrize(
    ("requires", "said"),
    [
        (("hcrm>=9",), "needs hcrm >=9, and this is hcrm 0.1.0. Install a version of it for this one, or the hcrm it "
                       "needs: pip install 'hcrm>=9'"),
        (("hcrm>=0.1,<0.2", "no-such-library>=2", "another_one"),
         "needs what is not installed. Install it: pip install 'no-such-library>=2' 'another_one'"),
        (("click<1",), "needs what is not installed. Install it: pip install 'click<1'"),
    ],
)  # fmt: skip
def test_what_a_plugin_requires_and_is_not_there_is_told_with_the_command_before_it_is_imported(
    site: Path, tmp_path: Path, enable: Callable[..., Registry], requires: tuple[str, ...], said: str
) -> None:
    distribution(site, "needy", "raise SystemExit", requires=requires)
    assert blame(enable("needy"), "needy") == f"The plugin 'needy' of fake-plugin-needy 1.2 {said}"
    listed = run(tmp_path, "plugins", "list", "--json")
    assert listed.exit_code == 0 and json.loads(listed.stdout)[0]["problem"].endswith(said)
    assert run(tmp_path, "plugins", "disable", "needy").exit_code == 0


def test_what_is_required_elsewhere_or_for_an_extra_is_not_asked_for(
    site: Path, enable: Callable[..., Registry]
) -> None:
    for_others = ("no-such-library; extra == 'more'", "no-such-library; python_version < '3'", "hcrm>=0.1,<0.2")
    distribution(site, "content", NOTHING, requires=for_others)
    assert enable("content").hooks("content") == []


def test_a_plugin_that_reviews_and_cannot_be_loaded_is_a_veto(
    site: Path, tmp_path: Path, enable: Callable[..., Registry]
) -> None:
    """Whatever else may be left out: what it would have refused nobody knows."""
    distribution(site, "strict", NOTHING + "import no_such_library\n@hookimpl\ndef review_decisions(): ...\n")
    distribution(site, "harmless", "import no_such_library")
    enable("harmless", "strict")
    lenient = Registry(Configuration(tmp_path), keep_going=True)
    with pytest.raises(PluginError, match=r"It reviews decisions, so nothing is decided without it\.$"):
        lenient.reviews  # noqa: B018
    enable("harmless")
    lenient = Registry(Configuration(tmp_path), keep_going=True)
    assert lenient.reviews == {} and list(lenient.left_out) == ["harmless"]


def test_a_reviewer_that_is_not_even_installed_is_a_veto(tmp_path: Path, enable: Callable[..., Registry]) -> None:
    enable("gone")
    with pytest.raises(PluginError, match="nothing is decided without it"):
        Registry(Configuration(tmp_path), keep_going=True).reviews  # noqa: B018


def test_a_plugin_with_a_table_of_its_own_can_be_disabled_and_enabled_again(
    site: Path, tmp_path: Path, enable: Callable[..., Registry]
) -> None:
    distribution(site, "own", NOTHING)
    enable("own", more="[own]\nx = 1\n")
    assert run(tmp_path, "plugins", "disable", "own").exit_code == 0
    assert json.loads(run(tmp_path, "plugins", "list", "--json").stdout)[-1]["enabled"] is False
    assert run(tmp_path, "plugins", "enable", "own").exit_code == 0
    assert Configuration(tmp_path).table("own") == {"x": 1}


def test_what_lies_in_the_current_directory_is_not_imported(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "from pathlib import Path\nfrom hcrm_core.config import Configuration\n"
        "from hcrm_core.registry.enabled import Registry\n"
        f"print(Registry(Configuration(Path({str(tmp_path)!r}))).hooks('hl7v2'))\n"
    )
    (tmp_path / "hcrm.toml").write_text('plugins = ["hl7v2"]', encoding="utf-8")
    (tmp_path / "msgspec.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "['register_adapters']\n", done.stderr


def test_a_host_that_was_ended_while_idle_is_started_anew(site: Path, enable: Callable[..., Registry]) -> None:
    """As by the system when memory is short; nobody is to blame."""
    distribution(site, "one", ADAPTER.format(name="one"))
    registry = enable("one")
    assert registry.hooks("one") == ["register_adapters"]
    for host in psutil.Process().children(recursive=True):
        if host.name() == "hcrm-describing":
            host.kill()
    time.sleep(0.1)
    assert registry.hooks("one") == ["register_adapters"]


@pytest.mark.parametrize(
    "hook",
    [
        "@hookimpl\ndef register_adaptors():\n    return []\n",  # misspelt
        "@hookimpl\ndef register_adapters(configuration):\n    return []\n",  # an argument the hook has not
        "@hookimpl\ndef register_strategies(workspace, extra):\n    return []\n",
    ],
)
def test_a_hook_that_does_not_fit_is_named(site: Path, enable: Callable[..., Registry], hook: str) -> None:
    distribution(site, "wrong", NOTHING + hook)
    text = blame(enable("wrong"), "wrong")
    assert text.startswith("The plugin 'wrong' of fake-plugin-wrong 1.2 does not fit the hooks of this version: ")
    assert "register_" in text


def test_a_hook_that_raises_is_blamed_on_its_plugin(site: Path, enable: Callable[..., Registry]) -> None:
    for name, what in (("angry", "raise KeyError('13800138000')"), ("leaving", "raise SystemExit(0)")):
        distribution(site, name, NOTHING + f"@hookimpl\ndef register_adapters():\n    {what}\n")
    for name, kind in (("angry", "KeyError"), ("leaving", "SystemExit")):
        with pytest.raises(PluginError) as raised:
            enable(name).adapters  # noqa: B018
        assert str(raised.value) == (
            f"The plugin '{name}' of fake-plugin-{name} 1.2 failed in register_adapters ({kind}). "
            f"Disable it with: hcrm plugins disable {name}"
        )


def test_two_plugins_with_one_adapter_name_are_both_named(site: Path, enable: Callable[..., Registry]) -> None:
    distribution(site, "one", ADAPTER.format(name="lab"))
    distribution(site, "two", ADAPTER.format(name="lab"))
    with pytest.raises(PluginError) as raised:
        enable("one", "two").adapters  # noqa: B018
    assert str(raised.value) == (
        "'lab' is offered by the plugins 'one' and 'two' (register_adapters). Disable one of them."
    )
    assert list(enable("two").adapters) == ["lab"]


def test_two_distributions_with_one_plugin_name_are_both_named(site: Path) -> None:
    distribution(site, "same", NOTHING, module="fake_plugin_a", dist="fake-plugin-a")
    distribution(site, "same", NOTHING, module="fake_plugin_b", dist="fake-plugin-b")
    found = installed()["same"]
    text = found.problem
    assert text is not None
    assert "'same'" in text and "fake-plugin-a" in text and "fake-plugin-b" in text and "Uninstall one of them" in text


def test_a_deliberate_error_of_a_plugin_keeps_its_own_words(site: Path, enable: Callable[..., Registry]) -> None:
    code = "from hcrm_core.api import ConfigurationError, hookimpl\n@hookimpl\ndef register_strategies(workspace):\n"
    distribution(site, "strict", code + "    raise ConfigurationError('rules.yaml, line 3: no such field.')\n")
    with pytest.raises(ConfigurationError, match=r"^rules\.yaml, line 3: no such field\.$"):
        enable("strict").strategies  # noqa: B018


# --- sources ----------------------------------------------------------------------------------------------------------


def test_an_unknown_adapter_names_the_nearest(site: Path, enable: Callable[..., Registry]) -> None:
    distribution(site, "one", ADAPTER.format(name="spreadsheet"))
    with pytest.raises(UsageError, match=r"no enabled adapter 'spreadshet'\. Did you mean 'spreadsheet'"):
        enable("one").source("his", "spreadshet")


def test_an_unknown_source_names_the_nearest(enable: Callable[..., Registry]) -> None:
    registry = enable("hl7v2", more='[sources.his]\nadapter = "hl7v2"\n')
    with pytest.raises(UsageError, match=r"no source 'hiss' in hcrm\.toml\. Did you mean 'his'"):
        registry.source("hiss")


def test_a_source_takes_the_workspace_s_zone_unless_it_has_its_own(enable: Callable[..., Registry]) -> None:
    sources = (
        'timezone = "Asia/Urumqi"\n[sources.a]\nadapter = "hl7v2"\n[sources.b]\nadapter = "hl7v2"\ntimezone = "UTC"\n'
    )
    registry = enable("hl7v2", more=sources)
    assert registry.source("a").settings.timezone == "Asia/Urumqi"
    assert registry.source("b").settings.timezone == "UTC"


@pytest.mark.parametrize("path", ["../outside.yaml", "/etc/hostname", "rules/../../outside.yaml"])
def test_a_plugin_reads_no_file_outside_the_workspace(tmp_path: Path, path: str) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "hcrm.toml").write_text("", encoding="utf-8")
    (tmp_path / "outside.yaml").write_text("secret", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="lies outside the workspace"):
        Workspace(Configuration(root)).read_text(path)


def test_a_link_does_not_lead_out_of_the_workspace(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "hcrm.toml").write_text("", encoding="utf-8")
    (tmp_path / "outside.yaml").write_text("secret", encoding="utf-8")
    (root / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    with pytest.raises(ConfigurationError, match="lies outside the workspace"):
        Workspace(Configuration(root)).read_text("link.yaml")


# --- the command line lives on ----------------------------------------------------------------------------------------


def run(root: Path, *arguments: str) -> click.testing.Result:
    return CliRunner().invoke(main, ["--workspace", str(root), *arguments])


@pytest.mark.parametrize(
    "code",
    ["raise SystemExit(0)", "import no_such_library", "raise RuntimeError", NOTHING + "@hookimpl\ndef x(): ...\n"],
)
def test_listing_disabling_and_diagnosis_work_with_a_broken_plugin(site: Path, tmp_path: Path, code: str) -> None:
    distribution(site, "broken", code)
    root = tmp_path / "workspace"
    assert CliRunner().invoke(main, ["init", str(root)]).exit_code == 0
    assert run(root, "plugins", "enable", "broken").exit_code == 0
    listed = run(root, "plugins", "list")
    assert listed.exit_code == 0 and "fake-plugin-broken" in listed.stdout
    found = run(root, "doctor")
    assert found.exit_code == 1
    assert "The plugin 'broken' of fake-plugin-broken 1.2" in found.stdout
    assert "The plugin hl7v2" in found.stdout
    changing = run(root, "ingest", str(root))
    assert changing.exit_code == 1 and "'broken' of fake-plugin-broken" in changing.stderr
    assert "Traceback" not in changing.output + found.output
    assert run(root, "plugins", "disable", "broken").exit_code == 0
    assert run(root, "doctor").exit_code == 0


def test_an_enabled_plugin_that_was_uninstalled_can_be_listed_and_disabled(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    CliRunner().invoke(main, ["init", str(root)])
    file = root / "hcrm.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"hl7v2"', '"gone", "hl7v2"', 1), encoding="utf-8")
    listed = run(root, "plugins", "list")
    assert listed.exit_code == 0 and "NOT INSTALLED" in listed.stdout
    assert run(root, "plugins", "disable", "gone").exit_code == 0
    assert "gone" not in run(root, "plugins", "list").stdout


def test_every_deliberate_error_is_a_sentence_with_an_exit_code() -> None:
    def subclasses(kind: type[HcrmError]) -> Iterator[type[HcrmError]]:
        for sub in kind.__subclasses__():
            yield sub
            yield from subclasses(sub)

    assert {kind.exit_code for kind in subclasses(HcrmError)} == {1, 2}
    assert UsageError.exit_code == 2
