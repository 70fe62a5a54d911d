"""The whole: persons in shards, each shard's events by person."""

from collections.abc import Iterator

from hcrm_adapter_simulator import fate, timeline
from hcrm_adapter_simulator.events import Event
from hcrm_adapter_simulator.hospital import hospital
from hcrm_adapter_simulator.life import Life
from hcrm_adapter_simulator.population import BLOCK, block
from hcrm_adapter_simulator.settings import Settings

SHARD_BLOCKS = 10
SHARD = SHARD_BLOCKS * BLOCK
"""Persons in a shard. It depends on nothing, so that the number of processes changes no byte."""


def shards(settings: Settings) -> int:
    """How many shards a simulation has."""
    return -(-settings.patients // SHARD)


def simulate_shard(settings: Settings, shard: int) -> Iterator[list[Event]]:
    """The statements of each person of one shard, in the order they were made."""
    where = hospital(settings.seed)
    for number in range(shard * SHARD_BLOCKS, (shard + 1) * SHARD_BLOCKS):
        if number * BLOCK >= settings.patients:
            return
        for person in block(settings.seed, number, settings.until):
            if person.index < settings.patients:
                life = Life(settings, where, person)
                fate.draw(life)
                life.live()
                yield timeline.statements(life)


def simulate(settings: Settings) -> Iterator[Event]:
    """Every statement of the hospital's systems, person by person and in order within a person."""
    for shard in range(shards(settings)):
        for events in simulate_shard(settings, shard):
            yield from events
