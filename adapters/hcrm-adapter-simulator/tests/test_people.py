"""People are believable: numbers, names, households."""

from collections import Counter, defaultdict
from datetime import date
from functools import lru_cache

from hcrm_adapter_simulator.catalogue import read
from hcrm_adapter_simulator.people import Person
from hcrm_adapter_simulator.population import block


@lru_cache(maxsize=1)
def persons() -> list[Person]:
    return [person for number in range(60) for person in block(5, number, date(2025, 6, 30))]


def is_valid(number: str) -> bool:
    """GB 11643 by its own words: the sum of digits times 2^(place) from the right leaves 1 modulo 11."""
    values = [10 if digit == "X" else int(digit) for digit in number]
    return len(number) == 18 and sum(v * pow(2, 17 - i, 11) for i, v in enumerate(values)) % 11 == 1


def test_identity_numbers_are_valid_and_agree_with_the_person() -> None:
    numbers = [(p, p.first.identity) for p in persons() if p.first.identity]
    assert len(numbers) > 2500
    for person, number in numbers:
        assert is_valid(number)
        assert number[6:14] == f"{person.first.birth:%Y%m%d}"
        assert int(number[16]) % 2 == (person.first.sex == "M")
    assert max(Counter(number for _, number in numbers).values()) == 1


def test_some_people_share_a_name_or_its_sound() -> None:
    groups = read("names")["homophones"]
    sound = {c: group[0] for kind in ("given", "family") for group in groups[kind] for c in group}
    names = Counter("".join(sound.get(c, c) for c in p.first.family + p.first.given) for p in persons())
    shared = sum(count for count in names.values() if count > 1) / len(persons())
    assert 0.04 < shared < 0.4


def test_there_are_compound_surnames() -> None:
    assert any(len(p.first.family) == 2 for p in persons())


def test_households_share_an_address_and_often_a_phone() -> None:
    homes = defaultdict(list)
    for person in persons():
        homes[person.first.home].append(person.first)
    assert max(map(len, homes.values())) <= 6
    shared = [members for members in homes.values() if len(members) > 1]
    assert len(shared) > len(homes) / 3
    assert any(len({m.phone for m in members}) < len(members) for members in shared)


def test_few_are_registered_twice_and_keep_their_identity_number() -> None:
    twice = [p for p in persons() if p.second is not None]
    assert 0.015 < len(twice) / len(persons()) < 0.05
    assert all(p.second and p.second.identity == p.first.identity for p in twice)


def test_data_holds_no_character_a_format_would_escape() -> None:
    def texts(value: object) -> list[str]:
        if isinstance(value, dict):
            return [text for part in value.values() for text in texts(part)]
        if isinstance(value, list):
            return [text for part in value for text in texts(part)]
        return [value] if isinstance(value, str) else []

    for name in ("allergens", "diagnoses", "hospital", "labs", "names", "payers", "places", "prices"):
        for text in texts(read(name)):
            assert not set(text) & set('|^~\\&"'), (name, text)
