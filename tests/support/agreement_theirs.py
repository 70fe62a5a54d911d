"""What a FHIR R4 bundle of ReportStream's converter says, as facts."""

from collections.abc import Iterator
from typing import Any

from support.agreement_values import Fact, instant, made, number, system, telephone

Resource = dict[str, Any]

OWN = "https://reportstream.cdc.gov/fhir/StructureDefinition/"
COUNTRY, AREA, LOCAL = (
    f"http://hl7.org/fhir/StructureDefinition/contactpoint-{part}" for part in ("country", "area", "local")
)


class Bundle:
    """One converted message."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.resources: list[Resource] = [entry["resource"] for entry in content["entry"]]
        self.known = {f"{one['resourceType']}/{one['id']}": one for one in self.resources if "id" in one}

    def facts(self) -> set[Fact]:
        """All facts of the kinds that are compared."""
        found: set[Fact] = set()
        for resource in self.resources:
            kind = resource["resourceType"]
            said = getattr(self, f"_{kind.lower()}", None)
            if said is not None:
                identity = self._identity(resource)
                found.update(Fact(kind, identity, element, value) for element, value in said(resource) if value)
        return found

    def _at(self, reference: dict[str, str] | None) -> Resource:
        return self.known.get((reference or {}).get("reference", ""), {})

    def _identity(self, resource: Resource) -> str:
        match resource["resourceType"]:
            case "RelatedPerson":
                first = resource.get("name", [{}])[0]
                return made(first.get("family"), " ".join(first.get("given", ())))
            case "Coverage":
                return self._payor(resource)
            case "DiagnosticReport" | "Observation":
                return _code(resource)
        return ""

    def _patient(self, patient: Resource) -> Iterator[tuple[str, str]]:
        yield from (("identifier", self._identifier(one)) for one in patient.get("identifier", ()))
        yield from _contactable(patient)
        yield "deceased_date_time", instant(patient.get("deceasedDateTime"))
        yield "deceased", _boolean(patient.get("deceasedBoolean"))
        yield "multiple_birth_order", str(patient.get("multipleBirthInteger", ""))
        yield "marital_status", _first(patient.get("maritalStatus"))
        for spoken in patient.get("communication", ())[:1]:
            yield "language", _first(spoken["language"])
        for extension in _extensions(patient, OWN + "ethnic-group")[:1]:
            yield "ethnicity", _first(extension["valueCodeableConcept"])
        yield "general_practitioner", next(filter(None, map(self._staff, patient.get("generalPractitioner", ()))), "")

    def _identifier(self, one: dict[str, Any]) -> str:
        namespace = _extensions(one.get("_system", {}), OWN + "namespace-id")
        authority = namespace[0]["valueString"] if namespace else one.get("system") or self._assigner(one)
        return made(one.get("value"), authority, _code_of(one.get("type")))

    def _assigner(self, one: dict[str, Any]) -> str:
        named = self._at(one.get("assigner")).get("identifier", [{}])
        return next((identifier["value"] for identifier in named if "value" in identifier), "")

    def _relatedperson(self, related: Resource) -> Iterator[tuple[str, str]]:
        yield from _contactable(related)
        for element, one in zip(("relationship", "contact_role"), related.get("relationship", ()), strict=False):
            yield from _concept(element, one)

    def _encounter(self, stay: Resource) -> Iterator[tuple[str, str]]:
        for one in stay.get("identifier", ()):
            if _code_of(one.get("type")) == "VN":
                yield "visit_number", one.get("value", "")
        yield "status", stay.get("status", "")
        yield "class", stay.get("class", {}).get("code", "")
        for one in stay.get("type", ())[:1]:
            yield from _concept("type", one)
        yield "service_type", _first(stay.get("serviceType"))
        yield "priority", _first(stay.get("priority"))
        for one in stay.get("reasonCode", ())[:1]:
            yield from _concept("reason", one)
        period = stay.get("period", {})
        yield "period_start", instant(period.get("start"))
        yield "period_end", instant(period.get("end"))
        hospitalization = stay.get("hospitalization", {})
        yield "admit_source", _first(hospitalization.get("admitSource"))
        yield "discharge_disposition", _first(hospitalization.get("dischargeDisposition"))
        met = set()
        for one in stay.get("participant", ()):
            role = ROLES.get(_code_of((one.get("type") or [{}])[0]))
            if role and role not in met:
                met.add(role)
                yield role, self._staff(one.get("individual"))

    def _coverage(self, coverage: Resource) -> Iterator[tuple[str, str]]:
        yield "payor", self._payor(coverage)
        yield "type", _first(coverage.get("type"))
        yield "relationship", _first(coverage.get("relationship"))
        for one in coverage.get("extension", ()):
            if one["url"].endswith("/extension-subscriberId"):
                yield "subscriber_id", one.get("valueIdentifier", {}).get("value", "")
        period = coverage.get("period", {})
        yield "period_start", instant(period.get("start"))
        yield "period_end", instant(period.get("end"))

    def _payor(self, coverage: Resource) -> str:
        return self._at(coverage.get("payor", [{}])[0]).get("name", "")

    def _diagnosticreport(self, report: Resource) -> Iterator[tuple[str, str]]:
        yield from _concept("code", report.get("code"))
        yield "status", report.get("status", "")
        yield "effective", instant(report.get("effectiveDateTime") or report.get("effectivePeriod", {}).get("start"))
        yield "issued", instant(report.get("issued"))
        for one in report.get("category", ())[:1]:
            yield "category", _first(one)
        for reference in report.get("basedOn", ())[:1]:
            yield "orderer", self._staff(self._at(reference).get("requester"))

    def _observation(self, observation: Resource) -> Iterator[tuple[str, str]]:
        yield from _concept("code", observation.get("code"))
        yield "status", observation.get("status", "")
        yield "effective", instant(observation.get("effectiveDateTime"))
        yield "issued", instant(observation.get("issued"))
        yield from (("interpretation", _code_of(one)) for one in observation.get("interpretation", ()))
        yield from (("reference_range", one.get("text", "")) for one in observation.get("referenceRange", ()))
        yield from (("value", one) for one in _value(observation))
        mine = f"Observation/{observation['id']}"
        for report in self.resources:
            if mine in (one.get("reference") for one in report.get("result", ())):
                yield "report", _code(report)

    def _staff(self, reference: dict[str, str] | None) -> str:
        found = self._at(reference)
        if found.get("resourceType") == "PractitionerRole":
            found = self._at(found.get("practitioner"))
        if found.get("resourceType") != "Practitioner":
            return ""
        name = found.get("name", [{}])[0]
        numbered = next((one["value"] for one in found.get("identifier", ()) if "value" in one), "")
        return made(numbered, name.get("family"), " ".join(name.get("given", ())))


ROLES = {"ATND": "attender", "REF": "referrer", "ADM": "admitter"}


def _contactable(person: Resource) -> Iterator[tuple[str, str]]:
    yield "gender", person.get("gender", "")
    yield "birth_date", person.get("birthDate", "")
    for name in person.get("name", ()):
        given, suffix = " ".join(name.get("given", ())), " ".join(name.get("suffix", ()))
        yield "name", made(name.get("family"), given, " ".join(name.get("prefix", ())), suffix, name.get("use"))
    for one in person.get("address", ()):
        parts = ("city", "district", "state", "postalCode", "country", "use")
        yield "address", made(" ".join(one.get("line", ())), *(one.get(part) for part in parts))
    for one in person.get("telecom", ()):
        pieces = [extension["valueString"] for url in (COUNTRY, AREA, LOCAL) for extension in _extensions(one, url)]
        value = one.get("value") or ("".join(pieces) if _extensions(one, LOCAL) else "")
        if value:
            yield "telecom", made(one.get("system"), telephone(value), one.get("use"))


def _extensions(node: dict[str, Any], url: str) -> list[dict[str, Any]]:
    return [one for one in node.get("extension", ()) if one["url"] == url]


def _coding(one: dict[str, Any]) -> str:
    named = _extensions(one, OWN + "cwe-coding-system")
    return made(one.get("code"), one.get("display"), system(named[0]["valueString"] if named else one.get("system")))


def _order(one: dict[str, Any]) -> int:
    place = [extension["valueString"] for extension in _extensions(one, OWN + "cwe-coding")]
    return ["coding", "alt-coding", "secondary-alt-coding"].index(place[0]) if place else 0


def _first(concept: dict[str, Any] | None) -> str:
    codings = sorted((concept or {}).get("coding", ()), key=_order)
    return _coding(codings[0]) if codings else ""


def _concept(element: str, concept: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    yield from ((element, _coding(one)) for one in (concept or {}).get("coding", ()))
    yield element, made("text", (concept or {})["text"]) if (concept or {}).get("text") else ""


def _code_of(concept: dict[str, Any] | None) -> str:
    return next((str(one["code"]) for one in (concept or {}).get("coding", ()) if one.get("code")), "")


def _code(resource: Resource) -> str:
    concept = resource.get("code", {})
    codings = sorted(concept.get("coding", ()), key=_order) or [{}]
    return codings[0].get("code") or codings[0].get("display") or concept.get("text") or ""


def _boolean(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _value(observation: Resource) -> Iterator[str]:
    if quantity := observation.get("valueQuantity"):
        unit = quantity.get("code") or quantity.get("unit")
        yield made("quantity", quantity.get("comparator"), number(quantity.get("value")), unit)
    if "valueCodeableConcept" in observation:
        yield from (value for _, value in _concept("", observation["valueCodeableConcept"]) if value)
    if "valueString" in observation:
        yield made("text", observation["valueString"])
    if "valueDateTime" in observation:
        yield made("time", instant(observation["valueDateTime"]))
    for kind in ("valueTime", "valueRange", "valueRatio", "valuePeriod"):
        if kind in observation:
            yield made(kind, str(observation[kind]))
