"""Claims: who works on which message, and when one may be tried again.

The states of a message, from the inbox on:

- *received*: it has landed. Where it could not be begun (its source's adapter is missing) a reason says so, and it is
  looked at again every minute.
- *claimed*: a worker is at it. A claim is a lease: where its holder dies, others take the message up.
- *translated*: its records could not be written; that is tried again, later each time.
- *folded*: its records are facts. *quarantined*: it could not be translated, or was tried too often.
- *rejected*: what arrived was refused as no message at all, and is kept for people to see.

A claim saves work and guards nothing: whoever commits a message's outcome first has done it, the other's is dropped.
"""

import os
import socket
from collections.abc import Sequence
from itertools import count
from random import Random
from typing import NamedTuple

import msgspec

from hcrm_core.failpoints import fp
from hcrm_core.model.translation import Problem
from hcrm_core.store.engine import Connection, Store
from hcrm_core.store.queries import inbox, processing
from hcrm_core.store.queries.inbox import Landed
from hcrm_core.store.queries.processing import ProcessingRow

SECOND = 1_000_000
LEASE = 30 * SECOND
LOOK = 2 * SECOND
"""How often a worker without work looks for neighbours that have died."""
DEFERRED = 60 * SECOND
ATTEMPTS = 5
"""How often a message is tried before it is parked in quarantine."""
TOGETHER = {2: 64, 3: 8, 4: 1}
"""Tries without an outcome → how many such messages are claimed together: where one kills its worker it ends up alone,
and where the worker died for another reason its whole backlog is not worked off one by one."""

_instances = count(1)


class Claimed(NamedTuple):
    """A message to be worked on, and what was known of it before."""

    message: Landed
    before: ProcessingRow


