"""One hospital for all tests of the package: made once."""

from datetime import date

import pytest

from hcrm_adapter_simulator.events import Event
from hcrm_adapter_simulator.settings import Settings
from hcrm_adapter_simulator.simulation import shards, simulate_shard


@pytest.fixture(scope="session")
def settings() -> Settings:
    """A hospital large enough for shares to settle."""
    return Settings(until=date(2025, 6, 30), patients=2000, seed=11)


@pytest.fixture(scope="session")
def lives(settings: Settings) -> list[list[Event]]:
    """The statements of each of its persons."""
    return [events for shard in range(shards(settings)) for events in simulate_shard(settings, shard)]
