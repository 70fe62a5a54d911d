"""One resource into records: its own, those of its parts, of what it contains, and of what it says of others."""

from typing import Any

from hcrm_adapter_fhir.mapping import makers
from hcrm_adapter_fhir.mapping.compiled import Plan, is_void, plan
from hcrm_adapter_fhir.mapping.concepts import codes_of
from hcrm_adapter_fhir.mapping.extensions import extended
from hcrm_adapter_fhir.mapping.people import identifier
from hcrm_adapter_fhir.mapping.tables import referrals
from hcrm_adapter_fhir.mapping.view import View
from hcrm_adapter_fhir.reader import Message, is_subset
from hcrm_core.api import KINDS, UNSET, AnyRecord, CompleteSet, Origin, Patient, Record

PATIENT_FIELDS = ("subject", "patient", "beneficiary")
NEVER_ALONE = frozenset(
    name
    for name, kind in KINDS.items()
    if name != "PatientLink" and not set(PATIENT_FIELDS).isdisjoint(kind.__struct_fields__)
)
"""Kinds whose records are about a patient."""


class Translator:
    """What one message says.

    Attributes:
        view: The resource.
        records: Made of it, by kind and key.
        complete: Sets it states whole; of something deleted or void the set of its records, of which none is left.
        origins: Where fields came from, if asked for.
    """

    def __init__(self, view: View, *, trace: bool = False) -> None:
        self.view = view
        self.records: dict[tuple[str, str], AnyRecord] = {}
        self.complete: list[CompleteSet] = []
        self.origins: list[Origin] | None = [] if trace else None
        self._whole = True

    def run(self) -> None:
        """Translate."""
        view = self.view
        found = plan(view.message.type)
        if found is None:
            return
        self._whole = not is_subset(view.resource)
        if view.message.deleted:
            self._gone(found)
        elif found.of != "ServiceRequest" or self._refers():
            self._resource(found, view.resource)
        self._contained()
        for key, number in view.numbers.items():
            made = identifier(view, number)
            view.link(Patient(key=key, identifier=(made,) if made else UNSET))
        for record in view.linked.values():
            self.add(record, dict.fromkeys(record.__struct_fields__, f"{view.message.type}"))

    def add(self, record: AnyRecord | None, origins: dict[str, str]) -> None:
        """Keep a record, unless there is one of its kind and key."""
        if record is None:
            return
        known = (type(record).__name__, record.key)
        if known in self.records:
            return
        self.records[known] = record
        if self.origins is not None:
            for field in record.__struct_fields__:
                if field not in ("key", "group") and getattr(record, field) is not UNSET:
                    self.origins.append(Origin(*known, field, origins.get(field, self.view.message.type)))

    def record(self, found: Plan, resource: dict[str, Any], key: str, more: dict[str, Any]) -> None:
        """Make the record of a resource, or of a part of one.

        Args:
            found: Its plan.
            resource: The resource or the part.
            key: Of the record.
            more: Fields that something else says.
        """
        view, kind = self.view, found.kind
        assert kind is not None
        values: dict[str, Any] = {"key": key, "group": view.key, **found.says}
        origins: dict[str, str] = {}
        tracing = self.origins is not None
        for name, choices, read in found.fields:
            value: Any = None
            told = ""
            for get, where in choices:
                if there := get(resource):
                    told = where
                    value = read(view, there, where)
                    if value is not None:
                        break
            # FHIR replaces a resource whole: what it does not have, there is not.
            if value is not None or self._whole:
                values[name] = value
            if tracing:
                origins[name] = told or f"{view.message.type} (no {choices[0][1].partition('.')[2]})"
        if kind.__name__ == "Patient" and view.source.extensions:
            values.update(extended(view, resource, whole=self._whole))
        for name, value in more.items():
            values.setdefault(name, value)
        if kind.__name__ in NEVER_ALONE and not next((values[name] for name in PATIENT_FIELDS if name in values), None):
            view.report(
                "no-patient", found.of, "It refers to no patient, so it is about nobody; no record was made of it."
            )
            return
        self.add(kind(**values), origins)  # type: ignore[arg-type]

    def _resource(self, found: Plan, resource: dict[str, Any]) -> None:
        view = self.view
        if found.kind is not None:
            if is_void(found, resource):
                self._empty(found.kind)
            else:
                self.record(found, resource, view.key, {})
        for make in makers.MAKERS.get(found.of, ()):
            make(self, resource)

    def _gone(self, found: Plan) -> None:
        for record in makers.gone(found, self.view.key):
            self.add(record, {})
        if found.kind is not None and not self.records:
            self._empty(found.kind)
        for kind in makers.SETS.get(found.of, ()):
            self.complete.append(CompleteSet(kind, self.view.key))

    def _empty(self, kind: type[Record]) -> None:
        self.complete.append(CompleteSet(kind.__name__, self.view.key))

    def _refers(self) -> bool:
        resource, known = self.view.resource, referrals() | self.view.source.referral_codes
        return not known.isdisjoint(codes_of(resource.get("category")) + codes_of(resource.get("code")))

    def _contained(self) -> None:
        view = self.view
        for name in list(view.contained):
            inside = view.inside(name)
            found = plan(inside["resourceType"]) if inside else None
            if inside is None or found is None or found.kind is None:
                continue
            inner = View(view.source, Message(inside["resourceType"], view.resource), inside, f"{view.key}#{name}")
            inner.problems = view.problems
            translator = Translator(inner, trace=self.origins is not None)
            translator.record(found, inside, inner.key, {})
            self.complete += translator.complete
            for record in (*translator.records.values(), *inner.linked.values()):
                self.add(record, dict.fromkeys(record.__struct_fields__, f"{view.message.type}.contained"))
