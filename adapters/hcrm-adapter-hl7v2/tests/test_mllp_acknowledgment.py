"""The bytes of an acknowledgment: in the sender's own terms, and valid by hl7apy, written by others."""

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.core import Message
from hl7apy.parser import get_message_info, parse_segments

from hcrm_adapter_hl7v2.adapter import Hl7v2Adapter, Hl7v2Settings
from hcrm_adapter_hl7v2.reader import read_message
from hcrm_core.api import Problem, Verdict

AT = 1_735_787_045_999_999  # 2025-01-02 03:04:05.999999 UTC
STORED = Verdict("stored", 77, AT)
VERSIONS = ["2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8", "2.8.1", "2.8.2"]
VERDICTS = {
    "stored": STORED,
    "folded": Verdict("folded", 77, AT),
    "quarantined": Verdict("quarantined", 77, AT, Problem("no-patient", "PID-3", "PID-3 is empty | fill it & send.")),
    "refused": Verdict("refused", 0, AT, Problem("frame-too-long", "", "The frame is too long. " + "x" * 400)),
    "unavailable": Verdict("unavailable", 0, AT),
}


def adapter(**settings):
    return Hl7v2Adapter("his", Hl7v2Settings(adapter="hl7v2", **settings))


def message(version="2.5.1", kind="ADT^A01", conditions="|", charset="", application="HIS"):
    head = f"MSH|^~\\&|{application}|院|HCRM|H2|20250102||{kind}|M-1|T|{version}||"
    return head + f"|{conditions}||{charset}\rPID|1||P1\r"


def answer(text, verdict=STORED, codec="utf-8", **settings):
    found = adapter(**settings).acknowledge(text.encode(codec), verdict)
    assert found.startswith(b"\x0b")
    assert found.endswith(b"\r\x1c\r")
    return found[1:-2]


