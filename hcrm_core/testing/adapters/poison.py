"""Input that no source should send and every source does: cut, bent, doubled, endless, nothing."""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hcrm_core.api import Adapter, InputError, Problem, Verdict
from hcrm_core.testing.adapters.case import file_name
from hcrm_core.testing.adapters.definition import faults
from hcrm_core.testing.adapters.personal import Personal

CUTS = 150
BENT = 150
LONG = 1_000_000
SAMPLES = 3
"""How many of the messages are cut and bent; the longest of each beginning would differ little."""

KEPT = 10


def inputs(messages: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Bad input by name, always the same."""
    chance = random.Random(20_260_601)
    yield "no bytes", b""
    for size in (1, 2, 7, 100, 5_000):
        yield f"{size} random bytes", chance.randbytes(size)
    chosen = dict(sorted(messages.items(), key=lambda item: -len(item[1]))[:SAMPLES])
    for name, payload in chosen.items():
        step = max(1, len(payload) // CUTS)
        for at in range(0, len(payload), step):
            yield f"{name} cut after {at} bytes", payload[:at]
            if at % (step * 5) == 0:
                yield f"{name} without its first {at} bytes", payload[at:]
        for number in range(BENT if payload else 0):
            bent = bytearray(payload)
            for _ in range(chance.choice((1, 1, 1, 5, 50))):
                bent[chance.randrange(len(bent))] = chance.choice((0, 9, 10, 13, 34, 124, 255, chance.randrange(256)))
            yield f"{name} bent, number {number}", bytes(bent)
        yield f"{name} doubled", payload * 2
        yield f"{name} with zeros behind it", payload + b"\0" * 100
    bytes_ = {b"\0", b"A", b"0", b"\n", b"\xff", *(payload[-1:] for payload in chosen.values())}
    bytes_ |= {payload[at : at + 1] for payload in chosen.values() for at in (0, len(payload) // 2)}
    for byte in sorted(filter(None, bytes_)):
        yield f"a megabyte of {byte!r}", byte * LONG
    for name, payload in list(chosen.items())[:1]:
        yield f"{name} and a megabyte of its last byte", payload + payload[-1:] * LONG
        yield f"a quarter of {name} and a megabyte of one letter", payload[: len(payload) // 4] + b"A" * LONG


def feed(adapter: Adapter, messages: Mapping[str, bytes], begun: Callable[[str], None]) -> tuple[list[str], list[str]]:
    """Give an adapter all bad input by every door, and the good besides.

    Args:
        adapter: The adapter.
        messages: Good messages, to be spoilt.
        begun: Told what is about to be read.

    Returns:
        What it did wrong, and where it told personal values; a sentence each, the first few of them.
    """
    personal = Personal()
    for payload in messages.values():
        personal.learn(adapter, payload)
    broken: dict[str, str] = {}
    leaked: dict[str, str] = {}
    for name, data in (*messages.items(), *inputs(messages)):
        begun(name)
        for fault in _faults(adapter, data, personal, leaked, name):
            broken.setdefault(fault, f"Of {name}: {fault}.")
        if len(broken) >= KEPT:
            break
    return list(broken.values()), list(leaked.values())


def _faults(adapter: Adapter, data: bytes, personal: Personal, leaked: dict[str, str], name: str) -> Iterator[str]:
    told: list[Problem] = []
    for method in (adapter.translate, adapter.fields, adapter.origins, adapter.conformance):
        try:
            result: Any = method(data)
        except Exception as error:
            yield f"{method.__name__} raises {_raised(error)}"
            continue
        if method == adapter.translate:
            yield from faults(result)
            told += getattr(result, "problems", ())
            told += filter(None, [getattr(result, "quarantine", None)])
        elif method == adapter.conformance:
            told += result or ()
    try:
        for raw in adapter.split(data, file_name(name)):
            told += raw.repairs
    except InputError as error:
        told.append(Problem("split", "the text of its InputError", str(error)))
    except Exception as error:
        yield f"split raises {_raised(error)}, and only InputError may be"
    if adapter.listens:
        yield from _at_the_port(adapter, data, told)
    for problem in told:
        if personal.stands_in(str(problem.where), str(problem.text)):
            leaked.setdefault(problem.code, f"Of {name}: the problem {problem.code!r} tells a personal value.")


def _at_the_port(adapter: Adapter, data: bytes, told: list[Problem]) -> Iterator[str]:
    try:
        connection = adapter.connection()
        heard = [*connection.receive(data), *connection.end()]
    except Exception as error:
        yield f"connection raises {_raised(error)}"
    else:
        for item in heard:
            told += [item] if isinstance(item, Problem) else item.repairs
    try:
        answer = adapter.acknowledge(data[:10_000], Verdict("refused"))
    except Exception as error:
        yield f"acknowledge raises {_raised(error)}"
    else:
        if not isinstance(answer, bytes):
            yield f"acknowledge gives a {type(answer).__name__} and no bytes"


def _raised(error: Exception) -> str:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return f"{type(error).__name__} in line {last.tb_lineno if last else 0} of {_file(last)}"


def _file(last: Any) -> str:
    return last.tb_frame.f_code.co_filename.rpartition("/")[2] if last else "the adapter"
