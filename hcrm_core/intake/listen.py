"""Listen: the ports of a workspace over one group commit. What is answered as stored is stored.

Timeouts, sizes and numbers of connections are limited everywhere, so that one bad sender cannot starve the others.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from hcrm_core.errors import ConfigurationError
from hcrm_core.intake.commit import Answered, GroupCommit
from hcrm_core.intake.guard import Address, Planned
from hcrm_core.intake.outcomes import Outcomes
from hcrm_core.intake.port import Port, bind, log
from hcrm_core.model.adapters import Adapter
from hcrm_core.store.engine import Store

TICK = 0.5
LAST_BYTES_SECONDS = 2.0
"""How long connections that never fall silent are still read when the listener stops."""

STOP_SECONDS = 20.0
"""How long what was accepted may take to be answered then."""


class Listener:
    """All ports of a workspace."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        """Args: store: whose inbox is written; clock: microseconds UTC. Make it inside a running event loop."""
        loop = asyncio.get_running_loop()

        def deliver(answers: Sequence[tuple[Callable[[Answered], None], Answered]]) -> None:
            loop.call_soon_threadsafe(_tell, answers)

        self._commit = GroupCommit(store, clock, deliver, log.error)
        self._outcomes = Outcomes(store)
        self._ports: dict[Address, Port] = {}
        self._leaving: list[Port] = []
        self._turn = asyncio.Lock()
        self._tasks = [loop.create_task(self._outcomes.watch()), loop.create_task(self._tick())]

    @property
    def ports(self) -> list[str]:
        """Where it listens, as `HOST:PORT`."""
        return [port.name for port in self._ports.values()]

    async def serve(self, planned: Mapping[Address, Planned[Adapter]]) -> None:
        """Listen as planned (`guard.plan`); called again, it takes over changed settings, and only connections to a
        port that is no longer planned end.

        Raises:
            ConfigurationError: An address cannot be had; what was served before goes on.
        """
        async with self._turn:
            fresh: dict[Address, Port] = {}
            try:
                for address in planned:
                    if address not in self._ports:
                        fresh[address] = Port(await bind(address), self._commit, self._outcomes)
            except ConfigurationError:
                for port in fresh.values():
                    port.close()
                raise
            self._leave([self._ports.pop(address) for address in self._ports.keys() - planned.keys()])
            self._ports |= fresh
            for address, port in self._ports.items():
                port.serve(planned[address])

    async def stop(self) -> None:
        """Accept nobody new, finish what has come, answer it, and end."""
        ports = list(self._ports.values())
        for port in ports:
            port.close()
        until = time.monotonic() + LAST_BYTES_SECONDS
        while any(port.busy for port in ports) and time.monotonic() < until:
            for port in ports:
                port.stop(quiet_only=True)
            await asyncio.sleep(0.02)
        self._leave(ports)
        await self._until_quiet(STOP_SECONDS)
        self._outcomes.give_up()
        await self._until_quiet(1.0)
        await asyncio.to_thread(self._commit.close)
        for task in self._tasks:
            task.cancel()

    def _leave(self, ports: Sequence[Port]) -> None:
        for port in ports:
            port.close()
            port.stop()
        self._leaving += ports

    async def _until_quiet(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while any(port.busy for port in self._leaving) and time.monotonic() < until:
            await asyncio.sleep(0.01)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            for port in (*self._ports.values(), *self._leaving):
                port.tick()
            self._leaving = [port for port in self._leaving if port.busy]


def _tell(answers: Sequence[tuple[Callable[[Answered], None], Answered]]) -> None:
    for answer, what in answers:
        answer(what)
