"""FHIR files hold resources as FHIR defines them, each of the last day, and tell what the messages tell."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hcrm_adapter_simulator import Settings, write_fhir
from hcrm_adapter_simulator.events import Event
from hcrm_adapter_simulator.fhir_types import resource_id
from hcrm_adapter_simulator.records import Rows


@pytest.fixture(scope="module")
def folder(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resources")
    write_fhir(replace(settings, patients=300), folder)
    return folder


@pytest.fixture(scope="module")
def resources(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """By type."""
    return {
        path.stem: [json.loads(line) for line in path.read_bytes().splitlines()] for path in folder.glob("*.ndjson")
    }


def references(found: Any) -> list[str]:
    if isinstance(found, dict):
        own = [found["reference"]] if "reference" in found else []
        return own + [one for value in found.values() for one in references(value)]
    return [one for value in found for one in references(value)] if isinstance(found, list) else []


def test_every_reference_is_there(resources: dict[str, list[dict[str, Any]]]) -> None:
    there = Counter(f"{kind}/{one['id']}" for kind, of_kind in resources.items() for one in of_kind)
    assert max(there.values()) == 1
    named = {one for of_kind in resources.values() for one in references(of_kind)}
    assert named and named <= there.keys()


def test_nothing_was_said_after_the_last_day(settings: Settings, resources: dict[str, list[dict[str, Any]]]) -> None:
    for of_kind in resources.values():
        for one in of_kind:
            assert one["meta"]["lastUpdated"] < f"{settings.until}T24"
            assert int(one["meta"]["versionId"]) >= 1


def test_they_are_valid_by_the_definition(folder: Path) -> None:
    """The FHIR adapter holds a resource against `fhir.resources` and the required code lists."""
    kind = pytest.importorskip("hcrm_adapter_fhir").register_adapters()[0]
    adapter = kind("ehr", kind.settings_type(adapter=kind.name))
    for path in folder.glob("*.ndjson"):
        for line in path.read_bytes().splitlines()[:60]:
            assert adapter.conformance(line) == [], path.stem


def test_ids_of_a_kind_are_as_many_as_keys(lives: list[list[Event]]) -> None:
    rows = Rows()
    for events in lives:
        rows.add(events)
    keys = {(kind, key) for kind, key, *_ in rows.rows}
    assert len({(kind, resource_id(key)) for kind, key in keys}) == len(keys)
