"""Named places at which a proof kills the process or slows it down; without `HCRM_FAILPOINT` they cost a lookup.

`HCRM_FAILPOINT=post-commit` kills the process with SIGKILL when it first passes there, `post-commit:7` when it passes
for the seventh time, `pre-commit:delay=0.002` sleeps so many seconds at each pass. Several are parted by commas.
"""

import os
import signal
import time
from collections.abc import Callable

from hcrm_core.errors import UsageError

NAMES = (
    "frame-read",  # a listener has read a whole message
    "pre-insert",  # a batch is about to be written to the inbox
    "post-insert",
    "pre-commit",  # of the inbox
    "post-commit",
    "mid-ack",  # half of an answer is on the wire
    "post-ack",
    "claim",  # messages are claimed, nothing is translated yet
    "translate",  # they are translated, nothing is written yet
    "upsert",  # versions are in the log, facts are about to be written
    "identity",  # facts are written, links are not
    "outcome",  # links are written, what became of the messages is not
    "fold-commit",  # everything is written and not committed
    "folded",  # it is committed
)
"""In the order a message passes them."""

PULLING = (
    "asked",  # a pull is about to ask
    "pulled",  # a piece of an answer has come
)
"""What only pulls pass; their messages then pass what all do."""

KILLED = "Killed at the failpoint "
"""What standard error says last, before the name."""


def _read(given: str) -> dict[str, Callable[[], None]]:
    points: dict[str, Callable[[], None]] = {}
    for item in filter(None, given.split(",")):
        name, _, argument = item.partition(":")
        if name not in NAMES + PULLING:
            raise UsageError(f"HCRM_FAILPOINT names {name!r}, which is none of: {', '.join(NAMES + PULLING)}.")
        points[name] = _slow(float(argument[6:])) if argument.startswith("delay=") else _kill(name, int(argument or 1))
    return points


def _kill(name: str, passes: int) -> Callable[[], None]:
    left = passes

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.write(2, f"{KILLED}{name}\n".encode())  # at once: nothing is flushed any more
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def _slow(seconds: float) -> Callable[[], None]:
    return lambda: time.sleep(seconds)


_points = _read(os.environ.get("HCRM_FAILPOINT", ""))


def armed(name: str) -> bool:
    """Whether something happens at the failpoint `name`; for places that must prepare for it."""
    return name in _points


def fp(name: str) -> None:
    """Pass the failpoint `name`."""
    if _points and name in _points:
        _points[name]()
