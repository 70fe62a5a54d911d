"""HL7's own R4 examples and others' resources, on both paths. The collection lies outside the project."""

import os
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest

from hcrm_adapter_fhir.adapter import FhirAdapter
from hcrm_adapter_fhir.mapping.tables import resources
from hcrm_adapter_fhir.settings import FhirSettings
from hcrm_core.api import RawMessage

CORPUS = Path(os.environ.get("HCRM_CORPORA", Path(__file__).parents[4] / "shared" / "corpora")) / "fhir"
OFFICIAL = "HL7_R4_official_examples__google__fhir"

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the collection is not on this machine")

MAPPED = frozenset(name for name, rule in resources().items() if not rule.part_of)
NOT_FHIR = {
    ("crb2nu__fi-fhir", "medicationrequest.json"): "MedicationRequest.substitution",
    ("inferno-framework__inferno-reference-server", "uscore_bundle_patient_355.json"): (
        "Observation.effectivePeriod.stop"
    ),
}
"""Resources of the collection that break FHIR, R4 as R4B, and where."""


def adapter(*, validate: bool = False) -> FhirAdapter:
    return FhirAdapter("city", FhirSettings(adapter="fhir", validate=validate))


@cache
def messages() -> list[tuple[Path, RawMessage]]:
    """All messages of the collection."""
    plain = adapter()
    files = sorted(path for path in CORPUS.rglob("*.json") if path.is_file())
    assert len(files) > 600
    return [(path, raw) for path in files for raw in plain.split(path.read_bytes(), path.name)]


def test_every_official_example_of_a_mapped_type_is_read_and_gives_what_it_says() -> None:
    plain = adapter()
    read, kinds, refused = Counter[str](), Counter[str](), []
    for path, raw in messages():
        made = plain.translate(raw.payload)
        if made.quarantine is not None:
            refused.append((path.name, made.quarantine.code))
            assert OFFICIAL not in path.parts, (path, raw.place, made.quarantine)
        elif made.message_type in MAPPED:
            read[made.message_type] += 1
            kinds.update(type(record).__name__ for record in made.records)
    # Resources that nobody could find again: no id, no identifier, no place in a bundle.
    assert {code for _, code in refused} == {"no-id"} and len(refused) < 20
    assert read.keys() == MAPPED
    assert sum(read.values()) > 1_500
    assert len(kinds) == 18 and min(kinds.values()) > 0, kinds


def test_both_paths_give_equal_records_and_validation_refuses_only_what_is_no_fhir() -> None:
    plain, strict = adapter(), adapter(validate=True)
    refused = {}
    for path, raw in messages():
        first, second = plain.translate(raw.payload), strict.translate(raw.payload)
        if second.quarantine is not None and first.quarantine is None:
            where = path.relative_to(CORPUS).parts[0], path.name
            refused[where] = second.quarantine.where
        else:
            assert (second.records, second.complete, second.statement) == (
                first.records,
                first.complete,
                first.statement,
            )
    assert refused == NOT_FHIR


def test_every_message_is_itself_when_it_is_split_again() -> None:
    plain = adapter()
    for path, raw in messages():
        again = [(one.payload, one.control_id) for one in plain.split(raw.payload, path.name)]
        assert again == [(raw.payload, raw.control_id)], (path, raw.place)


def test_all_elements_of_the_official_examples_are_accounted_for_and_few_are_unknown() -> None:
    plain = adapter()
    counts = Counter[str]()
    unknown = Counter[str]()
    for path, raw in messages():
        made = plain.translate(raw.payload)
        if OFFICIAL in path.parts and made.message_type in MAPPED:
            covered = made.coverage
            assert {one.field for one in plain.fields(raw.payload)} == {
                *covered.mapped,
                *covered.ignored,
                *covered.unknown,
            }
            counts.update(mapped=len(covered.mapped), ignored=len(covered.ignored), unknown=len(covered.unknown))
            unknown.update(covered.unknown)
    assert counts["mapped"] > 2 * counts["ignored"], counts
    # What no table mentions are extensions alone.
    assert all("extension" in path for path in unknown), unknown
    assert counts["unknown"] < 0.05 * counts["mapped"], counts


def test_every_finding_of_conformance_is_a_path_and_a_sentence() -> None:
    plain = adapter()
    for path, raw in messages():
        if path.parent.parent.name == "crb2nu__fi-fhir" or path.parent.name == "crb2nu__fi-fhir":
            for problem in plain.conformance(raw.payload) or ():
                assert problem.where and problem.text.endswith(".")
                assert msgspec.json.encode(problem).isascii()
