"""A host's side: answer requests one by one until the core is gone."""

import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from hcrm_core.errors import HcrmError
from hcrm_core.hosting import frames
from hcrm_core.hosting.frames import Answer

Verb = Callable[[msgspec.Raw], Any]
"""Encoded argument → result. An iterator's items are sent as they come. An `HcrmError` becomes the core's."""

GRACE = 1.0
"""Seconds beyond a deadline after which a host ends itself, where nobody is left to end it."""


def limit_memory(megabytes: int) -> None:
    """Let this process have so much memory and leave no core dump, which would hold what it was working on."""
    # What is mapped but never written costs nothing; only Linux can tell it apart.
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    _, most = resource.getrlimit(kind)
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (megabytes << 20, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def serve(line: socket.socket, verbs: Mapping[str, Verb]) -> None:
    """Answer requests until the line ends."""
    while (frame := frames.receive(line)) is not None:
        request = frames.decode_request(frame)
        # The system's own timer: it ends even a process that no longer runs Python, or whose core was killed.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, request.seconds + GRACE)
        for answer in _answers(verbs[request.verb], request.body):
            signal.setitimer(signal.ITIMER_REAL, 0)
            try:
                frames.send(line, answer)
            except BrokenPipeError:
                return
            signal.setitimer(signal.ITIMER_REAL, request.seconds + GRACE if answer.more else 0)


def _answers(verb: Verb, body: msgspec.Raw) -> Iterator[Answer]:
    try:
        result = verb(body)
        if isinstance(result, Iterator):
            for item in result:
                yield Answer(msgspec.Raw(frames.encode(item)), more=True)
            result = None
        yield Answer(msgspec.Raw(frames.encode(result)))
    except HcrmError as error:
        yield Answer(error=type(error).__name__, text=str(error))
