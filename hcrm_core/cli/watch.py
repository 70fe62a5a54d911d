"""`hcrm run --watch`: a listening process of its own, and the work on what it lands.

The listener is another process so that no amount of folding delays an acknowledgment. Each side survives the other:
a listener that dies is started anew, and one whose daemon dies finishes what it accepted and ends.
"""

import signal
import subprocess
import sys
import threading
import time

from hcrm_core import env
from hcrm_core.cli.context import Opened, say
from hcrm_core.cli.listen import listening
from hcrm_core.intake.pool import WorkerPool
from hcrm_core.intake.process import Intake
from hcrm_core.store import durable
from hcrm_core.store.engine import UNAVAILABLE

IDLE_SECONDS = 0.05
LONGEST_PAUSE = 5.0


class ListenerProcess:
    """`hcrm listen` as a child that ends with its parent."""

    def __init__(self, space: Opened) -> None:
        self._command = [sys.executable, "-m", "hcrm_core", "--workspace", str(space.root), "listen", "--attached"]
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause = 0.0

    def keep(self) -> None:
        """Start it, or start it anew when it has died; waits longer after each start that did not last."""
        if self._process and self._process.poll() is None:
            return
        now = time.monotonic()
        if self._process:
            lasted = now - self._started_at
            if lasted < self._pause:
                return
            self._pause = 0.0 if lasted > 30 else min(self._pause * 2 or 0.25, LONGEST_PAUSE)
            say(f"hcrm: the listener has died ({_manner(self._process.returncode)}); it is started anew.")
        self._started_at = now
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)

    def reload(self) -> None:
        """Have it read `hcrm.toml` and the certificates anew."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """Let it finish what it accepted, and wait for that."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait()


def _manner(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"exit code {code}"


def watch(space: Opened, pool: WorkerPool) -> None:
    """Listen where a source does, and work off what lands, until signalled."""
    durable.require(space.store)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    listener = None
    if any(table.get("listen") for table in space.configuration.settings.sources.values()):
        listening(space.configuration, space.registry)  # a mistake in the configuration ends the daemon here
        listener = ListenerProcess(space)
        signal.signal(signal.SIGHUP, lambda *_: listener.reload())
    intake = Intake(space.store, pool.translate, space.adapter_of, lambda: env.microseconds(env.now()))
    try:
        _work(intake, listener, ended)
    finally:
        if listener:
            listener.stop()
    say("Stopped: what has landed and is not folded yet waits for the next start.")


def _work(intake: Intake, listener: ListenerProcess | None, ended: threading.Event) -> None:
    begun = False
    pause = IDLE_SECONDS
    while not ended.is_set():
        if listener:
            listener.keep()
        try:
            if not begun:
                intake.begin()
                begun = True
            done = intake.run(ended=ended.is_set)
        except UNAVAILABLE:
            if pause == IDLE_SECONDS:
                say("hcrm: the store cannot be reached; trying again until it can. Is its database running?")
            begun = False
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            if pause > IDLE_SECONDS:
                say("hcrm: the store can be reached again.")
            pause = IDLE_SECONDS
            if done.translated + done.quarantined:
                continue
        ended.wait(pause)
