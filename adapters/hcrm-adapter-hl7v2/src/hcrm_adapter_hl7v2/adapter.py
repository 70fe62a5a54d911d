"""The HL7 v2 adapter: files, connections and messages in, records and acknowledgments out."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, cast

from hcrm_adapter_hl7v2.dictionary import field_name
from hcrm_adapter_hl7v2.mapping import dates
from hcrm_adapter_hl7v2.mapping.compiled import Event, compile_event
from hcrm_adapter_hl7v2.mapping.overlay import overlaid
from hcrm_adapter_hl7v2.mapping.tables import shipped
from hcrm_adapter_hl7v2.mapping.translate import Translator
from hcrm_adapter_hl7v2.mapping.view import Memos, View
from hcrm_adapter_hl7v2.mllp import MllpConnection, acknowledge
from hcrm_adapter_hl7v2.reader import Message, UnreadableMessage, default_codec, encode, read_message
from hcrm_adapter_hl7v2.splitting import problem_of, raw_messages, sentence
from hcrm_core.api import (
    Adapter,
    AnyRecord,
    ConfigurationError,
    FieldCoverage,
    Origin,
    Problem,
    RawField,
    RawMessage,
    SourceSettings,
    Statement,
    Translation,
    Verdict,
)

_HEADERS = ("MSH", "FHS", "BHS")
_IMPERSONAL = frozenset(("EVN", number) for number in (1, 2, 3, 4, 6, 7))

_SWALLOWED = re.compile(r"(?:^|[^A-Za-z])(?:EVN|PID|PD1|NK1|PV1|PV2|MRG|GT1|IN1|IN2|ORC|OBR|OBX|SCH|STF|Z[A-Z0-9]{2})$")
"""How a field ends whose segment has lost its end: what follows is a segment that may tell who somebody is."""

DAY = 24 * 60 * 60 * 1_000_000
"""Microseconds by which a sender's two clocks may differ."""

_TO_THE_DAY = len("YYYYMMDD")

REMEMBERED = 5_000
"""Shapes of messages kept."""


