"""A closed-loop MLLP client: each connection has one message outstanding and waits for its acknowledgment."""

import asyncio
import time
from typing import NamedTuple

from hcrm_core.cli.bench.messages import maker

_NUMBERS = 10_000_000
_begun = 0


class Run(NamedTuple):
    """What one run came to; latencies in seconds."""

    messages: int
    seconds: float
    refused: int
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


async def drive(
    port: int, connections: int, kind: str, *, seconds: float | None = None, messages: int | None = None,
    rate: float | None = None,
) -> Run:  # fmt: skip
    """Send until so many seconds have passed, or so many messages are acknowledged.

    Args:
        port: On this machine.
        connections: How many.
        kind: `adt` or `oru`.
        seconds: How long to send.
        messages: How many to send in all.
        rate: At most so many a second in all.
    """
    global _begun
    latencies: list[float] = []
    began = time.perf_counter()
    left = messages if messages is not None else _NUMBERS
    refused = 0

    async def connection(first: int) -> None:
        nonlocal left, refused
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        make = maker(kind, first)
        due = time.perf_counter()
        while left > 0 and (seconds is None or time.perf_counter() - began < seconds):
            left -= 1
            if rate is not None:
                due += connections / rate
                await asyncio.sleep(max(due - time.perf_counter(), 0))
            sent = time.perf_counter()
            writer.write(b"\x0b" + make() + b"\x1c\r")
            answer = await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 60)
            latencies.append(time.perf_counter() - sent)
            refused += not (b"MSA|CA|" in answer or b"MSA|AA|" in answer)
        writer.close()

    firsts = [(_begun + place) * _NUMBERS for place in range(connections)]
    _begun += connections
    await asyncio.gather(*(connection(first) for first in firsts))
    return Run(len(latencies), time.perf_counter() - began, refused, sorted(latencies))
