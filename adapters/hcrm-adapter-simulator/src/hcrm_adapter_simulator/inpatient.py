"""A stay on a ward: admission, transfer, corrections, discharge, and what follows."""

from functools import partial

from msgspec.structs import replace

from hcrm_adapter_simulator import billing, booking, results
from hcrm_adapter_simulator.catalogue import Diagnosis
from hcrm_adapter_simulator.events import Finding, Visit
from hcrm_adapter_simulator.instants import DAY, HOUR, MINUTE, start_of_day
from hcrm_adapter_simulator.life import Life

PLANNED_AHEAD = 0.4
CANCELLED = 0.015
TRANSFERRED = 0.09
DISCHARGE_CANCELLED = 0.02
ELSEWHERE = 0.03
WARDS_TAKING_OVER = ("CARD", "RESP", "NEUR", "SURG", "ONCO", "GAST")


def stay(life: Life, diagnosis: Diagnosis, admitted: int, *, source: str, days: int = 0, operate: bool = True) -> None:
    """One stay.

    Args:
        life: Whose.
        diagnosis: What for.
        admitted: When.
        source: HL7 table 0023: `1` referred by a doctor, `7` from the emergency department.
        days: How long; from the diagnosis where 0.
        operate: Whether the diagnosis's operation is done.
    """
    rng = life.rng
    if admitted < life.on_ward_until:
        return
    planned = source != "7"
    if planned:
        admitted = start_of_day(admitted) + rng.between(8 * 60, 15 * 60) * MINUTE
    mrn = life.contact(admitted)
    doctor = rng.pick(life.hospital.doctors[life.department(diagnosis, admitted)])
    here = Visit(
        number=life.number("ZY"),
        class_="I",
        department=doctor.department,
        room=f"{rng.between(3, 14)}{rng.between(1, 24):02d}",
        bed=f"{rng.between(1, 3):02d}",
        doctor=doctor,
        payer=life.person.payer.financial_class,
        source=source,
    )
    if planned and rng.random() < PLANNED_AHEAD:
        ahead = replace(here, class_="P", room="", bed="")
        life.tell("ADT^A05", mrn, here.number, admitted - rng.between(18, 40) * HOUR, visit=ahead)
    principal = Finding(diagnosis.code, "A", 1, admitted, doctor)
    here = replace(here, begun=admitted, findings=(principal,))
    life.tell("ADT^A01", mrn, here.number, admitted, visit=here)
    if rng.random() < CANCELLED:
        life.tell("ADT^A11", mrn, here.number, admitted + rng.between(20, 300) * MINUTE, visit=here)
        return
    length = days or max(1, round(diagnosis.days * rng.lognormvariate(0, 0.32)))
    end = start_of_day(admitted) + length * DAY + rng.between(9 * 60, 16 * 60) * MINUTE
    life.on_ward_until = life.treated[diagnosis.code.code] = end
    here = _course(life, diagnosis, mrn, here, end)
    operation = diagnosis.operation if operate and rng.random() < 0.8 else None
    billing.stay(life, mrn, here, diagnosis, end, operation)
    _discharge(life, diagnosis, mrn, here, end)


def _course(life: Life, diagnosis: Diagnosis, mrn: str, here: Visit, end: int) -> Visit:
    """The days on the ward."""
    rng = life.rng
    admitted = here.begun
    results.order(life, mrn, here, diagnosis, admitted + HOUR, always=True)
    again = admitted + 3 * DAY
    while again < end - DAY:
        results.order(life, mrn, here, diagnosis, start_of_day(again) + 7 * HOUR)
        again += 3 * DAY
    others = [d for d in life.person.chronic if d is not diagnosis]
    working = admitted + rng.between(12, 30) * HOUR
    if working < end - 4 * HOUR and rng.random() < 0.7:
        here = replace(here, findings=_findings(here, others, "W", working))
        life.tell("ADT^A08", mrn, here.number, working, visit=here)
    moved = admitted + rng.between(1, 3) * DAY
    if moved < end - DAY and rng.random() < TRANSFERRED:
        code = rng.pick([ward for ward in WARDS_TAKING_OVER if ward != here.department.code])
        doctor = rng.pick(life.hospital.doctors[code])
        room = f"{rng.between(3, 14)}{rng.between(1, 24):02d}"
        here = replace(here, department=doctor.department, doctor=doctor, room=room)
        life.tell("ADT^A02", mrn, here.number, max(moved, working + HOUR), visit=here)
    return replace(here, findings=_findings(here, others, "F", end))


def _findings(here: Visit, others: list[Diagnosis], stage: str, stated: int) -> tuple[Finding, ...]:
    """What was stated at earlier stages stays; this stage states the principal diagnosis and the others."""
    principal = replace(here.findings[0], stage=stage, stated=stated)
    secondary = [Finding(other.code, stage, rank, stated, here.doctor) for rank, other in enumerate(others, 2)]
    return (*here.findings, principal, *secondary)


def _discharge(life: Life, diagnosis: Diagnosis, mrn: str, here: Visit, end: int) -> None:
    rng = life.rng
    where = life.hospital.dispositions
    if end < life.end and rng.random() < diagnosis.die * (2.0 if life.age(end) > 75 else 0.8):
        here = replace(here, ended=end, disposition=where["died"])
        life.tell("ADT^A03", mrn, here.number, end, visit=here, change={"died": end})
        life.at(end, partial(_die, life))
        return
    disposition = where["transfer" if rng.random() < ELSEWHERE else "home"]
    here = replace(here, ended=end, disposition=disposition)
    life.tell("ADT^A03", mrn, here.number, end, visit=here)
    if rng.random() < DISCHARGE_CANCELLED:
        stays = replace(here, ended=-1, disposition="")
        life.tell("ADT^A13", mrn, here.number, end + rng.between(20, 300) * MINUTE, visit=stays)
        end = start_of_day(end) + rng.between(1, 3) * DAY + rng.between(9 * 60, 16 * 60) * MINUTE
        life.on_ward_until = end
        life.tell("ADT^A03", mrn, here.number, end, visit=replace(here, ended=end))
    life.at(end, partial(_afterwards, life, diagnosis))


def _die(life: Life, instant: int) -> None:
    life.over = True


def _afterwards(life: Life, diagnosis: Diagnosis, end: int) -> None:
    """The dissatisfied fall ill again as the others do; whoever is frail comes back sooner."""
    rng = life.rng
    if rng.random() < min(0.5, diagnosis.readmit * (0.75 + 0.35 * life.person.frailty)):
        back = end + rng.between(2, 28) * DAY
        life.at(back, partial(stay, life, diagnosis, source="7", days=max(2, diagnosis.days // 2), operate=False))
    elif life.comes() and rng.random() < max(0.6, diagnosis.again):
        booking.book(life, diagnosis, end, end + rng.between(7, 21) * DAY, again=True)
