"""Time as those who fetch see it: what is waited for can be ended, and tests need not wait."""

import threading
import time


class Stopped(Exception):
    """Whoever waits or asks is to end now; what has landed is kept."""


class Clock:
    """The machine's clock."""

    def __init__(self, ended: threading.Event | None = None) -> None:
        """Args: ended: set to end whatever goes by this clock."""
        self._ended = ended or threading.Event()

    def now(self) -> float:
        """Seconds since 1970 UTC; of the machine itself, since servers compare it with theirs."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since whenever."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            Stopped: It is to end.
        """
        if self._ended.wait(max(seconds, 0.0)):
            raise Stopped
