"""What resources say in records: each test is a sentence about one of them."""

import json
from typing import Any

import pytest
from msgspec import convert

from hcrm_adapter_fhir.adapter import FhirAdapter
from hcrm_adapter_fhir.settings import FhirSettings
from hcrm_core.api import (
    UNSET,
    Address,
    CodeableConcept,
    Coding,
    ContactPoint,
    HumanName,
    Identifier,
    Money,
    Period,
    Quantity,
    Translation,
)

WRITTEN = "2026-03-10T10:30:00+08:00"


def adapter(**settings: Any) -> FhirAdapter:
    return FhirAdapter("ehr", convert({"adapter": "fhir", **settings}, FhirSettings))


def resource(kind: str, id_: str = "1", **elements: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": id_, "meta": {"versionId": "1", "lastUpdated": WRITTEN}, **elements}


def translated(one: dict[str, Any], **settings: Any) -> Translation:
    both = [adapter(**settings, validate=strict).translate(json.dumps(one).encode()) for strict in (False, True)]
    assert both[0].records == both[1].records or both[1].quarantine is not None
    assert both[0].quarantine is None, both[0].quarantine
    return both[0]


def record(one: dict[str, Any], kind: str, key: str = "", **settings: Any) -> Any:
    found = [r for r in translated(one, **settings).records if type(r).__name__ == kind and key in ("", r.key)]
    assert len(found) == 1, found
    return found[0]


def concept(code: str, system: str = "urn:s") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


SUBJECT = {"subject": {"reference": "Patient/p"}}


# --- people -----------------------------------------------------------------------------------------------------------


def test_a_patient_is_who_the_resource_says_and_has_nothing_it_does_not_say() -> None:
    found = record(
        resource(
            "Patient",
            identifier=[
                {"system": "urn:oid:2.16.156.10011.1.3", "value": "110101199003076543"},
                {"type": concept("MR", "http://terminology.hl7.org/CodeSystem/v2-0203"), "value": "7"},
                {"type": concept("03", "urn:CV02.01.101"), "system": "urn:p", "value": "E1"},
                {"system": "urn:mrn", "value": "9"},
            ],
            name=[{"family": "王", "given": ["芳"], "text": "王芳"}, {"text": "Wang Fang", "use": "nickname"}],
            telecom=[{"value": "13812345678", "use": "mobile"}, {"value": "a@example.org"}, {"use": "home"}],
            gender="female",
            birthDate="1990-03",
            address=[{"line": ["解放路12号"], "city": "南京", "district": "玄武区"}, {"text": "南京市"}],
            deceasedDateTime="2026-01-02",
            communication=[{"language": concept("en")}, {"language": concept("zh"), "preferred": True}],
        ),
        "Patient",
        identifier_types={"urn:mrn": "MR"},
    )
    assert found.key == "Patient/1"
    assert found.identifier == (
        Identifier("110101199003076543", "urn:oid:2.16.156.10011.1.3", "NI"),
        Identifier("7", "ehr", "MR", True),
        Identifier("E1", "urn:p", "PPN"),
        Identifier("9", "urn:mrn", "MR"),
    )
    assert found.name == (HumanName("王", ("芳",)), HumanName(text="Wang Fang", use="nickname"))
    assert found.telecom == (ContactPoint("13812345678", "phone", "mobile"), ContactPoint("a@example.org", "email"))
    assert found.address == (Address(("解放路12号",), "南京", "玄武区"), Address(("南京市",)))
    assert (found.gender, found.birth_date, found.district) == ("female", "1990-03", "玄武区")
    assert (found.deceased, found.deceased_date_time) == (True, "2026-01-02")
    assert found.language == Coding("zh", "urn:s")
    assert (found.marital_status, found.active, found.general_practitioner) == (None, None, None)
    assert (found.education, found.occupation) == (UNSET, UNSET)


def test_what_a_subset_does_not_hold_is_not_said() -> None:
    subset = resource("Patient", gender="male")
    subset["meta"]["tag"] = [{"code": "SUBSETTED"}]
    found = record(subset, "Patient")
    assert (found.gender, found.birth_date, found.name) == ("male", UNSET, UNSET)


def test_extensions_are_read_where_the_settings_say() -> None:
    one = resource(
        "Patient",
        extension=[
            {"url": "urn:edu", "valueCodeableConcept": concept("20")},
            {"url": "urn:eth", "extension": [{"url": "text", "valueString": "汉族"}]},
            {"url": "urn:int", "valueString": "孕产"},
            {"url": "urn:int", "valueString": "减重"},
            {"url": "urn:other", "valueString": "x"},
        ],
    )
    urls = {"education": "urn:edu", "ethnicity": "urn:eth", "interests": "urn:int", "occupation": "urn:job"}
    found = record(one, "Patient", extensions=urls)
    assert found.education == Coding("20", "urn:s") and found.ethnicity == Coding(display="汉族")
    assert (found.interests, found.occupation) == (("孕产", "减重"), None)
    covered = translated(one, extensions=urls).coverage
    assert "Patient.extension('urn:edu')" in covered.mapped and covered.unknown == ("Patient.extension('urn:other')",)


@pytest.mark.parametrize(
    ("type_", "link"),
    [
        ("replaced-by", ("Patient/1>Patient/2", "Patient/1", "Patient/2", "replaced-by")),
        ("replaces", ("Patient/2>Patient/1|replaces", "Patient/2", "Patient/1", "replaced-by")),
        ("seealso", ("Patient/1=Patient/2", "Patient/1", "Patient/2", "seealso")),
        ("refer", ("Patient/1=Patient/2", "Patient/1", "Patient/2", "seealso")),
    ],
)
def test_a_link_says_which_patient_goes_on(type_: str, link: tuple[str, ...]) -> None:
    one = resource("Patient", link=[{"other": {"reference": "Patient/2"}, "type": type_}])
    found = record(one, "PatientLink")
    assert (found.key, found.patient, found.other, found.type) == link
    assert [whole.group for whole in translated(one).complete] == ["Patient/1"]


def test_a_person_links_its_patients_unless_it_doubts_it() -> None:
    def link(to: str, level: str) -> dict[str, Any]:
        return {"target": {"reference": to}, "assurance": level}

    one = resource(
        "Person", link=[link("Patient/c", "level3"), link("Patient/a", "level2"), link("Patient/b", "level1")]
    )
    made = translated(one)
    assert [(r.patient, r.other) for r in made.records] == [("Patient/a", "Patient/c")]  # type: ignore[union-attr]
    assert [problem.code for problem in made.problems] == ["weak-link"]


# --- references -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ({"reference": "Patient/p"}, "Patient/p"),
        ({"reference": "Patient/p/_history/3"}, "Patient/p"),
        ({"reference": "https://ehr.example.org/fhir/Patient/p"}, "Patient/p"),
        ({"reference": "https://other.example.org/fhir/Patient/p"}, "https://other.example.org/fhir/Patient/p"),
        ({"reference": "urn:uuid:7", "type": "Patient"}, "Patient/urn:uuid:7"),
        ({"reference": "Patient?identifier=urn:m|7"}, "Patient?identifier=urn:m|7"),
        ({"identifier": {"system": "urn:m", "value": "7"}}, "Patient?identifier=urn:m|7"),
    ],
)
def test_references_name_keys(reference: dict[str, Any], key: str) -> None:
    one = resource("Encounter", status="planned", subject=reference, **{"class": {"code": "AMB"}})
    assert record(one, "Encounter", url="https://ehr.example.org/fhir").subject == key


