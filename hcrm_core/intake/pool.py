"""Persistent worker processes that translate batches.

A batch whose worker dies or overruns its time is run again message by message in a fresh worker, so that only the
message at fault is quarantined.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType

import msgspec

from hcrm_core.errors import PluginError
from hcrm_core.intake import wire
from hcrm_core.intake.wire import Job
from hcrm_core.intake.worker import failed
from hcrm_core.model.translation import Translation

BATCH_SECONDS = 60.0
MESSAGE_SECONDS = 10.0

_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "SYSTEMROOT", "TMPDIR")


class WorkerPool:
    """Translates jobs in worker processes; use it as a context manager."""

    def __init__(self, root: Path, workers: int | None = None) -> None:
        """Args: root: the workspace; workers: how many processes, the machine's processors (at most 4) by default."""
        count = workers or min(os.cpu_count() or 1, 4)
        self._round = 0
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="translate")
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        for _ in range(count):
            self._idle.put(_Worker(root))

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        while not self._idle.empty():
            self._idle.get().stop()

    def restart(self) -> None:
        """Let each worker read the configuration anew before its next job; one that is at work finishes first."""
        self._round += 1

    def translate(self, source: str, adapter: str | None, payloads: Sequence[bytes]) -> "Future[list[Translation]]":
        """Translate payloads of one source in the background; the result has their order.

        The future raises PluginError when the adapter cannot be had at all.
        """
        return self._threads.submit(self._run, Job(source, adapter, list(payloads)))

    def _run(self, job: Job) -> list[Translation]:
        worker = self._idle.get()
        try:
            if worker.round != self._round:
                worker.stop()
                worker.round = self._round
            translations = worker.ask(job, BATCH_SECONDS)
            if translations is None:
                translations = [self._single(worker, job, payload) for payload in job.payloads]
            return translations
        finally:
            self._idle.put(worker)

    def _single(self, worker: "_Worker", job: Job, payload: bytes) -> Translation:
        answer = worker.ask(Job(job.source, job.adapter, [payload]), MESSAGE_SECONDS)
        if answer is None:
            return failed(
                "worker-died",
                f"The translation worker died or took longer than {MESSAGE_SECONDS:.0f} seconds over this message. "
                "The message is kept; report it to the adapter's author.",
            )
        return answer[0]


def _decoded(translation: msgspec.Raw) -> Translation:
    try:
        return wire.decode_translation(translation)
    except msgspec.DecodeError:
        return failed(
            "adapter-failed",
            "The adapter gave records that break their definition. The message is kept; report it to the adapter's "
            "author.",
        )


class _Worker:
    """One process; started when first asked, started anew after it died."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.round = 0
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, job: Job, seconds: float) -> list[Translation] | None:
        """The translations of a job; `None` when the worker died, overran its time or answered nonsense.

        Raises:
            PluginError: The worker lives and says why it cannot do the job.
        """
        process = self._started()
        assert process.stdin and process.stdout
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            wire.send(process.stdin, job)
            frame = wire.receive(process.stdout)
            answer = wire.decode_answer(frame) if frame is not None else None
        except (OSError, msgspec.DecodeError):
            answer = None
        finally:
            timer.cancel()
        if answer is None or (answer.error is None and len(answer.translations) != len(job.payloads)):
            self.stop()
            return None
        if answer.error is not None:
            raise PluginError(answer.error)
        return [_decoded(translation) for translation in answer.translations]

    def stop(self) -> None:
        """End the process."""
        if self._process:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream:
                    try:
                        stream.close()
                    except OSError:
                        continue
            self._process = None

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hcrm_core.intake.worker", str(self._root)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
            )
        return self._process
