"""`hcrm new`: what it makes works, is tested and reaches silver; what it cannot make, it refuses with a sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.environment import own_environment
from support.ward import hcrm, sentence

from hcrm_core.cli.new import LONGEST
from hcrm_core.quality import Seen, findings, level_of, read

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("adapter", "plugin")
LONG = "clinic-" * 3 + "visits123"


class Made(NamedTuple):
    """Both skeletons, installed.

    Attributes:
        adapter, plugin: Their folders.
        programs: Of the environment they are installed in.
        workspace: One beside them.
    """

    adapter: Path
    plugin: Path
    programs: Path
    workspace: Path

    def run(self, folder: Path, program: str, *arguments: object, exit_code: int = 0) -> str:
        """What a program of the environment prints."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("HCRM_", "PYTEST"))}
        done = subprocess.run(
            [self.programs / program, *map(str, arguments)],
            cwd=folder,
            env=environment
            | {"HCRM_NOW": "2026-12-31T08:00:00+08:00", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HCRM_TEST_SPARK": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout

    def told(self, *arguments: object) -> Any:
        """What a command says of the workspace with `--json`."""
        return json.loads(self.run(self.workspace, "hcrm", *arguments, "--json"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Made and installed as the command says, in an environment of their own."""
    root = tmp_path_factory.mktemp("skeletons")
    for kind, name in (("adapter", "clinic-visits"), ("plugin", "long-unseen")):
        assert hcrm("new", kind, name, "--dir", root).exit_code == 0
    folders = root / "hcrm-adapter-clinic-visits", root / "hcrm-plugin-long-unseen"
    found = Made(*folders, own_environment(root / "environment"), root / "workspace")
    offline = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    found.run(root, "pip", "install", *offline, "-e", found.adapter, "-e", found.plugin)
    assert hcrm("init", found.workspace).exit_code == 0
    return found


# --- what is made -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_was_made_and_what_to_do_next(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = hcrm("new", kind, "clinic-visits")
    assert result.exit_code == 0 and result.stdout == ""
    files = [path for path in Path(f"hcrm-{kind}-clinic-visits").rglob("*") if path.is_file()]
    said = result.stderr.splitlines()
    assert said[0].startswith(f"Made hcrm-{kind}-clinic-visits: {len(files)} files.")
    assert [line.strip() for line in said[1:]] == [
        f"pip install -e hcrm-{kind}-clinic-visits",
        f"pytest hcrm-{kind}-clinic-visits",
        "hcrm plugins enable clinic-visits",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_no_placeholder_and_no_suffix_is_left(kind: str, tmp_path: Path) -> None:
    hcrm("new", kind, "clinic-visits", "--dir", tmp_path)
    folder = tmp_path / f"hcrm-{kind}-clinic-visits"
    package = folder / "src" / f"hcrm_{kind}_clinic_visits"
    for wanted in ("pyproject.toml", "README.md", "LICENSE", "tests/test_kit.py"):
        assert (folder / wanted).is_file()
    assert (package / "__init__.py").is_file() and (package / "py.typed").is_file()
    for path in folder.rglob("*"):
        assert "{{" not in path.name and path.suffix != ".in"
        assert path.is_dir() or "{{" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["x", "clinic-visits", LONG])
def test_it_follows_the_style_of_the_house(kind: str, name: str, tmp_path: Path) -> None:
    assert len(LONG) == LONGEST
    hcrm("new", kind, name, "--dir", tmp_path)
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", str(tmp_path)]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run([*ruff, *command, *config], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_it_begins_at_silver_and_says_nothing_that_is_not_so(kind: str, tmp_path: Path) -> None:
    hcrm("new", kind, "clinic-visits", "--dir", tmp_path)
    seen = Seen.at(tmp_path / f"hcrm-{kind}-clinic-visits")
    assert findings(seen) == []
    assert level_of(read(seen.package), seen.kinds) == "silver"


# --- what becomes of it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_it_passes_its_own_tests(kind: str, made: Made) -> None:
    folder = made.adapter if kind == "adapter" else made.plugin
    assert " passed" in made.run(folder, "python", "-m", "pytest", "-p", "no:cacheprovider")


def test_it_is_enabled_reads_its_sample_and_decides(made: Made) -> None:
    for name in ("clinic-visits", "long-unseen"):
        made.run(made.workspace, "hcrm", "plugins", "enable", name)
    with (made.workspace / "hcrm.toml").open("a", encoding="utf-8") as file:
        file.write('[sources.clinic]\nadapter = "clinic-visits"\n[strategies.long-unseen]\nsilent_days = 200\n')
    read = made.told("ingest", made.adapter / "tests" / "samples", "--source", "clinic")
    assert (read["messages"], read["quarantined"], read["patients"]) == (3, 0, 3)
    (decided,) = made.told("decide", "long-unseen")["strategies"]
    assert decided["new"] == 2


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Clinic_Visits", "Did you mean 'clinic-visits'?"),
        ("ClinicVisits", "Did you mean 'clinic-visits'?"),
        ("hcrm-adapter-clinic", "Did you mean 'clinic'?"),
        ("2nd-clinic", "Did you mean 'nd-clinic'?"),
        ("clinic--visits", "Did you mean 'clinic-visits'?"),
        ("clinic-", "Did you mean 'clinic'?"),
        ("../clinic", "Did you mean 'clinic'?"),
        ("门诊", "An example: 'clinic-visits'."),
        ("a" * (LONGEST + 1), f"Did you mean '{'a' * LONGEST}'?"),
    ],
)
def test_a_name_that_is_none_is_refused_with_a_better_one(name: str, said: str, tmp_path: Path) -> None:
    text = sentence(hcrm("new", "adapter", name, "--dir", tmp_path), 2)
    assert "cannot be a plugin's name" in text and text.endswith(said)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_a_key_of_the_configuration_is_refused(tmp_path: Path) -> None:
    text = sentence(hcrm("new", "plugin", "mart", "--dir", tmp_path), 2)
    assert "it is a key of hcrm.toml" in text and "Did you mean 'my-mart'?" in text


def test_the_name_by_which_record_files_are_read_is_refused(tmp_path: Path) -> None:
    assert "Did you mean 'my-records'?" in sentence(hcrm("new", "adapter", "records", "--dir", tmp_path), 2)


def test_a_name_that_an_installed_plugin_has_is_refused(tmp_path: Path) -> None:
    text = sentence(hcrm("new", "plugin", "hl7v2", "--dir", tmp_path), 2)
    assert "taken by hcrm-adapter-hl7v2" in text and "'my-hl7v2'" in text


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "hcrm-adapter-clinic"
    folder.mkdir()
    (folder / "README.md").write_text("mine", encoding="utf-8")
    assert "is there already; it was not touched" in sentence(hcrm("new", "adapter", "clinic", "--dir", tmp_path), 2)
    assert [path.name for path in folder.iterdir()] == ["README.md"]
    assert (folder / "README.md").read_text(encoding="utf-8") == "mine"


def test_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "There is no folder" in sentence(hcrm("new", "adapter", "clinic", "--dir", tmp_path / "nowhere"), 2)
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "There is no folder" in sentence(hcrm("new", "adapter", "clinic", "--dir", tmp_path / "file"), 2)
