"""MLLP over real sockets: a small blocking sender, a listener in this process, and one as a process of its own."""

import asyncio
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter, Hl7v2Settings
from hcrm_core.intake.guard import plan
from hcrm_core.intake.listen import Listener
from hcrm_core.model.adapters import Adapter
from hcrm_core.model.listening import ListenerSettings
from hcrm_core.store.engine import Store
from hcrm_core.store.tables import message, payload
from support.streams import work_off

START, END = b"\x0b", b"\x1c\r"
SECONDS = 30.0
LOCAL = "127.0.0.1:0"


def adt(control_id: str, patient: str = "P1", name: str = "张", *, accept: str = "", application: str = "") -> bytes:
    """An ADT^A28; `accept` and `application` are MSH-15 and MSH-16."""
    time = "20260301100000+0800"
    return (
        f"MSH|^~\\&|HIS|HOSP|HCRM||{time}||ADT^A28|{control_id}|P|2.5|||{accept}|{application}||UNICODE UTF-8\r"
        f"EVN|A28|{time}\rPID|||{patient}^^^HOSP^MR||{name}^三\r"
    ).encode()


def framed(*payloads: bytes) -> bytes:
    """Messages as they go over the wire."""
    return b"".join(START + one + END for one in payloads)


class Ack(NamedTuple):
    """An answer: MSA-1, MSA-2, and all its bytes."""

    code: str
    control_id: str
    raw: bytes


class Sender:
    """The other end of a connection. Whatever takes longer than half a minute fails."""

    def __init__(self, address: str, tls: ssl.SSLContext | None = None, server: str = "localhost") -> None:
        """Args: address: `HOST:PORT`; tls: how to speak TLS; server: the name expected in the port's certificate."""
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=server)
        self._heard = b""

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *payloads: bytes) -> None:
        """Send messages at once, without waiting for an answer."""
        self.socket.sendall(framed(*payloads))

    def answer(self) -> Ack:
        """The next answer."""
        while END not in self._heard:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError("the connection has ended")
            self._heard += data
        frame, _, self._heard = self._heard.partition(END)
        assert frame[:1] == START
        fields = frame[frame.index(b"\rMSA|") + 1 :].split(b"\r")[0].decode("utf-8", "replace").split("|")
        return Ack(fields[1], fields[2], frame + END)

    def answers(self, count: int) -> list[Ack]:
        """So many answers."""
        return [self.answer() for _ in range(count)]

    def ask(self, one: bytes) -> Ack:
        """Send a message and wait for its answer, as most senders do."""
        self.send(one)
        return self.answer()

    def rest(self) -> list[Ack]:
        """Every answer until the connection ends."""
        found = []
        try:
            while True:
                found.append(self.answer())
        except (EOFError, ConnectionError):
            return found

    def ended(self, seconds: float = SECONDS) -> bool:
        """Whether the other side ends the connection within so long."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                continue
        except TimeoutError:
            return False
        except OSError:
            return True
        return True


def source(name: str = "his", listen: str = LOCAL, acknowledge: str = "commit", **listener: Any) -> Hl7v2Adapter:
    """The adapter of a listening source; the rest is its `[sources.NAME.listener]`."""
    guarded = ListenerSettings(**listener)
    return Hl7v2Adapter(name, Hl7v2Settings(adapter="hl7v2", listen=listen, acknowledge=acknowledge, listener=guarded))


class Listening:
    """A `Listener` on an event loop in a thread of its own."""

    def __init__(self, store: Store, clock: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        """Args: store: whose inbox is written; clock: microseconds UTC."""
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

        async def make() -> Listener:
            return Listener(store, clock)

        self.listener = self._run(make())

    def serve(self, *sources: Adapter) -> str:
        """Listen for these, now instead of those before; the first port's address."""
        self._run(self.listener.serve(plan(sources, Path, lambda source, key: f"hcrm.toml, sources.{source}.{key}")))
        return self.listener.ports[0]

    def stop(self) -> None:
        """Stop as a signal does; a second time nothing happens."""
        if self._thread.is_alive():
            try:
                self._run(self.listener.stop())
            finally:
                self.loop.call_soon_threadsafe(self.loop.stop)
                self._thread.join(SECONDS)
                self.loop.close()

    def _run(self, doing: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(SECONDS)


@contextmanager
def listening(store: Store, *sources: Adapter) -> Iterator[str]:
    """The address of a listener for these sources, one of `his` on a free port where none is given."""
    running = Listening(store)
    try:
        yield running.serve(*sources or (source(),))
    finally:
        running.stop()


@contextmanager
def folding(store: Store) -> Iterator[None]:
    """Translate and fold beside the test, as a daemon does."""
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            work_off(store, now=time.time_ns() // 1000)
            ended.wait(0.02)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Kept(NamedTuple):
    """A message in the inbox; `remarks` is JSON, empty where nothing is remarked."""

    source: str
    control_id: str
    payload: bytes
    form: str
    remarks: str


def kept(store: Store) -> list[Kept]:
    """The inbox, in landing order."""
    query = select(message, payload.c.body).where(payload.c.message_id == message.c.id).order_by(message.c.id)
    with store.read_inbox() as connection:
        rows = connection.execute(query).all()
    return [Kept(row.source, row.control_id, store.codec.open(row.body), row.form, row.remarks or "") for row in rows]


class Daemon:
    """`hcrm` as a process that listens, with what it says kept in a file."""

    def __init__(self, root: Path, *command: str, ready: bool = True) -> None:
        """Args: root: the workspace; command: `listen` or `run --watch`; ready: wait until it listens."""
        self._said = root / "said.txt"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hcrm_core", "--workspace", str(root), *command],
                stdin=subprocess.DEVNULL, stderr=said,
            )  # fmt: skip
        if ready:
            self.address = self.wait(r"Listening on (127\.0\.0\.1:\d+)")

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def said(self) -> str:
        """What it has said on standard error."""
        return self._said.read_text(encoding="utf-8")

    def wait(self, pattern: str, seconds: float = SECONDS) -> str:
        """Wait until it says something; the pattern's group."""
        until = time.monotonic() + seconds
        while not (found := re.search(pattern, self.said())):
            assert self.process.poll() is None and time.monotonic() < until, self.said()
            time.sleep(0.02)
        return found[1] if found.groups() else found[0]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self.signal(signal.SIGTERM)
        return self.process.wait(SECONDS)


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Do something in so many threads at once, and give what each came to."""
    found: list[Any] = [None] * count
    failed: list[BaseException] = []

    def one(number: int) -> None:
        try:
            found[number] = work(number)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return found


def share(items: Sequence[Any], count: int) -> list[Sequence[Any]]:
    """Deal items to so many."""
    return [items[start::count] for start in range(count)]
