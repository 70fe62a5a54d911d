"""The event model: what a hospital's systems state, before it is a message or a record."""

from typing import Any

from msgspec import Struct

from hcrm_adapter_simulator.catalogue import Analyte, Code, Panel
from hcrm_adapter_simulator.hospital import Department, Doctor
from hcrm_adapter_simulator.people import Demographics, Person


class Finding(Struct, frozen=True, gc=False):
    """A diagnosis as stated: `stage` is HL7 table 0052, `rank` 1 the principal."""

    code: Code
    stage: str
    rank: int
    stated: int
    doctor: Doctor


class Visit(Struct, frozen=True, gc=False):
    """A visit or stay as known at one moment. Instants are -1 where not known; `class_` is HL7 table 0004."""

    number: str
    class_: str
    department: Department
    room: str
    bed: str
    doctor: Doctor
    payer: str
    begun: int = -1
    ended: int = -1
    disposition: str = ""
    source: str = ""
    findings: tuple[Finding, ...] = ()


class Booking(Struct, frozen=True, gc=False):
    """An appointment as known at one moment; `status` is HL7 table 0278."""

    number: str
    status: str
    start: int
    minutes: int
    doctor: Doctor
    service: Code
    reason: Code
    cancelled_for: Code | None = None
    visit: Visit | None = None


class Result(Struct, frozen=True, gc=False):
    """One value of a report; `code` is set for a coded one, `text` for an examination's finding."""

    analyte: Analyte
    value: str
    code: Code | None
    flag: str
    status: str


class Report(Struct, frozen=True, gc=False):
    """A report as stated; `status` is HL7 table 0123."""

    number: str
    panel: Panel
    status: str
    collected: int
    issued: int
    doctor: Doctor
    visit: Visit
    results: tuple[Result, ...]


class Charge(Struct, frozen=True, gc=False):
    """One line of a bill, in fen."""

    number: str
    code: Code
    quantity: int
    amount: int
    occurred: int
    department: Department


class Event(Struct, eq=False, gc=False):
    """One statement about one patient. The timeline fills in what stands from `delay` on.

    Attributes:
        trigger: As in MSH-9: `ADT^A01`.
        person: Whom it is about.
        mrn: Under which record number.
        chain: Statements of one chain are made in the order things happened (a visit's, a booking's, a report's).
        occurred: When it happened.
        who: The person as this statement describes them.
        change: What it newly says of the person, by member of `Demographics`.
        merged: The record number that was merged into `mrn` (A40).
        delay: How long after it happened the statement was made, at least.
        said: When it was made.
        control_id: Of its message.
        copies: How often its message was sent.
    """

    trigger: str
    person: Person
    mrn: str
    chain: str
    occurred: int
    who: Demographics
    visit: Visit | None = None
    booking: Booking | None = None
    report: Report | None = None
    charges: tuple[Charge, ...] = ()
    change: dict[str, Any] | None = None
    merged: str = ""
    delay: int = 0
    said: int = 0
    control_id: str = ""
    copies: int = 1
