"""The mapping follows the official v2-to-FHIR tables; each departure has a reason, and each reason a departure."""

import os
from pathlib import Path

import pytest
from msgspec import structs
from support.hl7v2 import PID, segment, translate

from hcrm_adapter_hl7v2.mapping.tables import FieldRule, shipped
from hcrm_adapter_hl7v2.official import bring, compare
from hcrm_adapter_hl7v2.official.tables import departures, elements, official
from hcrm_core.api import KINDS

CORPUS = Path(__file__).parents[4] / "shared" / "corpora" / "v2-to-fhir"


def test_the_tables_are_what_the_script_brings() -> None:
    if not CORPUS.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("the corpora are not beside the clone, where CI puts them")
        pytest.skip("no shared corpora beside this clone")
    assert bring.OFFICIAL.read_text(encoding="utf-8") == bring.official(CORPUS)


def test_the_script_asks_for_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bring.main([]) == bring.main([str(tmp_path)]) == 2
    assert "Usage" in capsys.readouterr().err


# --- departures and reasons -------------------------------------------------------------------------------------------


def test_every_field_that_departs_has_a_reason_and_every_reason_a_departure() -> None:
    assert {row.field for row in compare.compared_fields() if not row.same} == set(departures().fields)


def test_every_record_that_only_one_side_makes_has_a_reason_and_every_reason_such_a_record() -> None:
    assert {row.field for row in compare.compared_messages() if not row.same} == set(departures().messages)
    assert len(official().messages) == 13


def test_every_component_that_departs_has_a_reason_and_every_reason_a_departure() -> None:
    assert {row.field for row in compare.compared_components() if not row.same} == set(departures().components)


@pytest.mark.parametrize("table", sorted(departures().linked))
def test_every_code_that_departs_has_a_reason_and_every_reason_a_departure(table: str) -> None:
    departing = {row.code for row in compare.compared_codes(table) if not row.same}
    assert departing == set(departures().codes.get(table, {}))


def test_what_is_left_out_whole_has_a_reason() -> None:
    known, brought = departures(), official().tables
    assert set(known.tables) == set(brought.segments_left_out)
    assert set(known.maps) == set(brought.maps_left_out)
    assert set(known.segments) == compare.segments_alone()
    assert sorted(known.linked.values()) == sorted(brought.maps)
    assert {*known.linked, *known.alone} == {*shipped().codes, compare.EVENTS}
    assert not set(known.linked) & set(known.alone)


def test_every_reason_is_a_sentence_or_the_name_of_one_and_every_name_is_used() -> None:
    known = departures()
    tables = [known.tables, known.maps, known.segments, known.messages, known.fields, known.components, known.alone]
    given = [reason for table in (*tables, *known.codes.values()) for reason in table.values()]
    assert set(known.reasons) <= set(given)
    assert [reason for reason in given if not known.why(reason).endswith(".")] == []


# --- the comparison itself --------------------------------------------------------------------------------------------


def test_elements_speak_of_fields_and_keys_that_exist() -> None:
    for name in elements().fields:
        kind, _, field = name.partition(".")
        assert field in {found.encode_name for found in structs_of(kind)} or name == "Observation.value", name
    named = {rule.key for rule in shipped().records.values() if isinstance(rule.key, str)}
    assert set(elements().keys) <= named


def structs_of(kind: str) -> tuple[structs.FieldInfo, ...]:
    return structs.fields(KINDS[kind])


def changed(record: str, field: str, path: str) -> set[str]:
    """The fields that depart once a field of a record is read from another place."""
    tables = shipped()
    rule = tables.records[record]
    other = structs.replace(rule, fields={**rule.fields, field: FieldRule(path=path)})
    laid = structs.replace(tables, records={**tables.records, record: other})
    return {row.field for row in compare.compared_fields(laid) if not row.same}


def test_a_field_read_from_the_wrong_place_is_a_departure() -> None:
    before = {row.field for row in compare.compared_fields() if not row.same}
    assert changed("Patient", "birth_date", "PID-29") - before == {"PID-7"}
    assert changed("Patient", "birth_date", "PID-1") - before == {"PID-7", "PID-1"}
    assert changed("Patient", "birth_date", "PID-7") == before


def test_a_code_that_is_mapped_otherwise_is_a_departure() -> None:
    rows = {row.code: row for row in compare.compared_codes("administrative-gender")}
    assert rows["F"].same and not rows["F"]._replace(ours="male").same
    assert not rows["F"]._replace(ours=None).same


# --- components are read as the table says ----------------------------------------------------------------------------

PLACES = {
    "CWE": ("ADT^A01", "DG1", 3, {1: "A", 4: "B", 10: "C"}),
    "CX": ("ADT^A31", "PID", 3, {1: "9"}),
    "PL": ("ADT^A01", "PV1", 3, {1: "W"}),
    "SN": ("ORU^R01", "OBX", 5, {2: "1"}),
    "XAD": ("ADT^A31", "PID", 11, {3: "北京"}),
    "XCN": ("ADT^A01", "PV1", 7, {1: "D1", 2: "陈"}),
    "XON": ("ADT^A01", "IN1", 4, {}),
    "XPN": ("ADT^A31", "PID", 5, {1: "王"}),
    "XTN": ("ADT^A31", "PID", 13, {7: "1"}),
}
"""Data type → a message, segment and field it stands in, and components that make the others mean something."""

PROBES = ("7", "L", "H", "PRN", "FX", "<", "甲", "a@b.c", "20260301")


@pytest.mark.parametrize("name", sorted(elements().components))
def test_a_data_type_is_read_by_the_components_the_table_names(name: str) -> None:
    event, place, number, given = PLACES[name]
    fixed = {
        "PID": {3: "1001^^^RMYY^MR"}, "PV1": {2: "I", 19: "V1"}, "OBX": {2: "SN", 3: "X"}, "IN1": {2: "P"},
    }.get(place, {})  # fmt: skip

    def records(components: dict[int, str]) -> object:
        written = "^".join(components.get(at, "") for at in range(1, 24)).rstrip("^")
        filled = segment(place, fixed | {number: written})
        segments = [filled] if place == "PID" else [PID, filled]
        return translate(event, *segments, evn=None if event == "ORU^R01" else "").records

    bases = (given, {}) if name in ("XTN", "XON") else (given,)
    read = {
        at
        for at in range(1, 24)
        if any(records(base | {at: probe}) != records(base) for base in bases for probe in PROBES)
    }
    assert read == set(elements().components[name])
