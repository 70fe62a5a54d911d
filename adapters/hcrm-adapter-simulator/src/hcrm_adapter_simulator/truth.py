"""What truly happened, counted: to check what a hospital CRM makes of the messages."""

from collections import Counter
from collections.abc import Iterable, Sequence

from hcrm_adapter_simulator.events import Event
from hcrm_adapter_simulator.instants import DAY

READMITTED_WITHIN = 30 * DAY
_COUNTED = {
    "ADT^A11": "cancelled_admissions",
    "ADT^A13": "cancelled_discharges",
    "ADT^A02": "transfers",
    "ADT^A40": "merges",
    "SIU^S12": "appointments",
    "SIU^S13": "rebooked_appointments",
    "SIU^S15": "cancelled_appointments",
    "SIU^S26": "no_shows",
}


def count(events: Sequence[Event]) -> Counter[str]:
    """The truth of one person's statements, by name; sums over persons are the hospital's."""
    truth: Counter[str] = Counter(persons=1, statements=len(events))
    truth["patients"] = len({event.mrn for event in events} | {event.merged for event in events if event.merged})
    for event in events:
        truth["messages"] += event.copies
        truth["duplicates"] += event.copies - 1
        name = _COUNTED.get(event.trigger)
        if name:
            truth[name] += 1
        if event.delay >= 3600:
            truth["late"] += 1
        if event.report is not None:
            truth["reports" if event.report.status == "F" else "corrected_reports"] += 1
        truth["charges"] += len(event.charges)
        truth["charged_fen"] += sum(charge.amount for charge in event.charges)
    truth["deaths"] = int(any(event.change and "died" in event.change for event in events))
    _visits(events, truth)
    return truth


def _visits(events: Iterable[Event], truth: Counter[str]) -> None:
    """Visits and stays as they stand after the last statement of each."""
    visits = {e.visit.number: (e.trigger, e.visit) for e in events if e.visit is not None and e.trigger[:3] == "ADT"}
    stays = []
    for trigger, visit in visits.values():
        if visit.class_ == "O":
            truth["outpatient_visits"] += 1
        elif visit.class_ == "E":
            truth["emergency_visits"] += 1
        elif visit.class_ == "I" and trigger != "ADT^A11":
            stays.append(visit)
    stays.sort(key=lambda visit: visit.begun)
    truth["stays"] += len(stays)
    for nth, stay in enumerate(stays):
        if stay.ended < 0:
            truth["in_hospital"] += 1
            continue
        truth["discharges"] += 1
        following = stays[nth + 1] if nth + 1 < len(stays) else None
        if following is not None and following.begun - stay.ended <= READMITTED_WITHIN:
            truth["readmissions_30_days"] += 1
