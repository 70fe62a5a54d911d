"""One connection of a listening port: bytes to messages, messages to the inbox, answers back in order."""

import asyncio
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Protocol

from hcrm_core.failpoints import armed, fp
from hcrm_core.intake.commit import Answered
from hcrm_core.intake.land import Arrival, Receipt
from hcrm_core.model.adapters import Adapter
from hcrm_core.model.listening import Received, Verdict
from hcrm_core.model.translation import Problem

UNANSWERED = 64
"""How many messages of one connection may wait for their commit before no more is read from it."""

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

    def __init__(self, house: House) -> None:
        self._house = house
        self._transport: asyncio.Transport | None = None
        self._unanswered = 0
        self._reading = False
        self._closing = False
        self._admitted = False
        self._notes = 0
        self._reason = "the sender closed it"
        self.address = ""
        self.opened_at = self.heard_at = time.monotonic()
        self.frame_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the sender or turn it away before a byte is read."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.address = str(ip_address(peer[0].partition("%")[0])) if isinstance(peer, tuple) else ""
        admitted = self._house.admit(self)
        if isinstance(admitted, str):
            self._closing = True
            self._reason = admitted
            transport.abort()
            return
        self._adapter = admitted
        self._settings = admitted.settings.listener
        self._connection = admitted.connection()
        self._admitted = self._reading = True

    def certificate(self) -> dict[str, Any]:
        """The client's verified certificate, empty where it showed none."""
        assert self._transport
        secured = self._transport.get_extra_info("ssl_object")
        return (secured.getpeercert() if secured else None) or {}

    def data_received(self, data: bytes) -> None:
        """Take bytes; every message they complete goes to the inbox."""
        if self._closing:
            return
        self.heard_at = time.monotonic()
        for item in self._connection.receive(data):
            self.frame_since = None
            if isinstance(item, Problem):
                self._note(item)
            else:
                self._receive(item)
        pending = self._connection.pending
        if pending > self._settings.frame_bytes:
            self._refuse_long()
        elif not pending:
            self.frame_since = None
        elif self.frame_since is None:
            self.frame_since = self.heard_at
        if self._unanswered >= UNANSWERED and self._reading and not self._closing:
            assert self._transport
            self._reading = False
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The sender is gone; what it delivered whole is committed all the same."""
        if exc is not None and not self._closing:
            self._reason = "it broke"
        self._closing = True
        if self._admitted:
            for problem in self._connection.end():
                self._note(problem)
        self._house.left(self, self._reason)

    def stop(self) -> None:
        """Read no more, answer what was accepted, then close."""
        self.close("the listener stops")

    def close(self, reason: str) -> None:
        """Close once everything accepted is answered."""
        if self._closing or not self._transport:
            return
        self._reason = reason
        self._closing = True
        if self._reading:
            self._reading = False
            self._transport.pause_reading()
        if not self._unanswered:
            self._transport.close()

    def overdue(self, now: float) -> str | None:
        """Why the connection is to be closed now, by its source's limits."""
        limits = self._settings
        if self.frame_since is not None:
            late = now - self.frame_since > limits.frame_seconds
            return f"a message was not complete {limits.frame_seconds:g} seconds after it began" if late else None
        if self._unanswered:
            return None
        if now - self.heard_at > limits.idle_seconds:
            return f"nothing was heard for {limits.idle_seconds:g} seconds"
        if now - self.opened_at > limits.total_seconds:
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
            self._answer(self._adapter.acknowledge(received.payload[:4096], Verdict("refused", problem=TOO_LONG)))
            return
        remarks = (received.refusal, *received.repairs) if received.refusal else received.repairs
        form = "refused" if received.refusal else "message"
        arrival = Arrival(self._adapter.source, received.payload, received.control_id, remarks, form)
        self._unanswered += 1
        self._house.land(arrival, lambda answer: self._stored(received, answer))

    def _stored(self, received: Received, answer: Answered) -> None:
        if isinstance(answer, Problem):
            verdict = Verdict("unavailable", problem=answer)
        elif received.refusal:
            verdict = Verdict("refused", answer.message_id, answer.received_at, received.refusal)
        else:
            verdict = Verdict("stored", answer.message_id, answer.received_at)
        self._answer(self._adapter.acknowledge(received.payload, verdict))
        if verdict.outcome == "stored" and self._adapter.settings.acknowledge == "application":
            assert isinstance(answer, Receipt)
            self._house.await_outcome(answer, lambda known: self._processed(received, known))
        else:
            self._settled()

    def _processed(self, received: Received, verdict: Verdict) -> None:
        self._answer(self._adapter.acknowledge(received.payload, verdict))
        self._settled()

    def _settled(self) -> None:
        self._unanswered -= 1
        assert self._transport
        if self._closing:
            if not self._unanswered:
                self._transport.close()
        elif not self._reading and self._unanswered < UNANSWERED // 2:
            self._reading = True
            self._transport.resume_reading()

    def _answer(self, data: bytes) -> None:
        if data and self._transport and not self._transport.is_closing():
            if armed("mid-ack"):
                self._transport.write(data[: len(data) // 2])
                fp("mid-ack")
                data = data[len(data) // 2 :]
            self._transport.write(data)
            fp("post-ack")

    def _refuse_long(self) -> None:
        self._answer(self._adapter.acknowledge(b"", Verdict("refused", problem=TOO_LONG)))
        self.close(f"a message was longer than {self._settings.frame_bytes:,} bytes")