class Hl7v2Settings(SourceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of a source that speaks HL7 v2.

    Attributes:
        charset: How messages are encoded where MSH-18 is silent or says ASCII wrongly (`GB18030`, `UTF-8`, …).
        ignore_msh_18: Whether `charset` holds whatever MSH-18 says, for a sender that declares a wrong one.
        currency: ISO 4217 code of amounts sent without one.
        rising_control_ids: Whether MSH-10 counts up, so that it orders messages of the same instant.
    """

    charset: str | None = None
    ignore_msh_18: bool = False
    currency: str = "CNY"
    rising_control_ids: bool = False


class Hl7v2Adapter(Adapter):
    """HL7 v2.1 to 2.8 in ER7 (pipes and hats)."""

    name = "hl7v2"
    version = "1"
    settings_type = Hl7v2Settings
    file_suffixes = (".hl7", ".hl7v2", ".er7", ".msg", ".txt", ".dat")
    listens = True
    maps = True

    def __init__(self, source: str, settings: SourceSettings) -> None:
        """Args: source: its name; settings: `Hl7v2Settings`."""
        super().__init__(source, settings)
        assert isinstance(settings, Hl7v2Settings)
        try:
            default_codec(settings.charset)
        except ValueError as error:
            raise ConfigurationError(f"charset: {error}.") from None
        if settings.ignore_msh_18 and settings.charset is None:
            raise ConfigurationError("ignore_msh_18: it needs a charset to read the messages by.")
        self._settings = settings
        self._tables = overlaid(settings.mapping) if settings.mapping else shipped()
        self._event = lru_cache(maxsize=256)(self._compile)
        self._memos = Memos()
        self._shapes: dict[tuple[frozenset[str], _Shape], FieldCoverage] = {}

    def split(self, data: bytes, name: str) -> Iterator[RawMessage]:
        """Cut a file into messages; wrappers, framing and blank lines around them are reported as repairs.

        Raises:
            InputError: No message is in it; the text says what it seems to be.
        """
        return raw_messages(data)

    def connection(self) -> MllpConnection:
        """A new MLLP connection's framing."""
        return MllpConnection()

    def acknowledge(self, payload: bytes, verdict: Verdict) -> bytes:
        """The framed ACK of a message, two where it asked for both kinds at once, none where it asked for none."""
        settings = self._settings
        return acknowledge(
            payload,
            verdict,
            at_commit=settings.acknowledge == "commit",
            charset=settings.charset,
            override_charset=settings.ignore_msh_18,
        )

    def translate(self, payload: bytes) -> Translation:
        """Read and map one message."""
        try:
            message = self._read(payload)
        except UnreadableMessage as error:
            return Translation("", quarantine=Problem("unreadable", str(error.where), sentence(error.reason)))
        kind = _message_type(message)
        event = self._event(kind)
        view = self._view(message)
        translator = Translator(view, event)
        if event.rule.person and not translator.about_somebody:
            text = (
                f"{kind or 'The message'} is about a person, but PID-3 holds no number that identifies one. Have the "
                "sender fill it and send the message again."
            )
            return _quarantined(kind, Problem("no-patient", "PID-3", text), view)
        if not kind:
            view.report("no-type", "MSH-9", "The message does not say what it is; only its patient was read.")
        translator.run()
        if not kind and not translator.records:
            text = (
                "The message does not say what it is, and names nobody: it may have been cut off. Have the sender send "
                "it whole."
            )
            return _quarantined(kind, Problem("no-type", "MSH-9", text), view)
        coverage = self._coverage(view, event)
        if "PID" in view.positions and not translator.about_somebody:
            view.report("no-patient", "PID-3", "No number identifies the patient; what is said of them was left out.")
            coverage = _without_patient(coverage, bool(translator.records))
        return Translation(
            message_type=kind,
            statement=self._statement(view, event),
            records=tuple(cast("dict[Any, AnyRecord]", translator.records).values()),
            complete=tuple(translator.complete),
            coverage=coverage,
            problems=_problems(view),
        )

    def origins(self, payload: bytes) -> list[Origin]:
        """Where each field of each record came from."""
        try:
            message = self._read(payload)
        except UnreadableMessage:
            return []
        view = self._view(message)
        translator = Translator(view, self._event(_message_type(message)), trace=True)
        translator.run()
        return translator.origins

    def fields(self, payload: bytes) -> list[RawField]:
        """Every filled field; all but the header's may tell who somebody is."""
        try:
            message = self._read(payload)
        except UnreadableMessage:
            return []
        found = []
        seen: Counter[str] = Counter()
        times = Counter(start[:3] for start in message.starts)
        for index, start in enumerate(message.starts):
            segment = start[:3]
            seen[segment] += 1
            place = f"{segment}[{seen[segment]}]" if times[segment] > 1 else segment
            shift = 1 if segment in _HEADERS else 0
            swallowed = False
            for number, text in enumerate(message.fields_at(index)):
                if number and text:
                    at = number + shift
                    person = swallowed or (segment not in _HEADERS and (segment, at) not in _IMPERSONAL)
                    swallowed = swallowed or _SWALLOWED.search(text) is not None
                    found.append(RawField(f"{place}-{at}", f"{segment}-{at}", text, person))
        return found

    def conformance(self, payload: bytes, profile: str | None = None) -> list[Problem]:
        """Where a message departs from the standard of the version in MSH-12, or from an HL7 message profile (XML)."""
        from hcrm_adapter_hl7v2.conformance import conformance, read_profile

        stated = read_profile(profile) if profile is not None else None
        try:
            message = self._read(payload)
        except UnreadableMessage as error:
            return [Problem("not-checked", str(error.where), sentence(error.reason))]
        return conformance(message, stated)

    def encoded(self, message: str) -> bytes:
        """A message of an example: in the source's charset where MSH-18 is silent or not to be believed."""
        return encode(message, self._settings.charset, self._settings.ignore_msh_18)

    def field_name(self, field: str) -> str | None:
        """The standard's name of a field."""
        return field_name(field)

    def _read(self, payload: bytes) -> Message:
        settings = self._settings
        return read_message(payload, settings.charset, override_charset=settings.ignore_msh_18)

    def _compile(self, message_type: str) -> Event:
        return compile_event(self._tables, message_type, self._settings.currency)

    def _view(self, message: Message) -> View:
        settings = self._settings
        return View(message, self.source, settings.timezone, settings.currency, self._tables.codes, self._memos)

    def _statement(self, view: View, event: Event) -> Statement:
        header = [*view.message.fields_at(0), *[""] * 13]
        said_at = self._said_at(view, str(view.message.get("EVN-2") or ""), view.first(header[6]))
        sequence = view.first(header[12])
        return Statement(
            said_at=said_at,
            sequence=int(sequence) if sequence.isdecimal() and len(sequence) < 10 else -1,
            rising=view.first(header[9]) if self._settings.rising_control_ids else "",
            rank=int(event.rule.cancels),
        )

    def _said_at(self, view: View, recorded: str, sent: str) -> int:
        """EVN-2, else MSH-7; MSH-7 too where EVN-2 cannot be, or says only the day on which the message was sent."""
        by_event, by_header = (dates.microseconds(text, view.zone) for text in (recorded, sent))
        if by_event is not None and by_header is not None and by_event > by_header + DAY:
            view.report(
                "time-in-future", "EVN-2",
                "EVN-2 is more than a day after the message was sent (MSH-7), which holds instead: a time so late "
                "would overrule all that is said until then. Have the sender correct it.",
            )  # fmt: skip
            by_event = None
        coarse = recorded if by_event is not None else sent
        if len(coarse) <= _TO_THE_DAY < len(sent) and by_header is not None and sent.startswith(coarse):
            by_event, coarse = None, sent
        said_at = by_header if by_event is None else by_event
        if said_at is None:
            view.report(
                "no-statement-time", "MSH-7",
                "Neither EVN-2 nor MSH-7 holds a time; any dated statement wins over this one. Fill MSH-7.",
            )  # fmt: skip
            return 0
        if len(coarse) <= _TO_THE_DAY and not self._settings.rising_control_ids:
            view.report(
                "coarse-time", "EVN-2" if coarse is recorded else "MSH-7",
                "The time of the statement says no hour: of two messages of a day chance decides which is the later. "
                "Have the sender fill MSH-7 to the second, or set rising_control_ids if MSH-10 counts up.",
            )  # fmt: skip
        return said_at

    def _coverage(self, view: View, event: Event) -> FieldCoverage:
        message = view.message
        # Which fields are filled is alike from message to message; what becomes of them is looked up once.
        shape = tuple([(start[:3], bytes(map(bool, message.fields_at(i)))) for i, start in enumerate(message.starts)])
        known = self._shapes.get((event.mapped, shape))
        if known is None:
            if len(self._shapes) >= REMEMBERED:
                self._shapes.clear()
            known = self._shapes[event.mapped, shape] = _coverage(event, shape)
        return _as_read(known, view) if view.left_out or view.passed_over else known


def _problems(view: View) -> tuple[Problem, ...]:
    return (*map(problem_of, view.message.repairs), *view.problems)


def _quarantined(kind: str, reason: Problem, view: View) -> Translation:
    return Translation(kind, quarantine=reason, problems=_problems(view))


def _without_patient(coverage: FieldCoverage, anything: bool) -> FieldCoverage:
    """The coverage of a message whose patient nobody can tell; `anything`: whether it gave records all the same."""
    lost = tuple(
        field
        for field in coverage.mapped
        if field.startswith("PID-") or not (anything or field.startswith(("MSH-", "EVN-")))
    )
    kept = tuple(field for field in coverage.mapped if field not in lost)
    return FieldCoverage(kept, coverage.ignored, coverage.unknown, (*coverage.left_out, *lost))


_Shape = tuple[tuple[str, bytes], ...]


def _coverage(event: Event, shape: _Shape) -> FieldCoverage:
    found: tuple[dict[str, None], dict[str, None], dict[str, None]] = ({}, {}, {})
    for segment, filled in shape:
        statuses = _statuses(event.mapped, event.ignored, segment, len(filled))
        for says, (field, status) in zip(filled, statuses, strict=True):
            if says and field:
                found[status][field] = None
    return FieldCoverage(*map(tuple, found))


def _as_read(coverage: FieldCoverage, view: View) -> FieldCoverage:
    """The coverage of a shape, for a message of which not every value was read."""
    left_out = tuple(field for field in coverage.mapped if field in view.left_out)
    passed = tuple(field for field in coverage.mapped if field in view.passed_over)
    mapped = tuple(field for field in coverage.mapped if field not in {*left_out, *passed})
    return FieldCoverage(mapped, (*coverage.ignored, *passed), coverage.unknown, left_out)


@lru_cache(maxsize=4096)
def _statuses(mapped: frozenset[str], ignored: frozenset[str], segment: str, count: int) -> tuple[tuple[str, int], ...]:
    """For each place of a segment its field and what becomes of it: 0 mapped, 1 ignored, 2 unknown."""
    shift = 1 if segment in _HEADERS else 0
    names = [f"{segment}-{number + shift}" if number and segment else "" for number in range(count)]
    passed = {name for name in names if name in ignored or segment in ignored}
    return tuple((name, 0 if name in mapped else 1 if name in passed else 2) for name in names)


def _message_type(message: Message) -> str:
    code, event, structure = (message.get(path) or "" for path in ("MSH-9.1", "MSH-9.2", "MSH-9.3"))
    code, event = str(code).strip(), str(event).strip()
    if not event and code in ("ADT", ""):
        event = str(message.get("EVN-1") or "").strip()
    if not code and structure:
        code, _, event = str(structure).partition("_")
    return f"{code}^{event}".rstrip("^")
