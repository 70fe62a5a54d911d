"""`hcrm run --watch`: a process that listens, one that pulls, one that decides as facts come in, and the work on what
lands.

They are other processes so that no amount of folding delays an acknowledgment or a decision. Each survives the others:
one that dies is started anew, and one whose daemon dies finishes what it began and ends.
"""

import signal
import threading
import time
from collections.abc import Callable, Sequence

from hcrm_core import env
from hcrm_core.cli.children import LONGEST_PAUSE, Child
from hcrm_core.cli.context import Opened, say
from hcrm_core.cli.findings import tell_findings
from hcrm_core.cli.keep_pulling import may_pull
from hcrm_core.cli.listen import listening, may_listen, ports
from hcrm_core.cli.metrics import Metrics
from hcrm_core.errors import HcrmError
from hcrm_core.intake.figures import exposition, figures
from hcrm_core.intake.process import Intake
from hcrm_core.model.observing import IntakeDone
from hcrm_core.store import durable
from hcrm_core.store.engine import UNAVAILABLE

IDLE_SECONDS = 0.05
TELL_SECONDS = 60.0
"""How often plugins are told what was worked off."""


class Work:
    """What the daemon does between two looks at its signals."""

    def __init__(self, space: Opened) -> None:
        self._space = space
        self.finished = 0
        self._told_at = time.monotonic()
        self._begun = False
        self._begin()

    def run(self, ended: Callable[[], bool]) -> bool:
        """Work off what waits. Returns whether there was anything."""
        if not self._begun:
            self._intake.begin()
            self._begun = True
        done = self._intake.run(self._count, ended)
        if (now := time.monotonic()) - self._told_at > TELL_SECONDS and (counts := self._intake.counts()):
            tell_findings(self._space, "after_intake", IntakeDone(counts, round(now - self._told_at, 3)))
            self._told_at = now
        for source, sentence in self._intake.stuck.items():
            if self._said.get(source) != sentence:
                say(f"hcrm: {sentence}")
        self._said |= self._intake.stuck
        return bool(done.translated + done.quarantined)

    def _count(self, messages: int) -> None:
        self.finished += messages

    def begin_anew(self) -> None:
        """Take up what may have been left, after the database was away."""
        self._begun = False

    def reload(self) -> None:
        """Take over changed settings; where they are wrong, those before stay."""
        try:
            self._space.reload()
        except HcrmError as error:
            say(f"hcrm: {error} Nothing was changed; the daemon goes on as before.")
            return
        self._begin()

    def exposition(self) -> str:
        """How intake is doing, for Prometheus."""
        now = env.microseconds(env.now())
        return exposition(now, figures(self._space.store, now), self.finished)

    def _begin(self) -> None:
        space = self._space
        self._intake = Intake(space.store, space.pool.translate, space.source_of, lambda: env.microseconds(env.now()))
        self._begun = False
        self._said: dict[str, str] = {}


def watch(space: Opened) -> None:
    """Listen where a source does, work off what lands, and decide upon it, until signalled."""
    durable.require(space.store)
    ended, reread = threading.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    signal.signal(signal.SIGHUP, lambda *_: reread.set())
    work = Work(space)
    listener = Child(space, "listener", ("listen",), is_needed=True, may_work=may_listen)
    others = (
        Child(space, "live deciding", ("decide", "--live"), may_work=lambda settings: settings.decide.live),
        Child(space, "pulling", ("pull",), may_work=may_pull),
    )
    metrics = None
    # A mistake in the configuration ends the daemon here.
    for source in space.configuration.settings.sources:
        space.registry.source(source)
    if not ports(space.configuration, listening(space.configuration, space.registry)):
        say("No source has `listen`: only what lands otherwise is worked off.")
    if address := space.configuration.settings.metrics.listen:
        metrics = Metrics(address, space.configuration.where("metrics", "listen"), work.exposition)
        say(f"Figures for Prometheus: http://{metrics.name}/metrics")
    try:
        _work(work, listener, others, ended, reread)
    finally:
        if metrics:
            metrics.close()
        for child in (listener, *others):
            child.stop()
    say("Stopped: what has landed and is not folded yet waits for the next start.")


def _work(
    work: Work, listener: Child, others: Sequence[Child], ended: threading.Event, reread: threading.Event
) -> None:
    def over() -> bool:
        """Whether to end now; what the listener must still answer as folded is worked off before."""
        return ended.is_set() and listener.finished()

    def interrupted() -> bool:
        """Asked between batches: a backlog must not keep a dead listener waiting, nor a signal."""
        for child in (listener, *others):
            child.keep()
        return over() or reread.is_set()

    pause = IDLE_SECONDS
    while not over():
        if reread.is_set():
            reread.clear()
            work.reload()
            for child in (listener, *others):
                child.reload()
        try:
            busy = work.run(interrupted)
        except UNAVAILABLE:
            if pause == IDLE_SECONDS:
                say(
                    "hcrm: the store cannot be reached or written; trying again until it can. Is its database running, "
                    "and is there room on its disk?"
                )
            work.begin_anew()
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            if pause > IDLE_SECONDS:
                say("hcrm: the store can be reached again.")
            pause = IDLE_SECONDS
            if busy:
                continue
        if ended.is_set():
            time.sleep(IDLE_SECONDS)
        else:
            ended.wait(pause)
