"""Several daemons beside one PostgreSQL: whoever is killed, and wherever, another folds what he left, once."""

import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from support.balance import audit, settled
from support.daemon import Daemon, free_port, workspace
from support.feed import Feed, messages

FOLD = ("claim", "translate", "upsert", "identity", "outcome", "fold-commit")
"""Where the working side of a daemon is killed."""


class Neighbours:
    """Workspaces of one key on one database, each with a port of its own."""

    def __init__(self, folder: Path, url: str, count: int) -> None:
        self.ports = [free_port() for _ in range(count)]
        self.roots = [workspace(folder / f"host{number}", port, url) for number, port in enumerate(self.ports)]
        for root in self.roots[1:]:
            shutil.copy(self.roots[0] / "hcrm.key", root / "hcrm.key")


@pytest.fixture
def neighbours(tmp_path: Path, new_database: Callable[[], str]) -> Callable[[int], Neighbours]:
    return lambda count: Neighbours(tmp_path, new_database(), count)


def endure(hosts: Neighbours, points: tuple[str, ...], pause: float, tally: Callable[..., None]) -> None:
    """Kill the first daemon at each place while the others go on, and balance the accounts."""
    feeds = [Feed(port, messages(number * 10**6), 2, pause) for number, port in enumerate(hosts.ports)]
    others = [Daemon(root).listening() for root in hosts.roots[1:]]
    try:
        for point in points:
            with Daemon(hosts.roots[0], f"{point}:2") as killed:
                killed.orphan()
        with Daemon(hosts.roots[0]) as healed:
            healed.listening()
            for feed in feeds:
                feed.finish()
            settled(hosts.roots[0])
            healed.stop()
        for other in others:
            assert other.fired == 0
            other.stop()
    finally:
        for other in others:
            other.kill()
    balance = audit(
        hosts.roots[0],
        [one for feed in feeds for one in feed.acknowledged],
        [payload for feed in feeds for payload in feed.sent],
    )
    tally("neighbours", kills=len(points), messages=balance.messages, lost=balance.lost, doubled=balance.doubled)
    assert (balance.lost, balance.doubled) == (0, 0)


@pytest.mark.postgresql
def test_a_neighbour_folds_once_what_a_killed_daemon_left(
    neighbours: Callable[[int], Neighbours], tally: Callable[..., None]
) -> None:
    endure(neighbours(2), FOLD[::2], 0.2, tally)


@pytest.mark.prove
@pytest.mark.postgresql
@pytest.mark.parametrize("count", [2, 3])
def test_neighbours_fold_once_what_was_killed_at_each_place_of_the_fold(
    count: int, neighbours: Callable[[int], Neighbours], tally: Callable[..., None]
) -> None:
    endure(neighbours(count), FOLD * 2, 0.02, tally)


@pytest.mark.postgresql
def test_a_living_neighbour_takes_over_within_seconds(neighbours: Callable[[int], Neighbours]) -> None:
    """The killed daemon is not started again: who stays works off everything that landed through either."""
    hosts = neighbours(2)
    with Daemon(hosts.roots[0], "claim:2") as killed, Daemon(hosts.roots[1]) as stays:
        killed.listening()
        stays.listening()
        feed = Feed(hosts.ports[1], islice(messages(), 60), senders=2, pause=0.05)
        killed.orphan()
        feed.join()
        settled(hosts.roots[1], seconds=15)
        stays.stop()
    assert audit(hosts.roots[1], feed.acknowledged, feed.sent)[1:] == (0, 0)
