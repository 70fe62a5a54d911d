"""Checks of the ways a message comes in: files, and connections that are answered."""

import re
from collections.abc import Iterable, Iterator

from hcrm_core.api import Adapter, Connection, InputError, Problem, RawMessage, Received, Verdict
from hcrm_core.testing.adapters.case import AdapterCase
from hcrm_core.testing.adapters.serve import OUTCOMES
from hcrm_core.testing.adapters.suite import SUITE
from hcrm_core.testing.checks import NotGiven

_RECEIVED_AT = 1_780_000_000_000_000


@SUITE.check(
    "A20",
    "An adapter that names file suffixes reads files, and one that does not says so",
    reason="hcrm ingest and hcrm watch choose files by suffix and hand them over to be cut into messages.",
    fix="Name suffixes in lower case with their dot and let split yield at least one RawMessage of a file; without "
    "suffixes leave split as it is, which raises InputError.",
)
def files(case: AdapterCase) -> Iterator[str]:
    suffixes = case.adapter.file_suffixes
    if not isinstance(suffixes, tuple):
        yield f"file_suffixes is a {type(suffixes).__name__} and no tuple."
        return
    for suffix in suffixes:
        if not re.fullmatch(r"\.[^\s/A-Z]+", suffix):
            yield f"{suffix!r} is no suffix in lower case with its dot."
    read = {name: data for name, data in case.files.items() if case.reads(name)}
    if suffixes and not read:
        raise NotGiven(f"Pass samples of which at least one has a suffix of the adapter ({', '.join(suffixes)}).")
    for name, data in read.items():
        try:
            found = case.split(name, data)
        except Exception as error:
            yield f"split({name}) raises {type(error).__name__}."
            continue
        if not found or not all(isinstance(raw, RawMessage) and isinstance(raw.payload, bytes) for raw in found):
            yield f"split({name}) gives {'what is no RawMessage' if found else 'no message'}."
    for name, data in () if suffixes else case.files.items():
        try:
            case.split(name, data)
        except InputError as error:
            if not str(error).strip():
                yield f"split({name}) raises an InputError without a sentence."
        else:
            yield f"split({name}) reads a file although the adapter names no suffixes."


@SUITE.check(
    "A21",
    "Splitting loses nothing",
    reason="Only messages are stored. Bytes that are in none of them are gone for good once the file is.",
    fix="Yield payloads exactly as they stand in the file and report whatever lies between them as a repair. Bytes "
    "that mean nothing in the format (a line of headings) can be passed as wrapping, a regular expression. Where a "
    "message is put together, since a part of a container is not understood without the rest, pass made_of.",
)
def split_loses_nothing(case: AdapterCase) -> Iterator[str]:
    for name, data in case.files.items():
        found = _split(case, data, name) if case.reads(name) else ()
        left, at = b"", 0
        for number, part in _parts(case, found):
            begin = data.find(part, at)
            if begin < 0:
                yield f"Message {number} of {name} is not made of the bytes of the file, in order."
                break
            left, at = left + data[at:begin] + b"\n", begin + len(part)
        else:
            left = re.sub(case.wrapping, b"", left + data[at:]) if case.wrapping else left + data[at:]
            if found and left.strip() and not any(raw.repairs for raw in found):
                yield f"{len(left.strip())} bytes of {name} are in no message, and no repair tells of them."
        for number, raw in enumerate(found, start=1):
            again = [(one.payload, one.control_id) for one in _split(case, raw.payload, name)]
            if again != [(raw.payload, raw.control_id)]:
                yield f"Message {number} of {name} is not itself when it is split."


def _parts(case: AdapterCase, found: Iterable[RawMessage]) -> Iterator[tuple[int, bytes]]:
    """The bytes of the file that messages are made of, each with the number of its message."""
    for number, raw in enumerate(found, start=1):
        for part in case.made_of(raw.payload) if case.made_of else (raw.payload,):
            yield number, part


def _split(case: AdapterCase, data: bytes, name: str) -> list[RawMessage]:
    try:
        return case.split(name, data)
    except Exception:  # A20 tells, where it is a file
        return []


