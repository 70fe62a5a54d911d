"""No input raises: any JSON, any bytes, any depth; and what comes out keeps its definition. Splitting loses no line."""

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcrm_adapter_fhir.adapter import FhirAdapter
from hcrm_adapter_fhir.mapping.tables import resources
from hcrm_adapter_fhir.settings import FhirSettings
from hcrm_core.api import KINDS, InputError, Translation

TYPES = sorted(name for name, rule in resources().items() if not rule.part_of)
MORE = """coding code system display text reference identifier value unit start end link other component lineItem
priceComponent amount item target diagnosis result contained meta lastUpdated versionId tag extension modifierExtension
url low high"""
ELEMENTS = sorted(
    {
        part
        for rule in resources().values()
        for one in rule.fields.values()
        for path in one.paths
        for part in path.replace("[", ".").replace("]", "").replace("=", ".").split(".")
        if part
    }
    | set(MORE.split())
)
TEXTS = st.sampled_from(
    ["", "ATND", "Patient/1", "#c1", "urn:uuid:1", "2024-02-30", "2024-02-28T10:00:00Z", "male", "<"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ELEMENTS), inner, max_size=4),
    max_leaves=12,
)
RESOURCES = st.builds(
    lambda kind, more: {"resourceType": kind, "id": "1", **more},
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from(ELEMENTS), VALUES, max_size=8),
)
ENTRIES = st.dictionaries(st.sampled_from(["request", "response", "fullUrl", "resource", "entry"]), VALUES, max_size=3)
ANY = FhirAdapter("city", FhirSettings(adapter="fhir", extensions={"education": "urn:x"}))
STRICT = FhirAdapter("city", FhirSettings(adapter="fhir", validate=True))


def kept(made: Translation) -> None:
    """A translation keeps its definition."""
    assert (made.statement is None) == (made.quarantine is not None)
    known = set()
    for record in made.records:
        assert type(record).__name__ in KINDS
        again = msgspec.json.decode(msgspec.json.encode(record), type=type(record))
        assert again == record
        known.add((type(record).__name__, record.key))
    assert len(known) == len(made.records)


@settings(max_examples=150, deadline=None)
@given(RESOURCES)
def test_any_resource_is_translated_or_quarantined(resource: dict[str, Any]) -> None:
    payload = json.dumps(resource).encode()
    made = ANY.translate(payload)
    kept(made)
    covered = (*made.coverage.mapped, *made.coverage.ignored, *made.coverage.unknown)
    assert len(covered) == len(set(covered))
    if made.quarantine is None:
        assert set(covered) == {one.field for one in ANY.fields(payload)}
        told = {(one.kind, one.key, one.field) for one in ANY.origins(payload)}
        said = {
            (type(record).__name__, record.key, field)
            for record in made.records
            for field in record.__struct_fields__
            if field not in ("key", "group") and getattr(record, field) is not msgspec.UNSET
        }
        assert told == said


@settings(max_examples=60, deadline=None)
@given(RESOURCES)
def test_validation_raises_nothing_either(resource: dict[str, Any]) -> None:
    payload = json.dumps(resource).encode()
    kept(STRICT.translate(payload))
    for problem in STRICT.conformance(payload) or ():
        assert problem.text.endswith(".")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | (VALUES | ENTRIES).map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_split_and_translated(data: bytes) -> None:
    kept(ANY.translate(data))
    kept(STRICT.translate(data))
    assert ANY.conformance(data) is not None and ANY.fields(data) is not None and ANY.origins(data) is not None
    for name in ("a.json", "a.ndjson"):
        try:
            found = list(ANY.split(data, name))
        except InputError as error:
            assert str(error)
            continue
        for raw in found:
            kept(ANY.translate(raw.payload))


@settings(max_examples=40, deadline=None)
@given(st.lists(RESOURCES, min_size=1, max_size=5), st.integers(0, 4), st.binary(max_size=8))
def test_a_broken_line_costs_no_other(lines: list[dict[str, Any]], at: int, broken: bytes) -> None:
    raws = [json.dumps(one).encode() for one in lines]
    wrong = b"{" + broken.replace(b"\n", b"").replace(b"\r", b"")
    whole = [*raws[:at], wrong, *raws[at:]]
    found = [raw.payload for raw in ANY.split(b"\n".join(whole), "a.ndjson")]
    assert [one for one in found if one in raws] == raws
    assert len(found) == len(raws) + 1


@settings(max_examples=40, deadline=None)
@given(st.lists(RESOURCES, min_size=1, max_size=5), st.integers(0, 400))
def test_a_bundle_that_breaks_off_keeps_its_first_entries(lines: list[dict[str, Any]], cut: int) -> None:
    raws = [json.dumps(one).encode() for one in lines]
    head = b'{"resourceType": "Bundle", "type": "collection", "entry": ['
    whole = head + b", ".join(b'{"resource": ' + raw + b"}" for raw in raws) + b"]}"
    broken = whole[: max(len(whole) - 1 - cut, len(head))]
    found = [raw.payload for raw in ANY.split(broken, "a.json")]
    end, entire = len(head), []
    for raw in raws:
        end += len(raw) + len(b'{"resource": }')
        if end <= len(broken):
            entire.append(raw)
        end += 2
    assert found[: len(entire)] == entire


DEEP = {
    "lists": b'{"resourceType":"Patient","id":"1","name":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "objects": b'{"resourceType":"Patient","id":"1","name":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "just within": b'{"resourceType":"Observation","id":"1","code":' + b'{"code":' * 400 + b"1" + b"}" * 400 + b"}",
    "unclosed": b'{"resourceType":"Patient","id":"1","name":' + b"[" * 300_000,
    "a number": b'{"resourceType":"Observation","id":"1","valueInteger":' + b"9" * 300_000 + b"}",
    "an exponent": b'{"resourceType":"ChargeItem","id":"1","priceOverride":{"value":1e999999999}}',
    "a string": b'{"resourceType":"Patient","id":"1","birthDate":"' + b"1" * 300_000 + b'"}',
    "escapes": b'{"resourceType":"Patient","id":"' + b"\\\\" * 200_000 + b'"',
    "quotes": b'{"resourceType":"Bundle","entry":[' + b'"{' * 100_000,
}


@pytest.mark.parametrize("name", sorted(DEEP))
def test_what_is_deep_or_long_takes_no_long_time(name: str) -> None:
    data = DEEP[name]
    began = time.process_time()
    for raw in ANY.split(data, "a.json"):
        kept(ANY.translate(raw.payload))
    kept(ANY.translate(data))
    assert ANY.origins(data) is not None and ANY.fields(data) is not None
    assert time.process_time() - began < 2
