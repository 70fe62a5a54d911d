"""What comes out of translating one message."""

from typing import Annotated

from msgspec import Meta, Struct

from hcrm_core.model.records import AnyRecord


class RawMessage(Struct, frozen=True):
    """One message exactly as it arrived, with what landing must know of it.

    Attributes:
        payload: The bytes as received.
        control_id: The source's own id of the message (HL7 MSH-10); empty where it has none.
        repairs: What reading the file around it had to mend (a missing trailer, a stray line).
        place: Where it stood, for people: `sheet 患者, row 17`; the core puts the file's name before it.
    """

    payload: bytes
    control_id: str = ""
    repairs: tuple["Problem", ...] = ()
    place: str = ""


class Problem(Struct, frozen=True):
    """Something a person should know about a message; it never holds personal data.

    Attributes:
        code: A short stable name, lower case with hyphens: `charset-fallback`, `no-patient`.
        where: The field or line concerned (`PID-3.1`, `line 4`), or empty.
        text: One sentence: what was found and what was done or should be done about it.
    """

    code: str
    where: str
    text: str


class Statement(Struct, frozen=True):
    """When and in which order a message said what it said. Event time is data and never stands here.

    Attributes:
        said_at: Statement time in microseconds since 1970 UTC, of the years 1 to 9999 (HL7 EVN-2, else MSH-7).
        sequence: The source's sequence number (HL7 MSH-13), -1 where it has none.
        rank: 0 for an ordinary statement, 1 for one that cancels: at equal time the cancel comes after.
        rising: The control id where the source declares its control ids rising, else empty.
    """

    said_at: Annotated[int, Meta(ge=-62_135_596_800_000_000, le=253_402_300_799_999_999)]
    sequence: int = -1
    rising: str = ""
    rank: Annotated[int, Meta(ge=0, le=255)] = 0


class CompleteSet(Struct, frozen=True):
    """The message stated all members of a set: those of this kind and group that it did not mention are void."""

    kind: str
    group: str


class Coverage(Struct, frozen=True):
    """What became of each field the message filled, by HL7 reference (`PID-3`) or path.

    Attributes:
        mapped: Read into records.
        ignored: Known, and deliberately not read.
        unknown: Neither (a Z segment, a field no table mentions).
        left_out: To be read, but a value in it could not be: no date, no known code. A problem says which.
    """

    mapped: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class Translation(Struct, frozen=True):
    """One message as records.

    Attributes:
        message_type: The source's type (`ADT^A01`), empty where unreadable.
        statement: Its place in the order of statements; `None` only where `quarantine` is set.
        records: The records, each kind and key at most once.
        complete: The sets this message stated whole.
        coverage: What became of each field.
        problems: Repairs and doubts, for people.
        quarantine: Why the message could not be translated; then there are no records.
    """

    message_type: str
    statement: Statement | None = None
    records: tuple[AnyRecord, ...] = ()
    complete: tuple[CompleteSet, ...] = ()
    coverage: Coverage = Coverage()
    problems: tuple[Problem, ...] = ()
    quarantine: Problem | None = None


class RawField(Struct, frozen=True):
    """One filled field of a message as it was sent, for people to look at.

    Attributes:
        path: As in the coverage, with the occurrence of a repeated segment (`OBX[2]-5`).
        field: The path without occurrences (`OBX-5`).
        text: The field as sent, decoded, delimiters included.
        person: Whether it may tell who somebody is; it is then masked unless it is mapped to nothing that does.
    """

    path: str
    field: str
    text: str
    person: bool


class Origin(Struct, frozen=True):
    """Where in the message one field of one record came from: `Encounter`, `V1`, `period_end`, `PV1-45`."""

    kind: str
    key: str
    field: str
    path: str
