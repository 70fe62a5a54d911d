"""Events as rows of records: one row for each change, with the message that first says it."""

from collections.abc import Iterable

from hcrm_adapter_simulator import bodies, keys
from hcrm_adapter_simulator.events import Event, Report, Visit
from hcrm_adapter_simulator.hl7v2 import DESK, DIAGNOSED
from hcrm_adapter_simulator.hospital import Department, Doctor
from hcrm_adapter_simulator.instants import hl7

Row = tuple[str, str, str | None, str | None, str]
"""kind, key, group, patient, body."""


class Rows:
    """Collects the rows of one person after another; the directory is said once for all of them.

    Attributes:
        rows: The rows.
        events: The events that said them.
        counts: How many rows each event gave.
    """

    def __init__(self) -> None:
        """Nothing said yet."""
        self.rows: list[Row] = []
        self.events: list[Event] = []
        self.counts: list[int] = []
        self._directory: set[str] = set()
        self._patients: dict[str, object] = {}
        self._desks: set[str] = set()
        self._encounters: dict[str, tuple[str, str]] = {}
        self._conditions: dict[str, str] = {}
        self._subject = ""

    def add(self, events: Iterable[Event]) -> None:
        """Add all statements of one person."""
        self._patients.clear()
        self._desks.clear()
        self._encounters.clear()
        self._conditions.clear()
        for event in events:
            before = len(self.rows)
            self._event(event)
            self.events.append(event)
            self.counts.append(len(self.rows) - before)

    def clear(self) -> None:
        """Forget the rows, and remember whose directory entries they were."""
        self.rows.clear()
        self.events.clear()
        self.counts.clear()

    def _event(self, event: Event) -> None:
        trigger, visit = event.trigger, event.visit
        self._subject = subject = keys.patient(event.mrn)
        added = trigger == "ADT^A28"
        if added or self._patients.get(subject) is not event.who:
            self._patients[subject] = event.who
            self._say("Patient", subject, None, bodies.patient(event.mrn, event.who, added=added))
        if trigger in DESK and subject not in self._desks:
            self._desk(event)
        if event.report is not None:
            self._report(event.report)
        elif event.booking is not None:
            self._appointment(event)
        elif event.charges:
            assert visit is not None
            encounter = self._refer(visit)
            frame = bodies.charge_frame(subject, encounter, event.charges[0])
            occurred = hl7(event.occurred)
            self._department(event.charges[0].department)
            self.rows += [
                ("ChargeItem", keys.charge(c.number, c.code.code, occurred), None, subject, bodies.charge(frame, c))
                for c in event.charges
            ]
        elif visit is not None:
            self._encounter(trigger, visit)
        elif event.merged:
            merged = keys.patient(event.merged)
            self.rows.append(("Patient", merged, None, merged, "{}"))
            self.rows.append(("PatientLink", keys.link(merged, subject), None, merged, bodies.link(merged, subject)))

    def _say(self, kind: str, key: str, group: str | None, body: str) -> None:
        self.rows.append((kind, key, group, self._subject, body))

    def _desk(self, event: Event) -> None:
        """Contacts, allergies and insurance do not change: once a record number."""
        subject, person = self._subject, event.person
        self._desks.add(subject)
        for contact in person.contacts:
            key = keys.related(subject, contact.relationship.code, contact.family, contact.given)
            self._say("RelatedPerson", key, subject, bodies.related(subject, contact))
        for known in person.allergies:
            key = keys.allergy(subject, known.allergen.code.code)
            self._say("AllergyIntolerance", key, subject, bodies.allergy(subject, known))
        if person.payer.insurer:
            key = keys.coverage(subject, person.payer.plan.code)
            self._say("Coverage", key, subject, bodies.coverage(subject, person))

    def _doctor(self, doctor: Doctor) -> None:
        if doctor.number not in self._directory:
            self._directory.add(doctor.number)
            key = keys.practitioner(doctor.number)
            self.rows.append(("Practitioner", key, None, None, bodies.practitioner(doctor)))

    def _department(self, department: Department) -> None:
        if department.code not in self._directory:
            self._directory.add(department.code)
            key = keys.organization(department.code)
            self.rows.append(("Organization", key, None, None, bodies.organization(department)))

    def _encounter(self, trigger: str, visit: Visit) -> None:
        subject = self._subject
        self._department(visit.department)
        self._doctor(visit.doctor)
        key = keys.encounter(visit.number)
        self._encounters[key] = (subject, visit.class_)
        self._say("Encounter", key, None, bodies.encounter(trigger, subject, visit))
        if trigger in DIAGNOSED:
            for finding in visit.findings:
                self._doctor(finding.doctor)
                condition = keys.condition(key, finding.code.code, finding.stage)
                body = bodies.condition(subject, key, finding)
                if self._conditions.get(condition) != body:
                    self._conditions[condition] = body
                    self._say("Condition", condition, key, body)

    def _refer(self, visit: Visit) -> str:
        """The visit's key; where nobody has said yet that it is this patient's, now this message says it."""
        key = keys.encounter(visit.number)
        known = (self._subject, visit.class_)
        if self._encounters.get(key) != known:
            self._encounters[key] = known
            self._say("Encounter", key, None, bodies.encounter_reference(*known))
        return key

    def _report(self, report: Report) -> None:
        subject = self._subject
        encounter = self._refer(report.visit)
        self._doctor(report.doctor)
        key = keys.report(report.number, report.panel.code.code)
        times = bodies.report_times(report)
        self._say("DiagnosticReport", key, None, bodies.report(subject, encounter, report, times))
        frame = bodies.observation_frame(subject, encounter, key, times)
        self.rows += [
            ("Observation", keys.observation(key, r.analyte.code.code), None, subject, bodies.observation(frame, r))
            for r in report.results
        ]

    def _appointment(self, event: Event) -> None:
        booking = event.booking
        assert booking is not None
        self._department(booking.doctor.department)
        self._doctor(booking.doctor)
        if booking.visit is not None:
            self._refer(booking.visit)
        self._say("Appointment", keys.appointment(booking.number), None, bodies.appointment(self._subject, booking))
