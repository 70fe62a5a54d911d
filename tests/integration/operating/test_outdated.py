"""Which stored messages another mapping, or an older adapter, has read: on both databases."""

import pytest
from support.bench import Bench, adt

from hcrm_core.intake import outdated as module
from hcrm_core.intake.outdated import Outdated, outdated
from hcrm_core.intake.prune import prune
from hcrm_core.model.adapters import RECORD_FILES
from hcrm_core.store.queries import processing
from hcrm_core.store.queries.processing import ProcessingRow

NOW = {"his": "hl7v2 1 mapping b", "lis": "hl7v2 1"}


def read(bench: Bench, source: str, by: str, *bodies: bytes, state: str = "folded") -> None:
    numbers = bench.land(*bodies, source=source)
    with bench.store.write() as connection:
        processing.put(connection, [ProcessingRow(number, state, "ADT^A28", 1, by) for number in numbers])


@pytest.mark.parametrize("page", [1, 3, 5_000])
def test_messages_are_counted_by_source_and_by_what_read_them(
    bench: Bench, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", page)
    read(bench, "his", "hl7v2 1 mapping a", *map(adt, range(4)))
    read(bench, "his", "hl7v2 1", adt(4))
    read(bench, "his", "hl7v2 1", adt(5), state="quarantined")
    read(bench, "his", NOW["his"], adt(6))
    read(bench, "lis", "hl7v2 1", adt(7))
    read(bench, "gone", "hl7v2 1", adt(8))
    read(bench, "his", RECORD_FILES, adt(9))
    read(bench, "his", "hl7v2 1", b"GET /", state="rejected")
    bench.land(adt(10))
    expected = [Outdated("his", "hl7v2 1", 2), Outdated("his", "hl7v2 1 mapping a", 4)]
    assert outdated(bench.store, NOW.get) == expected
    monkeypatch.setattr(module, "LOOKED_AT", 8)
    assert outdated(bench.store, NOW.get) == [Outdated("his", "hl7v2 1", 2)], "the newest alone"


def test_what_cannot_be_replayed_is_not_among_them(bench: Bench) -> None:
    read(bench, "his", "hl7v2 1", *map(adt, range(3)))
    bench.now += 1
    read(bench, "his", "hl7v2 1", adt(3))
    prune(bench.store, bench.now)
    assert outdated(bench.store, NOW.get) == [Outdated("his", "hl7v2 1", 1)]
    assert outdated(bench.store, {}.get) == []
