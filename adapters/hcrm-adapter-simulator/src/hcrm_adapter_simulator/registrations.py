"""People and how they are registered: the same person several times, with mistakes, and the truth beside.

A shard depends on the seed and its number only. Within one live families with one address and often one phone, twins,
namesakes, newborn children without a name, foreigners, and people of whom nobody knows who they are.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from hcrm_adapter_simulator import mistakes, people
from hcrm_adapter_simulator.catalogue import Weighted, read
from hcrm_adapter_simulator.chance import Chance
from hcrm_adapter_simulator.identity_number import identity_number
from hcrm_adapter_simulator.mistakes import Mistake
from hcrm_adapter_simulator.people import Demographics
from hcrm_adapter_simulator.population import places

SHARD = 500
"""Persons in a shard."""

TWIN, NAMESAKE, NEWBORN, NOBODY, FOREIGN = "twin", "namesake", "newborn", "placeholder", "foreign"

TIMES = Weighted((1, 2, 3, 4), (70, 22, 6, 2))
"""How often a person is registered, and in how many of a hundred."""
ROLES = Weighted(
    (("adult",), ("adult", "spouse"), ("adult", "spouse", "child"), ("elder", "spouse"), ("adult", "elder", "child")),
    (30, 20, 28, 14, 8),
)
MISTAKEN = (
    (mistakes.NAMES, 0.26),
    (mistakes.BIRTHS, 0.07),
    (mistakes.DOCUMENTS, 0.155),
    (mistakes.PHONES, 0.30),
    (mistakes.ADDRESSES, 0.36),
    (mistakes.SEXES, 0.003),
)
"""Of each field, the mistakes there are and how often a registration has one."""
TWINS, NAMESAKES, NEWBORNS, NOBODIES, FOREIGNERS = 0.021, 0.031, 0.015, 0.004, 0.04
"""How often: a child or adult gets a twin, takes another's name, a child is newborn; persons of the last two kinds."""


class Person(NamedTuple):
    """One human being: what is true of them, and what makes them hard to know."""

    number: int
    truth: Demographics
    kinds: tuple[str, ...]
    mother: str = ""


class Registration(NamedTuple):
    """What one desk wrote down.

    Attributes:
        mrn: The record number it gave.
        person: Whose it truly is.
        who: As written.
        kinds: What makes the person hard to know.
        mistakes: Classes of what is wrong or otherwise here, by the name in `mistakes.py`.
    """

    mrn: str
    person: int
    who: Demographics
    kinds: tuple[str, ...]
    mistakes: tuple[str, ...]


