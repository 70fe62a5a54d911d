"""`hcrm pull` killed at any point, and started again: nothing is lost, and nothing is kept twice."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text
from support.plugins import distribution
from support.pulling import CODE, Hospital, configure, person

from hcrm_core.cli.context import Opened
from hcrm_core.failpoints import KILLED
from hcrm_core.store import schema
from hcrm_core.store.engine import Store

POINTS = (
    "asked", "asked:2", "asked:4", "asked:7", "pulled", "pulled:2", "pulled:5", "pulled:8", "pre-insert",
    "pre-insert:3", "post-insert", "post-insert:2", "post-insert:6", "pre-commit", "pre-commit:4", "pre-commit:7",
    "post-commit", "post-commit:2", "post-commit:5", "claim", "translate", "upsert", "", "identity", "fold-commit",
)  # fmt: skip
"""Where it is killed, one after the other, in one workspace; the hospital's people grow in between. Once it is let be:
a message over which five in a row died would count as poison."""


def pull(workspace: Path, site: Path, failpoint: str = "") -> subprocess.CompletedProcess[str]:
    """`hcrm pull` as a process of its own."""
    environment = os.environ | {"HCRM_FAILPOINT": failpoint, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-m", "hcrm_core", "--workspace", str(workspace), "pull", "--json"],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def kept(store: Store) -> tuple[int, int, int, int]:
    """How many messages there are, how many different ones, how many were worked off, and how many patients."""
    with store.read_inbox() as inbox, store.read() as connection:
        messages = inbox.execute(text("SELECT count(*), count(DISTINCT content_hash) FROM message")).one()
        done = connection.scalar(text("SELECT count(*) FROM processing WHERE state = 'accepted' OR due_at IS NULL"))
        patients = connection.scalar(text("SELECT count(*) FROM fact WHERE kind = 'Patient'"))
    return messages[0], messages[1], done, patients


EVERY_DAY = ("pulled:2", "pre-commit:3", "post-commit:2", "claim")


@pytest.mark.parametrize(("database", "lines"), [("sqlite", False), ("sqlite", True)])
def test_a_pull_that_is_killed_loses_nothing_and_doubles_nothing(
    database: str, lines: bool, workspace: Path, tmp_path: Path, request: pytest.FixtureRequest,
    tally: Callable[..., None],
) -> None:  # fmt: skip
    assert endure(database, lines, EVERY_DAY, workspace, tmp_path, request, tally) >= 3


@pytest.mark.prove
@pytest.mark.parametrize("lines", [False, True], ids=["pages", "lines"])
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_a_pull_that_is_killed_at_twenty_points_loses_nothing_and_doubles_nothing(
    database: str, lines: bool, workspace: Path, tmp_path: Path, request: pytest.FixtureRequest,
    tally: Callable[..., None],
) -> None:  # fmt: skip
    kills = endure(database, lines, POINTS, workspace, tmp_path, request, tally)
    assert kills >= (15 if lines else 20)  # a pull of two files asks three times, so that not every point is passed


def endure(
    database: str, lines: bool, points: Sequence[str], workspace: Path, tmp_path: Path,
    request: pytest.FixtureRequest, tally: Callable[..., None],
) -> int:  # fmt: skip
    """Kill pulls at points, count what is left; gives the number of kills."""
    site = distribution(tmp_path / "site", "pages", CODE)
    file = workspace / "hcrm.toml"
    if database == "postgresql":
        url = request.getfixturevalue("new_database")()
        file.write_text(file.read_text(encoding="utf-8").replace("sqlite:///store.db", url), encoding="utf-8")
    hospital = Hospital(1_300 if lines else 40, 10)
    kills = 0
    with hospital.serve() as server:
        configure(workspace, f'[sources.city]\nadapter = "pages"\nurl = "{server.url}"\nfiles = {str(lines).lower()}\n')
        space = Opened(workspace)
        schema.upgrade(space.unchecked_store)
        for point in points:
            done = pull(workspace, site, point)
            if done.returncode == -signal.SIGKILL:
                kills += 1
                assert KILLED in done.stderr
            else:
                assert done.returncode == 0, done.stderr  # too little was left to pass there so often
            for at in range(len(hospital.people) + 1, len(hospital.people) + 51):
                hospital.people.append(person(at))
        done = pull(workspace, site)
        assert done.returncode == 0, done.stderr
        once_more = pull(workspace, site)
        assert once_more.returncode == 0, once_more.stderr
    messages, different, worked_off, patients = kept(space.store)
    space.close()
    everybody = len({one["number"] for one in hospital.people})
    assert (messages, different, worked_off, patients) == (everybody,) * 4
    tally("kill -9 of a pull", kills=kills, lost=everybody - different, doubled=messages - different)
    return kills