def test_somebody_named_by_a_number_or_a_name_alone_is_a_record() -> None:
    one = resource(
        "Procedure",
        status="completed",
        subject={"identifier": {"system": "urn:m", "value": "7"}},
        performer=[{"actor": {"display": "李医生"}}],
    )
    assert record(one, "Patient").identifier == (Identifier("7", "urn:m"),)
    assert record(one, "Practitioner").name == (HumanName(text="李医生"),)


def test_what_is_contained_is_a_record_where_it_is_referred_to() -> None:
    contained = [{"resourceType": "Practitioner", "id": "d", "name": [{"family": "李"}]}]
    one = resource(
        "Procedure", status="completed", contained=contained, performer=[{"actor": {"reference": "#d"}}], **SUBJECT
    )
    assert record(one, "Procedure").performer == record(one, "Practitioner").key == "Procedure/1#d"


# --- care -------------------------------------------------------------------------------------------------------------


def test_a_stay_has_its_people_its_place_and_its_times() -> None:
    def by(code: str, who: str) -> dict[str, Any]:
        return {"type": [concept(code)], "individual": {"reference": f"Practitioner/{who}"}}

    one = resource(
        "Encounter",
        status="finished",
        **{"class": {"code": "IMP"}},
        **SUBJECT,
        participant=[by("ADM", "a"), by("ATND", "b"), by("REF", "c")],
        period={"start": "2026-03-10T09:00:00+08:00", "end": "2026-03-12"},
        location=[
            {"location": {"reference": "Location/old", "display": "旧"}, "status": "completed"},
            {"location": {"reference": "Location/w", "display": "三病区/301/2"}, "status": "active"},
        ],
        hospitalization={"dischargeDisposition": concept("home"), "destination": {"display": "家"}},
        diagnosis=[{"condition": {"reference": "Condition/c"}, "rank": 1}],
        appointment=[{"reference": "Appointment/a"}],
    )
    found = record(one, "Encounter")
    assert (found.status, found.class_, found.subject, found.uncertain) == ("finished", "IMP", "Patient/p", False)
    assert (found.admitter, found.attender, found.referrer) == ("Practitioner/a", "Practitioner/b", "Practitioner/c")
    assert (found.period_start, found.period_end) == ("2026-03-10T09:00:00+08:00", "2026-03-12")
    assert (found.location, found.department) == ("三病区/301/2", "Location/w")
    assert (found.discharge_disposition, found.destination) == (Coding("home", "urn:s"), Coding(display="家"))
    assert record(one, "Condition").rank == 1 and record(one, "Appointment").encounter == "Encounter/1"


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        ({"valueQuantity": {"value": 7.8, "unit": "g"}}, "value_quantity", Quantity("7.8", "g")),
        ({"valueQuantity": {"value": 9, "comparator": ">"}}, "value_quantity", Quantity("9", None, ">")),
        ({"valueInteger": 3}, "value_quantity", Quantity("3")),
        ({"valueCodeableConcept": concept("POS")}, "value_concept", CodeableConcept((Coding("POS", "urn:s"),))),
        ({"valueString": "溶血"}, "value_string", "溶血"),
        ({"valueBoolean": False}, "value_string", "false"),
        ({"valueTime": "08:30:00"}, "value_string", "08:30:00"),
        ({"valueDateTime": "2026-03-10"}, "value_date_time", "2026-03-10"),
        ({"valueRange": {"low": {"value": 1, "unit": "g"}, "high": {"value": 2}}}, "value_string", "1-2 g"),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}, "value_string", "1:128"),
        ({"dataAbsentReason": concept("unknown")}, "value_string", None),
    ],
)  # fmt: skip
def test_a_result_has_one_value_and_no_other(value: dict[str, Any], field: str, expected: Any) -> None:
    found = record(resource("Observation", status="final", code=concept("c"), **SUBJECT, **value), "Observation")
    for name in ("value_quantity", "value_concept", "value_string", "value_date_time"):
        assert getattr(found, name) == (expected if name == field else None), name


