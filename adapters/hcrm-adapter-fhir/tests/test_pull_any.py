"""Asking and reading answers are pure and end: whatever a server says, a question follows or a sentence."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import convert

from hcrm_adapter_fhir.adapter import FhirAdapter
from hcrm_adapter_fhir.settings import FhirSettings
from hcrm_core.api import ConfigurationError, HttpResponse, InputError, Rows

BASE = "https://ehr.example.org/fhir"


def adapter(**more: Any) -> FhirAdapter:
    return FhirAdapter("ehr", convert({"adapter": "fhir", "url": BASE, **more}, FhirSettings))


WAYS = [adapter(), adapter(method="export")]
WORDS = """resourceType Bundle entry link relation next url resource meta lastUpdated output deleted error type
transactionTime requiresAccessToken issue code severity diagnostics"""
NAMES = st.sampled_from(WORDS.split())
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | NAMES | st.sampled_from([BASE, "2026-01-01T00:00:00Z", ""])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=15
)
BUNDLES = st.dictionaries(NAMES, VALUES, max_size=5).map(lambda more: {**more, "resourceType": "Bundle"})
BODIES = st.binary(max_size=60) | (VALUES | BUNDLES).map(lambda value: json.dumps(value).encode())
RESPONSES = st.builds(
    HttpResponse,
    status=st.sampled_from([200, 202, 204, 400, 401, 403, 404, 410, 422, 500]),
    headers=st.dictionaries(st.sampled_from(["content-location", "retry-after", "x-progress"]), st.text(max_size=9)),
    body=BODIES,
    line=st.integers(0, 9),
    last=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(RESPONSES, min_size=1, max_size=8), st.sampled_from(WAYS))
def test_any_answer_gives_a_position_or_a_sentence(responses: list[HttpResponse], way: FhirAdapter) -> None:
    position = ""
    for response in responses:
        question = way.request(position)
        assert question == way.request(position)
        try:
            pulled = way.answer(position, response)
        except InputError as error:
            assert str(error).rstrip().endswith(".")
            continue
        assert pulled == way.answer(position, response)
        assert 0 <= pulled.wait <= 3600
        assert all(problem.text.endswith(".") for problem in pulled.problems)
        position = pulled.position


@given(st.text(max_size=40) | VALUES.map(json.dumps), st.sampled_from(WAYS))
def test_a_position_of_somebody_else_begins_anew(position: str, way: FhirAdapter) -> None:
    assert way.request(position).url.startswith(("https://", "http://"))


def test_without_a_server_there_is_nothing_to_ask() -> None:
    with pytest.raises(ConfigurationError, match="url: "):
        FhirAdapter("ehr", FhirSettings(adapter="fhir")).request("")


def test_rows_are_no_answer() -> None:
    with pytest.raises(InputError, match="HTTP"):
        WAYS[0].answer("", Rows(columns=()))


@pytest.mark.parametrize(
    ("export", "url"),
    [
        ({}, f"{BASE}/$export"),
        ({"level": "patient"}, f"{BASE}/Patient/$export"),
        ({"level": "group", "group": "g"}, f"{BASE}/Group/g/$export"),
        ({"types": ["Patient", "Encounter"]}, f"{BASE}/$export?_type=Patient,Encounter"),
        ({"parameters": "_typeFilter=Patient?active=true"}, f"{BASE}/$export?_typeFilter=Patient%3Factive%3Dtrue"),
    ],
)
def test_an_export_is_asked_for_as_the_settings_say(export: dict[str, Any], url: str) -> None:
    question = adapter(method="export", export=export).request("")
    assert (question.url, question.headers["Prefer"]) == (url, "respond-async")


def test_parameters_of_a_type_are_asked_with_it() -> None:
    parameters = {"Observation": "category=laboratory&_include=Observation:encounter"}
    question = adapter(search={"types": ["Observation"], "parameters": parameters, "since": "2026-01-01"}).request("")
    assert question.url == (
        f"{BASE}/Observation?_count=200&_lastUpdated=ge2025-12-31T23:55:00.000Z&_sort=_lastUpdated"
        "&category=laboratory&_include=Observation:encounter"
    )


def test_what_an_export_does_not_date_is_as_old_as_the_export() -> None:
    way, position = WAYS[1], ""
    manifest = {
        "transactionTime": "2026-03-12T08:00:00Z",
        "output": [{"type": "Patient", "url": f"{BASE}/1"}],
        "deleted": [{"type": "Bundle", "url": f"{BASE}/2"}],
    }
    gone = {"entry": [{"request": {"method": "DELETE", "url": "Patient/q"}}]}
    answers = [
        HttpResponse(status=202, headers={"content-location": f"{BASE}/status"}),
        HttpResponse(status=200, body=json.dumps(manifest).encode()),
        HttpResponse(status=200, body=b'{"resourceType":"Patient","id":"p"}\n'),
        HttpResponse(status=200, body=json.dumps({"resourceType": "Bundle", "type": "transaction", **gone}).encode()),
    ]
    found = []
    for answer in answers:
        pulled = way.answer(position, answer)
        position = pulled.position
        found += pulled.messages
    said = [way.translate(raw.payload).statement for raw in found]
    assert [one.said_at for one in said if one] == [1_773_302_400_000_000] * 2
    assert way.request(position).method == "DELETE"
