"""A breaker: whoever fails again and again is left alone for a while, so that it does not take everybody's time."""

import threading
import time

FAILURES = 5
"""In a row."""

PAUSE_SECONDS = 60.0
LONGEST_PAUSE = 3_600.0


class Breaker:
    """Counts the failures in a row of one plugin. Threads may share it."""

    def __init__(self) -> None:
        """Nothing has failed."""
        self._turn = threading.Lock()
        self._failures = 0
        self._pause = PAUSE_SECONDS
        self._open_until = 0.0

    def succeeded(self) -> None:
        """Forget what failed before."""
        with self._turn:
            self._failures = 0
            self._pause = PAUSE_SECONDS

    def failed(self) -> None:
        """Count one; after so many in a row there is a pause, twice as long each time."""
        with self._turn:
            self._failures += 1
            if self._failures >= FAILURES:
                self._failures = 0
                self._open_until = time.monotonic() + self._pause
                self._pause = min(self._pause * 2, LONGEST_PAUSE)

    @property
    def seconds_left(self) -> float:
        """How long it is still to be left alone; 0: not at all."""
        with self._turn:
            return max(self._open_until - time.monotonic(), 0.0)
