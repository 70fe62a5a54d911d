"""A small adapter of a made-up format that keeps every promise: what is broken in its children is broken alone.

    V~20260601093000~C1                          written at, control id: begins a message
    P~P0042~张伟~M~1980-02-14~13800000001        patient, name, sex, birth date, phone; `-` says that there is none
    E~V0001~AMB~20260601090000                   visit, class, start
    D~I10~高血压                                  a diagnosis of the visit; a message lists all of them

A message is sent over a connection with the byte 0x1D behind it.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hcrm_core.api import (
    UNSET,
    Adapter,
    AnyRecord,
    CodeableConcept,
    Coding,
    CompleteSet,
    Condition,
    Connection,
    ContactPoint,
    Encounter,
    FieldCoverage,
    HumanName,
    Identifier,
    InputError,
    Origin,
    Patient,
    Problem,
    RawField,
    RawMessage,
    Received,
    SourceSettings,
    Statement,
    Translation,
    Verdict,
)

END = b"\x1d"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SEX = {"M": "male", "F": "female"}
MAPPED = {"V-1", "P-1", "P-2", "P-3", "P-4", "P-5", "E-1", "E-2", "E-3", "D-1", "D-2"}
IGNORED = {"V-2"}
COUNTS = {"V": 3, "P": 6, "E": 4, "D": 3}
Lines = list[list[str]]


class WardSettings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Attributes: charset: How messages are encoded."""

    charset: str = "UTF-8"


class WardConnection(Connection):
    """Messages end with 0x1D."""

    def __init__(self) -> None:
        self.held = b""

    def receive(self, data: bytes) -> list[Received | Problem]:
        *whole, self.held = (self.held + data).split(END)
        return [Received(payload, control_id(payload)) for payload in whole]

    @property
    def pending(self) -> int:
        return len(self.held)


