"""The contract of an adapter that listens: a connection's bytes in, messages out, answers back, and no socket in sight.

The core owns sockets, TLS, limits, the commit and its clock; an adapter only knows how its protocol frames a message
and how it answers one. So every protocol has the same promise: what is answered as stored is stored.
"""

from abc import ABC, abstractmethod
from typing import Annotated, Literal

from msgspec import Meta, Struct

from hcrm_core.model.translation import Problem

Outcome = Literal["stored", "folded", "quarantined", "refused", "unavailable"]

Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class ListenerSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[sources.NAME.listener]`: how a listening source is guarded.

    Attributes:
        certificate: PEM file of the server's certificate and chain; with it the port speaks TLS only.
        key: PEM file of its private key.
        client_ca: PEM file of the authorities whose client certificates are accepted (mutual TLS).
        client: The name in the client's certificate (subject alternative DNS name, else common name) by which this
            source is known; sources that share a port are told apart by it.
        allow: Addresses and networks that may connect (`10.1.0.0/16`); empty: whoever reaches the port.
        plaintext: Whether a port beyond this machine may speak without TLS; then `allow` must name who may connect.
        frame_bytes: The longest message that is taken.
        frame_seconds: A message that has begun must have ended so long after, and answers must have been taken.
        idle_seconds: A connection on which nothing was heard for so long is closed.
        total_seconds: A connection so old is closed at a quiet moment; its sender connects anew.
        connections: How many connections the port holds at once.
        connections_per_address: How many of them may come from one address.
    """

    certificate: str | None = None
    key: str | None = None
    client_ca: str | None = None
    client: str | None = None
    allow: tuple[str, ...] = ()
    plaintext: bool = False
    frame_bytes: Count = 8 * 1024 * 1024
    frame_seconds: Positive = 60.0
    idle_seconds: Positive = 3_600.0
    total_seconds: Positive = 86_400.0
    connections: Count = 256
    connections_per_address: Count = 32


class Received(Struct, frozen=True):
    """A message that came over a connection.

    Attributes:
        payload: Its bytes without the protocol's framing.
        control_id: The sender's id of it (HL7 MSH-10); empty where it has none.
        repairs: What had to be overlooked to find it.
        refusal: Why it can be no message at all; it is kept for people to look at, and never translated.
    """

    payload: bytes
    control_id: str = ""
    repairs: tuple[Problem, ...] = ()
    refusal: Problem | None = None


class Verdict(Struct, frozen=True):
    """What is known of a message when it is to be answered.

    Attributes:
        outcome: `stored`: committed to the inbox. `folded`, `quarantined`: what its translation came to; asked for
            only where the source's `acknowledge` is `application`. `refused`: not taken, and sending it again is
            no use. `unavailable`: not stored; the sender should send it again later.
        message_id: Its number in the inbox, 0 where it is not stored.
        received_at: When it first arrived, microseconds UTC; a repetition is answered with the same bytes.
        problem: Why it was quarantined or refused, or cannot be stored.
    """

    outcome: Outcome
    message_id: int = 0
    received_at: int = 0
    problem: Problem | None = None


class Connection(ABC):
    """What one connection has said and not yet ended. Pure: it holds bytes and nothing else."""

    @abstractmethod
    def receive(self, data: bytes) -> list[Received | Problem]:
        """Take the next bytes and give the messages they complete, in order; a problem stands for bytes left out."""

    def end(self) -> list[Problem]:
        """The connection has ended: what was left out or cut short at its end."""
        return []

    @property
    @abstractmethod
    def pending(self) -> int:
        """How many bytes of an unfinished message are held; 0 between messages."""
