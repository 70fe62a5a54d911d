"""Adapters that each break one promise of the contract."""

import os
import random
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from hcrm_core.api import (
    UNSET,
    Connection,
    Encounter,
    FieldCoverage,
    InputError,
    Organization,
    Origin,
    Patient,
    Problem,
    RawField,
    RawMessage,
    Received,
    Statement,
    Translation,
    Verdict,
)
from support.ward_list import END, Lines, WardConnection, WardList, WardSettings


class HasASentenceForAVersion(WardList):
    version = "the first version"


class HasANameWithBlanks(WardList):
    name = "Ward List"


class LenientSettings(WardSettings, frozen=True, forbid_unknown_fields=False, kw_only=True):
    pass


class TakesUnknownSettings(WardList):
    settings_type = LenientSettings


class PositionalSettings(WardSettings, frozen=True, forbid_unknown_fields=True):
    ward: str = ""


class TakesSettingsByPosition(WardList):
    settings_type = PositionalSettings


class ReadsAFile(WardList):
    def instant(self, text: str) -> datetime:
        Path(os.devnull).read_bytes()
        return super().instant(text)


class OpensASocket(WardList):
    def instant(self, text: str) -> datetime:
        socket.socket().close()
        return super().instant(text)


class RunsAProgram(WardList):
    def split(self, data: bytes, name: str) -> Iterator[RawMessage]:
        os.system("true")
        return super().split(data, name)


class AsksTheEnvironment(WardList):
    def instant(self, text: str) -> datetime:
        os.environ.get("WARD")
        return super().instant(text)


class AsksTheClock(WardList):
    def acknowledge(self, payload: bytes, verdict: Verdict) -> bytes:
        return super().acknowledge(payload, verdict) if datetime.now(UTC).year > 2000 else b""


class AsksForChance(WardList):
    def instant(self, text: str) -> datetime:
        random.random()
        return super().instant(text)


class TrustsTheMachinesZone(WardList):
    def instant(self, text: str) -> datetime:
        return datetime.fromtimestamp(datetime.strptime(text, "%Y%m%d%H%M%S").timestamp(), UTC)


class GoesThroughASet(WardList):
    def records(self, lines: Lines) -> list:
        made = {record.key: record for record in super().records(lines)}
        return [made[key] for key in set(made)]


class RemembersMessages(WardList):
    last = ""

    def patient(self, line: list[str]) -> Patient:
        before, self.last = self.last, line[1]
        made = super().patient(line)
        return made if before in ("", line[1]) else Patient(key=made.key, identifier=made.identifier)


class WritesDatesItsOwnWay(WardList):
    def patient(self, line: list[str]) -> Patient:
        made = super().patient(line)
        return Patient(key=made.key, identifier=made.identifier, name=made.name, telecom=made.telecom,
                       gender=made.gender, birth_date=line[4].replace("-", "/") or UNSET)  # fmt: skip


class GivesListsForTuples(WardList):
    def phone(self, text: str) -> object:
        found = super().phone(text)
        return list(found) if isinstance(found, tuple) else found


class StatesARecordTwice(WardList):
    def records(self, lines: Lines) -> list:
        made = super().records(lines)
        return [*made, made[0]]


class StatesSeconds(WardList):
    def statement(self, said_at: datetime) -> Statement:
        return Statement(said_at=int(said_at.timestamp()))


class RefersToNothing(WardList):
    def visit(self, line: list[str], patient: str) -> Encounter:
        made = super().visit(line, patient)
        return Encounter(key=made.key, subject=f"ward/{patient}", class_=made.class_, period_start=made.period_start)


class ForgetsAField(WardList):
    def coverage(self, payload: bytes) -> FieldCoverage:
        found = super().coverage(payload)
        return FieldCoverage(found.mapped, (), found.unknown)


class ListsAFieldTwice(WardList):
    def coverage(self, payload: bytes) -> FieldCoverage:
        found = super().coverage(payload)
        return FieldCoverage(found.mapped, found.ignored, found.ignored)


class ListsAFieldThatIsNotThere(WardList):
    def coverage(self, payload: bytes) -> FieldCoverage:
        found = super().coverage(payload)
        return FieldCoverage((*found.mapped, "E-9"), found.ignored, found.unknown)


class TakesEmptyForSilence(WardList):
    def phone(self, text: str) -> object:
        return UNSET if text == "-" else super().phone(text)


class TakesSilenceForEmpty(WardList):
    def phone(self, text: str) -> object:
        return super().phone(text) if text else None


class CountsRepetitions(WardList):
    def diagnosis_key(self, line: list[str], number: int) -> str:
        return str(number)


class SetsWithoutMembers(WardList):
    def group(self, visit: str) -> str | None:
        return None


class ReadsOnlyTheFirstMember(WardList):
    def records(self, lines: Lines) -> list:
        others = [line for line in lines if line[0] != "D"]
        return super().records([*others, *[line for line in lines if line[0] == "D"][:1]])


class NamesAPlaceThatIsNotThere(WardList):
    def origins(self, payload: bytes) -> list[Origin]:
        return [Origin(one.kind, one.key, one.field, f"{one.path}7") for one in super().origins(payload)]


