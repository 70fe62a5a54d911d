"""Events as HL7 v2 messages."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hcrm_adapter_simulator import hl7v2_segments as segment
from hcrm_adapter_simulator.events import Event
from hcrm_adapter_simulator.instants import hl7
from hcrm_adapter_simulator.keys import FACILITY
from hcrm_adapter_simulator.people import Person

CHARSETS = {"UTF-8": "UNICODE UTF-8", "GB18030": "GB 18030-2000"}
"""The charsets on offer, and their names in MSH-18 (HL7 table 0211)."""

_STRUCTURES = {
    "ADT^A01": "ADT_A01",
    "ADT^A02": "ADT_A02",
    "ADT^A03": "ADT_A03",
    "ADT^A04": "ADT_A01",
    "ADT^A05": "ADT_A05",
    "ADT^A08": "ADT_A01",
    "ADT^A11": "ADT_A09",
    "ADT^A13": "ADT_A01",
    "ADT^A28": "ADT_A05",
    "ADT^A31": "ADT_A05",
    "ADT^A40": "ADT_A39",
    "DFT^P03": "DFT_P03",
    "ORU^R01": "ORU_R01",
    "SIU^S12": "SIU_S12",
    "SIU^S13": "SIU_S12",
    "SIU^S14": "SIU_S12",
    "SIU^S15": "SIU_S12",
    "SIU^S26": "SIU_S12",
}
_SENDERS = {"ADT": ("HIS", "2.4"), "SIU": ("YYXT", "2.4"), "ORU": ("LIS", "2.5.1"), "DFT": ("SFXT", "2.4")}
DESK = frozenset({"ADT^A01", "ADT^A04", "ADT^A05", "ADT^A08", "ADT^A28", "ADT^A31"})
"""Sent by an admission desk, with contacts, allergies and insurance."""
DIAGNOSED = frozenset({"ADT^A01", "ADT^A03", "ADT^A08", "ADT^A13"})


class Message(NamedTuple):
    """One message, its segments ended by CR, with what sorts it among the others."""

    said: int
    control_id: str
    text: str


class Writer:
    """Writes the messages of one person after another; what repeats within a person is made once."""

    def __init__(self, charset: str) -> None:
        """Args: charset: a key of `CHARSETS`."""
        self._encoding = CHARSETS[charset]
        self._pid: tuple[object, str, str] = (None, "", "")
        self._person: Person | None = None
        self._desk = ("", "")
        self._insurance = ""

    def messages(self, events: Iterable[Event]) -> Iterator[Message]:
        """The messages of events, an event sent twice twice."""
        for event in events:
            message = Message(event.said, event.control_id, self._text(event))
            for _ in range(event.copies):
                yield message

    def _text(self, event: Event) -> str:
        trigger = event.trigger
        said = hl7(event.said)
        sender, version = _SENDERS[trigger[:3]]
        head = (
            f"MSH|^~\\&|{sender}|{FACILITY}|HCRM|{FACILITY}|{said}||{trigger}^{_STRUCTURES[trigger]}|{event.control_id}|P|"
            f"{version}|||AL|NE|CHN|{self._encoding}\r"
        )
        pid = self._pid_of(event)
        if event.report is not None:
            return f"{head}{pid}{_report(event)}"
        if event.booking is not None:
            return f"{head}{_booking(event, pid)}"
        event_segment = f"EVN|{trigger[4:]}|{said}||||{hl7(event.occurred)}\r"
        if event.charges:
            return f"{head}{event_segment}{pid}{_charges(event)}"
        return f"{head}{event_segment}{pid}{self._admission(event)}"

    def _pid_of(self, event: Event) -> str:
        who, mrn, text = self._pid
        if who is not event.who or mrn != event.mrn:
            text = segment.pid(event.mrn, event.who) + "\r"
            self._pid = (event.who, event.mrn, text)
        return text

    def _admission(self, event: Event) -> str:
        trigger, visit = event.trigger, event.visit
        if event.merged:
            return f"MRG|{event.merged}^^^{FACILITY}^MR\r"
        if event.person is not self._person:
            self._person = event.person
            self._desk = segment.person_segments(event.person)
            self._insurance = segment.in1(event.person)
        contacts, allergies = self._desk if trigger in DESK else ("", "")
        insurance = self._insurance if trigger in DESK else ""
        stay = segment.pv1(trigger, visit) if visit is not None else "PV1|1|N"
        findings = ""
        if visit is not None and visit.findings and trigger in DIAGNOSED:
            findings = "".join([f"{segment.dg1(n, f)}\r" for n, f in enumerate(visit.findings, 1)])
        return f"{contacts}{stay}\r{allergies}{findings}{insurance}"


def _report(event: Event) -> str:
    report = event.report
    assert report is not None
    collected = hl7(report.collected)
    results = "".join([f"{segment.obx(n, r, collected)}\r" for n, r in enumerate(report.results, 1)])
    return f"{segment.pv1_reference(report.visit)}\r{segment.obr(report)}\r{results}"


def _booking(event: Event, pid: str) -> str:
    booking = event.booking
    assert booking is not None
    visit = f"{segment.pv1_reference(booking.visit)}\r" if booking.visit is not None else ""
    return f"{segment.sch(booking)}\r{pid}{visit}{segment.resources(booking)}\r"


def _charges(event: Event) -> str:
    assert event.visit is not None
    occurred = hl7(event.occurred)
    lines = "".join([f"{segment.ft1(n, c, occurred)}\r" for n, c in enumerate(event.charges, 1)])
    return f"{segment.pv1_reference(event.visit)}\r{lines}"
