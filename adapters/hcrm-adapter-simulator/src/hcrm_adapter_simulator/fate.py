"""What will befall a person: drawn at the start of their life with the hospital, unfolded as it comes."""

from functools import lru_cache, partial
from typing import Any

from hcrm_adapter_simulator import booking, inpatient, outpatient
from hcrm_adapter_simulator.catalogue import Diagnosis, Weighted, catalogue
from hcrm_adapter_simulator.instants import DAY, day_of, midnight
from hcrm_adapter_simulator.life import Life
from hcrm_adapter_simulator.population import places

YEAR = 365 * DAY
KNOWN_BEFORE = 0.45
"""Share of persons whose first visit falls in the first three months: they were patients before."""
PREGNANT_PER_YEAR = 0.06
CANCER = 0.03
MOVES_PER_YEAR = 0.09
ILL_PER_YEAR = 0.9
PRENATAL_WEEKS = (8, 12, 16, 20, 24, 28, 30, 32, 34, 36, 37, 38, 39)


def draw(life: Life) -> None:
    """Fill the life's schedule."""
    rng, person = life.rng, life.person
    span = life.end - life.begin
    early = min(span // 2, 90 * DAY)
    entry = life.begin + rng.below(early if rng.random() < KNOWN_BEFORE else span)
    entry = max(entry, midnight(person.first.birth) + 3 * DAY)
    age = life.age(entry)
    for nth, diagnosis in enumerate(person.chronic):
        first = entry + (0 if nth == 0 else rng.between(0, 60) * DAY)
        life.at(first, partial(outpatient.seek, life, diagnosis))
    if not person.chronic:
        life.at(entry, partial(_fall_ill, life, once=True))
    life.at(_next_illness(life, entry, age), partial(_fall_ill, life))
    low, high = catalogue().pregnancy.ages
    if person.first.sex == "F" and low <= age <= high and rng.random() < PREGNANT_PER_YEAR * span / YEAR:
        life.at(rng.between(entry, life.end), partial(_pregnancy, life))
    if age >= 42 and rng.random() < CANCER * (age - 30) / 30:
        disease = rng.pick(catalogue().oncology)
        life.at(rng.between(entry, life.end), partial(_oncology, life, disease))
    if rng.random() < MOVES_PER_YEAR * span / YEAR:
        life.at(rng.between(entry + DAY, life.end + DAY), partial(_move, life))
    if person.second_mrn:
        life.second_from = entry + 5 * DAY + rng.below((life.end - entry) // 2)


def _next_illness(life: Life, instant: int, age: int) -> int:
    """Children and the old fall ill more often."""
    often = ILL_PER_YEAR * life.person.frailty * (1.7 if age < 7 else 1.35 if age > 64 else 1.0)
    return instant + DAY + round(life.rng.expovariate(often / YEAR))


def _fall_ill(life: Life, instant: int, *, once: bool = False) -> None:
    age = life.age(instant)
    if once or life.comes():
        illness = _illnesses(life.now.sex, age // 4, day_of(instant).month).draw(life.rng)
        outpatient.seek(life, illness, instant)
    if not once:
        life.at(_next_illness(life, instant, age), partial(_fall_ill, life))


@lru_cache(maxsize=2_000)
def _illnesses(sex: str, age: int, month: int) -> Weighted[Diagnosis]:
    """What befalls people of a sex and age (in fours of years) in a month of the year."""
    middle = age * 4 + 2
    fits = [d for d in catalogue().acute if d.ages[0] <= middle <= d.ages[1] and d.sex in ("", sex)]
    return Weighted(fits, [d.weight * d.months[month - 1] for d in fits])


def _pregnancy(life: Life, instant: int) -> None:
    """Visits by weeks of pregnancy, and the birth."""
    known = catalogue()
    for week in PRENATAL_WEEKS:
        when = instant + week * 7 * DAY + life.rng.between(-2, 2) * DAY
        if life.comes():
            life.at(when - 4 * DAY, partial(_prenatal, life))
    birth = instant + 39 * 7 * DAY + life.rng.between(-10, 8) * DAY
    life.at(birth, partial(inpatient.stay, life, known.delivery, source="1"))


def _prenatal(life: Life, instant: int) -> None:
    diagnosis = catalogue().pregnancy
    if life.rng.random() < 0.7:
        booking.book(life, diagnosis, instant, instant + 4 * DAY, again=True)
    else:
        outpatient.walk_in(life, diagnosis, instant + 4 * DAY)


def _oncology(life: Life, disease: Diagnosis, instant: int) -> None:
    """A visit, an operation, then cycles of treatment on the ward."""
    rng = life.rng
    outpatient.walk_in(life, disease, instant)
    when = instant + rng.between(5, 15) * DAY
    life.at(when, partial(inpatient.stay, life, disease, source="1"))
    when += 56 * DAY
    for _ in range(rng.between(0, 4)):
        life.at(when, partial(inpatient.stay, life, disease, source="1", days=2, operate=False))
        when += rng.between(38, 52) * DAY


def _move(life: Life, instant: int) -> None:
    """Another address or another phone, told at the desk or in the app."""
    rng = life.rng
    change: dict[str, Any] = {}
    if rng.random() < 0.5:
        change["home"], _ = places().home(rng)
    else:
        change["phone"] = places().mobile(rng)
    mrn = life.contact(instant)
    life.tell("ADT^A31", mrn, f"registration {mrn}", instant, change=change)
