"""How a registration desk writes a person down: the same name in other characters, fields swapped, digits missed.

Every function takes what is true and gives what is written; where it cannot go wrong that way, what is true.
"""

import os
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from msgspec import Struct, convert
from msgspec.structs import replace

from hcrm_adapter_simulator.catalogue import read
from hcrm_adapter_simulator.chance import Chance
from hcrm_adapter_simulator.people import Demographics
from hcrm_adapter_simulator.population import places

MAIDEN, DOUBLE, ROMANISED, MISREAD = "maiden name", "double-barrelled", "romanised", "surname misread"

_GB2312_LEVEL_1 = range(0xB0, 0xD8)


class Surnames(Struct, frozen=True):
    """Surnames beside those of `data/names.toml`, and readings: as surnames, and as one would read them otherwise."""

    rarer: str
    misread: dict[str, str]
    right: dict[str, str]


class Given(Struct, frozen=True):
    """Characters of given names, the commonest first."""

    male: str
    female: str
    neutral: str


class English(Struct, frozen=True):
    """Names of foreigners."""

    family: list[str]
    male: list[str]
    female: list[str]


class Placeholders(Struct, frozen=True):
    """What is written where nothing is known."""

    names: list[str]
    phones: list[str]
    documents: list[str]


class Tables(Struct, frozen=True):
    """`data/registrations.toml`."""

    surnames: Surnames
    given: Given
    english: English
    placeholders: Placeholders


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The data, read at the first call."""
    return convert(read("registrations"), Tables)


@lru_cache(maxsize=8192)
def sound(character: str) -> str:
    """The pinyin of a character without its tone."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # names are read character by character
    from pypinyin import lazy_pinyin

    return lazy_pinyin(character)[0].replace("v", "u")