@SUITE.check(
    "A22",
    "An adapter listens if it says so, however the bytes arrive",
    reason="A network cuts what is sent into any pieces. A message that is missed or changed by that is lost after the "
    "sender was told that it is stored.",
    fix="Set listens = True exactly where connection and acknowledge are implemented; hold bytes until a message is "
    "whole; give the payload as it was sent.",
)
def listening(case: AdapterCase) -> Iterator[str]:
    adapter = case.adapter
    own = [name for name in ("connection", "acknowledge") if getattr(adapter, name) is not getattr(Adapter, name)]
    if not adapter.listens:
        if own:
            yield f"listens is False, but {' and '.join(own)} is implemented."
        return
    if len(own) < 2:
        yield f"listens is True, but of connection and acknowledge only {', '.join(own) or 'neither'} is implemented."
        return
    if case.frame is None:
        raise NotGiven("Pass frame: a function from a message to the bytes that carry it over a connection.")
    for name, payload in case.messages.items():
        wire = case.frame(payload)
        pieces = {"in one piece": [wire], "byte by byte": [wire[at : at + 1] for at in range(len(wire))]}
        for how, parts in pieces.items():
            yield from _heard(case, f"{name} sent {how}", parts, [payload])
    every = list(case.messages.values())
    together = b"".join(map(case.frame, every))
    yield from _heard(case, "all messages sent at once", [together], every)
    for size in (3, 1000):
        parts = [together[at : at + size] for at in range(0, len(together), size)]
        yield from _heard(case, f"all messages sent in pieces of {size} bytes", parts, every)


def _heard(case: AdapterCase, what: str, parts: list[bytes], expected: list[bytes]) -> Iterator[str]:
    connection = case.used.connection()
    if not isinstance(connection, Connection):
        yield f"connection gives a {type(connection).__name__} and no Connection."
        return
    if connection.pending:
        yield "A new connection holds bytes already."
    heard = [item for part in parts for item in connection.receive(part)]
    messages = [item.payload for item in heard if isinstance(item, Received)]
    if messages != expected:
        yield f"Of {what}: {len(messages)} messages were heard where {len(expected)} were sent, or they differ."
    if connection.pending:
        yield f"Of {what}: {connection.pending} bytes are held after the last message."
    if any(isinstance(item, Problem) for item in (*heard, *connection.end())):
        yield f"Of {what}: a problem is told where there is none."


@SUITE.check(
    "A23",
    "Every outcome of a message is answered, and differently where it must be",
    reason="The answer is all a sender knows. Taking a refusal for an acceptance, it never sends the message again.",
    fix="Let acknowledge give bytes for each outcome, the same for the same message and verdict, and for stored others "
    "than for refused and unavailable; where acknowledge is application, for folded others than for quarantined.",
)
def acknowledging(case: AdapterCase) -> Iterator[str]:
    if not case.adapter.listens:
        return
    answered = False
    late = case.used.settings.acknowledge == "application"
    for name, payload in (*case.messages.items(), ("an empty message", b"")):
        answers: dict[str, bytes] = {}
        for outcome in OUTCOMES:
            verdict = Verdict(outcome, 7, _RECEIVED_AT, Problem("no-patient", "", "Nobody is named in it."))
            made = [one.acknowledge(payload, verdict) for one in (case.used, case.used, case.make())]
            if not all(isinstance(answer, bytes) for answer in made):
                yield f"Of {name}: {outcome} is answered with a {type(made[0]).__name__} and no bytes."
            elif len(set(made)) > 1:
                yield f"Of {name}: {outcome} is not answered the same when asked again."
            answers[outcome] = made[0]
        accepted = {answers["stored"], answers["folded"]} - {b""}
        answered = answered or bool(accepted)
        for bad in ("refused", "unavailable", *(("quarantined",) if late else ())):
            if answers[bad] in accepted:
                yield f"Of {name}: {bad} is answered as stored or folded is."
    if not answered:
        yield "No sample is answered when it is stored, nor when it is folded."