def test_numbers_keep_the_digits_they_were_sent_with() -> None:
    one = resource("Observation", status="final", code=concept("c"), valueQuantity={"value": 15}, **SUBJECT)
    payload = json.dumps(one).replace('"value": 15', '"value": 1.50').encode()
    made = adapter().translate(payload).records[0]
    assert made.value_quantity == Quantity("1.50")  # type: ignore[union-attr]


def test_parts_of_a_result_are_results_known_by_their_code() -> None:
    parts = [{"code": concept("s"), "valueInteger": 142}, {"code": concept("d"), "valueInteger": 91}]
    one = resource("Observation", status="final", code=concept("bp"), component=parts, **SUBJECT)
    assert record(one, "Observation", "Observation/1/s").value_quantity == Quantity("142")
    assert record(one, "Observation", "Observation/1/d").subject == "Patient/p"
    assert record(one, "Observation", "Observation/1").value_quantity is None


@pytest.mark.parametrize(
    ("range_", "text"),
    [
        ({"low": {"value": 3.9}, "high": {"value": 6.1}}, "3.9-6.1"),
        ({"low": {"value": 60}}, ">=60"),
        ({"high": {"value": 5}}, "<=5"),
        ({"text": "阴性"}, "阴性"),
    ],
)
def test_a_reference_range_is_text(range_: dict[str, Any], text: str) -> None:
    one = resource("Observation", status="final", code=concept("c"), referenceRange=[range_], **SUBJECT)
    assert record(one, "Observation").reference_range == text