@lru_cache(maxsize=1)
def _alike() -> dict[str, str]:
    """Sound → the common characters that have it: those of the first level of GB 2312, which is in order of sound."""
    groups: dict[str, list[str]] = {}
    for high in _GB2312_LEVEL_1:
        for low in range(0xA1, 0xFF):
            try:
                character = bytes((high, low)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            groups.setdefault(sound(character), []).append(character)
    return {key: "".join(characters) for key, characters in groups.items()}


@lru_cache(maxsize=8192)
def traditional(text: str) -> str:
    """A text in traditional characters."""
    return str(_converter().convert(text))


@lru_cache(maxsize=1)
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("s2t")


def is_placeholder(number: str) -> bool:
    """Whether a number is one that lets a form pass."""
    return number in tables().placeholders.documents


def is_chinese(who: Demographics) -> bool:
    """Whether the name is in Chinese characters."""
    return "\u3400" <= who.family[:1] <= "\u9fff"


# --- names ------------------------------------------------------------------------------------------------------------


def _homophone(rng: Chance, character: str) -> str:
    others = _alike().get(sound(character), "").replace(character, "")
    return rng.pick(others) if others else character


def homophone(rng: Chance, who: Demographics) -> Demographics:
    """A character of the given name that sounds the same."""
    place = rng.below(len(who.given))
    given = who.given[:place] + _homophone(rng, who.given[place]) + who.given[place + 1 :]
    return replace(who, given=given)


def family_homophone(rng: Chance, who: Demographics) -> Demographics:
    """A surname that sounds the same."""
    return replace(who, family=_homophone(rng, who.family[0]) + who.family[1:])


def in_traditional(rng: Chance, who: Demographics) -> Demographics:
    """Traditional characters."""
    return replace(who, family=traditional(who.family), given=traditional(who.given))


def romanised(rng: Chance, who: Demographics, misread: bool = False) -> Demographics:
    """Wang Fang, FANG WANG, or Wang, Fang; the given name in one word or two."""
    readings = tables().surnames.misread if misread else tables().surnames.right
    family = readings.get(who.family) or "".join(map(sound, who.family))
    given = ["".join(map(sound, who.given))] if rng.random() < 0.6 else [sound(one) for one in who.given]
    family, whole = family.capitalize(), " ".join(part.capitalize() for part in given)
    form = rng.random()
    if form < 0.4:
        return replace(who, family=family, given=whole)
    if form < 0.6:
        return replace(who, family=whole.upper(), given=family.upper())
    if form < 0.8:
        return replace(who, family=f"{whole} {family}".upper(), given="")
    return replace(who, family=f"{family}, {whole}", given="")


def surname_misread(rng: Chance, who: Demographics) -> Demographics:
    """Romanised with the everyday reading of a character that is read otherwise as a surname."""
    return romanised(rng, who, misread=True)


def swapped_name(rng: Chance, who: Demographics) -> Demographics:
    """Family and given name in each other's field."""
    return replace(who, family=who.given, given=who.family)


def in_one_field(rng: Chance, who: Demographics) -> Demographics:
    """The whole name in the field of the family name."""
    whole = who.family + who.given if is_chinese(who) else f"{who.given} {who.family}"
    return replace(who, family=whole, given="")


def another_character(rng: Chance, who: Demographics) -> Demographics:
    """A character or letter of the given name that is another one."""
    place = rng.below(len(who.given))
    if is_chinese(who):
        pool = tables().given.male if who.sex == "M" else tables().given.female
    else:
        pool = "abcdefghijklmnoprstuvwy"
    return replace(who, given=who.given[:place] + rng.pick(pool) + who.given[place + 1 :])


def maiden(rng: Chance, who: Demographics) -> Demographics:
    """Another family name: before or after a marriage."""
    return replace(who, family=_other_family(rng, who))


def double_barrelled(rng: Chance, who: Demographics) -> Demographics:
    """Two family names with a hyphen, or husband's and own in Chinese."""
    other = _other_family(rng, who)
    return replace(who, family=other + who.family if is_chinese(who) else f"{who.family}-{other}")


def _other_family(rng: Chance, who: Demographics) -> str:
    if is_chinese(who):
        return rng.pick("王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗")
    return rng.pick(tables().english.family)


# --- birth dates ------------------------------------------------------------------------------------------------------


def swapped_birth(rng: Chance, who: Demographics) -> Demographics:
    """Day and month swapped, where both can be a month."""
    birth = who.birth
    return replace(who, birth=date(birth.year, birth.day, birth.month)) if birth.day <= 12 else who


def mistyped_birth(rng: Chance, who: Demographics) -> Demographics:
    """One digit of the date another."""
    digits = f"{who.birth:%Y%m%d}"
    for _ in range(20):
        place = rng.between(2, 7)
        other = digits[:place] + str(rng.below(10)) + digits[place + 1 :]
        try:
            birth = date(int(other[:4]), int(other[4:6]), int(other[6:]))
        except ValueError:
            continue
        if birth != who.birth and birth.year < 2026:
            return replace(who, birth=birth)
    return who


def first_of_january(rng: Chance, who: Demographics) -> Demographics:
    """The year alone is known."""
    return replace(who, birth=date(who.birth.year, 1, 1))


def another_year(rng: Chance, who: Demographics) -> Demographics:
    """A year off: nominal age."""
    try:
        return replace(who, birth=who.birth.replace(year=who.birth.year - 1))
    except ValueError:
        return who


# --- numbers ----------------------------------------------------------------------------------------------------------


def mistyped(rng: Chance, number: str, first: int = 0) -> str:
    """A digit of a number another, or two neighbours swapped."""
    if len(number) < first + 3:
        return number
    place = rng.between(first, len(number) - 2)
    if rng.random() < 0.4 and number[place] != number[place + 1]:
        return number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    return number[:place] + str((int(number[place]) + rng.between(1, 9)) % 10) + number[place + 1 :]


def mistyped_document(rng: Chance, who: Demographics) -> Demographics:
    """An identity number that is wrong."""
    return replace(who, identity=mistyped(rng, who.identity)) if who.identity.isalnum() and is_chinese(who) else who


def old_document(rng: Chance, who: Demographics) -> Demographics:
    """The fifteen digits of before 1999: without the century and the check digit."""
    number = who.identity
    old = len(number) == 18 and who.birth.year < 1985
    return replace(who, identity=number[:6] + number[8:17]) if old else who


def no_document(rng: Chance, who: Demographics) -> Demographics:
    """None at hand."""
    return replace(who, identity="")


def placeholder_document(rng: Chance, who: Demographics) -> Demographics:
    """A number that lets the form pass."""
    return replace(who, identity=rng.pick(tables().placeholders.documents))


def mistyped_phone(rng: Chance, who: Demographics) -> Demographics:
    """A phone number that is wrong."""
    return replace(who, phone=mistyped(rng, who.phone, 3))


def placeholder_phone(rng: Chance, who: Demographics) -> Demographics:
    """A phone number that lets the form pass."""
    return replace(who, phone=rng.pick(tables().placeholders.phones))


def phone_elsewhere(rng: Chance, who: Demographics) -> Demographics:
    """The mobile number where the number at work belongs, or in the column of documents."""
    if not who.identity and rng.random() < 0.5:
        return replace(who, phone="", identity=who.phone)
    return replace(who, phone="", work_phone=who.phone)


def new_phone(rng: Chance, who: Demographics) -> Demographics:
    """Another number by now."""
    return replace(who, phone=places().mobile(rng))


# --- the rest ---------------------------------------------------------------------------------------------------------


def wrong_sex(rng: Chance, who: Demographics) -> Demographics:
    """The other box ticked."""
    return replace(who, sex="F" if who.sex == "M" else "M")


def moved(rng: Chance, who: Demographics) -> Demographics:
    """Another address by now."""
    return replace(who, home=places().home(rng)[0])


def address_otherwise(rng: Chance, who: Demographics) -> Demographics:
    """The same address in other words."""
    street = who.home.street.replace("幢", rng.pick(("栋", "号楼", "-"))).replace("单元", rng.pick(("单元", "-", "")))
    return replace(who, home=replace(who.home, street=street.replace("室", rng.pick(("室", "")))))


Mistake = Callable[[Chance, Demographics], Demographics]

NAMES: Sequence[tuple[str, Mistake, float]] = (
    ("homophone", homophone, 34),
    ("surname homophone", family_homophone, 8),
    ("traditional", in_traditional, 16),
    (ROMANISED, romanised, 14),
    ("swapped name", swapped_name, 9),
    ("name in one field", in_one_field, 8),
    ("another character", another_character, 3),
    (MAIDEN, maiden, 2),
    (DOUBLE, double_barrelled, 2),
)
"""Class of mistake, what does it, and how often it is the one."""
BIRTHS: Sequence[tuple[str, Mistake, float]] = (
    ("swapped birth date", swapped_birth, 35),
    ("mistyped birth date", mistyped_birth, 35),
    ("1 January", first_of_january, 20),
    ("a year off", another_year, 10),
)
DOCUMENTS: Sequence[tuple[str, Mistake, float]] = (
    ("no document", no_document, 38),
    ("15 digits", old_document, 40),
    ("mistyped document", mistyped_document, 17),
    ("placeholder document", placeholder_document, 5),
)
PHONES: Sequence[tuple[str, Mistake, float]] = (
    ("new phone", new_phone, 55),
    ("mistyped phone", mistyped_phone, 20),
    ("placeholder phone", placeholder_phone, 10),
    ("phone in another column", phone_elsewhere, 15),
)
ADDRESSES: Sequence[tuple[str, Mistake, float]] = (("moved", moved, 40), ("address otherwise", address_otherwise, 60))
SEXES: Sequence[tuple[str, Mistake, float]] = (("wrong sex", wrong_sex, 1),)
