"""The quality scale: what ships states the truth and stands at silver or better; what is not so is caught."""

from pathlib import Path

import pytest
from support.plugins import distribution
from support.ward import hcrm, told

from hcrm_core.cli.new import render
from hcrm_core.errors import ConfigurationError, PluginError
from hcrm_core.quality import FILE, KINDS, LEVELS, RULES, Seen, Stated, findings, level, level_of, read, rules_for
from hcrm_core.registry.installed import installed

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted(path.parent for kind in ("adapters", "plugins") for path in ROOT.glob(f"{kind}/*/pyproject.toml"))


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """The folder of an adapter that keeps every rule below gold."""
    return render("adapter", "clinic", tmp_path)


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The folder of a plugin that keeps every rule below gold."""
    return render("plugin", "unseen", tmp_path)


def change(folder: Path, file: str, old: str, new: str) -> Seen:
    """A file with another text in it; one that is not there is written, and without a new text it goes."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    assert old in text
    path.write_text(text.replace(old, new) if old else text + new, encoding="utf-8")
    return Seen.at(folder)


# --- what ships -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_what_ships_states_every_rule_and_states_the_truth(folder: Path) -> None:
    assert findings(Seen.at(folder)) == []


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_what_ships_stands_at_silver_or_better(folder: Path) -> None:
    seen = Seen.at(folder)
    reached = level_of(read(seen.package), seen.kinds)
    assert reached is not None and LEVELS.index(reached) >= LEVELS.index("silver")
    assert level(installed()[seen.name]) == reached


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_an_installed_plugin_is_seen_as_its_folder_is(folder: Path) -> None:
    seen = Seen.at(folder)
    other = Seen.of(installed()[seen.name])
    assert (other.package, other.project, other.kinds) == (seen.package, folder, seen.kinds)


# --- the rules --------------------------------------------------------------------------------------------------------


def test_rules_say_what_why_and_how() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert [rule.level for rule in RULES] == sorted((rule.level for rule in RULES), key=LEVELS.index)
    for rule in RULES:
        assert rule.kinds <= set(KINDS.values())
        assert not rule.title.endswith(".") and rule.why.endswith(".") and rule.how.endswith(".")


def test_every_level_asks_something_of_every_plugin() -> None:
    for kind in KINDS.values():
        assert {rule.level for rule in rules_for(frozenset({kind}))} == set(LEVELS)


CODE = "src/hcrm_adapter_clinic/adapter.py"
INIT = "src/hcrm_adapter_clinic/__init__.py"
BROKEN = {
    "names-agree": ("pyproject.toml", 'name = "hcrm-adapter-clinic"', 'name = "hcrm-adapter-ward"'),
    "core-capped": ("pyproject.toml", "hcrm>=0.1,<0.2", "hcrm>=0.1"),
    "licence": ("pyproject.toml", 'license = "Apache-2.0"', ""),
    "readme": ("README.md", "hcrm plugins enable clinic", ""),
    "public-api": (CODE, "from hcrm_core.api", "from hcrm_core.model.adapters"),
    "known-hooks": (INIT, "register_adapters()", "register_adapter()"),
    "conformance-kit": ("tests/test_kit.py", "adapter_kit", "another_kit"),
    "errors-are-sentences": (CODE, "raise ConfigurationError(text)", "raise RuntimeError(text)"),
    "settings-documented": ("README.md", "`authority`", ""),
    "pure": (CODE, "from collections", "import socket\nfrom collections"),
    "cheap-import": ("src/hcrm_adapter_clinic/records.py", "from msgspec import", "import pandas\nfrom msgspec import"),
    "typed": (CODE, "def _coverage(line: Line)", "def _coverage(line)"),
    "example": ("README.md", "```toml", "```"),
    "chinese": ("README.md", "读取", "It reads "),
    "origins": (CODE, "def field_name", "def name_of_a_field"),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_what_is_stated_and_not_so_is_caught(rule: str, adapter: Path) -> None:
    assert findings(Seen.at(adapter)) == []
    found = findings(change(adapter, *BROKEN[rule]))
    assert found and all(text.startswith(f"{rule} is stated as done, but: ") for text in found), found


def test_a_title_in_one_language_is_caught(plugin: Path) -> None:
    seen = change(plugin, "src/hcrm_plugin_unseen/__init__.py", ', "zh": "久未就诊"', "")
    assert findings(seen) == [
        "titles is stated as done, but: __init__.py, line 13: a Strategy has no title in zh and en."
    ]


def test_a_plugin_without_tests_is_caught(plugin: Path) -> None:
    (plugin / "tests" / "test_kit.py").unlink()
    assert findings(Seen.at(plugin)) == [
        "tests is stated as done, but: there is no test in the folder tests.",
        "conformance-kit is stated as done, but: it offers strategies, and no test calls strategy_kit.",
    ]


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("import os\nHOME = os.environ\n", "reads os.environ"),
        ("def f() -> None:\n    open('x')\n", "calls open"),
        ("from datetime import datetime\nNOW = datetime.now()\n", "calls datetime.now"),
        ("import datetime\nNOW = datetime.datetime.now()\n", "calls datetime.datetime.now"),
        ("from urllib import request\n", "imports urllib.request"),
        ("from hcrm_core.api import now\n", "imports hcrm_core.api.now"),
        ("from importlib import import_module\nX = import_module('subprocess')\n", "imports subprocess"),
        ("from urllib.parse import quote\n", ""),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import socket\n", ""),
    ],
)
def test_what_reaches_beyond_its_arguments_is_caught(code: str, caught: str, adapter: Path) -> None:
    found = findings(change(adapter, INIT, "", code))
    assert (len(found) == 1 and caught in found[0]) if caught else found == []


