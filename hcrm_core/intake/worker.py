"""A translation worker: `python -m hcrm_core.intake.worker WORKSPACE`. It has the plugins' code and holds no keys."""

import gc
import os
import signal
import sys
from pathlib import Path

import msgspec

from hcrm_core.config import Configuration
from hcrm_core.errors import HcrmError
from hcrm_core.intake import wire
from hcrm_core.intake.said import Teller
from hcrm_core.intake.wire import Answer
from hcrm_core.model.adapters import Adapter
from hcrm_core.model.translation import Problem, Translation
from hcrm_core.registry import Registry


def main() -> None:
    """Answer jobs on standard input until it ends."""
    # Ctrl-C reaches every process of the terminal; the core decides what becomes of its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    jobs = sys.stdin.buffer
    # Whatever a plugin prints must not end up between the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    registry: Registry | None = None
    adapters: dict[tuple[str, str | None], Adapter] = {}
    teller = Teller()
    # What is loaded by now stays; looking through it again and again would take a tenth of the time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    while (frame := wire.receive(jobs)) is not None:
        job = wire.decode_job(frame)
        try:
            registry = registry or Registry(Configuration(Path(sys.argv[1])))
            key = (job.source, job.adapter)
            if key not in adapters:
                adapters[key] = registry.adapter(*key)
            adapter = adapters[key]
            answer = Answer([translate_one(adapter, teller, payload) for payload in job.payloads])
        except HcrmError as error:
            answer = Answer([], str(error))
        try:
            wire.send(answers, answer)
        except BrokenPipeError:
            return  # the core is gone


def translate_one(adapter: Adapter, teller: Teller, payload: bytes) -> msgspec.Raw:
    """Translate one payload; whatever the adapter raises or returns amiss becomes a quarantine that names the adapter
    and never the content."""
    try:
        return wire.encode(teller.tell(adapter.translate(payload)))
    except msgspec.DecodeError:
        text = (
            f"The adapter {adapter.name} {adapter.version} gave records that break their definition. The message is "
            "kept; report it to the adapter's author."
        )
    except BaseException as error:
        text = (
            f"The adapter {adapter.name} {adapter.version} failed on this message ({type(error).__name__}). "
            "Report it to the adapter's author; the message is kept and can be replayed."
        )
    return wire.encode(teller.tell(failed("adapter-failed", text)))


def failed(code: str, text: str) -> Translation:
    """A translation that quarantines its message."""
    return Translation(message_type="", quarantine=Problem(code, "", text))


if __name__ == "__main__":
    main()
