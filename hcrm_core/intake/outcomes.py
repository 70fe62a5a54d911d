"""Application acknowledgments: tells a listener what became of the messages whose senders wait for it."""

import asyncio
import time
from collections.abc import Callable

import msgspec

from hcrm_core.model.listening import Verdict
from hcrm_core.model.translation import Problem
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import processing
from hcrm_core.store.queries.processing import ProcessingRow

INTERVAL = 0.02
WAIT_SECONDS = 30.0
"""How long a sender waits for the translation of its message before it is told to ask again."""

LATE = Problem(
    "not-yet-processed",
    "",
    "The message is stored and not translated yet. Send it again to be told what became of it.",
)


class Outcomes:
    """Watches processing rows on behalf of waiting senders."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[int, list[tuple[float, int, Callable[[Verdict], None]]]] = {}

    def wait(self, message_id: int, received_at: int, answer: Callable[[Verdict], None]) -> None:
        """Have `answer` told what became of a message, once it is known."""
        entry = (time.monotonic() + WAIT_SECONDS, received_at, answer)
        self._waiting.setdefault(message_id, []).append(entry)

    async def watch(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            if not self._waiting:
                continue
            try:
                known = await asyncio.to_thread(self._known, list(self._waiting))
            except Exception:  # those who wait are told to ask again in time; nothing may end the watch
                known = {}
            self._tell(known, time.monotonic())

    def give_up(self) -> None:
        """Tell everyone who waits to ask again."""
        self._tell({}, float("inf"))

    def _known(self, numbers: list[int]) -> dict[int, ProcessingRow]:
        with self._store.read() as connection:
            return processing.outcomes(connection, numbers)

    def _tell(self, known: dict[int, ProcessingRow], now: float) -> None:
        for number in list(self._waiting):
            row = known.get(number)
            done = row is not None and row.due_at is None
            for until, received_at, answer in self._waiting[number]:
                if done or now > until:
                    answer(_verdict(number, received_at, row if done else None))
            left = [] if done else [entry for entry in self._waiting[number] if entry[0] >= now]
            if left:
                self._waiting[number] = left
            else:
                del self._waiting[number]


def _verdict(number: int, received_at: int, row: ProcessingRow | None) -> Verdict:
    if row is None:
        return Verdict("unavailable", number, received_at, LATE)
    if row.state == "folded":
        return Verdict("folded", number, received_at)
    problem = msgspec.json.decode(row.reason, type=Problem) if row.reason else None
    return Verdict("quarantined", number, received_at, problem)