@pytest.mark.parametrize(
    ("price", "expected", "type_"),
    [
        ('{"value": 25.60, "currency": "CNY"}', Money(2560, "CNY"), "CG"),
        ('{"value": -0.1}', Money(-10, "CNY"), "CD"),
        ('{"value": 0.1, "currency": "KWD"}', Money(100, "KWD"), "CG"),
        ('{"value": 1.005, "currency": "CNY"}', UNSET, "CG"),
        ('{"value": 1e2}', UNSET, "CG"),
        ('{"value": 99999999999999999}', UNSET, "CG"),
    ],
)
def test_money_is_exact_or_left_out(price: str, expected: Any, type_: str) -> None:
    one = resource("ChargeItem", status="billed", code=concept("c"), priceOverride="PRICE", **SUBJECT)
    made = adapter().translate(json.dumps(one).replace('"PRICE"', price).encode())
    (found,) = made.records
    assert (found.price, found.type) == (expected, type_)  # type: ignore[union-attr]
    assert (expected is UNSET) == ("bad-amount" in {problem.code for problem in made.problems})


def test_lines_of_a_bill_are_summed_exactly() -> None:
    def part(type_: str, value: float) -> dict[str, Any]:
        return {"type": type_, "amount": {"value": value, "currency": "CNY"}}

    prices = [part("base", 100.1), part("discount", 10.05), part("tax", 6.3), part("informational", 1)]
    lines = [
        {"chargeItemReference": {"reference": "ChargeItem/7"}, "priceComponent": prices},
        {"chargeItemCodeableConcept": concept("bed"), "priceComponent": prices[:1]},
    ]
    one = resource("Invoice", status="issued", lineItem=lines, **SUBJECT)
    assert record(one, "ChargeItem", "ChargeItem/7").price == Money(9635, "CNY")
    own = record(one, "ChargeItem", "Invoice/1/bed")
    assert (own.price, own.status, own.type) == (Money(10010, "CNY"), "billed", "CG")


@pytest.mark.parametrize(
    ("medication", "expected"),
    [
        ({"medicationCodeableConcept": concept("A")}, CodeableConcept((Coding("A", "urn:s"),))),
        ({"medicationReference": {"reference": "#m"}}, CodeableConcept((Coding("B", "urn:s"),))),
        (
            {"medicationReference": {"reference": "Medication/9", "display": "阿莫西林"}},
            CodeableConcept((Coding("Medication/9", None, "阿莫西林"),)),
        ),
    ],
)
def test_a_medicine_is_known_by_its_code_or_by_what_it_is_called(medication: Any, expected: Any) -> None:
    contained = [{"resourceType": "Medication", "id": "m", "code": concept("B")}]
    repeat = {"timing": {"repeat": {"boundsPeriod": {"start": "2026-03-10", "end": "2026-03-20"}}}}
    one = resource(
        "MedicationRequest",
        status="active",
        intent="order",
        contained=contained,
        dosageInstruction=[repeat],
        **SUBJECT,
        **medication,
    )
    found = record(one, "MedicationRequest")
    assert (found.medication, found.period_start, found.period_end) == (expected, "2026-03-10", "2026-03-20")


def test_a_request_is_a_referral_only_where_it_refers_somebody() -> None:
    one = resource("ServiceRequest", status="active", intent="order", code=concept("x"), **SUBJECT)
    assert translated(one).records == ()
    assert record(one, "Referral", referral_codes=["x"]).status == "active"
    assert record({**one, "category": [concept("3457005")]}, "Referral").type == CodeableConcept(
        (Coding("x", "urn:s"),)
    )


def test_a_price_of_the_list_has_its_days() -> None:
    groups = [{"priceComponent": [{"type": "base", "amount": {"value": 67.44, "currency": "EUR"}}]}]
    period = {"start": "2018-04-01", "end": "2018-06-30"}
    one = resource(
        "ChargeItemDefinition",
        url="urn:c",
        status="active",
        code=concept("30110"),
        propertyGroup=groups,
        effectivePeriod=period,
    )
    found = record(one, "HealthcareService")
    assert (found.price, found.period_start, found.active) == (Money(6744, "EUR"), "2018-04-01", True)


def test_a_role_is_where_its_holder_works() -> None:
    one = resource(
        "PractitionerRole",
        practitioner={"reference": "Practitioner/d", "display": "李"},
        organization={"reference": "Organization/o"},
        specialty=[concept("394579002")],
    )
    for key in ("PractitionerRole/1", "Practitioner/d"):
        found = record(one, "Practitioner", key)
        assert (found.department, found.specialty) == ("Organization/o", Coding("394579002", "urn:s"))
    assert record(one, "Practitioner", "Practitioner/d").name is UNSET


def test_a_relation_has_a_period() -> None:
    one = resource("RelatedPerson", patient={"reference": "Patient/p"}, period={"start": "2020"})
    assert record(one, "RelatedPerson").period == Period("2020")
    assert [whole.kind for whole in translated({**one, "active": False}).complete] == ["RelatedPerson"]