class WardList(Adapter):
    """Keeps every promise."""

    name = "ward-list"
    version = "1"
    settings_type = WardSettings
    file_suffixes = (".ward",)
    listens = True

    def split(self, data: bytes, name: str) -> Iterator[RawMessage]:
        if not data.startswith(b"V~"):
            raise InputError("It does not begin with a line V~.")
        begins = [found.start() for found in re.finditer(rb"(?m)^V~", data)]
        for begin, end in zip(begins, [*begins[1:], len(data)], strict=True):
            payload = data[begin:end].rstrip(b"\r\n")
            yield RawMessage(payload, control_id(payload))

    def connection(self) -> Connection:
        return WardConnection()

    def acknowledge(self, payload: bytes, verdict: Verdict) -> bytes:
        word = {"refused": b"NO", "unavailable": b"LATER", "quarantined": b"UNREAD"}.get(verdict.outcome, b"YES")
        return word + b" " + control_id(payload).encode() + END

    def translate(self, payload: bytes) -> Translation:
        try:
            lines = self.lines(payload)
            said_at = self.instant(lines[0][1])
            people = [line for line in lines if line[0] == "P"]
            if len(people) != 1 or not people[0][1]:
                return Translation("", quarantine=Problem("no-patient", "P-1", "There is not one patient in it."))
            records = self.records(lines)
        except (ValueError, LookupError):
            return Translation("", quarantine=Problem("unreadable", "", "Its lines cannot be read; send it again."))
        visits = {line[1] for line in lines if line[0] == "E"}
        return Translation(
            message_type="ward",
            statement=self.statement(said_at),
            records=tuple(records),
            complete=tuple(CompleteSet("Condition", visit) for visit in sorted(visits)),
            coverage=self.coverage(payload),
        )

    def records(self, lines: Lines) -> list[AnyRecord]:
        made: dict[tuple[str, str], AnyRecord] = {}
        patient = visit = ""
        for number, line in enumerate(lines):
            if line[0] == "P":
                patient = line[1]
                record: AnyRecord = self.patient(line)
            elif line[0] == "E":
                visit = line[1]
                record = self.visit(line, patient)
            elif line[0] == "D":
                record = self.diagnosis(line, patient, visit, number)
            else:
                continue
            made[type(record).__name__, record.key] = record
        return list(made.values())

    def patient(self, line: list[str]) -> Patient:
        _, number, name, sex, born, phone = line
        return Patient(
            key=number,
            identifier=(Identifier(value=number, system="WARD", type="MR"),),
            name=(HumanName(text=name),) if name else UNSET,
            gender=SEX.get(sex, UNSET),
            birth_date=datetime.strptime(born, "%Y-%m-%d").date().isoformat() if born else UNSET,
            telecom=self.phone(phone),
        )

    def phone(self, text: str) -> object:
        if text == "-":
            return None
        return (ContactPoint(value=text, system="phone"),) if text else UNSET

    def visit(self, line: list[str], patient: str) -> Encounter:
        _, number, kind, start = line
        began = self.instant(start).isoformat() if start else UNSET
        return Encounter(key=number, subject=patient, class_=kind or UNSET, period_start=began)

    def diagnosis(self, line: list[str], patient: str, visit: str, number: int) -> Condition:
        code = CodeableConcept(coding=(Coding(code=line[1], display=line[2] or None),))
        key = f"{visit}|{self.diagnosis_key(line, number)}"
        return Condition(key=key, group=self.group(visit), subject=patient, encounter=visit, code=code)

    def diagnosis_key(self, line: list[str], number: int) -> str:
        if not line[1]:
            raise ValueError("no code")
        return line[1]

    def group(self, visit: str) -> str | None:
        return visit

    def statement(self, said_at: datetime) -> Statement:
        return Statement(said_at=(said_at - EPOCH) // timedelta(microseconds=1))

    def coverage(self, payload: bytes) -> FieldCoverage:
        filled = list(dict.fromkeys(one.field for one in self.fields(payload)))
        return FieldCoverage(
            mapped=tuple(name for name in filled if name in MAPPED),
            ignored=tuple(name for name in filled if name in IGNORED),
            unknown=tuple(name for name in filled if name not in MAPPED | IGNORED),
        )

    def fields(self, payload: bytes) -> list[RawField]:
        try:
            lines = self.lines(payload)
        except ValueError:
            return []
        found = []
        for number, line in enumerate(lines, start=1):
            for place, text in enumerate(line):
                if place and text:
                    name = f"{line[0]}-{place}"
                    found.append(RawField(f"{line[0]}[{number}]-{place}", name, text, line[0] == "P"))
        return found

    def origins(self, payload: bytes) -> list[Origin]:
        found = []
        for record in self.translate(payload).records:
            kind = type(record).__name__
            for field, path in ORIGINS[kind].items():
                if getattr(record, field) is not UNSET:
                    found.append(Origin(kind, record.key, field, path))
        return found

    def lines(self, payload: bytes) -> Lines:
        text = self.decoded(payload)
        lines = [line.split("~") for line in text.replace("\r\n", "\n").split("\n") if line]
        if not lines or lines[0][0] != "V" or any(len(line) != COUNTS.get(line[0], 0) for line in lines):
            raise ValueError("not a ward list")
        return lines

    def decoded(self, payload: bytes) -> str:
        assert isinstance(self.settings, WardSettings)
        return payload.decode(self.settings.charset)

    def instant(self, text: str) -> datetime:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=ZoneInfo(self.settings.timezone))


def control_id(payload: bytes) -> str:
    """The third field of the first line."""
    return b"~".join(payload.partition(b"\n")[0].split(b"~")[2:3]).decode("ascii", "replace").strip()


ORIGINS = {
    "Patient": {
        "identifier": "P-1", "name": "P-2", "gender": "P-3", "birth_date": "P-4", "telecom": "P-5",
    },
    "Encounter": {"subject": "key of patient", "class_": "E-2", "period_start": "E-3"},
    "Condition": {"subject": "key of patient", "encounter": "E-1", "code": "D-1"},
}  # fmt: skip
