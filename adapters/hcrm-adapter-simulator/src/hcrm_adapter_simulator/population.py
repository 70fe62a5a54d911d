"""The population: households in blocks. A block depends on the seed and its number only: any process can make it."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from hcrm_adapter_simulator import people
from hcrm_adapter_simulator.catalogue import Payer, Weighted, catalogue, read
from hcrm_adapter_simulator.chance import Chance
from hcrm_adapter_simulator.identity_number import identity_number
from hcrm_adapter_simulator.names import Names
from hcrm_adapter_simulator.people import Allergy, Contact, Demographics, Home, Person

BLOCK = 50
"""Persons in a block; households and namesakes do not reach beyond it."""

SOUND_ALIKE = 0.05
REGISTERED_TWICE = 0.03
NO_IDENTITY = 0.06
HOUSEHOLDS: dict[tuple[str, ...], float] = {
    ("adult",): 26,
    ("adult", "spouse"): 18,
    ("adult", "spouse", "child"): 24,
    ("adult", "spouse", "child", "child"): 5,
    ("adult", "spouse", "child", "parent"): 8,
    ("elder",): 10,
    ("elder", "spouse"): 22,
}
_HOUSEHOLDS = Weighted(list(HOUSEHOLDS), HOUSEHOLDS.values())


class _Places:
    """Where people live and come from."""

    def __init__(self) -> None:
        data = read("places")
        self.data: dict[str, Any] = data
        self.districts = Weighted(
            [(d["code"], d["name"], d["postal"]) for d in data["districts"]],
            [d["share"] for d in data["districts"]],
        )

    def home(self, rng: Chance) -> tuple[Home, str]:
        """An address and the region code of its district."""
        region, district, postal = self.districts.draw(rng)
        street = (
            f"{rng.pick(self.data['streets'])}{rng.between(1, 680)}号{rng.pick(self.data['estates'])}"
            f"{rng.between(1, 32)}幢{rng.between(1, 4)}单元{rng.between(1, 28)}0{rng.between(1, 4)}室"
        )
        return Home(street, district, self.data["city"], self.data["province"], postal), region

    def mobile(self, rng: Chance) -> str:
        """A mobile phone number."""
        return f"{rng.pick(self.data['mobile_prefixes'])}{rng.below(10**8):08d}"

    def landline(self, rng: Chance) -> str:
        """A phone number at work."""
        return f"{self.data['area_code']}-8{rng.below(10**7):07d}"


@lru_cache(maxsize=1)
def places() -> _Places:
    """The places, read at the first call."""
    return _Places()


@lru_cache(maxsize=1)
def names() -> Names:
    """The names, read at the first call."""
    return Names()


def block(seed: int, number: int, today: date) -> list[Person]:
    """The persons of one block.

    Args:
        seed: Of the simulation.
        number: Which block.
        today: The day ages are told at.
    """
    rng = Chance(f"block:{seed}:{number}")
    persons: list[Person] = []
    while len(persons) < BLOCK:
        for person in _household(rng, today, number * BLOCK + len(persons)):
            if len(persons) < BLOCK:
                persons.append(person)
    for place, person in enumerate(persons):
        if place and rng.random() < SOUND_ALIKE:
            _sound_like(rng, person, persons[rng.below(place)])
        if rng.random() < REGISTERED_TWICE:
            _register_twice(rng, person)
    return persons


def _household(rng: Chance, today: date, index: int) -> Iterator[Person]:
    home, region = places().home(rng)
    roles = _HOUSEHOLDS.draw(rng)
    elder = roles[0] == "elder"
    age = rng.between(60, 88) if elder else min(59, 20 + int(rng.random() ** 1.2 * 42))
    if "child" in roles:
        age = max(25, min(age, 52))
    sex = rng.pick("MF")
    phone = places().mobile(rng)
    married = people.MARRIED if "spouse" in roles else _alone(rng, age)
    family = names().family(rng)
    members: list[tuple[str, Person]] = []
    for role in roles:
        member_phone, marital, surname, of_sex, years = phone, married, family, sex, age
        if role == "spouse":
            of_sex, years = "F" if sex == "M" else "M", max(20, age + rng.between(-4, 4))
            surname = names().family(rng)
            member_phone = phone if elder and rng.random() < 0.5 else places().mobile(rng)
        elif role == "child":
            of_sex, marital = rng.pick("MF"), people.SINGLE
            years = max(0, min(17, age - rng.between(24, 38)))
            surname = family if sex == "M" else members[1][1].first.family
        elif role == "parent":
            of_sex, years, marital = rng.pick("FFM"), min(95, age + rng.between(23, 32)), people.WIDOWED
            surname = family if of_sex == sex == "M" else names().family(rng)
            member_phone = phone if rng.random() < 0.6 else places().mobile(rng)
        birth = today - timedelta(days=years * 365 + years // 4 + rng.between(20, 360))
        at_work = 22 <= years < 60 and rng.random() < 0.3
        demographics = Demographics(
            family=surname,
            given=names().given(rng, of_sex, birth.year),
            sex=of_sex,
            birth=birth,
            identity=_identity(rng, region, birth, of_sex),
            marital=marital,
            ethnicity=people.HAN if rng.random() < 0.96 else rng.pick(people.OTHERS),
            home=home,
            phone=member_phone,
            work_phone=places().landline(rng) if at_work else "",
        )
        person = Person(index + len(members), demographics)
        _traits(rng, person, years, of_sex)
        members.append((role, person))
    _contacts(rng, members)
    return iter([person for _, person in members])


def _alone(rng: Chance, age: int) -> people.Code:
    return people.WIDOWED if age > 65 and rng.random() < 0.6 else people.SINGLE


def _identity(rng: Chance, region: str, birth: date, sex: str) -> str:
    origin = region if rng.random() < 0.7 else rng.pick(places().data["origins"])
    number = identity_number(origin, birth, rng.below(500), sex)
    return number if rng.random() >= NO_IDENTITY else ""


def _traits(rng: Chance, person: Person, age: int, sex: str) -> None:
    known = catalogue()
    person.satisfaction = rng.betavariate(4.5, 2.2)
    person.wealth = rng.lognormvariate(0.0, 0.45)
    person.frailty = rng.lognormvariate(-0.15, 0.55)
    person.chronic = tuple(
        d for d in known.chronic if d.sex in ("", sex) and rng.random() < _prevalence(d.prevalence, age)
    )
    if rng.random() < 0.09:
        severity = rng.pick(known.severities)
        person.allergies = (Allergy(known.allergens.draw(rng), severity),)
    person.payer = _payer(rng, age)
    person.policy = "" if not person.payer.insurer else f"{rng.below(10**9):09d}"


def _prevalence(steps: tuple[tuple[int, float], ...], age: int) -> float:
    return next((share for since, share in reversed(steps) if age >= since), 0.0)


def _payer(rng: Chance, age: int) -> Payer:
    employed, residents, commercial, own = catalogue().payers
    draw = rng.random()
    if draw < 0.08:
        return own
    if draw < 0.12:
        return commercial
    return residents if age < 18 or draw < (0.3 if age < 60 else 0.4) else employed


def _contacts(rng: Chance, members: list[tuple[str, Person]]) -> None:
    """Somebody of the household, where there is one; of the others, now and then a friend."""
    for role, person in members:
        others = [other for other in members if other[1] is not person]
        if others and (role == "child" or rng.random() < 0.45):
            other_role, other = others[0]
            now = other.first
            relationship = _relationship(role, other_role)
            person.contacts = (Contact(now.family, now.given, relationship, now.phone),)
        elif not others and rng.random() < 0.2:
            family = names().family(rng)
            given = names().given(rng, rng.pick("MF"), 1985)
            person.contacts = (Contact(family, given, people.FRIEND, places().mobile(rng)),)


def _relationship(role: str, other: str) -> people.Code:
    if role == "child":
        return people.PARENT
    return people.CHILD if role == "parent" else people.SPOUSE if other != "child" else people.CHILD


def _sound_like(rng: Chance, person: Person, other: Person) -> None:
    """Give a person another's name, or one that sounds the same."""
    family, given = other.first.family, other.first.given
    if rng.random() < 0.7:
        family, given = names().alike(rng, family, given)
    person.first = replace(person.first, family=family, given=given)


def _register_twice(rng: Chance, person: Person) -> None:
    """Plan a second registration: another desk, another spelling, sometimes another phone."""
    now = person.first
    if rng.random() < 0.4:
        family, given = names().alike(rng, now.family, now.given)
        now = replace(now, family=family, given=given)
    if rng.random() < 0.3:
        now = replace(now, phone=places().mobile(rng))
    person.second = now
    person.second_mrn = f"9{person.index + 1:07d}"
