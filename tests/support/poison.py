"""Fifty kinds of messages that nobody can read, or over which an adapter goes wrong, and a plugin that mends it all."""

import gzip
import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from support.plugins import distribution

CODE = '''
import hashlib, os, signal, time
from pathlib import Path
from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter
from hcrm_core.api import Patient, Statement, Translation, hookimpl

MENDED = Path(__file__).with_name("mended")

class Poisoned(Hl7v2Adapter):
    """Reads HL7 v2, but goes wrong over messages with "!" and a word - until it is mended."""

    name = "poisoned"

    def translate(self, payload):
        if MENDED.is_dir():
            mended = MENDED / hashlib.sha256(payload).hexdigest()
            return super().translate(mended.read_bytes() if mended.exists() else payload)
        if b"\\rNTE|1||!" in payload:
            return getattr(self, payload.rpartition(b"!")[2].split()[0].decode())(payload)
        return super().translate(payload)

    def raises(self, payload):
        raise KeyError(payload)

    def overflows(self, payload):
        raise OverflowError

    def decodes(self, payload):
        payload.decode("utf-8")

    def exits(self, payload):
        raise SystemExit(4)

    def interrupts(self, payload):
        raise KeyboardInterrupt

    def recurses(self, payload):
        return self.recurses(payload)

    def exhausts(self, payload):
        raise MemoryError

    def vanishes(self, payload):
        os._exit(0)

    def killed(self, payload):
        os.kill(os.getpid(), signal.SIGKILL)

    def nothing(self, payload):
        return None

    def object(self, payload):
        return object()

    def timeless(self, payload):
        return Translation("ODD", None, (Patient(key="1"),))

    def wrong(self, payload):
        return Translation("ODD", Statement(1), (Patient(key="", birth_date="yesterday"),))

    def unbounded(self, payload):
        return Translation("ODD", Statement(2**62), (Patient(key="1"),))

    def hangs(self, payload):
        time.sleep(600)

@hookimpl
def register_adapters():
    return [Poisoned]
'''

Poison = Callable[[bytes], bytes]


def _misbehaviour(word: str) -> Poison:
    return lambda message: message + b"NTE|1||!" + word.encode() + b" \r"


def _declared(charset: str) -> Poison:
    def declare(message: bytes) -> bytes:
        head, _, rest = message.partition(b"\r")
        return head + b"|" * (17 - head.count(b"|")) + charset.encode() + b"\r" + rest

    return declare


def _recoded(codec: str) -> Poison:
    return lambda message: message.decode("gb18030").encode(codec, "replace")


def _without_patient(segment: bytes) -> Poison:
    def take_out(message: bytes) -> bytes:
        lines = [segment if line.startswith(b"PID") else line for line in message.split(b"\r")]
        return b"\r".join(line for line in lines if line) + b"\r"

    return take_out


UNREADABLE: tuple[Poison, ...] = (
    *map(_declared, ("UNICODE UTF-8", "UNICODE UTF-16", "UNICODE UTF-32", "BIG-5", "EBCDIC", "ISO IR87", "KS X 1001")),
    *map(_recoded, ("utf-7", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp500")),
    *map(_without_patient, (b"", b"PID|1", b"PID|1||  ||X", b"PID|1||^^^RMYY^MR||X", b'PID|1||""||X')),
    lambda message: message.partition(b"\r")[2],
    lambda message: b"EVN|A01\r" + message,
    lambda message: b"msh" + message[3:],
    lambda message: b"MSHA" + message[4:],
    lambda message: message + message,
    lambda message: message.replace(b"^~\\&", b"ABCD", 1),
    lambda message: message.replace(b"^~\\&", b"^^^^", 1),
    lambda message: message.replace(b"PID|1", b"PID|\xff", 1),
    lambda message: message[:-1] + b"\xb0",  # cut within a character
    lambda message: message[::-1],
    lambda message: bytes(byte ^ 0x80 for byte in message),
    lambda message: bytes(range(256)) + message,
    lambda message: bytes(500) + message,
    lambda message: b"\x89PNG\r\n\x1a\n" + message,
    lambda message: b"%PDF-1.7\n" + message,
    lambda message: b'<?xml version="1.0"?><ADT_A01>' + message.hex().encode(),
    lambda message: gzip.compress(message, mtime=0),
    lambda message: b64encode(message),
    lambda message: message.hex().encode(),
    lambda message: quote(message).encode(),
    lambda message: json.dumps({"message": message.hex()}).encode(),
)
MISBEHAVED = tuple(
    map(
        _misbehaviour,
        (
            "raises", "overflows", "decodes", "exits", "interrupts", "recurses", "exhausts", "vanishes", "killed",
            "nothing", "object", "timeless", "wrong",
        ),
    )
)  # fmt: skip
SLOW = tuple(map(_misbehaviour, ("unbounded", "hangs")))
"""They are given up after many tries or a long time."""


def plugin(folder: Path, module: str) -> Path:
    """Write the plugin `poisoned`, which reads HL7 v2 and goes wrong, as an installed distribution."""
    return distribution(folder, "poisoned", CODE, module=module)


def mend(folder: Path, mended: dict[bytes, bytes]) -> None:
    """Let the plugin go wrong no more, and read each of these payloads as another."""
    (folder / "mended").mkdir()
    for payload, instead in mended.items():
        (folder / "mended" / hashlib.sha256(payload).hexdigest()).write_bytes(instead)
