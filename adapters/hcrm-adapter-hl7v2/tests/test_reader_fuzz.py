"""Whatever the bytes: a message, a remark or an UnreadableMessage, and soon."""

import random
import time

import pytest

from hcrm_adapter_hl7v2.reader import (
    RawMessage,
    UnreadableMessage,
    compile_paths,
    compile_rows,
    read_message,
    split_messages,
)

ADT = (
    "MSH|^~\\&|HIS|院|HCRM|H|20250102030405||ADT^A01^ADT_A01|M1|P|2.5||||||UNICODE UTF-8\rEVN|A01|20250102\r"
    'PID|1||P1^^^H^MR~X2^^^H^SS||示例^患者^^^^^L||19800101|F|||1 路&a^^城^省^100000^CN^H||""|021\r'
    "PV1|1|I|W^1^2||||D1^医^生||||||||||||V1^^^H^VN\rAL1|1|DA|x\\T\\y\\X4142\\\\.br\\z\rZPI|1\r"
)
ORU = (
    "MSH|^~\\&#|LAB|H|HCRM|H|20250102030405||ORU^R01|M2|P|2.5.1||||||GB 18030-2000\rPID|1||P1||示例^患者\r"
    "OBR|1|A|B|C^Panel^LN\rOBX|1|NM|1-1^Name^LN|1|1.5|g/L^g/L^UCUM|1-9|N\rOBX|2|FT|2-1||line\\.br\\line\rNTE|1||a\rb\r"
)
SEEDS = (
    ADT.encode(), ORU.encode("gb18030"), ADT.replace("\r", "\r\n").encode(),
    b"FHS|^~\\&\rBHS|^~\\&\r" + ADT.encode() * 2 + b"BTS|2\rFTS|1\r", b"\x0b" + ORU.encode("gb18030") + b"\x1c\r",
    ADT.replace("UNICODE UTF-8", "~ISO IR87").replace("示", "").encode("iso2022_jp_ext", "ignore"),
)  # fmt: skip
SPICE = (
    b"\r", b"\n", b"|", b"^", b"~", b"\\", b"&", b'""', b"\0", b"\x0b", b"\x1c\r", b"\xef\xbb\xbf", b"\xff\xfe",
    b"\x1b$B",
    b"MSH|", b"MSH|^~\\&|", b"\\X", b"\\XFF\\", b"\\.sp9999\\", b"BTS|", b"BHS|", b"\x81\x30",
    b"\xd5\x5c", b"[SOM]", b"\xc2\x85",
)  # fmt: skip
PATHS = [
    "MSH-9.1",
    "MSH-10",
    "PID-3.1",
    "PID-3[2].1",
    "PID-5.1",
    "PID-5.2",
    "PID-7",
    "PID-11.1.2",
    "PV1-19.1",
    "OBX[2]-5",
]

read_paths = compile_paths(PATHS)
read_rows = compile_rows("OBX", ["OBX-3.1", "OBX-5", "OBX-6.1"])


def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                data[at:at] = rng.choice(SPICE)
            case 2:
                del data[at : at + rng.randint(1, 40)]
            case 3:
                data[at:at] = data[max(0, at - rng.randint(1, 80)) : at]
            case 4:
                data[at : at + 2] = rng.choice(SPICE)
            case 5:
                data[:] = data[:at] or b"M"
    return bytes(data)


def read_everything(data):
    """Read all a file holds in every way, and return how many messages were readable."""
    count = 0
    items = list(split_messages(data))
    assert items
    for item in items:
        assert str(item.where) or item.where == (None,) * 4
        if not isinstance(item, RawMessage):
            continue
        assert item.raw in data
        try:
            message = read_message(item, "GB18030")
        except UnreadableMessage as error:
            assert error.reason
            continue
        count += 1
        if message.charset != "iso2022_jp_ext":  # one text has several spellings in it
            assert message.text.encode(message.charset) == item.raw
        assert read_paths(message) == tuple(message.get(path) for path in PATHS)
        assert read_rows(message) == [(s.value(3), s.value(5), s.value(6)) for s in message.segments("OBX")]
        for segment in message:
            for number in segment.filled():
                for repetition in range(1, len(segment.repetitions(number)) + 1):
                    for component in range(1, len(segment.components(number, repetition)) + 1):
                        segment.value(number, component, 2, repetition)
    try:
        read_message(data)
    except UnreadableMessage as error:
        assert error.reason
    return count


def fuzz(mutations, seed):
    rng = random.Random(seed)
    readable = 0
    for _ in range(mutations):
        data = mutate(rng, rng.choice(SEEDS))
        started = time.process_time()
        readable += read_everything(data) > 0
        assert time.process_time() - started < 2, data
    assert readable > mutations // 4


def test_the_seeds_themselves_are_readable():
    assert [read_everything(seed) for seed in SEEDS] == [1, 1, 1, 2, 1, 1]


def test_mutations():
    fuzz(3_000, seed=1)


@pytest.mark.prove
def test_100_000_mutations():
    fuzz(100_000, seed=2)
