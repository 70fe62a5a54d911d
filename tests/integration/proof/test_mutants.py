"""The proofs can fail: each promise, broken on purpose in a copy of the code, makes the test that guards it fail."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
KILLS = (
    "tests/integration/proof/test_kills.py::test_ten_kills_at_every_second_failpoint_lose_nothing_and_double_nothing"
)
FSYNC = "tests/integration/proof/test_fsync.py::test_every_acknowledgment_follows_a_sync_of_its_message"
ORDER = "tests/integration/test_order.py"
CHANNEL = "hcrm_core/intake/channel.py"
CHARSET = "adapters/hcrm-adapter-hl7v2/tests/test_reader_charset.py"
READER = "hcrm_adapter_hl7v2/reader"

pytestmark = pytest.mark.prove


class Mutant(NamedTuple):
    """A broken promise: (file, text, what takes its place), and the test that must notice."""

    changes: tuple[tuple[str, str, str], ...]
    test: str


MUTANTS = {
    "acknowledge-before-commit": Mutant(
        (
            (
                CHANNEL,
                "self._house.land(arrival, lambda answer: self._stored(received, answer))",
                "self._stored(received, Receipt(1, 1, False)); self._house.land(arrival, lambda answer: None)",
            ),
        ),
        FSYNC,
    ),
    "synchronous-off": Mutant(
        (
            ("hcrm_core/store/engine.py", "PRAGMA synchronous=FULL", "PRAGMA synchronous=OFF"),
            ("hcrm_core/store/durable.py", "level < 2", "level < 0"),
        ),
        FSYNC,
    ),
    "a-repetition-is-another-message": Mutant(
        (
            ("hcrm_core/intake/land.py", "if before.message_id is not None:", "if False:"),
            (
                "hcrm_core/store/migrations/inbox/versions/0001_inbox.py",
                'sa.UniqueConstraint("source", "control_id", "content_hash", name="message_once"),',
                "",
            ),
        ),
        f"{KILLS}[sqlite-points0]",
    ),
    "facts-committed-before-their-outcome": Mutant(
        (
            (
                "hcrm_core/intake/fold.py",
                'fp("identity")',
                'connection.exec_driver_sql("COMMIT"); fp("identity"); connection.exec_driver_sql("BEGIN IMMEDIATE")',
            ),
        ),
        f"{KILLS}[sqlite-points0]",
    ),
    "arrival-orders-statements": Mutant(
        (
            (
                "hcrm_core/intake/accept.py",
                "stamp(translation.statement, message.content_hash)",
                "stamp(type(translation.statement)(message.id), message.content_hash)",
            ),
        ),
        f"{ORDER}::test_a13_about_ten_oclock_takes_back_the_discharge_that_a08_repeated_at_five_past",
    ),
    "a-late-statement-is-carried-forward": Mutant(
        (
            ("hcrm_core/intake/settle.py", "late.append(fact_id)", "work.carry(fact_id)"),
            (
                "hcrm_core/intake/settle.py",
                "said = [row for row in said if row.statement.stamp > before.stamp]",
                "said = list(said)",
            ),
        ),
        f"{ORDER}::test_a13_about_ten_oclock_takes_back_the_discharge_that_a08_repeated_at_five_past",
    ),
    "a-wrong-declaration-is-guessed-away": Mutant(
        ((f"{READER}/charset.py", "text = raw.decode(plain)", 'text = raw.decode(plain, "replace")'),),
        f"{CHARSET}::test_a_wrong_declaration_is_refused_and_can_be_overridden",
    ),
    "a-wrong-charset-is-guessed-away": Mutant(
        ((f"{READER}/charset.py", "text = raw.decode(codec)", 'text = raw.decode(codec, "replace")'),),
        f"{CHARSET}::test_bytes_that_are_no_text_in_the_sources_charset_are_refused",
    ),
    "a-frame-has-no-cap": Mutant(
        ((CHANNEL, "if pending > self._settings.frame_bytes:", "if pending > 1 << 40:"),),
        "tests/integration/listen/test_limits.py::"
        "test_a_message_that_does_not_end_is_cut_at_the_cap_and_answered_after_those_before_it",
    ),
}


def copied(folder: Path, changes: tuple[tuple[str, str, str], ...] = ()) -> Path:
    """Copy the core and the adapters into a folder and change them there."""
    for package in (ROOT / "hcrm_core", *ROOT.glob("adapters/*/src/*")):
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text, instead in changes:
        file = folder / name
        before = file.read_text(encoding="utf-8")
        assert before.count(text) == 1, f"{name} holds {before.count(text)} times: {text}"
        file.write_text(before.replace(text, instead), encoding="utf-8")
    return folder


def run(folder: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests on the code of a folder, in a process of their own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), *filter(None, [environment.get("PYTHONPATH")])])
    return subprocess.run(
        # -P: otherwise the current directory, and so the unchanged code, would come first.
        [sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", "-x", *tests],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_on_an_unchanged_copy_every_one_of_these_tests_passes(tmp_path: Path) -> None:
    done = run(copied(tmp_path / "code"), *{mutant.test for mutant in MUTANTS.values()})
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_promise_is_noticed(name: str, tmp_path: Path, tally: Callable[..., None]) -> None:
    mutant = MUTANTS[name]
    done = run(copied(tmp_path / "code", mutant.changes), mutant.test)
    killed = done.returncode == 1 and f"FAILED {mutant.test}" in done.stdout
    tally("mutants", seeded=1, killed=int(killed))
    assert killed, done.stdout
