"""One connection of a listening port: bytes to messages, messages to the inbox, answers back in order."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

from hcrm_core.failpoints import armed, fp
from hcrm_core.intake.commit import Answered
from hcrm_core.intake.land import Arrival, Receipt
from hcrm_core.model.adapters import Adapter
from hcrm_core.model.listening import Received, Verdict
from hcrm_core.model.translation import Problem

UNANSWERED = 64
"""How many messages of one connection may wait for their commit before no more is read from it."""

KEPT_BYTES = 4096
"""How much is kept of a message that is too long."""

QUIET_SECONDS = 0.1

NOTES = 10
"""How many remarks about one connection are logged."""

TOO_LONG = Problem("too-long", "", "The message is longer than this port takes. Split it, or raise frame_bytes.")


class House(Protocol):
    """What a channel needs of the port it belongs to."""

    def admit(self, channel: "Channel") -> Adapter | str:
        """The adapter of the source that connects, or why it may not."""

    def land(self, arrival: Arrival, answer: Callable[[Answered], None]) -> None:
        """Have a message committed and be told."""

    def await_outcome(self, receipt: Receipt, answer: Callable[[Verdict], None]) -> None:
        """Be told what becomes of a message."""

    def left(self, channel: "Channel", reason: str) -> None:
        """The connection has ended."""

    def note(self, channel: "Channel", text: str) -> None:
        """Log a sentence about the connection."""


class Channel(asyncio.Protocol):
    """The core's end of one connection."""

    _transport: asyncio.Transport
    _adapter: Adapter

    def __init__(self, house: House) -> None:
        """Nothing is known of the sender yet."""
        self._house = house
        self._unanswered = self._unanswered_bytes = 0
        self._admitted = self._reading = self._closing = False
        self._notes = 0
        self._reason = "the sender closed it"
        self._farewell = b""
        self._opened_at = self._heard_at = time.monotonic()
        self._frame_since: float | None = None
        self._stuck_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the sender or turn it away before a byte is read."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        admitted = self._house.admit(self)
        if isinstance(admitted, str):
            self._closing = True
            self._reason = "it was turned away"
            transport.abort()
            return
        self._adapter = admitted
        self._settings = admitted.settings.listener
        self._connection = admitted.connection()
        self._admitted = self._reading = True

    def certificate(self) -> dict[str, Any]:
        """The client's verified certificate, empty where it showed none."""
        secured = self._transport.get_extra_info("ssl_object")
        return (secured.getpeercert() if secured else None) or {}

    def data_received(self, data: bytes) -> None:
        """Take bytes; every message they complete goes to the inbox."""
        if self._closing:
            return
        self._heard_at = time.monotonic()
        try:
            for item in self._connection.receive(data):
                self._frame_since = None
                if isinstance(item, Problem):
                    self._note(item)
                else:
                    self._receive(item)
            pending = self._connection.pending
        except Exception as error:
            self._fail(error, "frame what came")
            return
        if pending > self._settings.frame_bytes:
            self._farewell = self._answer_to(b"", Verdict("refused", problem=TOO_LONG))
            self.close(f"a message was longer than {self._settings.frame_bytes:,} bytes")
        elif not pending:
            self._frame_since = None
        elif self._frame_since is None:
            self._frame_since = self._heard_at
        self._steer()

    def pause_writing(self) -> None:
        """The sender does not take its answers: it is not listened to either until it does."""
        self._stuck_since = time.monotonic()
        self._steer()

    def resume_writing(self) -> None:
        """The sender takes its answers again."""
        self._stuck_since = None
        self._steer()

    def connection_lost(self, exc: Exception | None) -> None:
        """The sender is gone; what it delivered whole is committed all the same."""
        if exc is not None and not self._closing:
            self._reason = "it broke"
        self._closing = True
        if self._admitted:
            try:
                for problem in self._connection.end():
                    self._note(problem)
            except Exception as error:
                self._fail(error, "end a connection")
        self._house.left(self, self._reason)

    def eof_received(self) -> bool:
        """The sender says no more and may still listen: it is answered before the connection ends (not over TLS)."""
        self.close("the sender closed it")
        return self._admitted and self._transport.get_extra_info("ssl_object") is None

    def close(self, reason: str) -> None:
        """Read no more, answer what was accepted, then close."""
        if self._admitted and not self._closing:
            self._reason = reason
            self._closing = True
            self._steer()
            self._end_when_answered()

    def quiet(self, now: float) -> bool:
        """Whether all is answered and nothing has come for a moment."""
        return not self._unanswered and now - self._heard_at > QUIET_SECONDS

    def tick(self, now: float) -> None:
        """Close what is overdue by its source's limits."""
        if not self._admitted:
            return
        limit = self._settings.frame_seconds
        if self._stuck_since is not None and now - self._stuck_since > limit:
            self._reason = f"it did not take its answers for {limit:g} seconds"
            self._transport.abort()
        elif reason := self._overdue(now):
            self.close(reason)

    def _overdue(self, now: float) -> str | None:
        limits = self._settings
        if not self._reading or (self._unanswered and self._frame_since is None):
            return None
        if self._frame_since is not None:
            late = now - self._frame_since > limits.frame_seconds
            return f"a message was not complete {limits.frame_seconds:g} seconds after it began" if late else None
        if now - self._heard_at > limits.idle_seconds:
            return f"nothing was heard for {limits.idle_seconds:g} seconds"
        if now - self._opened_at > limits.total_seconds:
            return f"it was open for {limits.total_seconds:g} seconds"
        return None

    def _note(self, problem: Problem) -> None:
        """Log what a sender does wrong, a few times; one that does nothing else must not fill the log."""
        self._notes += 1
        if self._notes <= NOTES:
            more = " What more comes is not logged." if self._notes == NOTES else ""
            self._house.note(self, problem.text + more)

    def _receive(self, received: Received) -> None:
        fp("frame-read")
        if len(received.payload) > self._settings.frame_bytes:
            # Its control id is left to the message that will come in its place.
            received = Received(received.payload[:KEPT_BYTES], "", received.repairs, TOO_LONG)
        remarks = (received.refusal, *received.repairs) if received.refusal else received.repairs
        form = "refused" if received.refusal else "message"
        arrival = Arrival(self._adapter.source, received.payload, received.control_id, remarks, form)
        self._unanswered += 1
        self._unanswered_bytes += len(received.payload)
        self._house.land(arrival, lambda answer: self._stored(received, answer))

    def _stored(self, received: Received, answer: Answered) -> None:
        if isinstance(answer, Problem):
            verdict = Verdict("unavailable", problem=answer)
        elif received.refusal:
            verdict = Verdict("refused", answer.message_id, answer.received_at, received.refusal)
        else:
            verdict = Verdict("stored", answer.message_id, answer.received_at)
        self._answer(self._answer_to(received.payload, verdict))
        if isinstance(answer, Receipt) and verdict.outcome == "stored" and self._awaited(received):
            self._house.await_outcome(answer, lambda known: self._processed(received, known))
        else:
            self._settle(received)

    def _awaited(self, received: Received) -> bool:
        """Whether the sender wants to know what becomes of its message."""
        wanted = (Verdict("folded"), Verdict("quarantined"))
        return self._adapter.settings.acknowledge == "application" and any(
            self._answer_to(received.payload, verdict) for verdict in wanted
        )

    def _processed(self, received: Received, verdict: Verdict) -> None:
        self._answer(self._answer_to(received.payload, verdict))
        self._settle(received)

    def _settle(self, received: Received) -> None:
        self._unanswered -= 1
        self._unanswered_bytes -= len(received.payload)
        self._steer()
        self._end_when_answered()

    def _steer(self) -> None:
        """Read on, unless too much waits to be stored or answers are not taken."""
        full = self._unanswered >= UNANSWERED or self._unanswered_bytes > self._settings.frame_bytes
        read = not (self._closing or full or self._stuck_since)
        if read != self._reading:
            self._reading = read
            if read:
                # The sender was not silent meanwhile, and not slow.
                self._heard_at = time.monotonic()
                self._frame_since = self._frame_since and self._heard_at
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _end_when_answered(self) -> None:
        if self._closing and not self._unanswered and not self._transport.is_closing():
            self._answer(self._farewell)
            self._transport.close()
            self._stuck_since = self._stuck_since or time.monotonic()

    def _answer_to(self, payload: bytes, verdict: Verdict) -> bytes:
        try:
            return self._adapter.acknowledge(payload, verdict)
        except Exception as error:
            self._fail(error, "answer a message")
            return b""

    def _fail(self, error: Exception, doing: str) -> None:
        """Blame the adapter, whose error may quote what came, and end the connection; what is stored is stored."""
        self._house.note(
            self,
            f"The adapter {self._adapter.name} could not {doing} ({type(error).__name__}); the connection was closed. "
            "Report it to the adapter's author.",
        )
        self._reason = "its adapter failed"
        self._closing = True
        self._transport.abort()

    def _answer(self, data: bytes) -> None:
        if data and not self._transport.is_closing():
            if armed("mid-ack"):
                self._transport.write(data[: len(data) // 2])
                fp("mid-ack")
                data = data[len(data) // 2 :]
            self._transport.write(data)
            fp("post-ack")
