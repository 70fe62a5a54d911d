"""The tables are sound, every field is accounted for, and every value can be traced to its field."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hl7v2 import ADAPTER, PATIENT, PID, STAY, message, pv1, segment, translate

from hcrm_adapter_hl7v2.mapping import datatypes
from hcrm_adapter_hl7v2.mapping.compiled import SPECIAL, compile_event
from hcrm_adapter_hl7v2.mapping.kinds import NAMED_KEYS, ORIGINS
from hcrm_adapter_hl7v2.mapping.tables import shipped
from hcrm_adapter_hl7v2.reader import parse_path
from hcrm_core.api import KINDS

TABLES = shipped()
REFERENCE = re.compile(r"[A-Z][A-Z0-9]{2}-\d+(\.\d+){0,2}")
CONDITION = re.compile(rf"{REFERENCE.pattern}(=[A-Z]+)?")


def fields_of(kind: str) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(KINDS[kind])}


# --- the tables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(TABLES.records))
def test_a_record_table_names_only_what_exists(name: str) -> None:
    rule = TABLES.records[name]
    kind = rule.kind or name
    assert kind in KINDS
    assert re.fullmatch(r"[A-Z][A-Z0-9]{2}", rule.segment)
    for field, how in rule.fields.items():
        assert field in fields_of(kind) or how.datatype == "observation-value", field
        assert all(REFERENCE.fullmatch(path) for path in (*how.paths, *how.unit)), field
        assert how.where is None or CONDITION.fullmatch(how.where), field
        assert bool(how.paths) != bool(how.origin), field
        assert how.origin is None or how.origin in ORIGINS, field
        assert how.datatype in {*datatypes.READERS, *SPECIAL, "code", "money"}, field
        assert (how.datatype == "code") == (how.table is not None), field
        assert how.table is None or how.table in TABLES.codes, field
        assert set(how.only) <= set(TABLES.events), field
        assert not how.unit or len(how.unit) == len(how.durations or how.paths), field
        assert how.after is None or rule.fields[how.after].datatype == how.datatype == "datetime", field
    for condition, constants in rule.when.items():
        assert CONDITION.fullmatch(condition)
        assert set(constants) <= fields_of(kind)
    assert set(rule.says) <= fields_of(kind)


@pytest.mark.parametrize("name", sorted(TABLES.records))
def test_a_key_is_a_named_rule_or_made_of_content_and_never_of_a_position(name: str) -> None:
    rule = TABLES.records[name]
    if isinstance(rule.key, str):
        assert rule.key in NAMED_KEYS
        return
    for part in rule.key:
        for choice in part.removesuffix("?").split(" or "):
            path = choice.removeprefix("entity ")
            assert path.strip("{}") in ORIGINS or REFERENCE.fullmatch(path), choice
            # Field 1 of a repeating segment is its set id; those that name something by it have none.
            assert not re.fullmatch(r"[A-Z0-9]{3}-1", path) or path[:3] in ("SCH", "CDM", "PRC"), choice


@pytest.mark.parametrize("name", sorted(TABLES.events))
def test_an_event_names_only_what_exists(name: str) -> None:
    rule = TABLES.events[name]
    assert set(rule.records) <= set(TABLES.records)
    assert len(set(rule.records)) == len(rule.records)
    for record, constants in rule.says.items():
        assert record in rule.records
        assert set(constants) <= fields_of(TABLES.records[record].kind or record)
    for record, conditions in rule.when.items():
        assert record in rule.records
        for path, constants in conditions.items():
            assert CONDITION.fullmatch(path)
            assert set(constants) <= fields_of(TABLES.records[record].kind or record)
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]{2}(-\d+)?", one) for one in rule.ignored)
    compile_event(TABLES, name, "CNY")


def test_the_promised_events_have_rules_of_their_own() -> None:
    # A19 is a query, and 56 to 59 were never given out.
    adt = [f"ADT^A{number:02d}" for number in range(1, 63) if number not in (19, 56, 57, 58, 59)]
    siu = [f"SIU^S{number}" for number in (12, 13, 14, 15, 16, 17, 23, 24, 26)]
    assert {*adt, *siu} <= set(TABLES.events)
    general = {name.removesuffix("^*") for name in TABLES.events if name.endswith("^*")}
    assert general >= {
        "ADT", "SIU", "ORU", "ORM", "OMG", "OML", "OMP", "RDE", "RDS", "DFT", "BAR", "MDM", "VXU", "MFN", "REF", "PPR",
    }  # fmt: skip


def test_no_field_is_both_mapped_and_ignored() -> None:
    for name, rule in TABLES.records.items():
        mapped = {re.sub(r"\..*", "", path) for how in rule.fields.values() for path in how.paths}
        assert not mapped & TABLES.ignored, name


def test_every_ignored_field_is_a_field() -> None:
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]{2}(-\d+)?", one) for one in TABLES.ignored)
    for one in TABLES.ignored:
        if "-" in one:
            parse_path(one)


# --- coverage ---------------------------------------------------------------------------------------------------------

NAMES = (
    "PID", "PV1", "PV2", "NK1", "AL1", "DG1", "PR1", "IN1", "OBR", "OBX", "SCH", "AIS", "AIP", "AIL", "FT1", "MRG",
    "GT1", "ZPI", "IAM", "PRB", "RXE", "RXD", "RXA", "RF1", "PRD", "STF", "LOC", "CDM", "PRC", "ORC",
)  # fmt: skip
EVENTS = tuple(name.replace("*", "Z99") for name in TABLES.events)


@given(
    st.sampled_from(EVENTS),
    st.lists(st.tuples(st.sampled_from(NAMES), st.sets(st.integers(1, 52), min_size=1, max_size=8)), max_size=6),
)
def test_every_filled_field_is_mapped_ignored_unknown_or_left_out_and_nothing_else_is(
    event: str, filled: list[tuple[str, set[int]]]
) -> None:
    segments = [segment(name, dict.fromkeys(places, "1")) for name, places in filled]
    coverage = translate(event, PID, *segments).coverage
    told = [*coverage.mapped, *coverage.ignored, *coverage.unknown, *coverage.left_out]
    assert len(told) == len(set(told))
    envelope = {"MSH-2", "MSH-3", "MSH-4", "MSH-5", "MSH-6", "MSH-7", "MSH-9", "MSH-10", "MSH-11", "MSH-12", "MSH-17"}
    expected = envelope | {"MSH-18", "EVN-1", "EVN-2", "PID-1", "PID-3", "PID-5", "PID-7", "PID-8"}
    expected |= {f"{name}-{place}" for name, places in filled for place in places}
    assert set(told) == expected


def test_a_site_s_own_segment_is_unknown_and_a_person_event_s_visit_is_ignored() -> None:
    coverage = translate("ADT^A31", PID, pv1(f44="20260310"), "ZPI|1|x").coverage
    assert {"ZPI-1", "ZPI-2"} <= set(coverage.unknown)
    assert {"PV1-2", "PV1-19", "PV1-44"} <= set(coverage.ignored)
    assert {"PID-3", "PID-5", "MSH-7", "EVN-2"} <= set(coverage.mapped)


def test_coverage_holds_field_names_and_nothing_of_what_a_broken_line_says() -> None:
    coverage = translate("ADT^A01", PID, "王芳的电话|13800138000", "just a note about 王芳").coverage
    told = [*coverage.mapped, *coverage.ignored, *coverage.unknown]
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]{2}-\d+", field) for field in told)


# --- origins ----------------------------------------------------------------------------------------------------------


def origins(event: str, *segments: str) -> dict[tuple[str, str], dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for origin in ADAPTER.origins(message(event, *segments).encode()):
        found.setdefault((origin.kind, origin.key), {})[origin.field] = origin.path
    return found


def test_each_field_of_a_discharge_leads_to_its_place() -> None:
    stay = pv1(f3="心内科", f7="D01^陈", f36="01", f44="20260305", f45="20260310103000")
    found = origins("ADT^A03", PID, stay, "PV2|||R07^胸痛", "DG1|1||I10")
    encounter = found["Encounter", STAY]
    assert {
        name: encounter[name]
        for name in ("period_start", "period_end", "discharge_disposition", "class", "status", "attender", "reason")
    } == {
        "period_start": "PV1-44", "period_end": "PV1-45", "discharge_disposition": "PV1-36", "class": "PV1-2",
        "status": "MSH-9", "attender": "PV1-7", "reason": "PV2-3",
    }  # fmt: skip
    assert encounter["subject"] == "key of patient"
    assert found["Patient", PATIENT]["birth_date"] == "PID-7"
    assert found["Practitioner", "RMYY|D01"]["name"] == "PV1-7"
    assert found["Condition", f"{STAY}|I10"]["code"] == "DG1-3"


def test_of_several_places_the_one_that_was_read_is_named() -> None:
    assert origins("ADT^A01", PID, pv1(), "DG1|1||||x")[("Patient", PATIENT)]["name"] == "PID-5"
    telecom = origins("ADT^A31", "PID|1||1001^^^RMYY^MR||||||||||1|2")["Patient", PATIENT]["telecom"]
    assert telecom == "PID-13, PID-14"
    only = origins("ADT^A31", "PID|1||1001^^^RMYY^MR|||||||||||2")["Patient", PATIENT]["telecom"]
    assert only == "PID-14"


def test_what_a_cancel_empties_comes_from_the_event_itself() -> None:
    encounter = origins("ADT^A13", PID, pv1())["Encounter", STAY]
    assert (encounter["period_end"], encounter["status"]) == ("MSH-9", "MSH-9")


def test_a_cancel_that_repeats_the_end_it_takes_back_names_the_event_and_not_the_field() -> None:
    found = [
        origin.path
        for origin in ADAPTER.origins(message("ADT^A13", PID, pv1(f45="20260310103000")).encode())
        if (origin.kind, origin.field) == ("Encounter", "period_end")
    ]
    assert found[-1] == "MSH-9"


@given(
    st.sampled_from(EVENTS),
    st.lists(st.sampled_from(("2", "王^芳", '""', "", "20260310", "F")), min_size=52, max_size=52),
)
def test_every_field_that_is_said_has_an_origin(event: str, texts: list[str]) -> None:
    filled = [
        f"{name}|1|" + "|".join(texts)
        for name in (
            "PV1",
            "NK1",
            "AL1",
            "DG1",
            "OBR",
            "OBX",
            "SCH",
            "FT1",
            "MRG",
            "IAM",
            "ORC",
            "RXO",
            "RXE",
            "RXD",
            "RXA",
            "PRB",
            "PRD",
            "RF1",
            "STF",
            "LOC",
            "CDM",
            "PRC",
        )
    ]
    payload = message(event, PID, *filled).encode()
    translation = ADAPTER.translate(payload)
    known = {(origin.kind, origin.key, origin.field) for origin in ADAPTER.origins(payload)}
    for record in translation.records:
        fields = msgspec.to_builtins(record)
        kind, key = fields.pop("kind"), fields.pop("key")
        for name in fields.keys() - {"group"}:
            assert (kind, key, name) in known


@given(st.binary(max_size=200))
def test_no_bytes_make_the_search_for_origins_fail(payload: bytes) -> None:
    ADAPTER.origins(payload)
    ADAPTER.origins(message("ADT^A01", PID, "").encode() + payload)
