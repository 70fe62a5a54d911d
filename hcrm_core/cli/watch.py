"""`hcrm run --watch`: a listening process of its own, and the work on what it lands.

The listener is another process so that no amount of folding delays an acknowledgment. Each side survives the other:
a listener that dies is started anew, and one whose daemon dies finishes what it accepted and ends.
"""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from hcrm_core import env
from hcrm_core.cli.context import Opened, say
from hcrm_core.cli.findings import tell_findings
from hcrm_core.cli.listen import listening, ports
from hcrm_core.cli.metrics import Metrics
from hcrm_core.errors import ConfigurationError, HcrmError
from hcrm_core.intake.figures import exposition, figures
from hcrm_core.intake.process import Intake
from hcrm_core.model.observing import IntakeDone
from hcrm_core.store import durable
from hcrm_core.store.engine import UNAVAILABLE

IDLE_SECONDS = 0.05
LONGEST_PAUSE = 5.0
TELL_SECONDS = 60.0
"""How often plugins are told what was worked off."""

STARTED_SECONDS = 15.0
"""A listener that ends by itself before has not begun to listen, and would not the next time."""


class ListenerProcess:
    """`hcrm listen` as a child that ends with its parent."""

    def __init__(self, space: Opened) -> None:
        self._space = space
        self._command = [sys.executable, "-m", "hcrm_core", "--workspace", str(space.root), "listen", "--attached"]
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause = 0.0
        self._ending = False
        self._first = True

    def keep(self) -> None:
        """Start it, or start it anew when it has died; waits longer after each start that did not last."""
        if self._ending or (self._process and self._process.poll() is None):
            return
        if not any(table.get("listen") for table in self._space.configuration.settings.sources.values()):
            return
        now = time.monotonic()
        if self._process:
            lasted = now - self._started_at
            if lasted < self._pause:
                return
            if self._first and self._process.returncode > 0 and lasted < STARTED_SECONDS:
                raise ConfigurationError("The listener cannot begin; its reason stands above. Mend it and start again.")
            self._first = False
            self._pause = 0.0 if lasted > 30 else min(self._pause * 2 or 0.25, LONGEST_PAUSE)
            say(f"hcrm: the listener has died ({_manner(self._process.returncode)}); it is started anew.")
        self._started_at = now
        # What is ignored stays so in a child: a SIGHUP that comes before it can read anew must not end it.
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)
        signal.signal(signal.SIGHUP, before)

    def reload(self) -> None:
        """Have it read `hcrm.toml` and the certificates anew."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGHUP)

    def finished(self) -> bool:
        """Let it answer what it accepted and end; whether it has."""
        if self._process is None:
            return True
        if not self._ending and self._process.stdin:
            self._ending = True
            self._process.stdin.close()
        return self._process.poll() is not None

    def stop(self) -> None:
        """Let it finish, and wait for that."""
        if not self.finished() and self._process:
            self._process.wait()


def _manner(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"exit code {code}"


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
    """Listen where a source does, and work off what lands, until signalled."""
    durable.require(space.store)
    ended, reread = threading.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    signal.signal(signal.SIGHUP, lambda *_: reread.set())
    work = Work(space)
    listener = ListenerProcess(space)
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
        _work(work, listener, ended, reread)
    finally:
        if metrics:
            metrics.close()
        listener.stop()
    say("Stopped: what has landed and is not folded yet waits for the next start.")


def _work(work: Work, listener: ListenerProcess, ended: threading.Event, reread: threading.Event) -> None:
    def over() -> bool:
        """Whether to end now; what the listener must still answer as folded is worked off before."""
        return ended.is_set() and listener.finished()

    def interrupted() -> bool:
        """Asked between batches: a backlog must not keep a dead listener waiting, nor a signal."""
        listener.keep()
        return over() or reread.is_set()

    pause = IDLE_SECONDS
    while not over():
        if reread.is_set():
            reread.clear()
            work.reload()
            listener.reload()
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
