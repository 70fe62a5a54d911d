"""Cutting bundles: one resource, one message, in its own bytes wherever it is understood alone."""

import json
import time
from typing import Any

import pytest

from hcrm_adapter_fhir.adapter import FhirAdapter
from hcrm_adapter_fhir.settings import FhirSettings
from hcrm_core.api import RawMessage

ADAPTER = FhirAdapter("ehr", FhirSettings(adapter="fhir"))
WRITTEN = "2026-03-10T10:30:00+08:00"
MOTHER, DRUG = "urn:uuid:00000000-0000-4000-8000-000000000001", "urn:uuid:00000000-0000-4000-8000-000000000002"


def split(value: Any, name: str = "a.json") -> list[RawMessage]:
    return list(ADAPTER.split(json.dumps(value).encode(), name))


def records(raw: RawMessage) -> dict[str, Any]:
    return {f"{type(one).__name__} {one.key}": one for one in ADAPTER.translate(raw.payload).records}


def bundle(type_: str, *entries: Any, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type_, **more, "entry": list(entries)}


def patient(id_: str = "p", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id_, "meta": {"versionId": "2", "lastUpdated": WRITTEN}, **more}


@pytest.mark.parametrize("type_", ["document", "message", "searchset", "collection", "batch", "history", "transaction"])
def test_a_resource_that_is_understood_alone_stays_as_it_was_sent(type_: str) -> None:
    text = json.dumps(bundle(type_, {"resource": "HERE"})).replace('"HERE"', '{"id":"p",  "resourceType":"Patient" }')
    (found,) = ADAPTER.split(text.encode(), "a.json")
    assert found.payload == b'{"id":"p",  "resourceType":"Patient" }'
    assert (found.control_id, found.place) == ("Patient/p", "entry 1")


def test_bundles_in_bundles_and_lists_are_laid_open() -> None:
    inner = bundle("collection", {"resource": patient("a")})
    found = split([bundle("batch", {"resource": inner}, {"resource": patient("b")}), patient("c")])
    assert [one.control_id for one in found] == [f"Patient/{name}/_history/2" for name in "abc"]
    assert [one.place for one in found] == ["item 1, entry 1, entry 1", "item 1, entry 2", "item 2"]


def test_a_long_bundle_takes_its_length_and_not_the_square_of_it() -> None:
    entries = [{"fullUrl": f"urn:x:{n}", "resource": patient(f"p{n}")} for n in range(20_000)]
    began = time.process_time()
    assert len(split(bundle("collection", *entries))) == 20_000
    assert time.process_time() - began < 15, "by the square it takes more than a minute"


def test_junk_between_resources_takes_its_length_and_not_the_square_of_it() -> None:
    count = 40_000
    began = time.process_time()
    found = list(ADAPTER.split(b'{"resourceType":"Patient","id":"a"} 2026 INFO ' * count, "log.json"))
    assert sum(one.control_id == "Patient/a" for one in found) == count and len(found) == 2 * count
    assert time.process_time() - began < 15, "by the square it takes minutes"


def test_bytes_that_are_no_utf_8_are_counted_from_the_beginning_of_the_file() -> None:
    data = json.dumps(patient("a", name=[{"text": "张"}]), ensure_ascii=False).encode("gb18030")
    (found,) = ADAPTER.split(data, "gb.json")
    made = ADAPTER.translate(found.payload).quarantine
    at = data.index("张".encode("gb18030")) + 1
    assert made is not None and f"byte {at} is no UTF-8" in made.text


def test_what_a_resource_needs_of_its_bundle_stands_beside_it() -> None:
    request = {
        "resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
        "subject": {"reference": MOTHER}, "medicationReference": {"reference": DRUG},
    }  # fmt: skip
    mother = {"resourceType": "Patient", "name": [{"text": "赵母亲"}]}
    drug = {"resourceType": "Medication", "code": {"text": "奥美拉唑"}}
    found = split(
        bundle(
            "transaction",
            {"fullUrl": MOTHER, "resource": mother, "request": {"method": "POST", "url": "Patient"}},
            {"fullUrl": DRUG, "resource": drug},
            {"resource": request},
            timestamp=WRITTEN,
        )
    )
    assert len(found) == 3
    made = records(found[2])["MedicationRequest MedicationRequest/m"]
    assert (made.subject, made.medication.text) == (f"Patient/{MOTHER}", "奥美拉唑")
    assert records(found[0])[f"Patient Patient/{MOTHER}"].name[0].text == "赵母亲"
    assert "赵母亲" not in found[2].payload.decode(), "nobody is told twice"
    for one in found:
        assert [again.payload for again in ADAPTER.split(one.payload, "a.json")] == [one.payload]
    assert ADAPTER.conformance(found[2].payload) == []


def test_a_reference_by_full_url_to_a_resource_with_another_id_finds_it() -> None:
    stay = {
        "resourceType": "Encounter", "id": "v", "status": "planned", "class": {"code": "AMB"},
        "subject": {"reference": MOTHER},
    }  # fmt: skip
    found = split(bundle("collection", {"fullUrl": MOTHER, "resource": patient("p")}, {"resource": stay}))
    assert found[0].payload == json.dumps(patient("p")).encode()
    assert records(found[1])["Encounter Encounter/v"].subject == "Patient/p"


