"""What a sender's bytes come to, however the network cuts them."""

import pytest

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter, Hl7v2Settings
from hcrm_adapter_hl7v2.mllp import MllpConnection
from hcrm_core.api import Problem, Received

ADAPTER = Hl7v2Adapter("his", Hl7v2Settings(adapter="hl7v2"))

# The second bytes of these four are | ^ ~ and a backslash in GB 18030.
COLLIDING = "亅乛亊乗"
ADT = (
    f"MSH|^~\\&|{COLLIDING}|院|HCRM|H|20250102030405||ADT^A01|M1|P|2.5||||||GB 18030-2000\rEVN|A01|20250102\r"
    f"PID|1||P1^^^H^MR||{COLLIDING}^患者^^^^^L||19800101|F\rPV1|1|I|W^1^2\r"
).encode("gb18030")
ORU = (
    b"MSH|^~\\&|LAB|H|HCRM|H|20250102030405||ORU^R01|M2|P|2.5.1\rPID|1||P1\rOBR|1|A|B|C^Panel^LN\r"
    b"OBX|1|NM|1-1^Name^LN|1|1.5|g/L|1-9|N\rOBX|2|TX|2-1||a \x0b within a text|\r"
)
SIU = (
    "MSH|^~\\&|预约|H|HCRM|H|20250102030405||SIU^S12|M3|P|2.5.1||||||UNICODE UTF-8\rSCH|1|2\rPID|1||P1||示例^患者\r"
).encode()
GOLDENS = {"ADT": ADT, "ORU": ORU, "SIU": SIU}


def framed(message):
    return b"\x0b" + message + b"\x1c\r"


def heard(*pieces):
    connection = MllpConnection()
    return [found for piece in pieces for found in connection.receive(piece)]


def codes(found):
    """Payloads of messages, codes of problems."""
    return [item.payload if isinstance(item, Received) else item.code for item in found]


@pytest.mark.parametrize("message", GOLDENS.values(), ids=GOLDENS)
def test_a_frame_split_anywhere_is_its_message(message):
    frame = framed(message)
    whole = heard(frame)
    assert codes(whole) == [message]
    for at in range(len(frame) + 1):
        assert heard(frame[:at], frame[at:]) == whole
    assert heard(*[frame[at : at + 1] for at in range(len(frame))]) == whole


@pytest.mark.parametrize("message", GOLDENS.values(), ids=GOLDENS)
def test_a_message_is_the_same_over_both_doors(message):
    (over_mllp,) = heard(framed(message))
    for file in (message, framed(message), b"\r\n" + message + b"\r\n"):
        (from_file,) = ADAPTER.split(file, "a.hl7")
        assert (from_file.payload, from_file.control_id) == (over_mllp.payload, over_mllp.control_id)
    assert over_mllp.repairs == ()


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (SIU, SIU),
        (SIU.replace(b"\r", b"\n"), SIU.replace(b"\r", b"\n")),
        (SIU.replace(b"\r", b"\r\n"), SIU.replace(b"\r", b"\r\n")),
        (SIU[:-1], SIU[:-1]),
        (SIU[:-1] + b"  ", SIU[:-1] + b"  "),
        (SIU + b"\r\r\n", SIU),
        (b"\r\n" + SIU, SIU),
    ],
)
def test_line_ends_are_the_senders_and_blank_lines_are_not_part_of_a_message(body, payload):
    assert codes(heard(framed(body))) == [payload]
    assert [item.payload for item in ADAPTER.split(body, "a.hl7")] == [payload]


def test_pipelined_frames_come_in_order():
    assert codes(heard(framed(ADT) + framed(ORU) + framed(SIU))) == [ADT, ORU, SIU]
    assert [item.control_id for item in heard(framed(ORU) * 3)] == ["M2"] * 3


@pytest.mark.parametrize("behind", [b"\x1c", b"\x1c\n", b"\x1c\r\n", b"\x1c\r\r\n \t\r"])
def test_a_frame_ends_at_its_end_block_whatever_blanks_follow(behind):
    connection = MllpConnection()
    assert codes(connection.receive(b"\x0b" + ORU + behind)) == [ORU]
    assert connection.pending == 0
    assert codes(connection.receive(b"\x0b" + SIU + behind)) == [SIU]


@pytest.mark.parametrize(
    "begun_anew",
    [b"\r\x0b", b"\n\x0b", b"\x0b"],
    ids=["behind CR", "behind LF", "before MSH"],
)
def test_a_frame_without_end_is_dropped_when_the_next_begins(begun_anew):
    unfinished = b"\x0bMSH|^~\\&|A\rPID|1||somebody"
    found = heard(unfinished + begun_anew + SIU + b"\x1c\r")
    assert codes(found) == ["cut-short", SIU]
    assert f"{len(unfinished + begun_anew) - 2} bytes" in found[0].text
    assert "somebody" not in found[0].text


def test_a_start_byte_within_a_line_is_content():
    for body in (ORU, ORU.replace(b"\x0b", b"\x0bM"), ORU.replace(b"\x0b", b"\x0bMS"), ORU[:-1] + b"\x0bMS"):
        assert codes(heard(framed(body))) == [body]
        assert codes(heard(*[framed(body)[at : at + 1] for at in range(len(body) + 3)])) == [body]


def test_stray_bytes_are_told_once_a_run_and_counted():
    found = heard(b"no", b"ise ", b" \r\n", b"x\x1c", framed(ORU), b"\r\n", b"y", framed(SIU), b"z")
    assert codes(found) == ["stray-bytes", ORU, "stray-bytes", SIU]
    assert found[0].text.startswith("7 bytes")
    assert found[2].text.startswith("1 bytes")