class LeavesAnOriginOut(WardList):
    def origins(self, payload: bytes) -> list[Origin]:
        return [one for one in super().origins(payload) if one.field != "gender"]


class TellsTheOriginOfNothing(WardList):
    def origins(self, payload: bytes) -> list[Origin]:
        found = super().origins(payload)
        return [*found, *(Origin("Patient", one.key, "language", one.path) for one in found if one.field == "name")]


class RaisesForBadInput(WardList):
    def translate(self, payload: bytes) -> Translation:
        if payload.count(b"~") < 3:
            raise IndexError("too few fields")
        return super().translate(payload)


class RaisesInFields(WardList):
    def fields(self, payload: bytes) -> list[RawField]:
        self.lines(payload)
        return super().fields(payload)


class RaisesInConformance(WardList):
    def conformance(self, payload: bytes, profile: str | None = None) -> list[Problem]:
        self.lines(payload)
        return []


class QuotesInConformance(WardList):
    def conformance(self, payload: bytes, profile: str | None = None) -> list[Problem]:
        shown = payload.decode("utf-8", "replace").splitlines()[1:2]
        return [Problem("not-in-table", "", f"There is no code {''.join(shown)}.")]


class HangsOnLongInput(WardList):
    def translate(self, payload: bytes) -> Translation:
        while len(payload) > 500_000:
            time.sleep(1)
        return super().translate(payload)


class QuarantinesWithRecords(WardList):
    def translate(self, payload: bytes) -> Translation:
        found = super().translate(payload)
        if found.quarantine is None or b"\nD~" not in payload:
            return found
        return Translation("", records=(Organization(key="ward"),), quarantine=found.quarantine)


class DiesOfABadByte(WardList):
    def decoded(self, payload: bytes) -> str:
        if b"\xff" in payload:
            os._exit(9)
        return super().decoded(payload)


class RepeatsTheLine(WardList):
    def translate(self, payload: bytes) -> Translation:
        found = super().translate(payload)
        if found.quarantine is None:
            return found
        shown = payload.decode("utf-8", "replace").splitlines()[1:2]
        return Translation("", quarantine=Problem("unreadable", "", f"This cannot be read: {''.join(shown)}."))


class Shouts(WardList):
    def translate(self, payload: bytes) -> Translation:
        found = super().translate(payload)
        if found.quarantine is None:
            return found
        return Translation("", quarantine=Problem("Unreadable!", "", found.quarantine.text))


class SaysTooLittle(WardList):
    def translate(self, payload: bytes) -> Translation:
        found = super().translate(payload)
        return found if found.quarantine is None else Translation("", quarantine=Problem("unreadable", "", "bad"))


class ReplacesWhatItCannotDecode(WardList):
    def decoded(self, payload: bytes) -> str:
        return payload.decode("utf-8", "replace")


class MistakesOneCharsetForAnother(WardList):
    def decoded(self, payload: bytes) -> str:
        return payload.decode("gb18030") if b"\xd5" in payload else payload.decode("latin-1")


class NamesSuffixesAndReadsNoFiles(WardList):
    def split(self, data: bytes, name: str) -> Iterator[RawMessage]:
        raise InputError("I read no files.")


class ReadsFilesWithoutSuffixes(WardList):
    file_suffixes = ()


class NamesASuffixInCapitals(WardList):
    file_suffixes = (".ward", "WARD")


class LosesTheLastMessage(WardList):
    def split(self, data: bytes, name: str) -> Iterator[RawMessage]:
        found = list(super().split(data, name))
        return iter(found[:-1] if len(found) > 1 else found)


class TidiesMessagesUp(WardList):
    def split(self, data: bytes, name: str) -> Iterator[RawMessage]:
        for raw in super().split(data, name):
            yield RawMessage(raw.payload.replace(b"~M~", b"~F~"), raw.control_id)


class PieceIsMessage(WardConnection):
    def receive(self, data: bytes) -> list[Received | Problem]:
        return [Received(data.rstrip(END))]


class TakesEveryPieceForAMessage(WardList):
    def connection(self) -> Connection:
        return PieceIsMessage()


class DeniesThatItListens(WardList):
    listens = False


class KeepsTheLastByte(WardConnection):
    def receive(self, data: bytes) -> list[Received | Problem]:
        return [Received(one.payload + END) for one in super().receive(data) if isinstance(one, Received)]


class LeavesTheFramingIn(WardList):
    def connection(self) -> Connection:
        return KeepsTheLastByte()


class AcceptsEverything(WardList):
    def acknowledge(self, payload: bytes, verdict: Verdict) -> bytes:
        return b"YES" + END


class AnswersNothing(WardList):
    def acknowledge(self, payload: bytes, verdict: Verdict) -> bytes:
        return b""


class CountsItsAnswers(WardList):
    answered = 0

    def acknowledge(self, payload: bytes, verdict: Verdict) -> bytes:
        self.answered += 1
        return super().acknowledge(payload, verdict) + str(self.answered).encode()
