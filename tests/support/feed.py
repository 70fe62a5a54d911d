"""A hospital's senders for proofs: several connections that send again until acknowledged and remember the answers."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

from support import ward

GOOD = ("AA", "CA")
PATIENTS = 60
_BEGIN = datetime(2026, 1, 1)
# Second bytes that look like HL7's delimiters: whoever splits before decoding tears these names apart.
_NAMES = [
    letter
    for letter in map(chr, range(0x4E00, 0x9FA6))
    if len(code := letter.encode("gbk")) == 2 and code[1:] in (b"\\", b"^", b"|", b"~")
]


def messages(start: int = 0) -> Iterator[bytes]:
    """ADT and ORU messages of several patients without end, in GB18030; equal on every call."""
    for number in count(start):
        yield message(number)


def message(number: int) -> bytes:
    """One of them; each patient is admitted, changed, tested, discharged and now and then merged, again and again."""
    turn, patient = divmod(number, PATIENTS)
    time = (_BEGIN + timedelta(seconds=number)).strftime("%Y%m%d%H%M%S")
    name = f"{_NAMES[patient]}^{_NAMES[number % len(_NAMES)]}"
    who = ward.pid(f"P{patient}", name, phone=f"138{number:08}")
    stay = ward.pv1(f"V{patient}-{turn // 6}", time)
    control_id = f"F{number}"
    step = (turn + patient) % 6
    if step == 2:
        return ward.result(control_id, time, who, stay)
    if step == 5 and patient % 4 == 0:
        return ward.message("A40", control_id, time, who, f"MRG|P{patient + 1}^^^RMYY^MR")
    event = ("A01", "A08", "", "A08", "A03", "A31")[step]
    return ward.message(event, control_id, time, who, *([stay] if event != "A31" else []))


class Acknowledged(NamedTuple):
    """A message, and the number its sender was told."""

    payload: bytes
    number: int


class Feed:
    """Senders that hand over a stream of messages, each sending one, waiting for its answer, and sending the next."""

    def __init__(
        self, port: int, stream: Iterator[bytes], senders: int = 6, pause: float = 0.05, patience: float = 30
    ) -> None:
        """Args:
        port: Where the listener is.
        stream: What they share out among them.
        senders: How many.
        pause: Seconds between two messages of one.
        patience: Seconds after which one takes its connection for broken.
        """
        self.port, self.pause, self.patience = port, pause, patience
        self.sent: list[bytes] = []
        self.acknowledged: list[Acknowledged] = []
        self.refused: Counter[str] = Counter()
        self.wrong: list[str] = []
        """Answers that no sender could understand."""
        self.ended = threading.Event()
        self._stream = stream
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send_all, daemon=True) for _ in range(senders)]
        for thread in self._threads:
            thread.start()

    def finish(self, seconds: float = 120) -> None:
        """Begin no more messages; return when the last one is acknowledged."""
        self.ended.set()
        self.join(seconds)

    def join(self, seconds: float = 120) -> None:
        """Return when the stream is at its end and acknowledged."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))
        waiting = sum(thread.is_alive() for thread in self._threads)
        assert not waiting, f"{waiting} senders still wait for an acknowledgment"
        assert not self.wrong, self.wrong[:3]

    def _next(self) -> bytes | None:
        with self._lock:
            payload = None if self.ended.is_set() else next(self._stream, None)
            if payload is not None:
                self.sent.append(payload)
            return payload

    def _send_all(self) -> None:
        sender = Sender(self.port, self.patience)
        while (payload := self._next()) is not None:
            # As senders do that missed an answer: now and then what was acknowledged comes once more.
            for _ in range(2 if len(self.sent) % 17 == 0 else 1):
                self._deliver(sender, payload)
            time.sleep(self.pause)
        sender.close()

    def _deliver(self, sender: "Sender", payload: bytes) -> None:
        while True:
            try:
                code, number = sender.ask(payload)
            except OSError:
                sender.close()
                time.sleep(0.05)
            except ValueError as error:
                self.wrong.append(str(error))
                return
            else:
                if code in GOOD:
                    self.acknowledged.append(Acknowledged(payload, number))
                    return
                self.refused[code] += 1
                time.sleep(0.1)


class Sender:
    """One connection, made anew when it broke."""

    def __init__(self, port: int, seconds: float = 30) -> None:
        """Args: seconds: how long it waits for an answer before it takes the connection for broken."""
        self._port, self._seconds = port, seconds
        self._socket: socket.socket | None = None

    def ask(self, payload: bytes) -> tuple[str, int]:
        """Send one message; the answer's code (MSA-1), and the number in its control id.

        Raises:
            OSError: The connection broke or there is none.
            ValueError: The answer is none to this message.
        """
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), self._seconds)
        self._socket.sendall(b"\x0b" + payload + b"\x1c\r")
        return read_answer(self._answer(), payload)

    def _answer(self) -> bytes:
        assert self._socket
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            data = self._socket.recv(65_536)
            if not data:
                raise ConnectionError("closed before the answer")
            answer += data
        return answer

    def close(self) -> None:
        """Break the connection."""
        if self._socket:
            self._socket.close()
            self._socket = None


def read_answer(answer: bytes, payload: bytes) -> tuple[str, int]:
    """The code of an acknowledgment and the number it tells; 0 where nothing was stored.

    Raises:
        ValueError: It answers another message.
    """
    segments = [segment.split(b"|") for segment in answer.strip(b"\x0b\x1c\r").split(b"\r")]
    head, said = segments[0], segments[1]
    if said[0] != b"MSA" or said[2] != payload.split(b"|", 10)[9]:
        raise ValueError(f"not an answer to it: {answer!r}")
    return said[1].decode(), int(head[9].removeprefix(b"HCRM").rstrip(b"A") or 0)