def test_blanks_outside_of_frames_are_silent():
    assert codes(heard(b" \r\n\t", framed(ORU), b"\r\n \r\n", framed(SIU), b"\n")) == [ORU, SIU]


@pytest.mark.parametrize("empty", [b"\x0b\x1c\r", b"\x0b\r\n \x1c\r", b"\x0b"])
def test_an_empty_frame_is_a_problem(empty):
    assert codes(heard(framed(ORU) + empty + framed(SIU))) == [ORU, "empty-frame", SIU]


def test_a_start_byte_said_again_begins_again():
    assert codes(heard(b"\x0b\x0b\x0b" + SIU + b"\x1c\r")) == ["empty-frame", "empty-frame", SIU]


def test_several_messages_in_a_frame_are_several():
    found = heard(framed(ORU + SIU))
    assert codes(found) == [ORU, SIU]
    assert [item.control_id for item in found] == ["M2", "M3"]


def test_wrappers_in_a_frame_are_read_as_in_a_file():
    batch = b"FHS|^~\\&\rBHS|^~\\&\r" + ORU + SIU + b"BTS|3\rFTS|1\r"
    found = heard(framed(batch))
    assert codes(found) == [ORU, SIU]
    assert [problem.code for problem in found[1].repairs] == ["count"]
    assert [(item.payload, item.repairs) for item in ADAPTER.split(batch, "a.hl7")] == [
        (r.payload, r.repairs) for r in found
    ]


@pytest.mark.parametrize("wrapper", [b"FHS|^~\\&\r", b"BHS|^~\\&\r", b"BTS|1\r", b"FTS|1\r"])
def test_a_wrapper_behind_a_message_is_not_part_of_it(wrapper):
    (found,) = heard(framed(ORU + wrapper))
    assert found.payload == ORU
    assert found.repairs


def test_words_like_marks_in_a_text_change_nothing():
    body = ORU + b"NTE|1||MSH and BHS and FTS, see MSH|\r"
    assert heard(framed(body)) == [Received(body, "M2")]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "the frame is text without an MSH"),
        (b"<ADT_A01/>", "the frame is XML"),
        (b"PID|1||somebody\r", "no MSH segment"),
        (b"BHS|^~\\&\rBTS|0\r", "carries no message"),
        (b"\0\0", "NUL"),
    ],
)
def test_a_frame_without_message_is_kept_and_refused(body, words):
    (found,) = heard(framed(body))
    assert isinstance(found, Received)
    assert (found.payload, found.control_id) == (body, "")
    assert isinstance(found.refusal, Problem)
    assert found.refusal.code == "not-hl7"
    assert words in found.refusal.text
    assert "somebody" not in found.refusal.text


def test_junk_before_a_header_is_removed_and_reported():
    (found,) = heard(framed(b"\xef\xbb\xbf" + SIU))
    assert found.payload == SIU
    assert [problem.code for problem in found.repairs] == ["byte-order-mark"]


def test_other_delimiters_are_heard_too():
    body = SIU.replace(b"|", b"#")
    assert heard(framed(body)) == [Received(body, "M3")]


def test_pending_counts_what_is_unfinished():
    connection = MllpConnection()
    frame = framed(ORU)
    assert connection.pending == 0
    for at in range(len(frame) - 2):
        connection.receive(frame[at : at + 1])
        assert connection.pending == at + 1
    connection.receive(frame[-2:-1])
    assert connection.pending == 0
    connection.receive(b"\rnoise")
    assert connection.pending == 0


def test_the_end_of_a_connection_tells_what_it_left_behind_once():
    connection = MllpConnection()
    assert connection.end() == []
    connection.receive(framed(ORU) + b"\r\nnoise" + b"\x0bMSH|somebody")
    left = connection.end()
    assert codes(left) == ["cut-short"] and left[0].text.startswith("12 bytes") and "somebody" not in left[0].text
    connection.receive(b"noise \r")
    assert [(one.code, one.text[:7]) for one in connection.end()] == [("stray-bytes", "5 bytes")]
    assert connection.end() == [] and connection.pending == 0


class Counted(bytearray):
    """Counts the bytes that are looked at."""

    looked = 0

    def find(self, what, start=0, end=None):
        end = len(self) if end is None else end
        found = super().find(what, start, end)
        self.looked += max(0, (found if found >= 0 else end) - start) + 1
        return found


MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("stream", "size"),
    [
        (framed(ORU + b"OBX|1|ED|" + b"QUJD" * (2 * MEGABYTE)), 1024),
        (b"\x0bMSH|" + b"x\x0by\x0bMS" * (MEGABYTE // 7), 1024),
        (b"\x0bMSH|" + b"\r\x0b" * (MEGABYTE // 16), MEGABYTE),
        (b"\x0b" * (MEGABYTE // 16), 1024),
        (b"\x0b\x1c" * (MEGABYTE // 16), MEGABYTE),
        (b"\x0bMS" * (MEGABYTE // 16), 7),
        (b"x " * (MEGABYTE // 16), 1024),
    ],
    ids=["long", "content", "restarts", "starts", "empty", "half headers", "noise"],
)
def test_every_byte_is_looked_at_a_few_times_only(stream, size):
    connection = MllpConnection()
    connection._held = counted = Counted()
    for at in range(0, len(stream), size):
        connection.receive(stream[at : at + size])
    assert connection._held is counted
    assert counted.looked <= 4 * len(stream)