def test_a_deletion_says_what_it_takes_away() -> None:
    response = {"status": "204", "lastModified": WRITTEN}
    entries = [
        {"request": {"method": "DELETE", "url": url}, "response": response}
        for url in ("Encounter/v", "Patient/p", "RelatedPerson/r", "https://e.example.org/Condition/c/_history/4")
    ]
    stay, person, relation, diagnosis = split(bundle("history", *entries, timestamp=WRITTEN))
    assert records(stay)["Encounter Encounter/v"].status == "entered-in-error"
    assert records(person)["Patient Patient/p"].active is False
    assert records(diagnosis)["Condition Condition/c"].verification_status == "entered-in-error"
    made = ADAPTER.translate(relation.payload)
    assert [(one.kind, one.group) for one in made.complete] == [("RelatedPerson", "RelatedPerson/r")]
    assert made.statement is not None and made.statement.rank == 1 and made.statement.said_at > 0


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"fullUrl": "urn:x"}, "holds no resource"),
        ({"resource": {"id": "1"}}, "no resourceType"),
        ({"resource": 5}, "holds no resource"),
        (5, "no object"),
        ({"resource": {"resourceType": "Patient"}}, "no id"),
    ],
)
def test_a_broken_entry_is_quarantined_alone(entry: Any, says: str) -> None:
    found = split(bundle("collection", {"resource": patient("a")}, entry, {"resource": patient("b")}))
    outcomes = [ADAPTER.translate(one.payload).quarantine for one in found]
    assert outcomes[0] is None and outcomes[2] is None
    assert outcomes[1] is not None and says in outcomes[1].text


def test_a_bundle_whose_own_id_is_a_number_is_split_all_the_same() -> None:
    entries = [{"resource": patient(name)} for name in "ab"]
    for more in ({"id": 12}, {"id": None, "meta": 5}, {"meta": {"versionId": 1, "lastUpdated": 2}}):
        found = split({**bundle("collection", *entries), **more})
        assert [one.control_id for one in found] == ["Patient/a/_history/2", "Patient/b/_history/2"]


@pytest.mark.parametrize(
    ("entry", "quarantine", "problem"),
    [
        ({"resource": patient("b", meta={"versionId": 1, "lastUpdated": WRITTEN})}, "", "wrong-type"),
        ({"fullUrl": "https://e.org/fhir/Patient/8", "resource": patient() | {"id": 8}}, "", "wrong-type"),
        ({"fullUrl": 3, "resource": patient("b")}, "", ""),
        ({"resource": patient() | {"id": 8, "identifier": [{"value": "1"}]}}, "Its id is no text", ""),
        ({"resource": {"resourceType": 5, "id": "b"}}, "no resourceType", ""),
    ],
)
def test_an_element_of_another_type_costs_its_own_resource_at_most(entry: Any, quarantine: str, problem: str) -> None:
    found = split(bundle("collection", {"resource": patient("a")}, entry, {"resource": patient("c")}))
    made = [ADAPTER.translate(one.payload) for one in found]
    assert [one.quarantine for one in (made[0], made[2])] == [None, None] and len(found) == 3
    assert quarantine in (made[1].quarantine.text if made[1].quarantine else "")
    assert bool(quarantine) == (made[1].quarantine is not None)
    assert [one.code for one in made[1].problems] == ([problem] if problem else [])


def test_an_entry_that_is_no_list_is_read_as_the_only_one_and_told() -> None:
    (found,) = split({"resourceType": "Bundle", "type": "collection", "entry": {"resource": patient("a")}})
    assert (found.payload, found.place) == (json.dumps(patient("a")).encode(), "entry 1")
    assert [one.code for one in found.repairs] == ["entry-alone"]
    for strange in (5, "x", True):
        (found,) = split({"resourceType": "Bundle", "type": "collection", "entry": strange})
        made = ADAPTER.translate(found.payload)
        assert made.quarantine is not None and "whose entry is no list" in made.quarantine.text


def test_an_entry_that_only_asks_or_answers_is_about_nobody() -> None:
    for entry in ({"request": {"method": "GET", "url": "/Patient/1"}}, {"response": {"status": "201"}}):
        (found,) = split(bundle("batch", entry))
        made = ADAPTER.translate(found.payload)
        assert made.quarantine is None and made.records == () and made.message_type == "Bundle"


def test_a_byte_order_mark_and_blank_lines_are_passed_over() -> None:
    line = json.dumps(patient("a")).encode()
    assert len(list(ADAPTER.split(b"\xef\xbb\xbf" + line, "a.json"))) == 1
    found = list(ADAPTER.split(b"\xef\xbb\xbf" + line + b"\r\n\r\n" + line + b"\n", "a.ndjson"))
    assert [one.payload for one in found] == [line, line]
    assert [one.place for one in found] == ["line 1", "line 3"]
    # Lines in a file that is called otherwise, too.
    assert [one.payload for one in ADAPTER.split(line + b"\n" + line, "a.json")] == [line, line]
    # Or one after the other without an end of line.
    assert [one.payload for one in ADAPTER.split(line + b" " + line, "a.json")] == [line, line]


def test_a_bundle_with_a_fault_keeps_what_is_whole() -> None:
    good = json.dumps({"resource": patient("a")})
    text = f'{{"resourceType": "Bundle", "entry": [{good}, {{"resource": {{"id": }}}}, {good}]}}'
    found = list(ADAPTER.split(text.encode(), "a.json"))
    assert [one.control_id for one in found] == ["Patient/a/_history/2", "", "Patient/a/_history/2"]
    assert all(one.repairs[0].code == "broken-json" for one in found)
    assert ADAPTER.translate(found[1].payload).quarantine is not None


@pytest.mark.parametrize(
    ("meta", "id_"),
    [
        ({"versionId": "7", "lastUpdated": WRITTEN}, "Patient/p/_history/7"),
        ({"lastUpdated": WRITTEN}, f"Patient/p {WRITTEN}"),
        ({}, "Patient/p"),
    ],
)
def test_every_version_has_a_control_id_of_its_own(meta: dict[str, str], id_: str) -> None:
    assert split(patient("p") | {"meta": meta})[0].control_id == id_
