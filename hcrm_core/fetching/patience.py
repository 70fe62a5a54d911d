"""How often, and when, is asked again what went wrong on the way; and no faster than the source allows."""

import random
from email.utils import parsedate_to_datetime

from hcrm_core.errors import FetchError, UnavailableError
from hcrm_core.fetching.clock import Clock

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
LONGEST_WISH = 300.0
"""How many seconds of a server's Retry-After are waited for; whoever wants more is asked the next time."""


class Patience:
    """The tries at one question, with full jitter between them."""

    def __init__(self, tries: int, clock: Clock, chance: random.Random) -> None:
        """Args:
        tries: How often it is asked.
        clock: Of the waits.
        chance: Spreads those who were cut off at once over the time they come back.
        """
        self._tries = tries
        self._clock = clock
        self._chance = chance
        self._failed = 0

    def succeeded(self) -> None:
        """Something was got: the tries are counted anew."""
        self._failed = 0

    def failed(self, trouble: UnavailableError) -> None:
        """Wait until it may be asked again.

        Raises:
            FetchError: It was asked often enough, or the server wants to be left alone for long.
            Stopped: The wait was ended.
        """
        self._failed += 1
        if trouble.after is not None and trouble.after > LONGEST_WISH:
            raise UnavailableError(
                f"{trouble} It wants to be left alone for {trouble.after:.0f} seconds. Where the pull was is kept: "
                "pull again then.",
                trouble.after,
            ) from None
        if self._failed >= self._tries:
            often = "" if self._tries == 1 else f" Asked {self._tries} times."
            raise FetchError(f"{trouble}{often} Where the pull was is kept: pull again to go on.") from None
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self._failed - 1))
        self._clock.wait(max(self._chance.uniform(0.0, longest), trouble.after or 0.0))


class Pace:
    """At most so many questions a second."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        """Args: per_second: how many; clock: of the waits."""
        self._apart = 1.0 / per_second
        self._clock = clock
        self._next = clock.monotonic()

    def keep(self) -> None:
        """Wait until the next may be sent.

        Raises:
            Stopped: The wait was ended.
        """
        now = self._clock.monotonic()
        if now < self._next:
            self._clock.wait(self._next - now)
        self._next = max(now, self._next) + self._apart


def retry_after(text: str | None, now: float) -> float | None:
    """Seconds of a header Retry-After (RFC 9110 §10.2.3), given as such or as a date; `None` where there is none.

    Args:
        text: The header's value.
        now: Seconds since 1970.
    """
    if not text:
        return None
    if text.strip().isdigit():
        return float(text.strip()[:9])
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