class Claims:
    """What one worker holds."""

    def __init__(self, store: Store) -> None:
        """A worker's name tells host and process, so that a neighbour can see whether it lives."""
        self._store = store
        self._held_until = 0
        self._looked_at = 0
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{next(_instances)}"

    def begin(self, now: int) -> None:
        """Take over what workers of this machine that no longer live have left, and what could not be begun.

        What this worker has claimed itself is given back: it has nothing on its way when it begins.
        """
        self._take_over(now)
        with self._store.write() as connection:
            processing.release(connection, now, self.worker)
            processing.set_due(connection, now, state="received")

    def _take_over(self, now: int) -> None:
        self._looked_at = now
        with self._store.read() as connection:
            dead = [name for name in processing.claimants(connection, now) if not lives(name)]
        if dead:
            with self._store.write() as connection:
                for name in dead:
                    processing.set_due(connection, now, worker=name)

    def take(self, now: int, limit: int) -> list[Claimed]:
        """Claim the next messages in landing order, those that may be tried again first.

        Args:
            now: Microseconds UTC.
            limit: At most so many.
        """
        with self._store.read() as connection:
            begun = processing.claimed_to(connection)
            waiting = bool(processing.due(connection, now, 1))
        with self._store.read_inbox() as landed:
            fresh = inbox.after(landed, begun, limit)
        if not fresh and not waiting:
            if now - self._looked_at > LOOK:
                self._take_over(now)
            return []
        with self._store.write() as connection:
            again = processing.due(connection, now, limit)
            parked = [self._parked(row, now) for row in again if row.attempts >= ATTEMPTS]
            again = [row for row in again if row.attempts < ATTEMPTS]
            if (most := max((row.attempts for row in again), default=0)) in TOGETHER:
                limit = TOGETHER[most]
                again = [row for row in again if row.attempts == most][:limit]
                fresh = []
            claimed_to = processing.claimed_to(connection)
            fresh = [message for message in fresh if message.id > claimed_to][: limit - len(again)]
            reached = fresh[-1].id if fresh else claimed_to
            known = processing.known_between(connection, claimed_to, reached)
            passed = [message for message in fresh if message.id in known]
            fresh = [message for message in fresh if message.id not in known]
            refused = [_rejected(message, now) for message in fresh if message.form == "refused"]
            rows = [self._mine(row, now) for row in again]
            rows += [
                self._mine(ProcessingRow(message.id, "received"), now) for message in fresh if message.form == "message"
            ]
            processing.put(connection, [*parked, *refused, *rows])
            if reached > claimed_to:
                processing.set_claimed_to(connection, reached)
        if passed and not rows:
            return self.take(now, limit)
        with self._store.read_inbox() as landed:
            messages = inbox.read_all(landed, [row.message_id for row in again])
        fp("claim")
        found = {message.id: message for message in (*messages, *fresh)}
        return [Claimed(found[row.message_id], row) for row in rows if row.message_id in found]

    def keep(self, claimed: Sequence[Claimed], now: int) -> None:
        """Hold on to everything, where of these, the oldest, a third of the lease has gone by."""
        ends = max(claimed[0].before.due_at or 0, self._held_until)
        if ends - now < LEASE * 2 // 3:
            self._held_until = now + LEASE
            with self._store.write() as connection:
                processing.set_due(connection, self._held_until, worker=self.worker)

    def release(self, now: int) -> None:
        """Give back what is claimed and not done; anybody may take it, and it is not counted as tried."""
        with self._store.write() as connection:
            processing.release(connection, now, self.worker)

    def defer(self, claimed: Sequence[Claimed], reason: str, now: int) -> None:
        """Put messages back that cannot be begun; they are not counted as tried."""
        problem = msgspec.json.encode(Problem("no-adapter", "", reason)).decode()
        rows = [
            row._replace(
                state="received", attempts=row.attempts - 1, worker=None, reason=problem, due_at=now + DEFERRED
            )
            for _, row in claimed
        ]
        with self._store.write() as connection:
            processing.put(connection, rows)

    def retry(self, claimed: Claimed, problem: Problem, now: int) -> bool:
        """Let a message whose records could not be written be tried again, with a growing, jittered delay.

        Returns:
            Whether it will be; a message tried too often is to be quarantined.
        """
        row = claimed.before
        if row.attempts >= ATTEMPTS:
            return False
        jitter = Random(f"{row.message_id} {row.attempts}").uniform(0.5, 1.5)
        delay = int(0.2 * 2**row.attempts * jitter * SECOND)
        reason = msgspec.json.encode(problem).decode()
        with self._store.write() as connection:
            processing.put(
                connection,
                [row._replace(state="translated", worker=None, reason=reason, processed_at=now, due_at=now + delay)],
            )
        return True

    def _mine(self, row: ProcessingRow, now: int) -> ProcessingRow:
        return row._replace(state="claimed", attempts=row.attempts + 1, worker=self.worker, due_at=now + LEASE)

    def _parked(self, row: ProcessingRow, now: int) -> ProcessingRow:
        reason = Problem(
            "parked",
            "",
            f"It was tried {row.attempts} times and each time the worker died over it. Replay it alone (hcrm messages "
            f"replay {row.message_id}) and report it to the adapter's author.",
        )
        return row._replace(
            state="quarantined",
            reason=msgspec.json.encode(reason).decode(),
            processed_at=now,
            worker=None,
            due_at=None,
        )


def _rejected(message: Landed, now: int) -> ProcessingRow:
    remarks = msgspec.json.decode(message.remarks or "[]", type=list[Problem])
    reason = msgspec.json.encode(remarks[0]).decode() if remarks else None
    return ProcessingRow(message.id, "rejected", reason=reason, problems=message.remarks, processed_at=now)


def pass_over(store: Store, connection: Connection, message_id: int) -> None:
    """Count a message as claimed that was worked off as soon as it landed.

    Where others wait before it, whoever comes to them passes it over then.

    Args:
        store: The workspace's.
        connection: The write transaction that records the message's outcome.
        message_id: Its number.
    """
    with store.read_inbox() as landed:
        following = inbox.after(landed, processing.claimed_to(connection), 1)
    if [message.id for message in following] == [message_id]:
        processing.set_claimed_to(connection, message_id)


def lives(worker: str) -> bool:
    """Whether a worker may live: only of this machine's can it be told that one does not."""
    host, _, rest = worker.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname():
        return True
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        return True
    return True
