"""The child's side of `child`."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import blake2b
from operator import methodcaller
from typing import Any, get_args

import msgspec

from hcrm_core.api import Adapter, RawMessage, Verdict
from hcrm_core.model.listening import Outcome
from hcrm_core.testing.adapters.case import file_name, make
from hcrm_core.testing.adapters.child import Answer, Asked
from hcrm_core.testing.adapters.poison import feed
from hcrm_core.testing.adapters.watch import Watch

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


def main() -> None:
    """Answer one question and end."""
    # What the adapter prints must not be taken for the answer.
    answers = os.dup(1)
    os.dup2(2, 1)
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Asked)
    adapter = _adapter(asked)
    answer = Answer()
    if asked.hostile:
        answer.broken, answer.leaked = feed(adapter(), asked.messages, begun=_begun)
    else:
        _run(adapter, asked, answer)
    with os.fdopen(answers, "wb") as file:
        file.write(msgspec.msgpack.encode(answer))


def _run(adapter: Callable[[], Adapter], asked: Asked, answer: Answer) -> None:
    used = adapter()
    watch = Watch()
    calls = list(_calls(asked))
    for name, call in reversed(calls) if asked.reverse else calls:
        made = adapter() if asked.reverse else used
        if asked.watch:
            with watch.of(name):
                answer.outputs[name] = digest(partial(call, made))
        else:
            answer.outputs[name] = digest(partial(call, made))
    answer.effects = watch.effects


def _calls(asked: Asked) -> Iterator[tuple[str, Callable[[Adapter], Any]]]:
    for name, data in asked.files.items():
        yield f"split({name})", partial(_split, data=data, name=file_name(name))
    for name, payload in asked.messages.items():
        for method in ("translate", "origins", "fields", "conformance"):
            yield f"{method}({name})", methodcaller(method, payload)
        for outcome in OUTCOMES:
            verdict = Verdict(outcome, 7, 1_780_000_000_000_000)
            yield f"acknowledge({name}, {outcome})", partial(_acknowledge, payload=payload, verdict=verdict)
    for number, (asked_at, position, piece) in enumerate(asked.pulls, 1):
        yield f"request of answer {number}", methodcaller("request", asked_at)
        yield f"answer {number}", methodcaller("answer", position, piece)


def _split(adapter: Adapter, data: bytes, name: str) -> list[RawMessage]:
    return list(adapter.split(data, name))


def _acknowledge(adapter: Adapter, payload: bytes, verdict: Verdict) -> bytes:
    return adapter.acknowledge(payload, verdict) if adapter.listens else b""


def digest(call: Callable[[], Any]) -> str:
    """What came out of a call, short: the same for equal results and the same for equal failures."""
    try:
        return blake2b(msgspec.msgpack.encode(call(), order=None), digest_size=12).hexdigest()
    except Exception as error:
        return f"raised {type(error).__name__}"


def _adapter(asked: Asked) -> Callable[[], Adapter]:
    try:
        module = importlib.import_module(asked.module)
    except ModuleNotFoundError:
        # A module that only a test runner knows by its name, such as the test itself.
        spec = importlib.util.spec_from_file_location(asked.module, asked.file)
        assert spec is not None and spec.loader is not None
        module = sys.modules[asked.module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    found: Any = module
    for name in asked.name.split("."):
        found = getattr(found, name)
    return partial(make, found, asked.source, asked.settings)


def _begun(what: str) -> None:
    sys.stderr.write(f"begun: {what}\n")
