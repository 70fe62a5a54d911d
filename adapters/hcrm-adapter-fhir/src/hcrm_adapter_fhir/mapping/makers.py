"""Records that need more than a table: links between patients, parts of results, lines of a bill, what one resource
says of another."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from hcrm_adapter_fhir.mapping.amounts import decimal, minor_units
from hcrm_adapter_fhir.mapping.compiled import Plan, plan
from hcrm_adapter_fhir.mapping.concepts import concept
from hcrm_adapter_fhir.mapping.view import View
from hcrm_adapter_fhir.reader import encode
from hcrm_core.api import (
    UNSET,
    AnyRecord,
    Appointment,
    ChargeItem,
    CompleteSet,
    Condition,
    Encounter,
    Money,
    Observation,
    PatientLink,
    Practitioner,
)

if TYPE_CHECKING:
    from hcrm_adapter_fhir.mapping.translate import Translator

SETS = {
    "Patient": ("PatientLink",),
    "Person": ("PatientLink",),
    "Linkage": ("PatientLink",),
    "Invoice": ("ChargeItem",),
    "Observation": ("Observation",),
}
"""Resource type → the kinds of the records it states a set of, beside its own."""

_IN_ERROR = "entered-in-error"
_INVOICED = {
    "draft": "billable",
    "issued": "billed",
    "balanced": "billed",
    "cancelled": "aborted",
    _IN_ERROR: _IN_ERROR,
}


def gone(found: Plan, key: str) -> Iterator[AnyRecord]:
    """What a deletion says: nobody active, entered in error; of kinds without a status their set is left empty."""
    kind = found.kind
    if kind is None:
        return
    fields = kind.__struct_fields__
    if "verification_status" in fields:
        yield kind(key=key, group=key, verification_status=_IN_ERROR)  # type: ignore[call-arg,misc]
    elif kind in (Encounter, Appointment, Observation) or "status" in fields:
        yield kind(key=key, group=key, status=_IN_ERROR)  # type: ignore[call-arg,misc]
    elif "active" in fields:
        yield kind(key=key, group=key, active=False)  # type: ignore[call-arg,misc]


def patient_links(translator: "Translator", resource: dict[str, Any]) -> None:
    """Patient.link: which of two patients goes on, or that both do."""
    view = translator.view
    made = False
    for one in _objects(resource.get("link")):
        other, type_ = view.reference("Patient", one.get("other")), one.get("type")
        if other is None or other == view.key:
            continue
        made = True
        if type_ == "replaced-by":
            link = _link(view, f"{view.key}>{other}", view.key, other, type_)
        elif type_ == "replaces":
            # The other's own statement, `replaced-by`, stands and falls by itself.
            link = PatientLink(
                key=f"{other}>{view.key}|{type_}", group=view.key, patient=other, other=view.key, type="replaced-by"
            )
        else:
            link = PatientLink(
                key=_pair(view.key, other, view.key), group=view.key, patient=view.key, other=other, type="seealso"
            )
        translator.add(link, dict.fromkeys(link.__struct_fields__, "Patient.link"))
    meta = resource.get("meta")
    first = isinstance(meta, dict) and meta.get("versionId") == "1"
    if made or not first:
        # A first version has no links to take back.
        translator.complete.append(CompleteSet("PatientLink", view.key))


def same_person(translator: "Translator", resource: dict[str, Any]) -> None:
    """Person.link and Linkage.item: several patients are one."""
    view = translator.view
    kind = view.message.type
    found: dict[str, None] = {}
    if resource.get("active") is not False:
        for one in _objects(resource.get("link" if kind == "Person" else "item")):
            if one.get("assurance") == "level1":
                text = "The source has little confidence that this is the same person (level1); the link was left out."
                view.report("weak-link", "Person.link.assurance", text)
                continue
            patient = view.reference("Patient", one.get("target" if kind == "Person" else "resource"))
            if patient is not None:
                found[patient] = None
    # The least is tied to each of the others.
    least, *others = sorted(found) or [""]
    for other in others:
        link = PatientLink(
            key=_pair(least, other, view.key), group=view.key, patient=least, other=other, type="seealso"
        )
        where = "Person.link" if kind == "Person" else "Linkage.item"
        translator.add(link, dict.fromkeys(link.__struct_fields__, where))
    translator.complete.append(CompleteSet("PatientLink", view.key))


def _link(view: View, key: str, patient: str, other: str, type_: str) -> PatientLink:
    return PatientLink(key=key, group=view.key, patient=patient, other=other, type=type_)


def _pair(one: str, other: str, stated_by: str) -> str:
    pair = "=".join(sorted((one, other)))
    return pair if stated_by in (one, other) and stated_by == min(one, other) else f"{pair}|{stated_by}"


def components(translator: "Translator", resource: dict[str, Any]) -> None:
    """Observation.component: each is a result, known by its code."""
    found = _objects(resource.get("component"))
    part = plan("ObservationComponent")
    whole = translator.records.get(("Observation", translator.view.key))
    if not found or part is None or whole is None:
        return
    assert isinstance(whole, Observation)
    more = {name: getattr(whole, name) for name in ("subject", "encounter", "status", "effective", "issued")}
    seen: dict[str, int] = {}
    # Of two with one code the order of their content decides, not that of the sender.
    for one in sorted(found, key=encode):
        code = concept(translator.view, [one.get("code") or {}], "Observation.component.code")
        name = "" if code is None or code is UNSET else next((c.code for c in code.coding if c.code), code.text or "")
        seen[name] = seen.get(name, 0) + 1
        key = f"{translator.view.key}/{name}" + (f"~{seen[name]}" if seen[name] > 1 else "")
        translator.record(part, one, key, more)
    translator.complete.append(CompleteSet("Observation", translator.view.key))


def results(translator: "Translator", resource: dict[str, Any]) -> None:
    """DiagnosticReport.result: which results belong to the report."""
    _of_others(
        translator, resource, "result", lambda key, who: Observation(key=key, subject=who, report=translator.view.key)
    )


def booked(translator: "Translator", resource: dict[str, Any]) -> None:
    """Encounter.appointment: what was booked became this stay."""
    where = "appointment"
    _of_others(
        translator, resource, where, lambda key, who: Appointment(key=key, subject=who, encounter=translator.view.key)
    )


def diagnoses(translator: "Translator", resource: dict[str, Any]) -> None:
    """Encounter.diagnosis: the rank of a diagnosis within its stay."""
    view = translator.view
    stay = translator.records.get(("Encounter", view.key))
    for one in _objects(resource.get("diagnosis")):
        key, rank = view.reference("Condition", one.get("condition")), one.get("rank")
        if stay is not None and key is not None and type(rank) is int and 0 < rank < 1000:
            subject = _subject(stay)
            record = Condition(key=key, subject=subject, encounter=view.key, rank=rank)
            translator.add(record, dict.fromkeys(record.__struct_fields__, "Encounter.diagnosis"))


def staff_of_role(translator: "Translator", resource: dict[str, Any]) -> None:
    """PractitionerRole: the specialty and the department of the member of staff it is about, while it holds."""
    view = translator.view
    role = translator.records.get(("Practitioner", view.key))
    key = view.reference("Practitioner", resource.get("practitioner"))
    if key is None or not isinstance(role, Practitioner) or role.active is False:
        return
    record = Practitioner(key=key, specialty=role.specialty, department=role.department)
    where = {"specialty": "PractitionerRole.specialty", "department": "PractitionerRole.organization"}
    absent = {name: f"PractitionerRole (no {path.partition('.')[2]})" for name, path in where.items()}
    translator.add(record, {n: absent[n] if getattr(record, n) is None else where[n] for n in where})


def bill_lines(translator: "Translator", resource: dict[str, Any]) -> None:
    """Invoice.lineItem: what a line costs in all; the ChargeItem it names, or one of its own."""
    view = translator.view
    subject = view.reference("Patient", resource.get("subject"))
    if subject is None:
        return
    status = _INVOICED.get(str(resource.get("status")))
    for one in _objects(resource.get("lineItem")):
        price = _sum(view.source.currency, _objects(one.get("priceComponent")))
        key = view.reference("ChargeItem", one.get("chargeItemReference"))
        where = "Invoice.lineItem"
        if key is not None:
            if price is not None:
                record = ChargeItem(key=key, subject=subject, price=price)
                translator.add(record, dict.fromkeys(record.__struct_fields__, where))
            continue
        code = concept(view, [one.get("chargeItemCodeableConcept") or {}], f"{where}.chargeItemCodeableConcept")
        if code is None or code is UNSET:
            continue
        name = next((c.code for c in code.coding if c.code), code.text or "")
        record = ChargeItem(
            key=f"{view.key}/{name}", group=view.key, subject=subject, status=status, code=code, price=price,
            type=None if price is None else "CD" if price.amount < 0 else "CG",
        )  # fmt: skip
        translator.add(record, dict.fromkeys(record.__struct_fields__, where))
    translator.complete.append(CompleteSet("ChargeItem", view.key))


def _sum(currency: str, parts: list[dict[str, Any]]) -> Money | None:
    total, used = 0, None
    for part in parts:
        amount = part.get("amount")
        if part.get("type") == "informational" or not isinstance(amount, dict) or decimal(amount.get("value")) is None:
            continue
        unit = amount.get("currency")
        unit = unit if isinstance(unit, str) and len(unit) == 3 else currency
        minor = minor_units(amount["value"], unit)
        if minor is None or used not in (None, unit):
            return None
        total, used = total + (-abs(minor) if part.get("type") in ("discount", "deduction") else minor), unit
    return Money(total, used) if used else None


def _of_others(
    translator: "Translator", resource: dict[str, Any], name: str, make: Callable[[str, str], AnyRecord]
) -> None:
    view = translator.view
    own = translator.records.get((view.message.type, view.key))
    kind = "Observation" if name == "result" else "Appointment"
    subject = _subject(own) if own is not None else None
    if subject is None:
        return
    for one in _objects(resource.get(name)):
        key = view.reference(kind, one)
        if key is not None:
            record = make(key, subject)
            translator.add(record, dict.fromkeys(record.__struct_fields__, f"{view.message.type}.{name}"))


def _subject(record: AnyRecord) -> str | None:
    found = getattr(record, "subject", None)
    return found if isinstance(found, str) else None


def _objects(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


MAKERS: dict[str, tuple[Callable[["Translator", dict[str, Any]], None], ...]] = {
    "Patient": (patient_links,),
    "Person": (same_person,),
    "Linkage": (same_person,),
    "Observation": (components,),
    "DiagnosticReport": (results,),
    "Encounter": (booked, diagnoses),
    "PractitionerRole": (staff_of_role,),
    "Invoice": (bill_lines,),
}
"""Resource type → what else is made of it."""

READ = {
    "Patient": ("link.other", "link.type"),
    "Person": ("active", "link.target", "link.assurance"),
    "Linkage": ("active", "item.type", "item.resource"),
    "DiagnosticReport": ("result",),
    "Encounter": ("appointment", "diagnosis.condition", "diagnosis.rank"),
    "Invoice": (
        "status", "subject", "lineItem.chargeItemReference", "lineItem.chargeItemCodeableConcept",
        "lineItem.priceComponent",
    ),
}  # fmt: skip
"""Resource type → the elements its makers read."""
