"""Visits to the clinic and to the emergency department, and what follows from them."""

from functools import partial

from msgspec.structs import replace

from hcrm_adapter_simulator import billing, booking, inpatient, results
from hcrm_adapter_simulator.catalogue import Diagnosis
from hcrm_adapter_simulator.events import Booking, Finding, Visit
from hcrm_adapter_simulator.instants import DAY, MINUTE, start_of_day
from hcrm_adapter_simulator.life import Life

BOOKS = 0.5
BOOKS_NEXT = 0.6
ENDS_WITH_A08 = 0.25
LEAVES_FOR_GOOD = 0.12
RECOVERY = 60 * DAY
"""After a stay, visits for the same illness are follow-up and seldom end on a ward again."""


def seek(life: Life, diagnosis: Diagnosis, instant: int, *, again: bool = False) -> None:
    """Want to be seen: at once, today, or by appointment."""
    rng = life.rng
    if not again and rng.random() < diagnosis.emergency:
        emergency(life, diagnosis, start_of_day(instant) + rng.between(1, 24 * 60 - 1) * MINUTE)
    elif rng.random() < BOOKS:
        now = start_of_day(instant) + rng.between(7 * 60, 23 * 60) * MINUTE
        booking.book(life, diagnosis, now, instant + rng.between(1, 5) * DAY, again=again)
    else:
        walk_in(life, diagnosis, instant)


def walk_in(life: Life, diagnosis: Diagnosis, instant: int) -> None:
    """Come unannounced on the first clinic day."""
    _, day = life.clinic(life.department(diagnosis, instant), instant)
    life.at(day + life.rng.between(7 * 60 + 40, 16 * 60) * MINUTE, partial(visit, life, diagnosis))


def visit(life: Life, diagnosis: Diagnosis, arrival: int, booked: Booking | None = None) -> None:
    """One visit to the clinic, from registration to bill."""
    rng = life.rng
    if arrival < life.on_ward_until:
        if booked:
            booking.miss(life, diagnosis, booked)
        return
    mrn = life.contact(arrival)
    doctor = booked.doctor if booked else life.clinic(life.department(diagnosis, arrival), arrival)[0]
    here = Visit(
        number=life.number("MZ"),
        class_="O",
        department=doctor.department,
        room=doctor.room,
        bed="",
        doctor=doctor,
        payer=life.person.payer.financial_class,
        begun=arrival,
    )
    life.tell("ADT^A04", mrn, here.number, arrival, visit=here)
    seen = arrival + rng.between(15, 70) * MINUTE
    panels = results.order(life, mrn, here, diagnosis, seen)
    end = seen + (rng.between(60, 170) if panels else rng.between(5, 25)) * MINUTE
    here = replace(here, ended=end, findings=_findings(life, diagnosis, here, end))
    ends = "ADT^A08" if rng.random() < ENDS_WITH_A08 else "ADT^A03"
    life.tell(ends, mrn, here.number, end, visit=here)
    billing.visit(life, mrn, here, diagnosis, panels, end + rng.between(2, 20) * MINUTE)
    if booked:
        complete = replace(booked, status="Complete", visit=here)
        life.tell("SIU^S14", mrn, booked.number, end + MINUTE, booking=complete)
    _afterwards(life, diagnosis, here, end, urgent=False)


def emergency(life: Life, diagnosis: Diagnosis, arrival: int) -> None:
    """One visit to the emergency department."""
    rng = life.rng
    if arrival < life.on_ward_until:
        return
    mrn = life.contact(arrival)
    doctor = rng.pick(life.hospital.doctors["EMER"])
    payer = life.person.payer.financial_class
    here = Visit(life.number("JZ"), "E", doctor.department, "抢救室" if rng.random() < 0.1 else doctor.room, "", doctor,
        payer, arrival)  # fmt: skip
    life.tell("ADT^A04", mrn, here.number, arrival, visit=here)
    panels = results.order(life, mrn, here, diagnosis, arrival + rng.between(5, 30) * MINUTE, urgent=True)
    end = arrival + rng.between(60, 420) * MINUTE
    here = replace(here, ended=end, disposition="01", findings=_findings(life, diagnosis, here, end))
    life.tell("ADT^A03", mrn, here.number, end, visit=here)
    billing.visit(life, mrn, here, diagnosis, panels, end + rng.between(2, 20) * MINUTE)
    _afterwards(life, diagnosis, here, end, urgent=True)


def _findings(life: Life, diagnosis: Diagnosis, here: Visit, stated: int) -> tuple[Finding, ...]:
    principal = Finding(diagnosis.code, "F", 1, stated, here.doctor)
    others = [d for d in life.person.chronic if d is not diagnosis and life.rng.random() < 0.2]
    return (principal, *(Finding(d.code, "F", n, stated, here.doctor) for n, d in enumerate(others, 2)))


def _afterwards(life: Life, diagnosis: Diagnosis, here: Visit, end: int, *, urgent: bool) -> None:
    rng = life.rng
    chance = diagnosis.admit * (1.4 if urgent or life.age(end) > 70 else 0.8)
    if end - life.treated.get(diagnosis.code.code, -RECOVERY) < RECOVERY:
        chance *= 0.05
    if rng.random() < chance:
        wait = 10 * MINUTE if urgent else rng.between(1, 7) * DAY
        life.at(end + wait, partial(inpatient.stay, life, diagnosis, source="7" if urgent else "1"))
        return
    if diagnosis.course == "chronic":
        next_visit(life, diagnosis, end)
    elif rng.random() < diagnosis.again * 0.8 and life.comes():
        seek(life, diagnosis, end + rng.between(4, 12) * DAY, again=True)
    if rng.random() < LEAVES_FOR_GOOD * (1 - life.person.satisfaction):
        life.at(end + 120 * DAY, partial(_leave, life))


def next_visit(life: Life, diagnosis: Diagnosis, instant: int) -> None:
    """The next of a chronic patient's visits, booked on leaving or left to chance; the dissatisfied let one out."""
    rng = life.rng
    wait = rng.between(*diagnosis.every) * DAY
    if not life.comes():
        wait += rng.between(*diagnosis.every) * DAY
    if rng.random() < BOOKS_NEXT:
        booking.book(life, diagnosis, instant + rng.between(3, 30) * MINUTE, instant + wait, again=True)
    else:
        walk_in(life, diagnosis, instant + wait)


def _leave(life: Life, instant: int) -> None:
    life.over = True