def test_a_heavy_library_inside_a_function_is_cheap(adapter: Path) -> None:
    assert findings(change(adapter, INIT, "", "\ndef f() -> None:\n    import pandas  # noqa: F401\n")) == []


def test_a_module_that_nothing_imports_does_not_count(adapter: Path) -> None:
    assert (
        findings(change(adapter, "src/hcrm_adapter_clinic/measure.py", "", "import pandas, socket\nprint(1)\n")) == []
    )


def test_a_file_that_is_no_python_is_named(adapter: Path) -> None:
    found = findings(change(adapter, "src/hcrm_adapter_clinic/torn.py", "", "def (:\n"))
    assert found and all("cannot be checked: SyntaxError: " in text and "torn.py, line 1" in text for text in found)


def test_promises_of_gold_and_platinum_are_checked_too(adapter: Path) -> None:
    seen = change(adapter, f"src/hcrm_adapter_clinic/{FILE}", '"todo"', '"done"')
    assert [text.partition(" ")[0] for text in findings(seen)] == ["docs-page", "property-tests"]
    change(adapter, "docs/begin.md", "", "# Begin\n")
    assert findings(change(adapter, "tests/test_more.py", "", "import hypothesis\n")) == []


def test_a_rule_that_is_left_out_is_named(adapter: Path) -> None:
    seen = change(adapter, f"src/hcrm_adapter_clinic/{FILE}", 'readme = "done"\n', "")
    assert findings(seen) == ["readme: quality.toml does not mention it. Write done, todo, or exempt with a reason."]
    assert level_of(read(seen.package), seen.kinds) is None


# --- levels and the file ----------------------------------------------------------------------------------------------


def test_a_level_is_reached_when_its_rules_and_those_below_are_done_or_exempt() -> None:
    kinds = frozenset({"commands"})
    stated = {rule.id: Stated("done") for rule in rules_for(kinds)}
    assert level_of(stated, kinds) == "platinum"
    assert level_of(stated | {"example": Stated("exempt", "It has no settings.")}, kinds) == "platinum"
    assert level_of(stated | {"example": Stated("todo")}, kinds) == "silver"
    assert level_of(stated | {"cheap-import": Stated("todo")}, kinds) == "bronze"
    assert level_of(stated | {"readme": Stated("todo")}, kinds) is None
    assert level_of(stated, frozenset({"adapters"})) == "bronze"
    assert level_of({}, kinds) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('readmee = "done"', "line 1: there is no rule 'readmee'. Did you mean 'readme'?"),
        ('licence = "done"\nreadme = "dnoe"', "line 2: readme cannot be 'dnoe'. Did you mean 'done'?"),
        ('readme = { status = "exempt" }', "readme is exempt without a reason"),
        ('readme = "exempt"', "readme is exempt without a reason"),
        ("readme = true", 'readme must be "done", "todo" or'),
        ('readme = { state = "done" }', 'readme must be "done", "todo" or'),
        ("readme", "cannot be read"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        read(tmp_path)
    assert said in str(raised.value)


def test_a_folder_that_is_no_plugin_s_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is missing"):
        read(tmp_path)
    with pytest.raises(PluginError, match=r"has no pyproject\.toml with one entry point"):
        Seen.at(tmp_path)


# --- hcrm plugins list ------------------------------------------------------------------------------------------------


def test_the_list_shows_levels_and_no_plugin_stops_it(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "path"
    distribution(path, "bare", "raise SystemExit('imported')")
    distribution(path, "torn", "def (:")
    distribution(path, "twice", "", dist="one-twice")
    distribution(path, "twice", "", module="other_twice", dist="other-twice")
    package = path / "wrong"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    (package / FILE).write_text('readme = "perhaps"', encoding="utf-8")
    distribution(path, "misstated", "", module="wrong", dist="wrong-dist")
    monkeypatch.syspath_prepend(path)
    rows = {row["name"]: row for row in told("plugins", "list")}
    assert rows["hl7v2"]["quality"] == "gold"
    assert [rows[name]["quality"] for name in ("bare", "torn", "misstated")] == [None, None, None]
    assert "is offered by one-twice and by other-twice" in rows["twice"]["problem"]
    assert rows["hl7v2"]["problem"] is None
    shown = hcrm("plugins", "list")
    assert shown.exit_code == 0 and "is offered by one-twice and by other-twice" in shown.stderr
    (line,) = (line for line in shown.stdout.splitlines() if line.startswith("bare "))
    assert line.split() == ["bare", "no", "fake-plugin-bare", "1.2", "-"]


def test_a_plugin_that_is_enabled_and_not_installed_is_listed_without_a_level(workspace: Path) -> None:
    file = workspace / "hcrm.toml"
    file.write_text(file.read_text("utf-8").replace('"hl7v2"', '"hl7v2", "gone"', 1), encoding="utf-8")
    (row,) = (row for row in told("plugins", "list") if row["name"] == "gone")
    assert (row["enabled"], row["distribution"], row["quality"], row["problem"]) == (True, None, None, None)