def validate(text):
    """Raise what hl7apy finds wrong, told the structure, which MSH-9 does not say before v2.4."""
    if "|2.1\r" in text:
        text = text.replace("+0000|", "+0000^S|")  # its table demands the precision that v2.1 leaves optional
    marks, _, version = get_message_info(text)
    found = Message("ACK", version=version, validation_level=VALIDATION_LEVEL.STRICT, encoding_chars=marks)
    found.children = parse_segments(text, version, marks, VALIDATION_LEVEL.STRICT, found.reference)
    assert found.validate()
    assert [segment.name for segment in found.children] == [line[:3] for line in text.split("\r")[:-1]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("outcome", VERDICTS)
@pytest.mark.parametrize("conditions", ["|", "AL|NE", "AL|AL"])
def test_hl7apy_finds_nothing_wrong(version, outcome, conditions):
    # v2.1 and v2.2 know no MSH-18, and v2.1 ends at MSH-13.
    charset = "" if version < "2.3" else "UNICODE UTF-8"
    found = adapter().acknowledge(message(version, conditions=conditions, charset=charset).encode(), VERDICTS[outcome])
    frames = found.decode().split("\x1c\r")[:-1]
    assert len(frames) <= 2
    for frame in frames:
        validate(frame.removeprefix("\x0b"))


def test_an_answer_in_full():
    assert answer(message(charset="UNICODE UTF-8")).decode() == (
        "MSH|^~\\&|HCRM|H2|HIS|院|20250102030405+0000||ACK^A01^ACK|HCRM77A|T|2.5.1||||||UNICODE UTF-8\rMSA|AA|M-1\r"
    )


def test_an_error_in_full():
    assert answer(message(), VERDICTS["quarantined"]).decode() == (
        "MSH|^~\\&|HCRM|H2|HIS|院|20250102030405+0000||ACK^A01^ACK|HCRM77A|T|2.5.1\r"
        "MSA|AE|M-1|PID-3 is empty \\F\\ fill it \\T\\ send.\r"
        "ERR|||101^Required field missing^HL70357|E|||no-patient PID-3|PID-3 is empty \\F\\ fill it \\T\\ send.\r"
    )


def test_accept_and_application_acknowledgments_are_two_messages():
    first, second = adapter().acknowledge(message(conditions="AL|AL").encode(), STORED).split(b"\x1c\r")[:-1]
    assert read_message(first[1:]).get("MSH-10") == "HCRM77"
    assert read_message(second[1:]).get("MSH-10") == "HCRM77A"


@pytest.mark.parametrize(
    ("version", "kind", "expected"),
    [
        ("2.1", "ADT^A01", "ACK"),
        ("2.3", "ADT^A01", "ACK"),
        ("2.3.1", "ADT^A01", "ACK^A01"),
        ("2.4", "ADT^A01^ADT_A01", "ACK^A01^ACK"),
        ("2.5.1^CHN", "ORU^R01^ORU_R01", "ACK^R01^ACK"),
        ("2.8", "ADT^A01", "ACK^A01^ACK"),
        ("", "ADT^A01", "ACK^A01^ACK"),
        ("V3", "ADT^A01", "ACK^A01^ACK"),
        ("2.5.1", "ADT", "ACK"),
        ("2.5.1", "", "ACK"),
    ],
)
def test_the_message_type_fits_the_version(version, kind, expected):
    assert answer(message(version, kind)).decode().split("|")[8] == expected


@pytest.mark.parametrize(("version", "text", "segment"), [("2.4", 1, 0), ("2.5", 1, 1), ("2.6", 1, 1), ("2.7", 0, 1)])
def test_where_the_reason_stands_depends_on_the_version(version, text, segment):
    found = read_message(answer(message(version), VERDICTS["quarantined"]))
    assert (found.get("MSA-3") is not None) == bool(text)
    assert (found.get("ERR-8") is not None) == bool(segment)


def test_a_sender_in_gb18030_is_named_intact():
    name = "亅乛亊乗医院"  # second bytes: | ^ ~ and a backslash
    for charset, settings in (("GB 18030-2000", {}), ("", {"charset": "GB18030"})):
        found = answer(message(application=name, charset=charset), codec="gb18030", **settings).decode("gb18030")
        assert found.startswith("MSH|^~\\&|HCRM|H2|" + name + "|院|2025")
        assert "\rMSA|AA|M-1\r" in found


def test_bytes_of_no_known_charset_come_back_as_they_came():
    text = message(charset="KLINGON", application="X\xff\x81")
    assert b"|HCRM|H2|X\xff\x81|" in answer(text.replace("院", "Y"), codec="latin-1")


def test_text_in_iso_2022_is_sent_back_in_it():
    text = message(application="山万", charset="~ISO IR87").replace("院", "H")  # its second byte there is |
    found = answer(text, codec="iso2022_jp").decode("iso2022_jp")
    assert found.startswith("MSH|^~\\&|HCRM|H2|山万|H|")


def test_foreign_delimiters_are_kept():
    text = message(kind="ADT^A01").translate(str.maketrans("|^~\\&", "#*!$%"))
    found = answer(text, Verdict("refused", 0, AT, Problem("bad", "", "a # b * c $ d")))
    assert found.startswith("MSH#*!$%#HCRM#H2#HIS#院#20250102030405+0000##ACK*A01*ACK#HCRM0A#T#2.5.1\r".encode())
    assert read_message(found).get("ERR-8") == "a # b * c $ d"
    assert read_message(found).get("ERR-3.3") == "HL70357"


@pytest.mark.parametrize("payload", [b"", b"MSH", b"GET / HTTP/1.1\r\n", b"\0\xff", b"MSH1^~\\&1", b"MSH|||||"])
def test_a_header_that_cannot_be_read_gets_the_least_answer(payload):
    found = adapter().acknowledge(payload, Verdict("refused", 3, AT, Problem("not-hl7", "", "No message.")))
    reply = read_message(found[1:-2])
    assert reply.get("MSA-1") == "AR"
    assert reply.get("MSA-2") is None
    assert reply.get("MSH-9") == "ACK"
    assert reply.get("MSH-12") == "2.5.1"
    assert reply.get("MSH-7") == "20250102030405+0000"
    assert reply.get("ERR-3.1") == "100"


def test_the_half_of_an_id_acknowledges_nothing():
    whole = message()
    at = whole.index("M-1")
    refused = Verdict("refused", 0, AT)
    assert read_message(answer(whole[: at + 2], refused)).get("MSA-2") is None
    assert read_message(answer(whole[: at + 4], refused)).get("MSA-2") == "M-1"


def test_without_an_arrival_the_senders_time_stands_in_for_ours():
    assert read_message(answer(message(), Verdict("unavailable"))).get("MSH-7") == "20250102"


def test_framing_bytes_in_a_header_do_not_break_the_answer():
    found = answer(message(application="A\x0bB\x1cC"))
    assert b"|ABC|" in found


def test_a_header_without_end_is_not_sent_back_whole():
    found = answer("MSH|^~\\&|" + "x" * 10_000_000, Verdict("refused", 0, AT))
    assert len(found) < 70_000


def test_equal_input_gives_equal_bytes():
    for verdict in VERDICTS.values():
        assert answer(message(), verdict) == answer(message(), verdict)


def test_only_the_problem_and_the_header_are_answered():
    text = message() + "PID|1||12345||somebody\r"
    assert b"somebody" not in answer(text, VERDICTS["quarantined"])