def shards(count: int) -> int:
    """How many shards so many persons are."""
    return -(-count // SHARD)


def register_shard(seed: int, count: int, today: date, shard: int) -> list[Registration]:
    """The registrations of one shard.

    Args:
        seed: Of the population.
        count: How many persons there are in all shards.
        today: The day ages are told at.
        shard: Which.
    """
    rng = Chance(f"registrations:{seed}:{shard}")
    first = shard * SHARD
    found: list[Registration] = []
    for person in _persons(rng, today, first, min(SHARD, count - first)):
        for nth in range(1 if NOBODY in person.kinds else TIMES.draw(rng)):
            who, wrong = _written(rng, person, nth)
            found.append(Registration(f"{person.number:07d}{nth}", person.number, who, person.kinds, wrong))
    return found


def _written(rng: Chance, person: Person, nth: int) -> tuple[Demographics, tuple[str, ...]]:
    who, wrong = person.truth, []
    if NOBODY in person.kinds:
        return who, (NOBODY,)
    if NEWBORN in person.kinds and nth == 0:
        return _without_a_name(person), ("newborn without a name",)
    for choices, share in MISTAKEN:
        if rng.random() < share:
            name, change = _weighted(choices).draw(rng)
            if name == mistakes.ROMANISED and _possible(mistakes.MISREAD, who) and rng.random() < 0.7:
                name, change = mistakes.MISREAD, mistakes.surname_misread
            if _possible(name, who) and (changed := change(rng, who)) != who:
                who = changed
                wrong.append(name)
    return who, tuple(wrong)


def _possible(name: str, who: Demographics) -> bool:
    if name in (mistakes.MAIDEN, mistakes.DOUBLE) and who.sex == "M":
        return False
    if name == mistakes.MISREAD:
        return who.family in mistakes.tables().surnames.misread
    return mistakes.is_chinese(who) or name not in ("homophone", "surname homophone", "traditional", "romanised")


@cache
def _weighted(choices: tuple[tuple[str, Mistake, float], ...]) -> Weighted[tuple[str, Mistake]]:
    return Weighted([(name, change) for name, change, _ in choices], [share for *_, share in choices])


def _without_a_name(person: Person) -> Demographics:
    child = "之子" if person.truth.sex == "M" else "之女"
    if TWIN in person.kinds:
        child = "之" + "长次"[person.number % 2] + child[1]
    return replace(person.truth, family=person.mother + child, given="", identity="")


# --- who there is -----------------------------------------------------------------------------------------------------


def _persons(rng: Chance, today: date, first: int, count: int) -> list[Person]:
    found: list[Person] = []
    taken: set[str] = set()
    while len(found) < count:
        for truth, kinds, mother in _household(rng, today):
            if found and rng.random() < NAMESAKES and not kinds and NOBODY not in (other := rng.pick(found)).kinds:
                truth, kinds = _named_after(truth, other.truth, rng), (NAMESAKE,)
            found.append(Person(first + len(found), _numbered(truth, first // SHARD, taken), kinds, mother))
    return found[:count]


def _numbered(one: Demographics, shard: int, taken: set[str]) -> Demographics:
    """With an identity number that nobody else has: the county is the shard's, and the next sequence is free."""
    number = one.identity
    if len(number) != 18 or mistakes.is_placeholder(number):
        return one
    sequence = int(number[14:17]) // 2
    while (number := identity_number(f"{number[:4]}{shard % 99 + 1:02d}", one.birth, sequence, one.sex)) in taken:
        sequence = (sequence + 1) % 500
    taken.add(number)
    return replace(one, identity=number)


def _household(rng: Chance, today: date) -> Iterator[tuple[Demographics, tuple[str, ...], str]]:
    home, region = places().home(rng)
    phone = places().mobile(rng)
    if rng.random() < NOBODIES:
        yield _nobody(rng, today, home), (NOBODY,), ""
        return
    foreign = rng.random() < FOREIGNERS
    family, mother, sex = _family(rng, foreign), "", rng.pick("MF")
    roles = ROLES.draw(rng)
    age = rng.between(62, 90) if roles[0] == "elder" else rng.between(24, 58)
    for role in roles:
        kinds: tuple[str, ...] = (FOREIGN,) if foreign else ()
        years, surname, of_sex, own = age, family, sex, phone
        if role == "spouse":
            of_sex, years = "F" if sex == "M" else "M", max(20, age + rng.between(-4, 4))
            surname = family if foreign else _family(rng, False)
            own = phone if rng.random() < 0.25 else places().mobile(rng)
        elif role == "child":
            of_sex, years = rng.pick("MF"), min(rng.between(0, 17), age - 20)
            if rng.random() < NEWBORNS * 4:
                years, kinds = 0, (*kinds, NEWBORN)
        elif role == "elder" and len(roles) == 3:
            of_sex, years = rng.pick("MF"), age + rng.between(22, 32)
            surname = family if of_sex == "M" else _family(rng, foreign)
        birth = today - timedelta(days=years * 365 + years // 4 + rng.between(1, 364))
        given = _given(rng, of_sex, foreign)
        one = _demographics(rng, surname, given, of_sex, birth, home, own, region, foreign)
        if of_sex == "F" and role != "child":
            mother = surname + given
        if NEWBORN in kinds:
            mother = mother or family + "某"
        if rng.random() < TWINS and role in ("adult", "child"):
            yield one, (*kinds, TWIN), mother
            yield _twin(rng, one, foreign), (*kinds, TWIN), mother
        else:
            yield one, kinds, mother


def _demographics(
    rng: Chance,
    family: str,
    given: str,
    sex: str,
    birth: date,
    home: people.Home,
    phone: str,
    region: str,
    foreign: bool,
) -> Demographics:
    origin = region if rng.random() < 0.6 else rng.pick(places().data["origins"])
    number = identity_number(origin, birth, rng.below(500), sex)
    return Demographics(
        family=family,
        given=given,
        sex=sex,
        birth=birth,
        identity=f"{rng.pick('EGKLP')}{rng.below(10**8):08d}" if foreign else number,
        marital=people.SINGLE,
        ethnicity=people.HAN,
        home=home,
        phone=phone,
        work_phone="",
    )


def _twin(rng: Chance, one: Demographics, foreign: bool) -> Demographics:
    """Another name, a neighbouring number; mostly of one sex, often with a character in common."""
    sex = one.sex if rng.random() < 0.7 else "F" if one.sex == "M" else "M"
    given = _given(rng, sex, foreign)
    if not foreign and len(one.given) == 2 and rng.random() < 0.5:
        given = one.given[0] + given[-1]
    while _sound(given) == _sound(one.given):  # nobody names twins alike
        given = _given(rng, sex, foreign)
    identity = one.identity
    if not foreign:
        sequence = (int(identity[14:17]) // 2 + rng.between(1, 3)) % 500
        identity = identity_number(identity[:6], one.birth, sequence, sex)
    else:
        identity = f"{identity[0]}{rng.below(10**8):08d}"
    return replace(one, given=given, sex=sex, identity=identity)


def _sound(given: str) -> str:
    return given if given.isascii() else "".join(map(mistakes.sound, given))


def _named_after(one: Demographics, other: Demographics, rng: Chance) -> Demographics:
    """Somebody else's name, often of the same age."""
    if mistakes.is_chinese(other) != mistakes.is_chinese(one):
        return one
    birth = one.birth if rng.random() < 0.5 else date(other.birth.year, one.birth.month, min(one.birth.day, 28))
    identity = one.identity
    if mistakes.is_chinese(one):
        identity = identity_number(identity[:6], birth, rng.below(500), other.sex)
    return replace(one, family=other.family, given=other.given, sex=other.sex, birth=birth, identity=identity)


def _nobody(rng: Chance, today: date, home: people.Home) -> Demographics:
    known = mistakes.tables().placeholders
    return Demographics(
        family=rng.pick(known.names),
        given="",
        sex=rng.pick("MF"),
        birth=date(today.year - rng.between(20, 80), 1, 1) if rng.random() < 0.7 else date(1900, 1, 1),
        identity=rng.pick(known.documents) if rng.random() < 0.5 else "",
        marital=people.SINGLE,
        ethnicity=people.HAN,
        home=replace(home, street="不详"),
        phone=rng.pick(known.phones),
        work_phone="",
    )


# --- names ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _families() -> Weighted[str]:
    known = [(name, float(share)) for name, share in read("names")["surnames"]]
    seen = {name for name, _ in known}
    rarer = [one for one in dict.fromkeys(mistakes.tables().surnames.rarer) if one not in seen]
    known += [(name, 34 * 0.985**place) for place, name in enumerate(rarer)]
    return Weighted([name for name, _ in known], [share for _, share in known])


@lru_cache(maxsize=4)
def _characters(sex: str) -> Weighted[str]:
    given = mistakes.tables().given
    own = list(dict.fromkeys(given.male if sex == "M" else given.female))
    both = [one for one in dict.fromkeys(given.neutral) if one not in own]
    return Weighted(own + both, [1 / (place + 12) for place in range(len(own))] + [0.012] * len(both))


def _family(rng: Chance, foreign: bool) -> str:
    if not foreign:
        return _families().draw(rng)
    return rng.pick(mistakes.tables().english.family)


def _given(rng: Chance, sex: str, foreign: bool) -> str:
    if foreign:
        english = mistakes.tables().english
        return rng.pick(english.male if sex == "M" else english.female)
    characters = _characters(sex)
    first = characters.draw(rng)
    return first if rng.random() < 0.2 else first + characters.draw(rng)
