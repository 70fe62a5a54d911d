"""A host as the core sees it: one process for the code of one plugin, asked and answered within a time."""

import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from hcrm_core import errors
from hcrm_core.errors import HcrmError
from hcrm_core.hosting import frames
from hcrm_core.hosting.frames import Answer, Request
from hcrm_core.hosting.spawner import SPAWNER

ANSWER_BYTES = 1 << 30
_DYING_SECONDS = 0.5


class HostDied(Exception):
    """The process ended, overran its time or sent what is no answer; its text says which, as the end of a sentence."""


class Host:
    """One process; started when first asked, started anew after it died. Of one thread at a time."""

    def __init__(self, module: str, opening: Any, start_seconds: float) -> None:
        """Args:
        module: Of the core, with `main(line)`.
        opening: What a new process is told first, by its verb `open`.
        start_seconds: How long it has to start.
        """
        self._module = module
        self._opening = opening
        self._start_seconds = start_seconds
        self._pid = 0
        self._line: Any = None
        self._idle = False

    def ask(self, verb: str, value: Any, seconds: float) -> msgspec.Raw:
        """One answer, encoded.

        Raises:
            HostDied: There is none; the process has been ended.
            HcrmError: As the plugin or the core's code in the process raised it.
        """
        (answer,) = self._exchange(verb, value, seconds)
        return answer.body

    def stream(self, verb: str, value: Any, seconds: float) -> Iterator[msgspec.Raw]:
        """The items of an answer as they come, each within the time; raises as `ask`."""
        for answer in self._exchange(verb, value, seconds):
            if answer.more:
                yield answer.body

    def stop(self) -> None:
        """End the process."""
        if self._line is not None:
            self._end(0.0)

    def kill(self) -> None:
        """End the process while another thread waits for its answer, which hears that it died."""
        line = self._line
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _exchange(self, verb: str, value: Any, seconds: float) -> Iterator[Answer]:
        if self._line is not None and self._idle and self._gone():
            self.stop()  # it was ended while nobody asked it anything, which is nobody's fault
        if self._line is None:
            self._start()
        self._idle = done = False
        try:
            more = True
            until = time.monotonic() + seconds
            self._line.settimeout(seconds)
            frames.send(self._line, Request(verb, seconds, msgspec.Raw(frames.encode(value))))
            while more:
                frame = frames.receive(self._line, until, ANSWER_BYTES)
                if frame is None:
                    raise HostDied(_manner(self._end(_DYING_SECONDS)))
                answer = frames.decode_answer(frame)
                more = answer.more
                self._idle = done = not more
                if answer.error:
                    raise _raised(answer.error, answer.text)
                yield answer
                until = time.monotonic() + seconds
        except TimeoutError:
            raise HostDied(f"took longer than {seconds:g} seconds and was stopped") from None
        except OSError:
            raise HostDied(_manner(self._end(_DYING_SECONDS))) from None
        except (msgspec.DecodeError, ValueError):
            raise HostDied("sent what is no answer and was stopped") from None
        finally:
            if not done:
                self.stop()

    def _start(self) -> None:
        try:
            self._pid, self._line = SPAWNER.start(self._module)
        except OSError:
            raise HostDied("could not be started; is there memory, and room for a process?") from None
        try:
            self.ask("open", self._opening, self._start_seconds)
        except BaseException:
            self.stop()
            raise

    def _gone(self) -> bool:
        """Whether the process has ended: between requests nothing else can be read from its line."""
        return bool(select.select([self._line], [], [], 0)[0])

    def _end(self, grace: float) -> int:
        self._line.close()
        self._line = None
        return SPAWNER.end(self._pid, grace)


def _manner(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"was ended by signal {-code}"


def _raised(name: str, text: str) -> HcrmError:
    kind = getattr(errors, name, HcrmError)
    made: HcrmError = kind(text)
    return made
