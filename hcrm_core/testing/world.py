"""A little invented hospital: two years of what a source would say, as records, for kits and tests.

`hospital` is a pure function of its seed. Everything in it is invented; names are put together from lists. It holds
what strategies stumble over: people known under two numbers, in Chinese and in English, without a birth date, who died
or were transferred; visits of every class, stays that go on; refunds with either sign; bookings that nobody came to;
corrections, and statements that were taken back.
"""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from hcrm_core.model.records import AnyRecord
from hcrm_core.model.translation import CompleteSet, Statement, Translation
from hcrm_core.testing.world_people import Resident, directory, residents
from hcrm_core.testing.world_visits import Said, visits

ZONE = "Asia/Shanghai"
END = datetime.combine(date(2026, 3, 31), time(20, 0), ZoneInfo(ZONE))
"""When a world ends: the last day of a month, which is one of the things that go wrong."""
DAYS = 730

Role = Literal["plain", "correction", "cancel"]


class Told(NamedTuple):
    """One message of a world.

    Attributes:
        translation: What it says.
        role: A `correction` says otherwise what another said before it, a `cancel` takes back what another said.
    """

    translation: Translation
    role: Role = "plain"

    @property
    def said_at(self) -> int:
        """Its statement time, microseconds since 1970 UTC."""
        assert self.translation.statement is not None
        return self.translation.statement.said_at


class World(NamedTuple):
    """What a hospital said until an instant.

    Attributes:
        told: In the order in which it was said.
        end: The instant at which strategies look at it; nothing is said after it.
        pairs: Keys of patients who are two persons; the kits say of each pair that it is one, and take it back.
    """

    told: tuple[Told, ...]
    end: datetime
    pairs: tuple[tuple[str, str], ...] = ()


def microseconds(instant: datetime) -> int:
    """An instant as microseconds since 1970 UTC."""
    return int((instant - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))


def hospital(seed: int = 1, patients: int = 48) -> World:
    """The hospital of a seed.

    Args:
        seed: Equal seeds give equal worlds.
        patients: How many source patients it has.
    """
    random = Random(seed)
    start = END - timedelta(days=DAYS)
    said = [Said(start, directory())]
    people = residents(random, patients, start, END)
    for person in people:
        said.append(Said(person.registered, person.records()))
        said += visits(random, person, END)
    said += _family(people, start)
    said = [one for one in said if one.at <= END]
    said.sort(key=lambda one: one.at)
    told = tuple(Told(_translation(one, place), one.role) for place, one in enumerate(said))
    return World(told, END, _pairs(people))


def _family(people: list[Resident], start: datetime) -> list[Said]:
    """The hospital itself says of two patients that they are one person, and means it."""
    one, other = people[4], people[5]
    return [Said(start + timedelta(days=DAYS - 80), (one.replaced_by(other),))]


def _pairs(people: list[Resident]) -> tuple[tuple[str, str], ...]:
    """Patients with a stay that ended lately, by twos."""
    recent = [one.key for place, one in enumerate(people) if one.recent and not one.twin and place not in (4, 5)]
    return tuple(zip(recent[0:8:2], recent[1:8:2], strict=False))


def _translation(one: Said, place: int) -> Translation:
    # The place makes every statement's time its own, as control ids would.
    statement = Statement(microseconds(one.at) + place, rank=1 if one.role == "cancel" else 0)
    records: dict[tuple[str, str], AnyRecord] = {(type(record).__name__, record.key): record for record in one.records}
    complete = tuple(CompleteSet(kind, group) for kind, group in one.complete)
    return Translation("KIT", statement, tuple(records.values()), complete)
