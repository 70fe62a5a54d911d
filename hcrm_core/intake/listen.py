"""Listen: ports, connections and their limits. What is answered as stored is stored.

Timeouts, sizes and numbers of connections are limited everywhere, so that one bad sender cannot starve the others.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from hcrm_core.errors import ConfigurationError
from hcrm_core.intake import guard
from hcrm_core.intake.channel import Channel
from hcrm_core.intake.commit import Answered, GroupCommit
from hcrm_core.intake.land import Arrival, Receipt
from hcrm_core.intake.outcomes import Outcomes
from hcrm_core.model.adapters import Adapter
from hcrm_core.model.listening import Verdict
from hcrm_core.store.engine import Store

log = logging.getLogger("hcrm.listen")

TICK = 0.5
BACKLOG = 512
HANDSHAKE_SECONDS = 10.0
STOP_SECONDS = 20.0
BIND_SECONDS = 10.0


class Port:
    """One address, for the sources that listen on it."""

    def __init__(self, listener: "Listener", host: str, number: int) -> None:
        self._listener = listener
        self._host, self._number = host, number
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._adapters: Sequence[Adapter] = ()
        self.channels: set[Channel] = set()
        self._per_address: Counter[str] = Counter()

    @property
    def name(self) -> str:
        """`HOST:PORT` as bound."""
        return f"{self._host}:{self._number}"

    async def serve(self, adapters: Sequence[Adapter], context: ssl.SSLContext | None) -> None:
        """Accept connections for these sources; called again, new settings hold for new connections only.

        Raises:
            ConfigurationError: The address cannot be bound.
        """
        if self._socket is None:
            self._socket = await self._bind()
            self._number = self._socket.getsockname()[1]
        self._adapters = adapters
        before = self._server
        # The listening socket stays, so nobody who connects meanwhile is refused.
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Channel(self),
            sock=self._socket.dup(),
            ssl=context,
            backlog=BACKLOG,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if context else None,
        )
        if before:
            before.close()

    def close(self) -> None:
        """Accept no more, and let every connection end once it is answered."""
        if self._server:
            self._server.close()
        if self._socket:
            self._socket.close()
        for channel in list(self.channels):
            channel.stop()

    def tick(self) -> None:
        """Close what is overdue."""
        now = time.monotonic()
        for channel in list(self.channels):
            if reason := channel.overdue(now):
                channel.close(reason)

    def admit(self, channel: Channel) -> Adapter | str:
        """See `channel.House`."""
        admitted = guard.admit(self._adapters, channel.address, channel.certificate())
        if isinstance(admitted, Adapter):
            limits = admitted.settings.listener
            if len(self.channels) >= limits.connections:
                admitted = f"the port holds {limits.connections} connections already"
            elif self._per_address[channel.address] >= limits.connections_per_address:
                admitted = f"{limits.connections_per_address} connections come from its address already"
        if isinstance(admitted, str):
            log.warning("%s: a connection from %s was turned away: %s.", self.name, channel.address, admitted)
            return admitted
        self.channels.add(channel)
        self._per_address[channel.address] += 1
        log.info("%s: %s connected as %s.", self.name, channel.address, admitted.source)
        return admitted

    def land(self, arrival: Arrival, answer: Callable[[Answered], None]) -> None:
        """See `channel.House`."""
        self._listener.commit.submit(arrival, answer)

    def await_outcome(self, receipt: Receipt, answer: Callable[[Verdict], None]) -> None:
        """See `channel.House`."""
        self._listener.outcomes.wait(receipt.message_id, receipt.received_at, answer)

    def left(self, channel: Channel, reason: str) -> None:
        """See `channel.House`."""
        if channel in self.channels:
            self.channels.remove(channel)
            self._per_address[channel.address] -= 1
            if not self._per_address[channel.address]:
                del self._per_address[channel.address]
            log.info("%s: the connection from %s has ended: %s.", self.name, channel.address, reason)

    def note(self, channel: Channel, text: str) -> None:
        """See `channel.House`."""
        log.warning("%s: from %s: %s", self.name, channel.address, text)

    async def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        until = time.monotonic() + BIND_SECONDS
        while True:
            made = socket.socket(family, socket.SOCK_STREAM)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            try:
                made.bind((self._host, self._number))
                made.listen(BACKLOG)
                made.setblocking(False)
                return made
            except OSError as error:
                made.close()
                # A listener that was just killed may hold it for a moment.
                if time.monotonic() > until:
                    raise ConfigurationError(
                        f"{self._host}:{self._number} cannot be listened on: {error.strerror}. Another program has it, "
                        "or the address is not this machine's; see `listen` in hcrm.toml."
                    ) from None
            await asyncio.sleep(0.1)


class Listener:
    """All ports of a workspace over one group commit."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        """Args: store: whose inbox is written; clock: microseconds UTC. Make it inside a running event loop."""
        loop = asyncio.get_running_loop()

        def deliver(answers: Sequence[tuple[Callable[[Answered], None], Answered]]) -> None:
            loop.call_soon_threadsafe(_tell, answers)

        self.commit = GroupCommit(store, clock, deliver, log.error)
        self.outcomes = Outcomes(store)
        self._ports: dict[tuple[str, int], Port] = {}
        self._tasks = [loop.create_task(self.outcomes.watch()), loop.create_task(self._tick())]

    @property
    def ports(self) -> list[str]:
        """Where it listens, as `HOST:PORT`."""
        return [port.name for port in self._ports.values()]

    async def serve(
        self, adapters: Sequence[Adapter], path: Callable[[str], Path], where: Callable[[str, str], str]
    ) -> None:
        """Listen for these sources; called again, it takes over changed settings and drops no connection.

        Args:
            adapters: Of the sources that have `listen`.
            path: A file of the configuration → where it is.
            where: (source, key) → file and line, for errors.

        Raises:
            ConfigurationError: A setting is wrong; what was served before goes on.
        """
        shared: dict[tuple[str, int], list[Adapter]] = {}
        for adapter in adapters:
            address = guard.parse_address(adapter.settings.listen or "", where(adapter.source, "listen"))
            shared.setdefault(address, []).append(adapter)
        contexts = {}
        for address, same in shared.items():
            guard.check(same, where)
            contexts[address] = guard.context(same[0], path, where(same[0].source, "listener"))
        for address in self._ports.keys() - shared.keys():
            self._ports.pop(address).close()
        for address, same in shared.items():
            if address not in self._ports:
                self._ports[address] = Port(self, *address)
            await self._ports[address].serve(same, contexts[address])

    async def stop(self) -> None:
        """Accept nothing new, finish what was accepted, answer it, and end."""
        ports = list(self._ports.values())
        for port in ports:
            port.close()
        until = time.monotonic() + STOP_SECONDS
        while any(port.channels for port in ports) and time.monotonic() < until:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(self.commit.close)
        for task in self._tasks:
            task.cancel()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            for port in self._ports.values():
                port.tick()


def _tell(answers: Sequence[tuple[Callable[[Answered], None], Answered]]) -> None:
    for answer, what in answers:
        answer(what)
