"""Whatever is sent, in whatever pieces: nothing is raised, pieces do not matter, and every answer is one frame."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter, Hl7v2Settings
from hcrm_adapter_hl7v2.mllp import MllpConnection
from hcrm_adapter_hl7v2.splitting import raw_messages
from hcrm_core.api import InputError, Problem, Received, Verdict

ADAPTERS = [
    Hl7v2Adapter("his", Hl7v2Settings(adapter="hl7v2")),
    Hl7v2Adapter("his", Hl7v2Settings(adapter="hl7v2", acknowledge="application", charset="GB18030")),
]
OUTCOMES = ("stored", "folded", "quarantined", "refused", "unavailable")

ADT = "MSH|^~\\&|亅乛亊乗|院|HCRM|H|2025||ADT^A01|M1|P|2.5|||AL|AL||GB 18030-2000\rPID|1||P1||示例\r".encode("gb18030")
ORU = b"MSH|^~\\&|LAB|H|HCRM|H|2025||ORU^R01|M2|P|2.3\rPID|1||P1\rOBX|2|TX|2-1||a\r"
ATOMS = (
    ADT, ORU, b"\x0b", b"\x1c", b"\x0b", b"\x1c\r", b"\r", b"\n", b" ", b"MSH|", b"MSH", b"M", b"MS", b"MSH|^~\\&|A|",
    b"BHS|^~\\&\r", b"BTS|2\r", b"FTS|1", b"noise", b"\0", b"\xef\xbb\xbf", b"\xff", b"\x1b$B", b"PID|1||somebody\r",
    b"\x0b" + ADT + b"\x1c\r", b"\x0b" + ORU + b"\x1c\r", b"\x0b" + ORU[:40], b"MSH$%~\\&$A$B$C$D$$$ADT%A01$9\r",
)  # fmt: skip

streams = st.lists(st.sampled_from(ATOMS) | st.binary(max_size=3), max_size=16).map(b"".join)
bodies = st.lists(
    st.sampled_from(
        (ADT, ORU, ORU[:-1], b"BHS|^~\\&\r", b"FHS|", b"BTS|2\r", b"FTS|1", b"\r", b"\n", b" ", b"\0", b"x")
    ),
    max_size=6,
).map(b"".join)


def heard(stream, cuts):
    """What the pieces between the cuts come to, and what stays pending."""
    connection = MllpConnection()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += connection.receive(stream[start:end])
        assert connection.pending <= end
    return found, connection.pending


def answer_everything(found, rng):
    """Each answer is a frame, or two, that our own framing takes for messages."""
    for item in found:
        if isinstance(item, Problem):
            assert "somebody" not in item.text
            continue
        assert item.payload
        problem = item.refusal or rng.choice((None, Problem("unreadable", "MSH-18", "a|b^c~d\\e&f\r\x0b\x1c")))
        verdict = Verdict(rng.choice(OUTCOMES), rng.randrange(9), rng.choice((0, 10**15)), problem)
        for adapter in ADAPTERS:
            answer = adapter.acknowledge(item.payload, verdict)
            assert answer == adapter.acknowledge(item.payload, verdict)
            frames = MllpConnection().receive(answer)
            assert len(frames) == answer.count(b"\x1c") == answer.count(b"\x0b") <= 2
            assert all(isinstance(frame, Received) and not frame.refusal for frame in frames)


def fuzz(count, seed):
    rng = random.Random(seed)
    messages = 0
    for _ in range(count):
        stream = b"".join(rng.choice(ATOMS) for _ in range(rng.randint(1, 14)))
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(stream) + 1)
            stream = stream[:at] + bytes([rng.randrange(256)]) + stream[at + rng.randrange(2) :]
        cuts = sorted(rng.randrange(len(stream) + 1) for _ in range(rng.randrange(12)))
        found, pending = heard(stream, cuts)
        assert (found, pending) == heard(stream, [])
        answer_everything(found, rng)
        messages += any(isinstance(item, Received) for item in found)
    assert messages > count // 4


def test_streams():
    fuzz(500, seed=1)


@pytest.mark.prove
def test_50_000_streams():
    fuzz(50_000, seed=2)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(streams, st.data())
def test_any_pieces_give_what_one_piece_gives(stream, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    assert heard(stream, cuts) == heard(stream, []) == heard(stream, range(1, len(stream)))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(bodies)
def test_a_frame_holds_what_a_file_of_its_bytes_holds(body):
    found, _ = heard(b"\x0b" + body + b"\x1c", [])
    try:
        expected = [Received(item.payload, item.control_id, item.repairs) for item in raw_messages(body)]
    except InputError:
        assert all(item == Received(body, refusal=item.refusal) for item in found if isinstance(item, Received))
        assert not body.strip() or found[0].refusal
    else:
        assert found == expected
