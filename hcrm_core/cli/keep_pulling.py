"""`hcrm pull --attached`, a child of the daemon: pull each source in its time, until the daemon wants it to end."""

import signal
import threading
from collections.abc import Sequence

from hcrm_core.cli.children import when_input_ends
from hcrm_core.cli.context import Opened, say
from hcrm_core.cli.pulling import Puller, pulled_sources, warn_of_plaintext
from hcrm_core.config import Settings
from hcrm_core.errors import HcrmError
from hcrm_core.registry.offers import Source
from hcrm_core.store.engine import UNAVAILABLE

STOP_SECONDS = 5.0
"""How long a pull may take to end; what it has landed is kept, so nothing is lost by not waiting for it."""


def keep_pulling(space: Opened) -> None:
    """Pull sources that have `pull.every_seconds`; ends at once where there is none.

    SIGHUP reads `hcrm.toml` anew: a pull at work ends there, and goes on by the new settings where it was.
    """
    ended, reread, woken = threading.Event(), threading.Event(), threading.Event()

    def wake(why: threading.Event) -> None:
        why.set()
        woken.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: wake(ended))
    signal.signal(signal.SIGHUP, lambda *_: wake(reread))
    when_input_ends(lambda: wake(ended))
    sources = _timed(space)
    while sources and not ended.is_set():
        warn_of_plaintext(space, sources)
        keepers = [Keeper(space, source) for source in sources]
        woken.wait()
        woken.clear()
        for keeper in keepers:
            keeper.stop()
        for keeper in keepers:
            keeper.wait(STOP_SECONDS)
        if reread.is_set():
            reread.clear()
            sources = _reloaded(space, sources)


def may_pull(settings: Settings) -> bool:
    """Whether a source may have `pull.every_seconds`, which a mapping can say too; no plugin is asked."""
    return any("pull" in table or "mapping" in table for table in settings.sources.values())


def _timed(space: Opened) -> Sequence[Source]:
    if not may_pull(space.configuration.settings):
        return ()
    return [source for source in pulled_sources(space) if source.settings.pull.every_seconds]


def _reloaded(space: Opened, before: Sequence[Source]) -> Sequence[Source]:
    try:
        space.reload()
        return _timed(space)
    except HcrmError as error:
        say(f"hcrm: {error} Nothing was changed; pulling goes on as before.")
        return before


class Keeper:
    """Pulls one source again and again, in a thread of its own. What goes wrong is said once, and when it is over."""

    def __init__(self, space: Opened, source: Source) -> None:
        """Begin."""
        self._space, self._source = space, source
        self._store, self._pool = space.store, space.pool  # made here, by the thread that owns them
        self._ended = threading.Event()
        self._puller: Puller | None = None
        self._said = ""
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let it end."""
        self._ended.set()
        if self._puller:
            self._puller.abort()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, but not longer."""
        self._thread.join(seconds)

    def _keep(self) -> None:
        every = self._source.settings.pull.every_seconds or 0.0
        while not self._ended.is_set():
            rest = self._once()
            self._ended.wait(max(every, rest))

    def _once(self) -> float:
        """Pull; gives how long the server wants to be left alone."""
        self._puller = puller = Puller(self._space, self._source, self._ended, lambda *_: None)
        try:
            pulled = puller.run()
        except UNAVAILABLE:
            self._tell("the inbox cannot be reached or written; its database must run, and its disk have room.")
            return 0.0
        except Exception as error:
            self._tell(f"an error nobody foresaw ({type(error).__name__}). Report it.")
            return 0.0
        if not self._ended.is_set():
            self._tell(pulled.failure or "")
            for problem in pulled.problems:
                say(f"{self._source.source}: {problem['code']}: {problem['text']}")
        return puller.rest

    def _tell(self, failure: str) -> None:
        if failure and failure != self._said:
            say(f"hcrm: {self._source.source}: {failure}")
        if self._said and not failure:
            say(f"hcrm: {self._source.source} was pulled to the end again.")
        self._said = failure
