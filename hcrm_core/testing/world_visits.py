"""What happens to the people of the invented hospital: visits, bookings, results, bills, and mistakes mended."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal, NamedTuple

from hcrm_core.model.records import (
    AllergyIntolerance,
    AnyRecord,
    Appointment,
    ChargeItem,
    Condition,
    DiagnosticReport,
    Encounter,
    Observation,
    Patient,
    Procedure,
)
from hcrm_core.model.values import CodeableConcept, Coding, Money, Quantity
from hcrm_core.testing.world_people import DEPARTMENTS, DOCTORS, Resident

HOME, MOVED, DIED = "01", "02", "20"
"""Discharge dispositions, HL7 table 0112."""

_DISEASES = {
    "I10": "高血压",
    "E11.9": "2型糖尿病",
    "J44": "慢阻肺",
    "S72.0": "股骨颈骨折",
    "O80": "顺产",
    "Z34": "产前检查",
}
_PRICES = {"BED": "床位费", "LAB": "检验费", "MED-阿司匹林": "药费", "OP": "手术费"}


class Said(NamedTuple):
    """What is said at one instant.

    Attributes:
        at: When.
        records: What.
        role: As of `world.Told`.
        complete: The sets it states whole, kind and group.
    """

    at: datetime
    records: tuple[AnyRecord, ...]
    role: Literal["plain", "correction", "cancel"] = "plain"
    complete: tuple[tuple[str, str], ...] = ()


def visits(random: Random, person: Resident, end: datetime) -> Iterator[Said]:
    """Everything that is said of one person after the registration."""
    span = int((end - person.registered).total_seconds() // 3600)
    starts = sorted(person.registered + timedelta(hours=random.randrange(1, span)) for _ in range(random.randrange(5)))
    if person.recent:
        starts += [end - timedelta(days=random.randrange(14, 45), hours=random.randrange(12))]
        starts += [starts[-1] + timedelta(days=random.randrange(9, 14))] if random.random() < 0.4 else []
    starts.append(person.registered + timedelta(hours=2))
    for place, start in enumerate(sorted(starts)):
        visit = _Visit(random, person, f"{person.key}-{place}", start)
        if person.recent and start > end - timedelta(days=50):
            yield from visit.stay(random.choice((HOME, HOME, HOME, MOVED, DIED)), end)
        elif random.random() < 0.2:
            yield from visit.stay(HOME, end)
        else:
            yield from visit.clinic()
        if visit.died:
            return
    yield from _bookings(random, person, end)
    if random.random() < 0.3:
        allergy = AllergyIntolerance(key=f"{person.key}-AL", patient=person.key, code=_concept("青霉素", "青霉素"))
        yield Said(person.registered + timedelta(hours=1), (allergy,))


class _Visit:
    """One visit of one person."""

    def __init__(self, random: Random, person: Resident, key: str, start: datetime) -> None:
        self._random, self._person, self._key, self._start = random, person, key, start
        self._emergency = random.random() < 0.25
        self._given: dict[str, Any] = {
            "key": key,
            "subject": person.key,
            "department": random.choice(list(DEPARTMENTS)),
            "attender": random.choice(list(DOCTORS)),
            "payer_class": Coding(person.payer),
        }
        self.died = False

    def clinic(self) -> Iterator[Said]:
        """An outpatient or emergency visit; now and then it was registered by mistake."""
        start = self._start
        visit = Encounter(
            **self._given,
            class_="EMER" if self._emergency else "AMB",
            status="finished",
            period_start=start.isoformat(),
            period_end=(start + timedelta(hours=1)).isoformat(),
        )
        yield Said(start + timedelta(hours=1), (visit, *self._diagnoses(start), *self._charges(start)))
        yield from self._mended(start)
        if self._random.random() < 0.08:
            taken_back = Encounter(key=self._key, subject=self._person.key, status="entered-in-error")
            yield Said(start + timedelta(days=1), (taken_back,), "cancel")

    def stay(self, disposition: str, end: datetime) -> Iterator[Said]:
        """An inpatient stay."""
        random, start = self._random, self._start
        until = start + timedelta(days=random.randrange(1, 9), hours=random.randrange(1, 9))
        admitted = Encounter(
            **self._given,
            class_="IMP",
            status="in-progress",
            period_start=start.isoformat(),
            admit_source=Coding("7" if self._emergency else "1"),
            service_type=Coding("MED"),
        )
        yield Said(start, (admitted, *self._diagnoses(start)), complete=(("Condition", self._key),))
        operation = Procedure(
            key=f"{self._key}-OP",
            subject=self._person.key,
            encounter=self._key,
            code=_concept("81.5", "髋关节置换"),
            performed=(start + timedelta(hours=20)).isoformat(),
        )
        yield Said(start + timedelta(hours=22), (operation, *self._results(start + timedelta(hours=5))))
        if until > end:
            return
        discharge = _ended(self._key, self._person.key, until, disposition)
        yield Said(until, (discharge, *self._charges(until)))
        if disposition == DIED:
            self.died = True
            died = Patient(key=self._person.key, deceased=True, deceased_date_time=until.isoformat())
            yield Said(until + timedelta(minutes=5), (died,))
            return
        yield from self._mended(until)
        if random.random() < 0.3:
            yield Said(
                until + timedelta(hours=30),
                (_ended(self._key, self._person.key, until - timedelta(days=1), disposition),),
                "correction",
            )
        elif random.random() < 0.2:
            back = Encounter(key=self._key, status="in-progress", period_end=None, discharge_disposition=None)
            yield Said(until + timedelta(hours=4), (back,), "cancel")

    def _diagnoses(self, at: datetime) -> tuple[AnyRecord, ...]:
        found = self._random.sample(list(_DISEASES), self._random.randrange(1, 3))
        return tuple(
            Condition(
                key=f"{self._key}-{code}",
                group=self._key,
                subject=self._person.key,
                encounter=self._key,
                code=_concept(code, _DISEASES[code]),
                category=Coding("F"),
                rank=rank,
                recorded_date=at.isoformat(),
            )
            for rank, code in enumerate(found, 1)
        )

    def _results(self, at: datetime) -> tuple[AnyRecord, ...]:
        value = self._random.randrange(30, 180)
        report = DiagnosticReport(
            key=f"{self._key}-R",
            subject=self._person.key,
            encounter=self._key,
            status="final",
            code=_concept("GLU", "血糖"),
            issued=(at + timedelta(hours=2)).isoformat(),
        )
        return report, Observation(
            key=f"{self._key}-R-1",
            subject=self._person.key,
            encounter=self._key,
            report=report.key,
            status="final",
            code=_concept("2345-7", "葡萄糖"),
            value_quantity=Quantity(f"{value // 10}.{value % 10}", "mmol/L"),
            interpretation=("HH",) if value > 120 else ("N",),
            effective=at.isoformat(),
        )

    def _charges(self, at: datetime) -> tuple[AnyRecord, ...]:
        random = self._random
        lines = [
            self._charge(f"{place}", at, random.choice(list(_PRICES)), random.randrange(0, 300_000))
            for place in range(random.randrange(1, 4))
        ]
        if random.random() < 0.2:
            # Sources write a refund with either sign.
            amount = random.choice((-1, 1)) * random.randrange(100, 5_000)
            lines.append(self._charge("refund", at + timedelta(hours=3), "LAB", amount, type="CD"))
        if random.random() < 0.3:
            lines.append(self._charge("paid", at, "PAY", 50_000, type="PY"))
        if random.random() < 0.05:
            lines.append(self._charge("foreign", at, "OP", 9_900, currency="USD"))
        return tuple(lines)

    def _charge(
        self, name: str, at: datetime, code: str, amount: int, type: str = "CG", currency: str = "CNY"
    ) -> ChargeItem:
        return ChargeItem(
            key=f"{self._key}-{name}",
            subject=self._person.key,
            encounter=self._key,
            status="billed",
            type=type,
            code=_concept(code, _PRICES.get(code, code)),
            price=Money(amount, currency),
            occurrence=at.isoformat(),
            department=self._given["department"],
        )

    def _mended(self, at: datetime) -> Iterator[Said]:
        """A line of the bill that was wrong, and one that should not have been there."""
        chance = self._random.random()
        if chance < 0.15:
            right = ChargeItem(key=f"{self._key}-0", price=Money(self._random.randrange(1, 90_000), "CNY"))
            yield Said(at + timedelta(hours=20), (right,), "correction")
        elif chance < 0.3:
            gone = ChargeItem(key=f"{self._key}-0", status="entered-in-error")
            yield Said(at + timedelta(hours=9), (gone,), "cancel")


def _bookings(random: Random, person: Resident, end: datetime) -> Iterator[Said]:
    """Bookings of the last weeks and the next: kept, called off, or not kept."""
    for place in range(random.randrange(3)):
        start = end - timedelta(days=random.randrange(-20, 40), hours=random.randrange(1, 8))
        made = max(start - timedelta(days=25), person.registered + timedelta(hours=3))
        given: dict[str, Any] = {"key": f"{person.key}-A{place}", "subject": person.key}
        booked = Appointment(
            **given,
            status="booked",
            start=start.isoformat(),
            service_type=_concept("FU", "复诊"),
            department="D01",
            practitioner="P1",
        )
        yield Said(made, (booked,))
        if random.random() < 0.2:
            yield Said(made + timedelta(days=1), (Appointment(**given, status="cancelled"),), "cancel")
        elif start < end:
            state = random.choice(("fulfilled", "noshow"))
            yield Said(start + timedelta(hours=1), (Appointment(**given, status=state),))


def _ended(key: str, patient: str, at: datetime, disposition: str) -> Encounter:
    return Encounter(
        key=key,
        subject=patient,
        status="finished",
        period_end=at.isoformat(),
        discharge_disposition=Coding(disposition),
    )


def _concept(code: str, display: str) -> CodeableConcept:
    return CodeableConcept((Coding(code, "kit", display),))
