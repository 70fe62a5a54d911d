"""How fast the reader is on this machine: ``python -m hcrm_adapter_hl7v2.bench [MESSAGE_DIR]``.

Rates are messages per CPU second of one thread, so a busy neighbour bends them less; programs are
measured in turns, and ratios between them are what to trust.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from hcrm_adapter_hl7v2.reader import compile_paths, compile_rows, read_message, split_messages

FIELDS = (
    "MSH-9.1",
    "MSH-10",
    "PID-3.1",
    "PID-5.1",
    "PID-5.2",
    "PID-7",
    "PID-8",
    "PID-11.5",
    "PID-13.1",
    "PV1-19.1",
)
RESULT_FIELDS = ("OBX-3.1", "OBX-5", "OBX-6.1")

_read_fields = compile_paths(FIELDS)
_read_results = compile_rows("OBX", RESULT_FIELDS)


class Rate(NamedTuple):
    """Messages per CPU second over several turns."""

    name: str
    median: float
    low: float
    high: float


def measure(messages: Sequence[bytes], turns: int = 31, seconds: float = 0.06) -> list[Rate]:
    """Return the reader's rates on these messages, and those of ``hl7lw`` when it is installed.

    Args:
        messages: Messages as received, read one after another.
        turns: How often each program is measured.
        seconds: About how long one measurement takes.

    Returns:
        One rate per program: reading the usual fields of a message from bytes through prepared
        references, the same through ``Message.get``, a bare three-level split as floor, hl7lw's parse.
    """
    programs = _programs(messages)
    rounds = {name: _rounds(program, messages, seconds) for name, program in programs.items()}
    rates: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(turns):
        for name, program in programs.items():
            started = time.process_time()
            for _ in range(rounds[name]):
                for raw in messages:
                    program(raw)
            rates[name].append(rounds[name] * len(messages) / (time.process_time() - started))
    return [Rate(name, statistics.median(found), min(found), max(found)) for name, found in rates.items()]


def sample_messages() -> dict[str, list[bytes]]:
    """Return invented messages: one admission and one result message with 20 results."""
    head = "MSH|^~\\&|HIS|H|HCRM|H|20250102030405||{}|M{}|P|2.5.1||||||UNICODE UTF-8"
    patient = "PID|1||P1^^^H^MR~X2^^^H^SS||示例^患者^^^^^L||19800101|F|||1 路^^城^省^100000^CN^H||021^PRN^PH"
    visit = "PV1|1|I|W^1^2||||D1^医^生" + "|" * 12 + "V1^^^H^VN"
    filler = [f"AL1|{n}|DA^Drug^L|{n}^Thing {n}^L|SV^Severe^L|Hives|20200101" for n in range(1, 10)]
    admission = [head.format("ADT^A01^ADT_A01", 1), "EVN|A01|20250102", patient, visit, *filler]
    results = [f"OBX|{n}|NM|{n}-1^Name {n}^LN|1|{n}.5|g/L^g/L^UCUM|1-9|N|||F|||20250102" for n in range(1, 21)]
    report = [head.format("ORU^R01^ORU_R01", 2), patient, visit, "OBR|1|A|B|C^Panel^LN", *results]
    return {"ADT": ["\r".join([*admission, ""]).encode()], "ORU": ["\r".join([*report, ""]).encode()]}


def read_folder(folder: Path) -> dict[str, list[bytes]]:
    """Return the messages of a folder's ``.hl7`` files, grouped by type; at most 2,000 of each."""
    groups: dict[str, list[bytes]] = {}
    for file in sorted(folder.rglob("*.hl7")):
        for item in split_messages(file.read_bytes()):
            if hasattr(item, "repairs"):
                kind = str(read_message(item.raw, "GB18030").get("MSH-9.1"))
                group = groups.setdefault(kind, [])
                if len(group) < 2000:
                    group.append(item.raw)
    return groups


def _programs(messages: Sequence[bytes]) -> dict[str, Callable[[bytes], object]]:
    programs: dict[str, Callable[[bytes], object]] = {"prepared": _prepared, "get": _get, "split floor": _floor}
    try:
        parser = importlib.import_module("hl7lw").Hl7Parser()
    except ImportError:
        return programs
    # It starts from text, so it is spared the decoding.
    texts = {raw: raw.decode("utf-8", "replace") for raw in messages}
    return {**programs, "hl7lw parse": lambda raw: parser.parse_message(texts[raw])}


def _prepared(raw: bytes) -> object:
    message = read_message(raw)
    return _read_fields(message), _read_results(message)


def _get(raw: bytes) -> object:
    message = read_message(raw)
    values = [message.get(reference) for reference in FIELDS]
    for segment in message.segments("OBX"):
        values += (segment.value(3), segment.value(5), segment.value(6))
    return values


def _floor(raw: bytes) -> object:
    return [[field.split("^") for field in line.split("|")] for line in raw.decode().split("\r")]


def _rounds(program: Callable[[bytes], object], messages: Sequence[bytes], seconds: float) -> int:
    started = time.process_time()
    for raw in messages:
        program(raw)
    return max(1, int(seconds / max(time.process_time() - started, 1e-6)))


def main(arguments: Sequence[str]) -> None:
    """Print the rates on a folder's messages, or on invented ones."""
    groups = read_folder(Path(arguments[0])) if arguments else sample_messages()
    for kind, messages in groups.items():
        rates = measure(messages)
        print(f"{kind}: {len(messages)} messages")
        for rate in rates:
            against = ", ".join(
                f"{rate.median / other.median:.2f} × {other.name}" for other in rates if other is not rate
            )
            print(f"  {rate.name}: {rate.median:,.0f}/s ({rate.low:,.0f}–{rate.high:,.0f}); {against}")


if __name__ == "__main__":
    main(sys.argv[1:])
