"""Work off the inbox: claim what waits, have it translated, fold it, and record what became of each message."""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import NamedTuple

from hcrm_core.errors import HcrmError
from hcrm_core.failpoints import fp
from hcrm_core.garbage import uncollected
from hcrm_core.intake.accept import NOTHING, Processed, accept
from hcrm_core.intake.claims import LEASE, SECOND, Claimed, Claims
from hcrm_core.intake.fold import Folder
from hcrm_core.intake.pool import Postponed, Translated
from hcrm_core.intake.readers import failed
from hcrm_core.model.observing import TypeCount
from hcrm_core.model.translation import Problem, Translation
from hcrm_core.registry.offers import Source
from hcrm_core.store.engine import UNAVAILABLE, Store
from hcrm_core.store.queries import processing

BATCH = 500
WINDOW = 8
"""How many batches are on their way at once, so that the workers translate while the core folds."""

Translate = Callable[[Source, Sequence[bytes]], "Future[list[Translated]]"]


class _Job(NamedTuple):
    claimed: list[Claimed]
    by: str
    translations: "Future[list[Translated]]"


class Intake:
    """Works off the inbox of one workspace; several may do so side by side, in as many processes."""

    def __init__(
        self, store: Store, translate: Translate, source_of: Callable[[str], Source], clock: Callable[[], int]
    ) -> None:
        """Args:
        store: The workspace's store.
        translate: Where translation happens, `WorkerPool.translate`.
        source_of: Name → source.
        clock: Microseconds UTC.
        """
        self._store = store
        self._translate = translate
        self._source_of = source_of
        self._clock = clock
        self._claims = Claims(store)
        self._folder = Folder(store.codec, store.identity)
        self._jobs: deque[_Job] = deque()
        self._counted: Counter[tuple[str, str, bool]] = Counter()
        self.stuck: dict[str, str] = {}
        """A sentence for each source that could not be begun; it held back no other."""

    def begin(self) -> None:
        """Take over what the dead have left; call it once, and again after the database was away."""
        self._folder.forget()
        self._claims.begin(self._clock())

    def run(
        self, progress: Callable[[int], None] = lambda count: None, ended: Callable[[], bool] = lambda: False
    ) -> Processed:
        """Work off everything that waits, in landing order, a batch a transaction.

        Args:
            progress: Told the number of messages after every batch.
            ended: Asked before every batch whether to stop; what is claimed by then is given back.
        """
        total = NOTHING
        try:
            while True:
                if ended():
                    self._abandon()
                    return total
                if len(self._jobs) <= WINDOW // 2:
                    self._submit(self._claims.take(self._clock(), BATCH * (WINDOW - len(self._jobs))))
                if not self._jobs:
                    return total
                job = self._jobs.popleft()
                total += self._finish(job)
                progress(len(job.claimed))
        except BaseException:
            self._abandon()
            raise

    def counts(self) -> tuple[TypeCount, ...]:
        """What was worked off since it was last asked."""
        counted, self._counted = self._counted, Counter()
        kinds = sorted({key[:2] for key in counted})
        return tuple(TypeCount(*kind, counted[(*kind, False)], counted[(*kind, True)]) for kind in kinds)

    def settle(self, progress: Callable[[int], None] = lambda count: None) -> Processed:
        """Work off everything that waits, and wait for messages whose records could not be written at first."""
        total = self.run(progress)
        while (due_at := self._next_retry()) is not None:
            time.sleep(max(due_at - self._clock(), 0) / SECOND)
            total += self.run(progress)
        return total

    def _next_retry(self) -> int | None:
        with self._store.read() as connection:
            return processing.next_due(connection, "translated")

    def _submit(self, claimed: Sequence[Claimed]) -> None:
        """Give claimed messages to the translation workers, a source's together."""
        by_source: dict[str, list[Claimed]] = {}
        for one in claimed:
            by_source.setdefault(one.message.source, []).append(one)
        for name, same in by_source.items():
            try:
                source = self._source_of(name)
            except HcrmError as error:
                self._defer(same, str(error))
                continue
            for start in range(0, len(same), BATCH):
                batch = same[start : start + BATCH]
                payloads = [self._store.codec.open(one.message.payload or b"") for one in batch]
                future = self._translate(source, payloads)
                self._jobs.append(_Job(batch, source.by, future))

    def _finish(self, job: _Job) -> Processed:
        translations = None
        while translations is None:
            self._claims.keep(job.claimed, self._clock())
            try:
                translations = job.translations.result(timeout=LEASE / SECOND / 3)
            except NotYet:
                continue
            except HcrmError as error:
                self._defer(job.claimed, str(error))
                return NOTHING
        fp("translate")
        pairs = list(zip(job.claimed, translations, strict=True))
        postponed = [(one, what) for one, what in pairs if isinstance(what, Postponed)]
        if postponed:
            self._defer([one for one, _ in postponed], postponed[0][1].text)
        told = [(one, what) for one, what in pairs if not isinstance(what, Postponed)]
        with uncollected():
            return self._accept([one for one, _ in told], job.by, [what for _, what in told])

    def _defer(self, claimed: Sequence[Claimed], reason: str) -> None:
        self.stuck[claimed[0].message.source] = reason
        self._claims.defer(claimed, reason, self._clock())

    def _accept(self, claimed: Sequence[Claimed], by: str, translations: Sequence[Translation]) -> Processed:
        """Accept a batch; where it fails, message by message, so that only the one at fault waits."""
        if not claimed:
            return NOTHING
        messages = [one.message for one in claimed]
        try:
            done = accept(self._store, self._folder, by, messages, translations, self._clock())
            self._counted.update(
                (message.source, said.message_type, said.quarantine is not None)
                for message, said in zip(messages, translations, strict=True)
            )
            return done
        except UNAVAILABLE:
            raise
        except Exception as error:
            self._folder.forget()
            if len(claimed) == 1:
                return self._retry(claimed[0], by, type(error).__name__)
        singly = [self._accept([one], by, [said]) for one, said in zip(claimed, translations, strict=True)]
        return sum(singly, start=NOTHING)

    def _retry(self, claimed: Claimed, by: str, error: str) -> Processed:
        text = (
            f"What {by} made of this message could not be stored ({error}). The message is kept; report it to the "
            "adapter's author."
        )
        if self._claims.retry(claimed, Problem("fold-failed", "", text), self._clock()):
            return NOTHING
        return accept(self._store, self._folder, by, [claimed.message], [failed("fold-failed", text)], self._clock())

    def _abandon(self) -> None:
        """Forget what is on its way and give its claims back, where the database lets us."""
        for job in self._jobs:
            job.translations.cancel()
        self._jobs.clear()
        self._folder.forget()
        try:
            self._claims.release(self._clock())
        except UNAVAILABLE:
            return  # the lease ends by itself
