"""Workers that share one process and a clock the test turns, and what the store says of each message."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future

import msgspec

from hcrm_core.intake.claims import SECOND
from hcrm_core.intake.land import Arrival, land
from hcrm_core.intake.process import Intake
from hcrm_core.model.translation import Problem, Translation
from hcrm_core.registry.offers import Source
from hcrm_core.store.engine import Store
from hcrm_core.store.queries import processing
from hcrm_core.store.queries.processing import ProcessingRow
from support.streams import ADAPTER, SOURCE


def adt(number: int, patient: str = "") -> bytes:
    """An ADT^A28 of a patient of its own."""
    time = "20260301100000+0800"
    return (
        f"MSH|^~\\&|HIS|HOSP|HCRM||{time}||ADT^A28|C{number}|P|2.5||||||UNICODE UTF-8\r"
        f"EVN|A28|{time}\rPID|||{patient or f'P{number}'}^^^HOSP^MR||张^三\r"
    ).encode()


class Bench:
    """A store, the clock, and workers on it that share this process."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = 1_000 * SECOND
        self.configured: Callable[[str], Source] = lambda name: SOURCE

    def worker(self) -> Intake:
        """Another worker, begun."""
        intake = Intake(self.store, self.translate, lambda source: self.configured(source), lambda: self.now)
        intake.begin()
        return intake

    def translate(self, source: object, payloads: Sequence[bytes]) -> "Future[list[Translation]]":
        future: Future[list[Translation]] = Future()
        future.set_result([ADAPTER.translate(payload) for payload in payloads])
        return future

    def land(self, *payloads: bytes, source: str = "his") -> list[int]:
        """The numbers of messages that have landed now."""
        return [one.message_id for one in land(self.store, [Arrival(source, body) for body in payloads], self.now)]

    def rows(self) -> dict[int, ProcessingRow]:
        with self.store.read() as connection:
            return processing.outcomes(connection, range(1, 5_000))

    def states(self) -> list[str]:
        return [row.state for _, row in sorted(self.rows().items())]

    def reason(self, number: int) -> Problem:
        return msgspec.json.decode(self.rows()[number].reason or "", type=Problem)
