"""The facts of the messages, read by the HL7 v2 adapter, equal the facts of the record files."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from hcrm_adapter_simulator.events import Event
from hcrm_adapter_simulator.hl7v2 import Writer
from hcrm_adapter_simulator.records import Rows
from hcrm_core.api import Adapter, Translation

Fact = dict[str, Any]
Facts = dict[tuple[str, str], Fact]


@pytest.fixture(scope="module", params=[300, pytest.param(2_000, marks=pytest.mark.prove)])
def persons(request: pytest.FixtureRequest) -> int:
    """Of how many the facts are compared."""
    return int(request.param)


@pytest.fixture(scope="module")
def translations(lives: list[list[Event]], persons: int) -> list[Translation]:
    """What the HL7 v2 adapter makes of the messages, by person in the order of statements."""
    kind: type[Adapter] = pytest.importorskip("hcrm_adapter_hl7v2").register_adapters()[0]
    adapter = kind("his", kind.settings_type(adapter=kind.name))
    writer = Writer("UTF-8")
    return [
        adapter.translate(message.text.encode()) for events in lives[:persons] for message in writer.messages(events)
    ]


def fold(versions: Iterable[tuple[int, str, str, Fact]]) -> Facts:
    """The design's fold, at its plainest."""
    facts: Facts = {}
    for _, kind, key, body in sorted(versions, key=lambda version: version[0]):
        facts.setdefault((kind, key), {}).update(body)
    return {name: {f: v for f, v in body.items() if v is not None} for name, body in facts.items()}


@pytest.fixture(scope="module")
def from_messages(translations: list[Translation]) -> Facts:
    versions = []
    for translation in translations:
        assert translation.statement is not None, translation.quarantine
        for record in translation.records:
            body = json.loads(msgspec.json.encode(record))
            kind, key = body.pop("kind"), body.pop("key")
            body.pop("group", None)
            versions.append((translation.statement.said_at, kind, key, body))
    return fold(versions)


@pytest.fixture(scope="module")
def from_records(lives: list[list[Event]], persons: int) -> Facts:
    rows = Rows()
    for events in lives[:persons]:
        rows.add(events)
    said = [event.said for event, count in zip(rows.events, rows.counts, strict=True) for _ in range(count)]
    return fold(
        (said_at, kind, key, json.loads(body)) for said_at, (kind, key, _, _, body) in zip(said, rows.rows, strict=True)
    )


def test_the_same_facts_are_known(from_messages: Facts, from_records: Facts) -> None:
    assert from_messages.keys() == from_records.keys()


def test_they_say_the_same(from_messages: Facts, from_records: Facts) -> None:
    for name, body in from_messages.items():
        assert body == from_records[name], name


def test_no_set_voids_what_it_leaves_out(translations: list[Translation]) -> None:
    """Record files cannot void, so that the simulator's sets only ever grow."""
    members: dict[tuple[str, str], set[str]] = {}
    for translation in translations:
        said: dict[tuple[str, str], set[str]] = {}
        for record in translation.records:
            if record.group is not None:
                said.setdefault((type(record).__name__, record.group), set()).add(record.key)
        for name, keys in said.items():
            members.setdefault(name, set()).update(keys)
        for whole in translation.complete:
            name = (whole.kind, whole.group)
            assert said.get(name, set()) == members.get(name, set())


def test_the_mapping_has_no_doubts(translations: list[Translation]) -> None:
    assert [t.problems for t in translations if t.problems] == []
