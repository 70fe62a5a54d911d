"""Checks of adapters that pull: they ask by their position alone, get on, and lose nothing when they are cut off."""

import re
from collections import Counter
from collections.abc import Iterator

import msgspec

from hcrm_core.api import Adapter, HttpRequest, HttpResponse, InputError, Pulled, RawMessage, Rows, SqlQuery
from hcrm_core.testing.adapters.case import AdapterCase
from hcrm_core.testing.adapters.suite import SUITE
from hcrm_core.testing.adapters.walk import Endless, Piece, Step, walk
from hcrm_core.testing.checks import NotGiven

_STATUSES = (400, 401, 403, 404, 410, 422, 500, 501)
_BODIES = (b"", b"{", b"[]", b"{}", b"null", b"<html></html>", b"\xff\xfe\x00", b"7", b'{"next": 5}', b"[" * 5_000)


@SUITE.check(
    "A24",
    "An adapter pulls if it says so, gets on with every answer and comes to an end",
    reason="The core asks until it hears that all is known. A pull that does not get on would ask a hospital's server "
    "for ever, and one that never says that it is done is never reported as complete.",
    fix="Set pulls = True exactly where request and answer are implemented; let request give an HttpRequest with an "
    "absolute url or an SqlQuery; let every answer move the position, want to wait, or be done.",
)
def pulls(case: AdapterCase) -> Iterator[str]:
    adapter = case.adapter
    own = [name for name in ("request", "answer") if getattr(adapter, name) is not getattr(Adapter, name)]
    if not adapter.pulls:
        if own:
            yield f"pulls is False, but {' and '.join(own)} is implemented."
        return
    if len(own) < 2:
        yield f"pulls is True, but of request and answer only {', '.join(own) or 'neither'} is implemented."
        return
    if case.serves is None:
        raise NotGiven("Pass serves: a function from a question (HttpRequest, SqlQuery) to the pieces of its answer.")
    try:
        steps = walk(case.make(), case.serves)
    except Endless:
        yield "It does not come to an end: after a thousand questions it is not done."
        return
    except Exception as error:
        yield f"A pull raises {type(error).__name__}."
        return
    for number, step in enumerate(steps, 1):
        yield from _sound(f"Answer {number}", step)
    if not any(step.pulled.messages for step in steps):
        raise NotGiven("Let serves answer so that a pull brings at least one message.")
    again = case.make().request(steps[-1].pulled.position)
    if not isinstance(again, HttpRequest | SqlQuery):
        yield f"Where the pull has ended, request gives a {type(again).__name__}: the next pull could ask nothing."


def _sound(what: str, step: Step) -> Iterator[str]:
    question, pulled = step.question, step.pulled
    if not isinstance(question, HttpRequest | SqlQuery):
        yield f"{what}: request gives a {type(question).__name__} and neither HttpRequest nor SqlQuery."
    elif isinstance(question, HttpRequest) and not re.match(r"https?://[^/]", question.url):
        yield f"{what}: the url asked is not absolute."
    if not isinstance(pulled, Pulled) or not isinstance(pulled.position, str):
        yield f"{what}: answer gives a {type(pulled).__name__} and no Pulled with a text as its position."
        return
    if not all(isinstance(raw, RawMessage) and isinstance(raw.payload, bytes) for raw in pulled.messages):
        yield f"{what}: a message is no RawMessage."
    if step.ends and not (pulled.done or pulled.wait > 0 or pulled.position != step.asked_at):
        yield f"{what}: the position is the one that was asked from, it does not wait, and it is not done."


