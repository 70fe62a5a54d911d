"""Group commit: whatever is waiting when the inbox is free is committed together, and only then answered."""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple

from hcrm_core.intake.land import Arrival, Receipt, land
from hcrm_core.model.translation import Problem
from hcrm_core.store import durable
from hcrm_core.store.engine import UNAVAILABLE, Store

BATCH = 256
BATCH_BYTES = 32 * 1024 * 1024
RETRY_SECONDS = 5.0
"""How long a commit is tried anew while the database is away, before senders are told to come again."""

NOT_STORED = Problem("not-stored", "", "The message could not be stored now. Send it again later.")
DISK_FULL = Problem("disk-full", "", "There is no room to store the message. Send it again later.")

Answered = Receipt | Problem


class _Waiting(NamedTuple):
    arrival: Arrival
    answer: Callable[[Answered], None]


Deliver = Callable[[Sequence[tuple[Callable[[Answered], None], Answered]]], None]


class GroupCommit:
    """One thread that lands what listeners give it. Landing is idempotent, so a commit of which nobody knows whether
    it happened is simply done again."""

    def __init__(self, store: Store, clock: Callable[[], int], deliver: Deliver, report: Callable[[str], None]) -> None:
        """Args:
        store: The workspace's store.
        clock: Microseconds UTC.
        deliver: Given the answers of each commit, from the thread.
        report: Told in a sentence when the database goes away or comes back.
        """
        self._store = store
        self._clock = clock
        self._deliver = deliver
        self._report = report
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._away = False
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def submit(self, arrival: Arrival, answer: Callable[[Answered], None]) -> None:
        """Have a message committed; `answer` gets its receipt, or why it was not stored."""
        self._queue.put(_Waiting(arrival, answer))

    def close(self) -> None:
        """Commit and answer what was submitted, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        ending = False
        while not ending:
            batch: list[_Waiting] = []
            item = self._queue.get()
            size = 0
            while item is not None:
                batch.append(item)
                size += len(item.arrival.payload)
                if len(batch) == BATCH or size > BATCH_BYTES:
                    break
                try:
                    item = self._queue.get_nowait()
                except Empty:
                    break
            ending = item is None
            if batch:
                answers = self._commit([waiting.arrival for waiting in batch])
                self._deliver([(waiting.answer, answer) for waiting, answer in zip(batch, answers, strict=True)])

    def _commit(self, arrivals: Sequence[Arrival]) -> Sequence[Answered]:
        try:
            room = durable.has_room(self._store)
        except OSError:
            self._note_away(None)
            return [NOT_STORED] * len(arrivals)
        if not room:
            self._note_away(sqlite3.SQLITE_FULL)
            return [DISK_FULL] * len(arrivals)
        until = time.monotonic() + RETRY_SECONDS
        pause = 0.05
        while True:
            try:
                receipts = land(self._store, arrivals, self._clock())
            except UNAVAILABLE as error:
                # What was refused is not stored, and a failed fsync is never taken for one that may yet succeed.
                damaged = _sqlite_code(error)
                self._note_away(damaged)
                if damaged is not None or time.monotonic() > until:
                    return [DISK_FULL if damaged == sqlite3.SQLITE_FULL else NOT_STORED] * len(arrivals)
                time.sleep(pause)
                pause = min(pause * 2, 0.5)
            except Exception as error:
                if len(arrivals) > 1:
                    return [answer for one in arrivals for answer in self._commit([one])]
                self._report(f"A message could not be stored ({type(error).__name__}). Its sender was told so.")
                return [NOT_STORED]
            else:
                self._note_back()
                return receipts

    def _note_away(self, damaged: int | None) -> None:
        if not self._away:
            self._away = True
            full = damaged == sqlite3.SQLITE_FULL
            self._report(
                "The inbox's disk is full: messages are refused until there is room. Prune old messages (hcrm messages "
                "prune) or enlarge the disk."
                if full
                else "The inbox cannot be written: messages are refused until it can. Check that its database is "
                "running and its disk is sound."
            )
            self._store.inbox.dispose()

    def _note_back(self) -> None:
        if self._away:
            self._away = False
            self._report("The inbox can be written again.")


def _sqlite_code(error: BaseException) -> int | None:
    """SQLite's primary error code where the disk is at fault, and no waiting for another writer."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    return primary if primary in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) else None
