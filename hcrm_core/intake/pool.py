"""Persistent hosts that read messages.

A batch whose host dies or overruns its time is run again message by message in a fresh one, so that only the message at
fault is quarantined. A plugin that fails again and again is left alone for a while.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import msgspec

from hcrm_core.errors import InputError, PluginError
from hcrm_core.hosting.breaker import Breaker
from hcrm_core.hosting.host import Host, HostDied
from hcrm_core.intake.readers import failed
from hcrm_core.intake.said import Told
from hcrm_core.intake.work import Inspected, Reader, Work
from hcrm_core.model.examples import Tried
from hcrm_core.model.manual import CORE
from hcrm_core.model.pulling import HttpRequest, HttpResponse, Pulled, Rows, SqlQuery
from hcrm_core.model.translation import Problem, RawMessage, Translation
from hcrm_core.registry.enabled import Registry
from hcrm_core.registry.offers import Source

P = TypeVar("P")

_decode_told = msgspec.msgpack.Decoder(Told).decode
_decode_all = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_decode_cut = msgspec.msgpack.Decoder(list[RawMessage]).decode
_decode_inspected = msgspec.msgpack.Decoder(Inspected).decode
_decode_tried = msgspec.msgpack.Decoder(list[Tried]).decode
_decode_problems = msgspec.msgpack.Decoder(list[Problem] | None).decode
_decode_question = msgspec.msgpack.Decoder(HttpRequest | SqlQuery).decode
_decode_pulled = msgspec.msgpack.Decoder(Pulled).decode
_decode_bytes = msgspec.msgpack.Decoder(bytes).decode
_decode_names = msgspec.msgpack.Decoder(list[str | None]).decode


class Postponed(NamedTuple):
    """Stands for the translation of a message that was not tried; the text says why."""

    text: str


Translated = Translation | Postponed


class WorkerPool:
    """Reads messages in hosts, those of a plugin apart from those of others; use it as a context manager."""

    def __init__(self, registry: Registry, workers: int | None = None) -> None:
        """Args: registry: the enabled plugins; workers: how many hosts translate at once, the machine's processors (at
        most 4) by default."""
        self._threads = ThreadPoolExecutor(workers or min(os.cpu_count() or 1, 4), thread_name_prefix="translate")
        self._turn = threading.Lock()
        self._breakers: dict[str, Breaker] = defaultdict(Breaker)
        self._idle: dict[str, list[Host]] = {}
        self._working: set[Host] = set()
        self._closing = False
        self._round = 0
        self._take_over(registry)

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all hosts, those at work too: whose translation nobody waits for any more."""
        with self._turn:
            self._closing = True
            working = list(self._working)
        for host in working:
            host.kill()
        self._threads.shutdown(cancel_futures=True)
        self._stop_idle()

    def reload(self, registry: Registry) -> None:
        """Read by changed settings from now on; what is being worked on finishes first."""
        self._take_over(registry)

    def translate(self, source: Source, payloads: Sequence[bytes]) -> "Future[list[Translated]]":
        """Translate messages of one source in the background; the result has their order.

        The future raises PluginError when the adapter cannot be had at all.
        """
        return self._threads.submit(self._translate, self._reader(source), payloads)

    def split(self, source: Source, data: bytes, name: str) -> Iterator[RawMessage]:
        """Cut the file of a name into messages, in order.

        Raises:
            InputError: Nothing in it can be a message, or the adapter fails on it; what was yielded before stands.
        """
        with self._host(source.plugin) as host:
            try:
                work = Work(self._reader(source), (data,), file=name)
                for cut in host.stream("split", work, self._settings.batch_seconds):
                    yield from _decode_cut(cut)
            except HostDied as reason:
                raise InputError(f"the process of the adapter {source.name} {source.version} {reason}") from None
            except msgspec.DecodeError:
                raise InputError(f"the adapter {source.name} {source.version} gave what is no message") from None

    def beginning(self, source: Source, data: bytes, name: str) -> bytes:
        """What the further pieces of a table begin with, from its first.

        Raises:
            InputError: Nothing in it can be a message, or the adapter fails on it.
            PluginError: The adapter's process dies.
        """
        return _decode_bytes(self._one(source, "beginning", Work(self._reader(source), (data,), file=name)))

    def inspect(self, source: Source, payload: bytes) -> Inspected:
        """Read one message for people to look at.

        Raises:
            PluginError: Its adapter fails on it.
        """
        return _decode_inspected(self._one(source, "inspect", Work(self._reader(source), (payload,))))

    def field_names(self, source: Source, fields: Sequence[str]) -> list[str | None]:
        """What the standard calls fields of the coverage; raises as `inspect`."""
        return _decode_names(self._one(source, "names", Work(self._reader(source), fields=tuple(fields))))

    def conformance(self, source: Source, payload: bytes, profile: str | None) -> list[Problem] | None:
        """Hold one message against its standard, or a message profile; `None`: the adapter knows none.

        Raises:
            ConfigurationError: The profile is none.
            PluginError: Its adapter fails on it.
        """
        return _decode_problems(
            self._one(source, "conformance", Work(self._reader(source), (payload,), profile=profile))
        )

    def examples(self, source: Source) -> list[Tried]:
        """Try the examples of a source's mapping.

        Raises:
            ConfigurationError: The mapping is wrong.
            PluginError: Its adapter fails on one.
        """
        return _decode_tried(self._one(source, "examples", Work(self._reader(source))))

    def request(self, source: Source, position: str) -> HttpRequest | SqlQuery:
        """What to ask a source next, from a position on.

        Raises:
            ConfigurationError: A setting of the source is wrong.
            PluginError: Its adapter fails.
        """
        answer = self._one(source, "request", Work(self._reader(source), position=position))
        return self._sound(source, _decode_question, answer)

    def answer(self, source: Source, position: str, answer: HttpResponse | Rows) -> Pulled:
        """What an answer, or a piece of one, came to; `position` as `Adapter.answer` has it.

        Raises:
            InputError: It is none to the question.
            PluginError: The adapter fails on it.
        """
        work = Work(self._reader(source), position=position, answer=answer)
        return self._sound(source, _decode_pulled, self._one(source, "answer", work, self._settings.batch_seconds))

    def _sound(self, source: Source, decode: Callable[[msgspec.Raw], P], answer: msgspec.Raw) -> P:
        try:
            return decode(answer)
        except msgspec.DecodeError as error:
            raise PluginError(
                f"The adapter {source.name} {source.version} pulls in a way that breaks the contract ({error}). Report "
                "it to its author."
            ) from None

    def _one(self, source: Source, verb: str, work: Work, seconds: float | None = None) -> msgspec.Raw:
        with self._host(source.plugin) as host:
            try:
                return host.ask(verb, work, seconds or self._settings.message_seconds)
            except HostDied as reason:
                raise PluginError(f"The process of the adapter {source.name} {source.version} {reason}.") from None

    def _translate(self, reader: Reader, payloads: Sequence[bytes]) -> list[Translated]:
        breaker = self._breakers[reader.plugin]
        if breaker.seconds_left:
            return [self._postponed(reader)] * len(payloads)
        with self._host(reader.plugin) as host:
            try:
                answer = host.ask("translate", Work(reader, tuple(payloads)), self._settings.batch_seconds)
                told = _decode_all(answer)
                if len(told) == len(payloads):
                    breaker.succeeded()
                    return [_decoded(one) for one in told]
            except (HostDied, msgspec.DecodeError):
                pass
            host.stop()
            return [self._single(host, reader, payload) for payload in payloads]

    def _single(self, host: Host, reader: Reader, payload: bytes) -> Translated:
        breaker = self._breakers[reader.plugin]
        if self._closing or breaker.seconds_left:
            return self._postponed(reader)
        try:
            told = self._ask_single(host, reader, payload)
        except HostDied as reason:
            if self._closing:
                return self._postponed(reader)
            breaker.failed()
            who = self._guilty(host, reader, payload)
            return failed(
                "worker-died",
                f"The process of {who} {reason} over this message. The message is kept; report it to the author.",
            )
        breaker.succeeded()
        return told

    def _ask_single(self, host: Host, reader: Reader, payload: bytes) -> Translation:
        answer = host.ask("translate", Work(reader, (payload,)), self._settings.message_seconds)
        try:
            (told,) = _decode_all(answer)
        except (msgspec.DecodeError, ValueError):
            host.stop()
            raise HostDied("sent what is no answer and was stopped") from None
        return _decoded(told)

    def _guilty(self, host: Host, reader: Reader, payload: bytes) -> str:
        """The plugin over which a host dies: the adapter, unless it lives without one that changes records."""
        guilty = f"the adapter {reader.adapter}"
        for count in range(len(reader.transformers)):
            fewer = msgspec.structs.replace(reader, transformers=reader.transformers[:count])
            try:
                self._ask_single(host, fewer, payload)
            except HostDied:
                return guilty
            guilty = f"the plugin {reader.transformers[count]}"
        return guilty

    def _postponed(self, reader: Reader) -> Postponed:
        return Postponed(
            f"The adapter {reader.adapter} failed again and again, so its messages wait for a while. Update the plugin "
            f"{reader.plugin}, or report it to its author."
        )

    def _reader(self, source: Source) -> Reader:
        # What a person has set is not mended by anybody.
        transformers = () if source.plugin == CORE else self._transformers
        return Reader(source.source, source.plugin, source.name, transformers)

    def _take_over(self, registry: Registry) -> None:
        transformers = tuple(registry.implementers("transform_records"))
        with self._turn:
            self._round += 1
            self._registry = registry
            self._settings = registry.configuration.settings.workers
            self._transformers = transformers
            self._breakers.clear()  # a plugin may have been mended
        self._stop_idle()

    @contextmanager
    def _host(self, plugin: str) -> Iterator[Host]:
        with self._turn:
            begun = self._round
            idle = self._idle.setdefault(plugin, [])
            host = idle.pop() if idle else self._new()
            self._working.add(host)
        try:
            yield host
        finally:
            with self._turn:
                self._working.discard(host)
                kept = begun == self._round
                if kept:
                    self._idle.setdefault(plugin, []).append(host)
            if not kept:
                host.stop()

    def _new(self) -> Host:
        return Host("hcrm_core.intake.worker", self._registry.opening, self._settings.start_seconds)

    def _stop_idle(self) -> None:
        with self._turn:
            hosts = [host for idle in self._idle.values() for host in idle]
            self._idle.clear()
        for host in hosts:
            host.stop()


def sure(translations: Sequence[Translated]) -> list[Translation]:
    """The translations, where none may be postponed.

    Raises:
        PluginError: One is.
    """
    for one in translations:
        if isinstance(one, Postponed):
            raise PluginError(one.text)
    return [one for one in translations if isinstance(one, Translation)]


def _decoded(told: Any) -> Translation:
    try:
        return _decode_told(told)
    except msgspec.DecodeError:
        return failed(
            "adapter-failed",
            "The adapter gave records that break their definition. The message is kept; report it to its author.",
        )
