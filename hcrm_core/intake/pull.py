"""Pull: ask a source what its adapter wants to know, and land what it answers with the position it was reached by."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from hcrm_core.errors import FetchError, InputError, UnavailableError
from hcrm_core.failpoints import fp
from hcrm_core.fetching.clock import Clock
from hcrm_core.fetching.fetcher import Fetcher
from hcrm_core.intake.land import Step, arrival, land, reached
from hcrm_core.intake.pool import WorkerPool
from hcrm_core.model.pulling import HttpRequest, Pulled, SqlQuery
from hcrm_core.model.translation import Problem, RawMessage
from hcrm_core.registry.offers import Source
from hcrm_core.store.engine import Store

LONGEST_WAIT = 3_600.0
"""The longest that is waited between two questions, whatever the adapter says."""

SAME = 3
"""How often a pull may ask the same, or be answered with the same messages, without having waited in between."""

EMPTY = 1_000
"""How many answers in a row may hold no message."""

PROBLEMS = 100
"""How many different problems a pull keeps for people."""


@dataclass
class PullCount:
    """What a pull came to so far; `messages = landed + duplicates`.

    Attributes:
        requests: Questions asked, those asked again among them.
        own: The numbers of what landed.
        problems: What the adapter says people should know, and how often.
        unread: What was asked for and could not be read.
        failed: Whether that is all that was asked for.
    """

    requests: int = 0
    messages: int = 0
    landed: int = 0
    duplicates: int = 0
    own: list[int] = field(default_factory=list)
    problems: Counter[Problem] = field(default_factory=Counter)
    unread: tuple[str, ...] = ()
    failed: bool = False


class Pull:
    """One pull of one source, from where the last one was until there is nothing more for now."""

    def __init__(
        self,
        store: Store,
        pool: WorkerPool,
        source: Source,
        fetcher: Fetcher,
        clock: Clock,
        now: Callable[[], int],
        tell: Callable[[str, PullCount], None] = lambda progress, count: None,
    ) -> None:
        """Args:
        store: Whose inbox it lands in.
        pool: Where the adapter is asked.
        source: Which is pulled.
        fetcher: Through which.
        clock: Of waits.
        now: Arrival, microseconds UTC.
        tell: Told after every piece what is being done.
        """
        self._store = store
        self._pool = pool
        self._source = source
        self._fetcher = fetcher
        self._clock = clock
        self._now = now
        self._tell = tell
        self._position = ""
        self.count = PullCount()

    def run(self) -> PullCount:
        """Ask until there is nothing more for now; what has landed stays landed, whatever comes after.

        Raises:
            FetchError: The source gives no answer of use, or the pull gets nowhere.
            InputError: The adapter makes nothing of an answer.
            PluginError: The adapter fails.
            ConfigurationError: A setting of the source is wrong.
            Stopped: A wait was ended.
        """
        self._position = reached(self._store, self._source.source)
        patience = self._fetcher.patience()
        standstill = Standstill()
        done = False
        while not done:
            begun = self._position
            question = self._pool.request(self._source, begun)
            standstill.asked(question)
            try:
                last = self._ask(question, standstill)
            except UnavailableError as trouble:
                standstill.unanswered(question)
                if self._position != begun:
                    patience.succeeded()
                patience.failed(trouble)
                continue
            patience.succeeded()
            if done := last.done:
                self.count.unread, self.count.failed = last.unread, last.failed
            else:
                standstill.answered(waited=last.wait > 0)
                self._clock.wait(min(last.wait, LONGEST_WAIT))
        self._land((), self._position, finished=True)
        return self.count

    def _ask(self, question: HttpRequest | SqlQuery, standstill: "Standstill") -> Pulled:
        self.count.requests += 1
        fp("asked")
        pulled = Pulled(position=self._position)
        for piece in self._fetcher.ask(question):
            fp("pulled")
            try:
                pulled = self._pool.answer(self._source, self._position, piece)
            except InputError as error:
                raise InputError(
                    f"{error} The adapter {self._source.name} makes nothing of this answer; where the pull was is kept."
                ) from None
            standstill.brought(pulled.messages)
            for problem in pulled.problems:
                if problem in self.count.problems or len(self.count.problems) < PROBLEMS:
                    self.count.problems[problem] += 1
            self._land(pulled.messages, pulled.position, _place(question))
            self._tell(pulled.progress, self.count)
            self._clock.wait(0)
        return pulled

    def _land(self, messages: Iterable[RawMessage], position: str, place: str = "", finished: bool = False) -> None:
        name = self._source.source
        arrivals = [arrival(name, one, place) for one in messages]
        if not arrivals and position == self._position and not finished:
            return
        step = Step(name, self._position, position, finished, self.count.unread)
        receipts = land(self._store, arrivals, self._now(), step)
        self._position = position
        fresh = [receipt.message_id for receipt in receipts if not receipt.repeated]
        self.count.messages += len(receipts)
        self.count.landed += len(fresh)
        self.count.duplicates += len(receipts) - len(fresh)
        self.count.own += fresh


class Standstill:
    """Notices a pull that gets nowhere: a server whose `next` leads in a circle would be asked for ever.

    A pull stands still when it asks the same question a third time, is answered with the same messages three times
    running, or is answered a thousand times running without a message. Having waited in between, as the adapter
    wanted, is getting on; so is asking again after a failure.
    """

    def __init__(self) -> None:
        """Nothing has been asked yet."""
        self._asked: Counter[bytes] = Counter()
        self._digest = hashlib.sha256()
        self._messages = 0
        self._before = b""
        self._same = 0
        self._empty = 0

    def asked(self, question: HttpRequest | SqlQuery) -> None:
        """A question is about to be asked.

        Raises:
            FetchError: It was asked too often.
        """
        key = _key(question)
        self._asked[key] += 1
        if self._asked[key] >= SAME:
            raise FetchError(_standing("asks the same question for the third time"))
        self._digest, self._messages = hashlib.sha256(), 0

    def unanswered(self, question: HttpRequest | SqlQuery) -> None:
        """It found no answer and may be asked again."""
        self._asked[_key(question)] -= 1

    def brought(self, messages: Iterable[RawMessage]) -> None:
        """A piece of its answer has come."""
        for message in messages:
            self._messages += 1
            self._digest.update(hashlib.sha256(message.payload).digest())

    def answered(self, waited: bool) -> None:
        """Its answer is complete.

        Args:
            waited: Whether the adapter wants to wait before the next.

        Raises:
            FetchError: The pull gets nowhere.
        """
        if waited:
            self._asked.clear()
            self._before, self._same, self._empty = b"", 0, 0
            return
        digest = self._digest.digest() if self._messages else b""
        self._same = self._same + 1 if digest and digest == self._before else 1
        self._empty = 0 if self._messages else self._empty + 1
        self._before = digest
        if self._same >= SAME:
            raise FetchError(_standing("has brought the same messages three times running"))
        if self._empty >= EMPTY:
            raise FetchError(_standing(f"has brought no message {EMPTY:,} times running"))


def _place(question: HttpRequest | SqlQuery) -> str:
    """Where messages came from, for people: what was asked, without what a query may say of somebody."""
    return urlsplit(question.url).path if isinstance(question, HttpRequest) else ""


def _key(question: HttpRequest | SqlQuery) -> bytes:
    return hashlib.sha256(msgspec.msgpack.encode(question)).digest()[:16]


def _standing(how: str) -> str:
    return (
        f"The pull gets nowhere: it {how}. It was stopped; what has landed is kept. If the server's pages lead in a "
        "circle, tell its operator; to begin anew: hcrm pull --again SOURCE"
    )
