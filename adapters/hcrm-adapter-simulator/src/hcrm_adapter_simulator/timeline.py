"""From what happened to what was stated: delays, the order of statements, who the person was then, control ids."""

from operator import attrgetter

from msgspec.structs import replace

from hcrm_adapter_simulator.events import Event
from hcrm_adapter_simulator.instants import HOUR
from hcrm_adapter_simulator.life import Life, four_digits

LATE = 0.03
TWICE = 0.005
SYSTEMS = {"ADT": "H", "SIU": "S", "ORU": "L", "DFT": "B"}
"""The first letter of a control id, by the system that sends it."""


def statements(life: Life) -> list[Event]:
    """The statements of one person up to the end of the simulated time, in order; no two at the same second."""
    told = _stated_in_time(life)
    told.sort(key=attrgetter("said"))
    person = life.person
    known = {person.mrn: person.first}
    if person.second is not None:
        known[person.second_mrn] = person.second
    chance = life.rng.random
    merged = False
    last = 0
    for nth, event in enumerate(told):
        if event.said <= last:
            event.said = last + 1
        last = event.said
        if merged and event.mrn == person.second_mrn:
            event.mrn = person.mrn
        merged = merged or bool(event.merged)
        if event.change:
            known[event.mrn] = replace(known[event.mrn], **event.change)
        event.who = known[event.mrn]
        event.control_id = f"{SYSTEMS[event.trigger[:3]]}{life.stem}{four_digits(nth)}"
        if chance() < TWICE:
            event.copies = 2
    return told


def _stated_in_time(life: Life) -> list[Event]:
    """Give each event its statement time, keeping each chain's order, and leave out what nobody has stated yet."""
    rng, end = life.rng, life.end
    last: dict[str, int] = {}
    told = []
    for event in sorted(life.events, key=attrgetter("occurred")):
        late = rng.random() < LATE
        event.delay = delay = rng.between(HOUR, 30 * HOUR) if late else rng.between(3, 150)
        said, before = event.occurred + delay, last.get(event.chain, 0)
        if said <= before:
            said = before + 1
        event.said = last[event.chain] = said
        if said < end:
            told.append(event)
    return told
