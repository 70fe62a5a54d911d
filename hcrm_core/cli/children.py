"""A process beside the daemon that ends with it and is started anew when it dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from hcrm_core.cli.context import Opened, say
from hcrm_core.config import Settings
from hcrm_core.errors import ConfigurationError

LONGEST_PAUSE = 5.0
STARTED_SECONDS = 15.0
"""One that ends by itself before has not begun its work, and would not the next time."""


class Child:
    """A command of `hcrm` as a child that ends with its parent."""

    def __init__(
        self,
        space: Opened,
        name: str,
        command: Sequence[str],
        *,
        is_needed: bool = False,
        may_work: Callable[[Settings], bool],
    ) -> None:
        """Args:
        space: The workspace.
        name: What people call it.
        command: Of `hcrm`; it takes `--attached`, and ends by itself where the workspace has no work for it.
        is_needed: Whether the daemon is not to begin where this cannot.
        may_work: Whether there may be work for it by these settings; else none is started.
        """
        self._space = space
        self._name = name
        head = [sys.executable, "-m", "hcrm_core", "--workspace", str(space.root)]
        self._command = [*head, *command, "--attached"]
        self._is_needed = is_needed
        self._may_work = may_work
        self._rests = False
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause = 0.0
        self._ending = False
        self._first = True

    def keep(self) -> None:
        """Start it, or start it anew when it has died; waits longer after each start that did not last."""
        if self._ending or (self._process and self._process.poll() is None):
            return
        if self._rests or not (self._process or self._may_work(self._space.configuration.settings)):
            return
        now = time.monotonic()
        if self._process:
            lasted = now - self._started_at
            if lasted < self._pause:
                return
            if self._process.returncode == 0:
                self._rests = True
                return
            if self._first and self._process.returncode > 0 and lasted < STARTED_SECONDS:
                self._refuse()
                return
            self._first = False
            self._pause = 0.0 if lasted > 30 else min(self._pause * 2 or 0.25, LONGEST_PAUSE)
            say(f"hcrm: the {self._name} has died ({_manner(self._process.returncode)}); it is started anew.")
        self._started_at = now
        # What is ignored stays so in a child: a SIGHUP that comes before it can read anew must not end it.
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)
        signal.signal(signal.SIGHUP, before)

    def reload(self) -> None:
        """Have it read `hcrm.toml` anew, or begin after all."""
        self._rests = False
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGHUP)
        else:
            self._process, self._first = None, True

    def _refuse(self) -> None:
        """It could not begin.

        Raises:
            ConfigurationError: It is needed.
        """
        if self._is_needed:
            raise ConfigurationError(
                f"The {self._name} cannot begin; its reason stands above. Mend it and start again."
            )
        self._rests = True
        say(
            f"hcrm: {self._name} cannot begin; its reason stands above. Everything else goes on. Mend it and send "
            "SIGHUP to this process."
        )

    def finished(self) -> bool:
        """Let it finish what it began and end; whether it has."""
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


def when_input_ends(call: Callable[[], object]) -> None:
    """In a child: call this, in a thread of its own, when the parent is gone or wants it to end."""

    def wait() -> None:
        while os.read(0, 4096):
            continue
        call()

    threading.Thread(target=wait, daemon=True).start()


def _manner(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"exit code {code}"