@SUITE.check(
    "A25",
    "What is asked and what an answer comes to depend on position and answer alone",
    reason="A pull goes on in another process, on another day, from the position that was kept. What the adapter "
    "remembers besides is gone by then.",
    fix="Put whatever the next question needs into the position, as text (JSON without lone surrogates); keep nothing "
    "in the adapter; use neither clock nor chance.",
)
def by_position(case: AdapterCase) -> Iterator[str]:
    for number, step in enumerate(case.pull, 1):
        fresh = case.make()
        try:
            places = (step.position, step.asked_at)
            position, asked_at = (msgspec.json.decode(msgspec.json.encode(one)) for one in places)
            encoded = msgspec.msgpack.encode(step.pulled)
            decoded = msgspec.msgpack.decode(encoded, type=Pulled)
        except (msgspec.MsgspecError, ValueError, TypeError):
            yield f"Answer {number}: its position or its messages cannot be handed to another process."
            continue
        if (position, asked_at, decoded) != (step.position, step.asked_at, step.pulled):
            yield f"Answer {number}: its position or its messages are others in another process."
        try:
            if fresh.request(asked_at) != step.question:
                yield f"Question {number} is another when a new adapter asks it."
            if fresh.answer(position, step.piece) != step.pulled:
                yield f"Answer {number} comes to something else by a new adapter."
            if fresh.request(asked_at) != step.question or fresh.answer(position, step.piece) != step.pulled:
                yield f"Answer {number} comes to something else the second time."
        except Exception as error:
            yield f"Answer {number}: a new adapter raises {type(error).__name__}."


@SUITE.check(
    "A26",
    "A pull that is cut off after any piece of an answer goes on without a loss",
    reason="Connections break and machines stop. What was read is kept with its position, and the pull goes on there; "
    "a position that is ahead of what was read leaves a hole that nobody sees.",
    fix="Move the position past what is in messages and no further. In answers of lines count the lines and ask for "
    "the rest with skip; where only the end of an answer tells where to go on, leave the position until then.",
)
def cut_off(case: AdapterCase) -> Iterator[str]:
    steps = case.pull
    everything = Counter(raw.payload for step in steps for raw in step.pulled.messages)
    before: Counter[bytes] = Counter()
    for number, step in enumerate(steps[:50], 1):
        before += Counter(raw.payload for raw in step.pulled.messages)
        if step.pulled.done:
            continue
        assert case.serves is not None
        try:
            rest = walk(case.make(), case.serves, step.pulled.position)
        except Exception as error:
            how = "never ends" if isinstance(error, Endless) else f"raises {type(error).__name__}"
            yield f"Cut off after answer {number}, it {how} when it goes on."
            continue
        got = before | Counter(raw.payload for one in rest for raw in one.pulled.messages)
        missing = sum(count for payload, count in everything.items() if payload not in got)
        if missing:
            yield f"Cut off after answer {number}, {missing} messages are missing when it goes on."


@SUITE.check(
    "A27",
    "An answer that is none is told by a sentence",
    reason="Servers answer with error pages, half pages and pages of something else. What the adapter raises then is "
    "what people are told at night; anything but a sentence tells them nothing.",
    fix="Raise InputError with a sentence for every answer that is not what was asked for, whatever its status and "
    "body, rows of a database to a question over HTTP among them; never put the answer's content into it.",
)
def odd_answers(case: AdapterCase) -> Iterator[str]:
    for step in case.pull[:20]:
        for what, piece in _odd(step):
            try:
                pulled = case.used.answer(step.position, piece)
            except InputError as error:
                if not str(error).strip():
                    yield f"An InputError without a sentence is raised for {what}."
                elif "Odd-Content" in str(error):
                    yield f"The error repeats what stands in the answer, for {what}."
            except (Exception, SystemExit) as error:
                yield f"{type(error).__name__} is raised for {what}."
            else:
                if not isinstance(pulled, Pulled):
                    yield f"A {type(pulled).__name__} is given for {what}."


def _odd(step: Step) -> Iterator[tuple[str, Piece]]:
    if isinstance(step.question, SqlQuery):
        yield "an answer of a web server to a SELECT", HttpResponse(status=200, body=b"{}")
        yield "rows without columns", Rows(columns=(), rows=((), ()))
        yield "rows of other columns", Rows(columns=("odd",), rows=(("Odd-Content",), (None,), (5,)))
        return
    yield "rows of a database to a question over HTTP", Rows(columns=("odd",), rows=(("Odd-Content",),))
    for status in _STATUSES:
        yield f"the status {status}", HttpResponse(status=status, body=b'{"text": "Odd-Content"}')
    for body in _BODIES:
        yield f"a body that begins with {body[:10]!r}", HttpResponse(status=200, body=body)
