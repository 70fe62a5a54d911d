"""Pulling as the commands do it: which sources, and one pull of one of them."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hcrm_core import env
from hcrm_core.cli.context import Opened, say
from hcrm_core.config import nearest
from hcrm_core.errors import HcrmError, UnavailableError, UsageError
from hcrm_core.fetching.clock import Clock, Stopped
from hcrm_core.fetching.fetcher import Fetcher
from hcrm_core.intake.pull import Pull, PullCount
from hcrm_core.registry.offers import Source
from hcrm_core.store import audit
from hcrm_core.store.engine import UNAVAILABLE

Tell = Callable[[str, str, PullCount], None]
"""Told of a source what is being done, and what came of it so far."""


@dataclass
class Pulled:
    """What became of one source; `failure` is the sentence that ended its pull early, or says that nothing was read.
    `unread` is what could not be read beside what was."""

    source: str
    adapter: str
    requests: int = 0
    messages: int = 0
    landed: int = 0
    duplicates: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    failure: str | None = None
    seconds: float = 0.0


def pulled_sources(space: Opened, names: Sequence[str] = ()) -> list[Source]:
    """The sources to pull: those named, else all that can be.

    Raises:
        UsageError: A source named cannot be pulled.
        ConfigurationError: A setting of one is wrong.
    """
    known = space.configuration.settings.sources
    for name in names:
        if name not in known:
            raise UsageError(f"There is no source {name!r} in hcrm.toml. {nearest(name, list(known))}")
    found = [space.registry.source(name) for name in dict.fromkeys(names or known)]
    for one in found:
        if names and not one.pulls:
            lacks = "has no url" if one.adapter.pulls else f"is read by {one.name}, which pulls nothing"
            raise UsageError(f"The source {one.source} cannot be pulled: it {lacks}.")
    return [one for one in found if one.pulls]


def fetcher_of(space: Opened, source: Source, clock: Clock) -> Fetcher:
    """What a source is asked through.

    Raises:
        ConfigurationError: A setting of it is wrong.
    """

    def where(*keys: str) -> str:
        path = ("sources", source.source, *keys)
        return f"{space.configuration.where(*path)}: {'.'.join(path)}"

    return Fetcher(source.settings, space.root, where, clock)


def warn_of_plaintext(space: Opened, sources: Sequence[Source]) -> None:
    """Say, and keep for the record, that patient data crosses a network unencrypted."""
    for source in sources:
        url = source.settings.url or ""
        if not source.settings.pull.plaintext or not url.lower().startswith("http://"):
            continue
        say(f"hcrm: {source.source} is asked in plain text, as plaintext = true allows. Prefer https.")
        with suppress(*UNAVAILABLE), space.store.write() as connection:
            audit.record(
                connection,
                space.store.codec,
                at=_now(),
                by=env.user(),
                action="pull.plaintext",
                subject=source.source,
                detail={},
            )


class Puller:
    """Pulls one source once, in a thread of its own; a mistake of the source's becomes a sentence."""

    def __init__(self, space: Opened, source: Source, ended: threading.Event, tell: Tell) -> None:
        """Args:
        space: The workspace; its parts are made here, in the thread that owns it.
        source: Which is pulled.
        ended: Set to end it.
        tell: Told after every piece.
        """
        self.name = source.source
        self.own: list[int] = []
        """The numbers of what it has landed."""
        self.rest = 0.0
        """How many seconds the server wants to be left alone."""
        self._store, self._pool, self._source = space.store, space.pool, source
        self._tell = tell
        self._clock = Clock(ended)
        self._fetcher: Fetcher | None = None
        self._pulled = Pulled(source.source, source.name)
        try:
            self._fetcher = fetcher_of(space, source, self._clock)
        except HcrmError as error:
            self._pulled.failure = str(error)

    def run(self) -> Pulled:
        """Pull until there is nothing more for now."""
        if self._fetcher is None:
            return self._pulled
        began = time.perf_counter()
        pull = Pull(self._store, self._pool, self._source, self._fetcher, self._clock, _now, self._told)
        try:
            pull.run()
        except Stopped:
            self._pulled.failure = "The pull was stopped; where it was is kept."
        except HcrmError as error:
            self._pulled.failure = str(error)
            self.rest = (error.after or 0.0) if isinstance(error, UnavailableError) else 0.0
        finally:
            self._fetcher.close()
        count, self.own = pull.count, pull.count.own
        for name in ("requests", "messages", "landed", "duplicates"):
            setattr(self._pulled, name, getattr(count, name))
        for problem, times in count.problems.items():
            told = {"code": problem.code, "where": problem.where, "text": problem.text, "count": times}
            self._pulled.problems.append(told)
        self._pulled.unread = list(count.unread)
        if count.failed:
            self._pulled.failure = f"Nothing of what was asked for could be read. {_first(count)}"
        self._pulled.seconds = round(time.perf_counter() - began, 3)
        return self._pulled

    def abort(self) -> None:
        """End it from another thread; what it is to hear besides is that it has ended."""
        if self._fetcher:
            self._fetcher.abort()

    def _told(self, doing: str, count: PullCount) -> None:
        self._tell(self.name, doing, count)


def _first(count: PullCount) -> str:
    """The first of the problems in the order in which they came, which as a rule is that of all."""
    return next((problem.text for problem in count.problems), "The source does not say why.")


def _now() -> int:
    return env.microseconds(env.now())
