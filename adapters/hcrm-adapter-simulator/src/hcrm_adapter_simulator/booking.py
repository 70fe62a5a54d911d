"""Booking a visit, moving it, giving it up, missing it, or coming."""

from functools import partial

from msgspec.structs import replace

from hcrm_adapter_simulator import outpatient
from hcrm_adapter_simulator.catalogue import Code, Diagnosis
from hcrm_adapter_simulator.events import Booking
from hcrm_adapter_simulator.instants import DAY, HOUR, MINUTE
from hcrm_adapter_simulator.life import Life

FIRST = Code("FIRST", "初诊", "99APT")
AGAIN = Code("FOLLOWUP", "复诊", "99APT")
REASONS = (Code("PAT", "患者取消", "99CAN"), Code("BETTER", "病情好转", "99CAN"), Code("DOC", "医生停诊", "99CAN"))
SLOT = 15 * MINUTE
MOVED = 0.08
CANCELLED = 0.08


def book(life: Life, diagnosis: Diagnosis, instant: int, wanted: int, *, again: bool) -> None:
    """Book now a visit on or after the day of `wanted`, and let come what comes."""
    rng = life.rng
    mrn = life.contact(instant)
    department = life.department(diagnosis, wanted)
    number = life.number("YY")
    start, booking = _slot(life, number, department, diagnosis, max(wanted, instant + DAY), again=again)
    life.tell("SIU^S12", mrn, number, instant, booking=booking)
    if rng.random() < MOVED:
        moved_at = rng.between(instant + HOUR, max(instant + 2 * HOUR, start - 3 * HOUR))
        start, booking = _slot(life, number, department, diagnosis, start + rng.between(1, 9) * DAY, again=again)
        life.at(moved_at, lambda when: life.tell("SIU^S13", mrn, number, when, booking=booking))
        instant = moved_at
    draw = rng.random() + 0.1 * (life.person.satisfaction - 0.65)
    if draw < _missed(life):
        miss(life, diagnosis, booking)
    elif draw > 1 - CANCELLED:
        cancelled = replace(booking, status="Cancelled", cancelled_for=rng.pick(REASONS))
        when = rng.between(instant + MINUTE, max(instant + HOUR, start - 2 * HOUR))
        life.at(when, lambda when: life.tell("SIU^S15", mrn, number, when, booking=cancelled))
        _come_later(life, diagnosis, start)
    else:
        arrival = start - rng.between(0, 40 * MINUTE)
        life.at(arrival, partial(outpatient.visit, life, diagnosis, booked=booking))


def miss(life: Life, diagnosis: Diagnosis, booking: Booking) -> None:
    """Let a booking pass without coming."""
    missed = replace(booking, status="Noshow")

    def tell(instant: int) -> None:
        life.tell("SIU^S26", life.contact(instant), booking.number, instant, booking=missed)

    life.at(booking.start + 3 * HOUR, tell)
    _come_later(life, diagnosis, booking.start)


def _come_later(life: Life, diagnosis: Diagnosis, start: int) -> None:
    """The chronically ill need their medicine all the same."""
    if diagnosis.course == "chronic" and life.comes():
        when = start + life.rng.between(3, 25) * DAY
        life.at(when, lambda instant: outpatient.walk_in(life, diagnosis, instant))


def _missed(life: Life) -> float:
    """The young miss more appointments."""
    return 0.11 if life.age(life.begin) < 40 else 0.06


def _slot(
    life: Life, number: str, department: str, diagnosis: Diagnosis, wanted: int, *, again: bool
) -> tuple[int, Booking]:
    doctor, day = life.clinic(department, wanted)
    start = day + 8 * HOUR + life.rng.pick((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 22, 24, 26, 28, 30)) * SLOT
    booking = Booking(number, "Booked", start, 15, doctor, AGAIN if again else FIRST, diagnosis.code)
    return start, booking
