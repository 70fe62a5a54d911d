"""A killed process loses nothing that was acknowledged, and folds nothing twice.

Senders go on without a pause while the processes under them are killed with SIGKILL: at each named place of a
message's way, and at moments nobody chose.
"""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.balance import audit, settled
from support.daemon import Daemon, wait_for
from support.feed import Feed, messages

from hcrm_core.failpoints import KILLED, NAMES

IN_THE_LISTENER = NAMES[: NAMES.index("claim")]
A_MESSAGE = ("frame-read", "mid-ack", "post-ack")
"""Places every message passes by itself; the others are passed by batches."""

REST = 4
"""After so many rounds everything is worked off once: what five daemons in a row died over would count as poison."""

VICTIMS = ("daemon", "listener", "worker")


class Reaper:
    """Starts the daemon again and again and has it killed; every round ends with nothing of it alive."""

    def __init__(self, root: Path, seed: int) -> None:
        self.kills = 0
        self._root = root
        self._random = random.Random(seed)

    def failpoint(self, name: str) -> None:
        """Have a process kill itself at a place; where that was the listener, its survivor is killed later."""
        passes = self._random.randint(1, 60 if name in A_MESSAGE else 15 if name in IN_THE_LISTENER else 4)
        with Daemon(self._root, f"{name}:{passes}") as daemon:
            if name in IN_THE_LISTENER:
                daemon.listening(2)
                assert f"the listener has died (by signal {signal.SIGKILL:d})" in daemon.log
                self._kill_everything(daemon)
            else:
                daemon.orphan()
            assert f"{KILLED}{name}\n" in daemon.log
            self.kills += daemon.fired

    def at_random(self, victim: str) -> None:
        """Kill one process at some moment; where others survive, see them go on, and kill them later."""
        with Daemon(self._root) as daemon:
            daemon.listening()
            self._wait(1.0)
            if victim == "daemon":
                daemon.orphan(end=True)
            else:
                words = "listen" if victim == "listener" else "hcrm-worker"
                wait_for(lambda: daemon.child(words) is not None, f"there is a {victim}")
                daemon.child(words).kill()
                if victim == "listener":
                    daemon.listening(2)
                self._kill_everything(daemon)
            self.kills += 1

    def _kill_everything(self, daemon: Daemon) -> None:
        self._wait(0.5)
        daemon.kill()
        self.kills += 1

    def _wait(self, longest: float) -> None:
        time.sleep(self._random.uniform(0, longest))


def endure(root: Path, port: int, plan: list[str], seed: int, tally: Callable[..., None], pause: float = 0.05) -> int:
    """Kill by a plan under load, let the last start finish, and balance the accounts; the kills."""
    reaper = Reaper(root, seed)
    feed = Feed(port, messages(), pause=pause)
    for number, item in enumerate(plan, 1):
        reaper.at_random(item) if item in VICTIMS else reaper.failpoint(item)
        if number % REST == 0 and number < len(plan):
            with Daemon(root) as daemon:
                daemon.listening()
                settled(root)
                daemon.stop()
    with Daemon(root) as daemon:
        daemon.listening()
        feed.finish()
        settled(root)
        daemon.stop()
    balance = audit(root, feed.acknowledged, feed.sent)
    tally("kill -9", kills=reaper.kills, messages=balance.messages, lost=balance.lost, doubled=balance.doubled)
    assert (balance.lost, balance.doubled) == (0, 0)
    return reaper.kills


@pytest.mark.parametrize(
    ("database", "points"),
    [
        ("sqlite", (*NAMES[0::2], "listener")),
        pytest.param("postgresql", (*NAMES[1::2], "worker"), marks=pytest.mark.postgresql),
    ],
)
def test_ten_kills_at_every_second_failpoint_lose_nothing_and_double_nothing(
    database: str, points: tuple[str, ...], listening: Callable[..., tuple[Path, int]], tally: Callable[..., None]
) -> None:
    assert endure(*listening(database, deciding=database == "sqlite"), list(points), 1, tally, pause=0.1) >= 10


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_thirty_two_kills_at_every_failpoint_and_at_random_lose_nothing_and_double_nothing(
    database: str, seed: int, listening: Callable[..., tuple[Path, int]], tally: Callable[..., None]
) -> None:
    plan = [*NAMES, *VICTIMS, *VICTIMS, "daemon"]
    random.Random(seed).shuffle(plan)
    assert endure(*listening(database, deciding=True), plan, seed, tally) >= 32
