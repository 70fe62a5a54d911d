"""A port: one address, the sources that listen on it, and the connections it holds.

Address and number of connections are looked at before a sender costs a handshake, its certificate before a byte of it
is read.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from hcrm_core.errors import ConfigurationError
from hcrm_core.intake import guard
from hcrm_core.intake.channel import Channel
from hcrm_core.intake.commit import Answered, GroupCommit
from hcrm_core.intake.land import Arrival, Receipt
from hcrm_core.intake.outcomes import Outcomes
from hcrm_core.model.adapters import Adapter
from hcrm_core.model.listening import Verdict

log = logging.getLogger("hcrm.listen")

BACKLOG = 512
HANDSHAKE_SECONDS = 10.0
GOODBYE_SECONDS = 5.0
BIND_SECONDS = 10.0
NO_ROOM_SECONDS = 1.0

REFUSALS = 10
REFUSALS_SECONDS = 60.0
"""How many connections of one address that are turned away are logged in which time; the others are counted."""


class Port:
    """One bound address."""

    def __init__(self, bound: socket.socket, commit: GroupCommit, outcomes: Outcomes) -> None:
        """Args: bound: by `bind`; commit, outcomes: of the listener."""
        self._socket = bound
        self._commit = commit
        self._outcomes = outcomes
        self._planned: guard.Planned[Adapter] = guard.Planned([], None)
        self._accepting: asyncio.Task[None] | None = None
        self._handshakes: set[asyncio.Task[None]] = set()
        self._addresses: dict[Channel, str] = {}
        self._refused: Counter[str] = Counter()
        self._refused_since = time.monotonic()
        host, number = bound.getsockname()[:2]
        self.name = f"[{host}]:{number}" if ":" in host else f"{host}:{number}"

    @property
    def busy(self) -> bool:
        """Whether it holds a connection."""
        return bool(self._addresses)

    def serve(self, planned: guard.Planned[Adapter]) -> None:
        """Accept connections for these sources; called again, new settings hold for new connections only."""
        self._planned = planned
        if self._accepting is None:
            self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        """Accept nobody any more."""
        for task in self._handshakes:
            task.cancel()
        if self._accepting:
            # Not before the loop has let go of it: its number could mean another file by then.
            self._accepting.add_done_callback(lambda _: self._socket.close())
            self._accepting.cancel()
        else:
            self._socket.close()

    def stop(self, quiet_only: bool = False) -> None:
        """Let every connection end once it is answered, or only those on which nothing more comes."""
        now = time.monotonic()
        for channel in list(self._addresses):
            if not quiet_only or channel.quiet(now):
                channel.close("the listener stops")

    def tick(self) -> None:
        """Close what is overdue."""
        now = time.monotonic()
        for channel in list(self._addresses):
            channel.tick(now)
        if now - self._refused_since > REFUSALS_SECONDS:
            for address, count in sorted(self._refused.items()):
                if count > REFUSALS:
                    log.warning("%s: %d more from %s were turned away.", self.name, count - REFUSALS, address)
            self._refused.clear()
            self._refused_since = now

    def admit(self, channel: Channel) -> Adapter | str:
        """See `channel.House`."""
        address = self._addresses[channel]
        admitted = guard.admit(self._planned.adapters, address, channel.certificate())
        if isinstance(admitted, str):
            self._turn_away(address, admitted)
        else:
            log.info("%s: %s connected as %s.", self.name, address, admitted.source)
        return admitted

    def land(self, arrival: Arrival, answer: Callable[[Answered], None]) -> None:
        """See `channel.House`."""
        self._commit.submit(arrival, answer)

    def await_outcome(self, receipt: Receipt, answer: Callable[[Verdict], None]) -> None:
        """See `channel.House`."""
        self._outcomes.wait(receipt.message_id, receipt.received_at, answer)

    def left(self, channel: Channel, reason: str) -> None:
        """See `channel.House`."""
        address = self._addresses.pop(channel, "")
        log.info("%s: the connection from %s has ended: %s.", self.name, address, reason)

    def note(self, channel: Channel, text: str) -> None:
        """See `channel.House`."""
        log.warning("%s: from %s: %s", self.name, self._addresses.get(channel, ""), text)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                made, peer = await self._next()
            except OSError as error:
                log.error("%s: nobody can connect now: %s.", self.name, error.strerror)
                await asyncio.sleep(NO_ROOM_SECONDS)
                continue
            address = str(ip_address(peer[0].partition("%")[0]))
            if reason := self._unwelcome(address):
                self._turn_away(address, reason)
                made.close()
                continue
            channel = Channel(self)
            self._addresses[channel] = address
            task = loop.create_task(self._open(made, channel))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    async def _next(self) -> tuple[socket.socket, Any]:
        """The next connection; asyncio's own `sock_accept` trips over one that comes just as it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                made, peer = self._socket.accept()
            except BlockingIOError:
                ready = asyncio.Event()
                loop.add_reader(self._socket, ready.set)
                try:
                    await ready.wait()
                finally:
                    loop.remove_reader(self._socket)
            else:
                made.setblocking(False)
                return made, peer

    async def _open(self, made: socket.socket, channel: Channel) -> None:
        context = self._planned.context
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: channel,
                made,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if context else None,
                ssl_shutdown_timeout=GOODBYE_SECONDS if context else None,
            )
        except OSError as error:
            self._turn_away(self._addresses.pop(channel, ""), f"TLS was not agreed on: {_reason(error)}")
        except asyncio.CancelledError:
            self._addresses.pop(channel, None)
            raise

    def _unwelcome(self, address: str) -> str | None:
        """Why nobody may connect from an address now."""
        limits = [adapter.settings.listener for adapter in self._planned.adapters]
        if not guard.reachable(self._planned.adapters, address):
            return "its address is not allowed"
        if len(self._addresses) >= (most := max(limit.connections for limit in limits)):
            return f"the port holds {most} connections already"
        of_it = sum(one == address for one in self._addresses.values())
        if of_it >= (most := max(limit.connections_per_address for limit in limits)):
            return f"{most} connections come from its address already"
        return None

    def _turn_away(self, address: str, reason: str) -> None:
        self._refused[address] += 1
        if self._refused[address] <= REFUSALS:
            log.warning("%s: a connection from %s was turned away: %s.", self.name, address, reason)


async def bind(address: guard.Address) -> socket.socket:
    """A socket that listens at an address.

    Raises:
        ConfigurationError: It cannot be had.
    """
    host, number = address
    until = time.monotonic() + BIND_SECONDS
    while True:
        made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        try:
            made.bind(address)
            made.listen(BACKLOG)
            made.setblocking(False)
            return made
        except OSError as error:
            made.close()
            # A listener that was just killed may hold it for a moment.
            if time.monotonic() > until:
                raise ConfigurationError(
                    f"{host}:{number} cannot be listened on: {error.strerror}. Another program has it, or the address "
                    "is not this machine's; see `listen` in hcrm.toml."
                ) from None
        await asyncio.sleep(0.1)


def _reason(error: OSError) -> str:
    """What OpenSSL says, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted, {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return "it took too long" if "taking longer" in str(error) else "the sender went away"
