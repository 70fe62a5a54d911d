"""One person's life with the hospital: a schedule of things that will happen, worked off in order."""

from collections.abc import Callable
from functools import lru_cache
from heapq import heappop, heappush
from typing import Any

from hcrm_adapter_simulator.catalogue import Diagnosis
from hcrm_adapter_simulator.chance import Chance
from hcrm_adapter_simulator.events import Event
from hcrm_adapter_simulator.hospital import Doctor, Hospital
from hcrm_adapter_simulator.instants import DAY, MINUTE, calendar, ordered, start_of_day, weekday
from hcrm_adapter_simulator.people import Demographics, Person
from hcrm_adapter_simulator.settings import Settings

REGISTERED_AHEAD = 0.5
SECOND_MERGED = 0.7
PEDIATRIC_AGE = 14
PEDIATRIC = frozenset({"RESP", "GAST", "CARD", "NEUR"})


@lru_cache(maxsize=10_000)
def four_digits(number: int) -> str:
    """A number as numbers of messages, visits and reports end, of which a person has a hundred."""
    return f"{number:04d}"


class Life:
    """What has happened to a person so far, and what will.

    Attributes:
        stem: What all of the person's numbers have in common.
        rng: The person's own chance.
        begin, end: The first instant told, and the first no longer told.
        events: What the systems had to state, not yet in the order of statements.
        over: The person died or never comes again.
        on_ward_until: The end of the latest stay; until then they go nowhere else.
        treated: By diagnosis, the end of the latest stay for it.
        second_from: From when another desk does not find their first registration.
        merged_at: When the two are merged.
    """

    def __init__(self, settings: Settings, hospital: Hospital, person: Person) -> None:
        """Args: settings: of the simulation; hospital: where; person: who."""
        self.rng = Chance(f"life:{settings.seed}:{person.index}")
        self.begin = settings.begin
        self.end = settings.end
        self.hospital = hospital
        self.person = person
        self.stem = f"{person.index + 1:06d}"
        self.now: Demographics = person.first
        self.events: list[Event] = []
        self.over = False
        self.doctors: dict[str, Doctor] = {}
        self._schedule: list[tuple[int, int, Callable[[int], None]]] = []
        self._numbers = 0
        self._known: set[str] = set()
        self._born = ordered(person.first.birth)
        self.on_ward_until = -1
        self.treated: dict[str, int] = {}
        self.second_from = -1
        self.merged_at = -1

    def at(self, instant: int, action: Callable[[int], None]) -> None:
        """Let something happen at an instant."""
        self._numbers += 1
        heappush(self._schedule, (instant, self._numbers, action))

    def live(self) -> None:
        """Work off the schedule until the simulated time, or the life, ends."""
        while self._schedule:
            instant, _, action = heappop(self._schedule)
            if instant >= self.end or self.over:
                self._schedule.clear()
            else:
                action(instant)

    def tell(self, trigger: str, mrn: str, chain: str, occurred: int, **what: Any) -> None:
        """Note a statement."""
        person = self.person
        self.events.append(Event(trigger, person, mrn, chain, occurred, person.first, **what))

    def number(self, prefix: str) -> str:
        """A number nobody else has."""
        self._numbers += 1
        return f"{prefix}{self.stem}{four_digits(self._numbers)}"

    def age(self, instant: int) -> int:
        """Completed years."""
        return (calendar(instant) - self._born) // 10_000

    def comes(self) -> bool:
        """Whether the person chooses this hospital once more."""
        return self.rng.random() < 0.3 + 0.68 * self.person.satisfaction

    def contact(self, instant: int) -> str:
        """The record number the desk finds, or makes, for the person."""
        person = self.person
        second = person.second_mrn and 0 <= self.second_from <= instant
        mrn = person.second_mrn if second and not 0 <= self.merged_at <= instant else person.mrn
        if mrn in self._known:
            return mrn
        self._known.add(mrn)
        if self.rng.random() < REGISTERED_AHEAD:
            self.tell("ADT^A28", mrn, f"registration {mrn}", instant - 2 * MINUTE)
        if mrn == person.second_mrn and self.rng.random() < SECOND_MERGED:
            self.merged_at = instant + self.rng.between(5 * DAY, 90 * DAY)
            self.tell("ADT^A40", person.mrn, "merge", self.merged_at, merged=mrn)
        return mrn

    def department(self, diagnosis: Diagnosis, instant: int) -> str:
        """Where it is treated: children have a department of their own."""
        if diagnosis.department in PEDIATRIC and self.age(instant) < PEDIATRIC_AGE:
            return "PEDI"
        return diagnosis.department

    def clinic(self, department: str, instant: int) -> tuple[Doctor, int]:
        """The first clinic from the day of an instant on, if possible with the doctor one knows; and its day."""
        known = self.doctors.get(department)
        start = start_of_day(instant)
        while True:
            today = weekday(start)
            if known is not None and today in known.weekdays and self.rng.random() < 0.8:
                return known, start
            present = self.hospital.clinics[department][today]
            if present:
                doctor = self.rng.pick(present)
                self.doctors[department] = doctor
                return doctor, start
            start += DAY
