"""When a resource was said, and what becomes of codes and settings that are wrong."""

import json
from typing import Any

import pytest
from msgspec import convert

from hcrm_adapter_fhir.adapter import FhirAdapter
from hcrm_adapter_fhir.settings import FhirSettings
from hcrm_core.api import UNSET, ConfigurationError, Translation

WRITTEN = "2026-03-10T10:30:00+08:00"
SUBJECT = {"subject": {"reference": "Patient/p"}}


def adapter(**settings: Any) -> FhirAdapter:
    return FhirAdapter("ehr", convert({"adapter": "fhir", **settings}, FhirSettings))


def resource(kind: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": "1", "meta": {"versionId": "1", "lastUpdated": WRITTEN}, **elements}


def concept(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "urn:s", "code": code}]}


def translated(one: dict[str, Any]) -> Translation:
    return adapter().translate(json.dumps(one).encode())


def test_a_code_that_fhir_does_not_have_is_left_out_and_told_and_validation_refuses_it() -> None:
    one = resource("Patient", gender="malee", birthDate="1990-13-01")
    made = translated(one)
    assert {problem.code for problem in made.problems} == {"unknown-code", "bad-date"}
    assert (made.records[0].gender, made.records[0].birth_date) == (UNSET, UNSET)  # type: ignore[union-attr]
    del one["birthDate"]
    refused = adapter(validate=True).translate(json.dumps(one).encode()).quarantine
    assert refused is not None and refused.where == "Patient.gender"


def test_statement_time_is_last_updated_else_the_bundles_else_the_resources_own() -> None:
    def said(one: dict[str, Any]) -> int:
        statement = adapter().translate(json.dumps(one).encode()).statement
        assert statement is not None
        return statement.said_at

    at = 1_773_109_800_000_000
    assert said(resource("Patient")) == at
    plain = {"resourceType": "Observation", "id": "1", "status": "final", "code": concept("c"), **SUBJECT}
    assert said({**plain, "issued": WRITTEN}) == at
    assert said(plain) == 0
    assert "no-statement-time" in {problem.code for problem in translated(plain).problems}
    bundle = {"resourceType": "Bundle", "type": "collection", "timestamp": WRITTEN, "entry": [{"resource": plain}] * 2}
    found = [raw.payload for raw in adapter().split(json.dumps(bundle).encode(), "a.json")]
    assert [said(json.loads(payload)) for payload in found] == [at, at]


def test_a_modifier_that_is_not_understood_is_told() -> None:
    one = resource("Patient", modifierExtension=[{"url": "urn:not", "valueBoolean": True}])
    assert "modified" in {problem.code for problem in translated(one).problems}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"currency": "rmb"}, "currency: "),
        ({"extensions": {"name": "urn:x"}}, "extensions.name: "),
        ({"export": {"level": "group"}}, "export.group: "),
        ({"search": {"types": []}}, "search.types: "),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        adapter(**settings)
