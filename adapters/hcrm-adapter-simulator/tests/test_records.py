"""Record bodies are what msgspec would write, and tell the same story as the messages."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from hcrm_adapter_simulator import Settings, write_records
from hcrm_adapter_simulator.events import Event
from hcrm_adapter_simulator.records import Rows
from hcrm_core.api import KINDS


@pytest.fixture(scope="module")
def rows(lives: list[list[Event]]) -> Rows:
    rows = Rows()
    for events in lives:
        rows.add(events)
    return rows


def test_bodies_are_as_msgspec_writes_them(rows: Rows) -> None:
    seen: Counter[str] = Counter()
    for kind, key, group, _, body in rows.rows:
        seen[kind] += 1
        if seen[kind] > 1500:
            continue
        record = msgspec.convert({"key": key, "group": group, **json.loads(body)}, KINDS[kind])
        written = msgspec.to_builtins(record)
        for name in ("kind", "key", "group"):
            written.pop(name)
        assert msgspec.json.encode(written).decode() == body
    assert set(KINDS) - set(seen) == {
        "EncounterMove", "Procedure", "MedicationRequest", "MedicationDispense", "Immunization", "Referral",
        "HealthcareService",
    }  # fmt: skip


def test_rows_name_patients_that_exist(rows: Rows) -> None:
    patients = {key for kind, key, *_ in rows.rows if kind == "Patient"}
    for kind, _, _, patient, _ in rows.rows:
        assert (patient in patients) == (kind not in ("Organization", "Practitioner"))


def test_counts_agree_with_the_events(rows: Rows, lives: list[list[Event]]) -> None:
    keys: dict[str, set[str]] = {}
    for kind, key, *_ in rows.rows:
        keys.setdefault(kind, set()).add(key)
    events = [event for person in lives for event in person]
    assert len(keys["Patient"]) == len({e.mrn for e in events})
    assert len(keys["Appointment"]) == len({e.booking.number for e in events if e.booking})
    assert len(keys["DiagnosticReport"]) == len({e.report.number for e in events if e.report})
    assert len(keys["ChargeItem"]) == sum(len(e.charges) for e in events)
    assert len(keys["PatientLink"]) == sum(bool(e.merged) for e in events)
    visits = {e.visit.number for e in events if e.visit} | {e.report.visit.number for e in events if e.report}
    assert len(keys["Encounter"]) == len(visits)


def test_a_file_repeats_the_stamp_of_an_event_for_its_rows(tmp_path: Path, settings: Settings) -> None:
    written = write_records(replace(settings, patients=60), tmp_path)
    table = pq.read_table(tmp_path / "records-000.parquet")
    assert table.num_rows == written.items
    assert table.column_names == [
        "kind", "key", "group", "patient", "body", "said_at", "sequence", "rank", "control_id", "message_type",
    ]  # fmt: skip
    stamps: dict[str, set[tuple[int, int, str]]] = {}
    for row in table.to_pylist():
        stamps.setdefault(row["control_id"], set()).add((row["said_at"], row["rank"], row["message_type"]))
        assert row["sequence"] == -1
    assert all(len(of_message) == 1 for of_message in stamps.values())
