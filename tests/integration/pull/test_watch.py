"""`hcrm run --watch` pulls sources in their time, whatever becomes of their servers."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from support.daemon import Daemon, wait_for
from support.plugins import distribution
from support.pulling import CODE, Hospital, configure, person
from support.web import Answer, Asked

from hcrm_core.cli.context import Opened
from hcrm_core.store.queries.processing import people


@pytest.fixture
def folded(workspace: Path) -> Callable[[], int]:
    """How many patients are known."""

    def count() -> int:
        space = Opened(workspace)
        try:
            with space.store.read() as connection:
                return people(connection)[0]
        finally:
            space.close()

    return count


def test_the_daemon_pulls_survives_outages_reads_anew_and_ends(
    workspace: Path, tmp_path: Path, folded: Callable[[], int]
) -> None:
    site = distribution(tmp_path / "site", "pages", CODE)
    hospital, other = Hospital(12), Hospital(0)
    other.people = [person(500)]
    away: list[Asked] = []

    def out_of_order(asked: Asked) -> Answer:
        away.append(asked)
        return Answer(500)

    with hospital.serve() as server, other.serve() as second:
        lines = "pull = { every_seconds = 0.2, tries = 1 }"
        configure(workspace, f'[sources.city]\nadapter = "pages"\nurl = "{server.url}"\n{lines}\n')
        file = workspace / "hcrm.toml"
        with Daemon(workspace, path=site) as daemon:
            wait_for(lambda: folded() == 12, "what is there is pulled and folded")
            hospital.people.append(person(13))
            wait_for(lambda: folded() == 13, "what is new is pulled")
            hospital.before = out_of_order
            wait_for(lambda: len(away) > 3, "a server that is away is asked again")
            hospital.before = lambda asked: None
            wait_for(lambda: "city was pulled to the end again" in daemon.log, "it is said when it is over")
            assert daemon.log.count("The server answered with status 500.") == 1
            good = file.read_text(encoding="utf-8")
            file.write_text(f'{good}[sources.more]\nadapter = "pages"\nurl = "http://his.example.org"\n{lines}\n')
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: "speaks plain text" in daemon.log, "a mistake is named")
            hospital.people.append(person(14))
            wait_for(lambda: folded() == 14, "and holds back no other source")
            file.write_text(f'{good}[sources.more]\nadapter = "pages"\nurl = "{second.url}"\n{lines}\n')
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: folded() == 15, "a source that was added is pulled")
            child = daemon.child("pull")
            assert child is not None
            child.kill()
            wait_for(lambda: "the pulling has died" in daemon.log, "one that dies is started anew")
            hospital.people.append(person(15))
            wait_for(lambda: folded() == 16, "and goes on where it was")
            daemon.stop()


def test_a_daemon_ends_though_a_server_keeps_it_waiting(workspace: Path, tmp_path: Path) -> None:
    site = distribution(tmp_path / "site", "pages", CODE)
    hospital = Hospital(1)
    hospital.before = lambda asked: Answer(202, headers={"Retry-After": "3000"})
    with hospital.serve() as server:
        lines = "pull = { every_seconds = 60 }"
        configure(workspace, f'[sources.city]\nadapter = "pages"\nurl = "{server.url}"\n{lines}\n')
        with Daemon(workspace, path=site) as daemon:
            wait_for(lambda: bool(server.asked), "it asks")
            daemon.stop()


def test_a_pull_that_is_interrupted_ends_at_once_and_keeps_what_it_has(
    workspace: Path, tmp_path: Path, folded: Callable[[], int]
) -> None:
    site = distribution(tmp_path / "site", "pages", CODE)
    hospital = Hospital(20)
    hospital.before = lambda asked: (
        Answer(503, headers={"Retry-After": "200"}) if asked.target.endswith("=10") else None
    )
    with hospital.serve() as server:
        configure(workspace, f'[sources.city]\nadapter = "pages"\nurl = "{server.url}"\n')
        with Daemon(workspace, path=site, command="pull") as pulling:
            wait_for(lambda: len(server.asked) == 2, "it waits for a server that wants to be left alone")
            pulling.process.send_signal(signal.SIGINT)
            assert pulling.process.wait(20) == 1
            assert "interrupted. What has landed is kept" in pulling.log
        hospital.before = lambda asked: None
        with Daemon(workspace, path=site, command="pull") as pulling:
            assert pulling.process.wait(60) == 0
            assert "10 messages, 10 new" in pulling.log
    assert folded() == 20
