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
_REPORTS = {"F": "reports", "C": "corrected_reports"}


def count(events: Sequence[Event], truth: Counter[str]) -> None:
    """Add to the truth, by name, what one person's statements tell of it."""
    truth["persons"] += 1
    truth["statements"] += len(events)
    truth["patients"] += len({event.mrn for event in events} | {event.merged for event in events if event.merged})
    messages = sum([event.copies for event in events])
    truth["messages"] += messages
    truth["duplicates"] += messages - len(events)
    truth["late"] += sum([event.delay >= 3600 for event in events])
    truth.update([_COUNTED[event.trigger] for event in events if event.trigger in _COUNTED])
    truth.update([_REPORTS[event.report.status] for event in events if event.report is not None])
    charged = [charge.amount for event in events for charge in event.charges]
    truth["charges"] += len(charged)
    truth["charged_fen"] += sum(charged)
    truth["deaths"] += any("died" in event.change for event in events if event.change)
    _visits(events, truth)


def _visits(events: Iterable[Event], truth: Counter[str]) -> None:
    """Visits and stays as they stand after the last statement of each."""
    visits = {e.visit.number: (e.trigger, e.visit) for e in events if e.visit is not None and not e.charges}
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
