"""Finding the messages of a file: wrappers, framing, line ends and everything that is no message."""

import pytest

from hcrm_adapter_hl7v2.reader import FileRemark, RawMessage, read_message, split_messages

ONE = b"MSH|^~\\&|A|B|||1||ADT^A01|1|P|2.5\rPID|1||p1\r"
TWO = b"MSH|^~\\&|A|B|||1||ADT^A01|2|P|2.5\rPID|1||p2\r"


def messages(data):
    return [item for item in split_messages(data) if isinstance(item, RawMessage)]


def remarks(data):
    return [item for item in split_messages(data) if isinstance(item, FileRemark)]


def codes(data):
    return [repair.code for item in messages(data) for repair in item.repairs]


@pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n"])
def test_messages_in_a_row_are_received_bytes_whatever_the_line_ends(ending):
    one, two = ONE.replace(b"\r", ending), TWO.replace(b"\r", ending)
    assert [item.raw for item in messages(one + two)] == [one, two]
    assert [item.raw for item in messages(one + ending + ending + two + ending)] == [one, two]
    assert not remarks(one + two)


def test_a_message_without_final_line_end_keeps_its_last_byte():
    assert messages(ONE.rstrip(b"\r") + b"  ")[0].raw == ONE.rstrip(b"\r") + b"  "


def test_lines_and_bytes_count_in_the_file():
    first, second = messages(b"\r\n" + ONE.replace(b"\r", b"\r\n") + b"\n" + TWO)
    assert first.where == (2, None, None, 2)
    assert second.where == (5, None, None, 2 + len(ONE) + 2 + 1)


@pytest.mark.parametrize(
    ("head", "tail", "expected"),
    [
        (b"FHS|^~\\&|x\rBHS|^~\\&|x\r", b"BTS|2\rFTS|1\r", []),
        (b"BHS|^~\\&|x\r", b"BTS|2\r", []),
        (b"BHS|^~\\&|x\r", b"", ["no-trailer"]),
        (b"", b"BTS|2\r", ["no-header"]),
        (b"FHS|^~\\&\rBHS|^~\\&\r", b"BTS\rFTS\r", []),
        (b"FHS|^~\\&\r", b"", ["no-trailer"]),
        (b"BHS|^~\\&|x\r", b"BTS|3\r", ["count"]),
    ],
)
def test_wrappers_may_lack_parts_and_what_lacks_is_said(head, tail, expected):
    data = head + ONE + TWO + tail
    assert [item.raw for item in messages(data)] == [ONE, TWO]
    assert [item.code for item in remarks(data)] == expected


def test_segments_behind_a_wrapper_never_join_the_message_before_it():
    data = ONE + b"BHS|^~\\&|x\rPID|1||someone-else\r" + TWO + b"BTS|1\r"
    assert [item.raw for item in messages(data)] == [ONE, TWO]
    (stray,) = [item for item in remarks(data) if item.code == "stray-bytes"]
    assert stray.raw.strip() == b"PID|1||someone-else"
    assert "someone" not in stray.text


def test_mllp_framing_left_in_a_file_is_removed_and_reported():
    data = b"\x0b" + ONE + b"\x1c\r" + b"\x0b" + TWO + b"\x1c\r"
    assert [item.raw for item in messages(data)] == [ONE, TWO]
    assert codes(data) == ["mllp-framing", "mllp-framing"]
    assert messages(b"\x0b" + ONE + b"\x1c\r\x0b" + TWO)[1].raw == TWO


def test_bytes_between_frames_are_set_aside():
    (stray,) = remarks(b"\x0b" + ONE + b"\x1c\rgarbage\r\x0b" + TWO + b"\x1c\r")
    assert stray.code == "stray-bytes"
    assert b"garbage" in stray.raw


@pytest.mark.parametrize(
    ("before", "code"),
    [
        (b"\xef\xbb\xbf", "byte-order-mark"),
        (b"[SOM]", "leading-text"),
        (b"  ", "leading-text"),
        (b"received 10:30 ", "leading-text"),
    ],
)
def test_junk_before_msh_on_its_line_is_removed_and_reported(before, code):
    (found,) = messages(before + ONE)
    assert found.raw == ONE
    assert [repair.code for repair in found.repairs] == [code]
    assert found.where.byte == len(before)


def test_lines_before_the_first_message_are_set_aside():
    data = b"exported by x\n\n" + ONE
    assert [item.raw for item in messages(data)] == [ONE]
    assert [item.code for item in remarks(data)] == ["stray-bytes"]


def test_a_marked_message_in_the_middle_of_a_file_is_found():
    assert [item.raw for item in messages(ONE + b"[SOM]" + TWO)] == [ONE, TWO]


@pytest.mark.parametrize("text", [b"MSH-3 is missing", b"MSHA|", b"see MSH|^~\\&| there", b"MSH", b"MSH: x"])
def test_words_that_look_like_a_header_do_not_start_a_message(text):
    data = ONE + b"OBX|1|TX|a||line\r" + text + b"\r"
    assert len(messages(data)) == 1


def test_other_delimiters_start_a_message_too():
    assert len(messages(b"MSH$%~\\&$A\rPID$1\rMSH#*~\\&#A\r")) == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \r\n", "blanks"),
        (b"\0" * 900, "NUL"),
        (b"\x89PNG\r\n\x1a\n\0\0", "PNG"),
        (b"PK\x03\x04abc", "ZIP"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"SQLite format 3\0", "SQLite"),
        (b"<?xml version='1.0'?><ADT_A01/>", "XML"),
        (b'{"resourceType": "Bundle"}', "JSON"),
        (b"hello\nworld\n", "without an MSH"),
        (b"PID|1||x\r", "no MSH segment"),
        (b"FHS|^~\\&\rFTS|0\r", "carries no message"),
        (b"\x01\x02\0\x03", "binary"),
        (ONE.decode().encode("utf-16"), "UTF-16"),
        (ONE.decode().encode("utf-16-le"), "UTF-16"),
        (ONE.decode().encode("utf-16-be"), "UTF-16"),
        (ONE.decode().encode("utf-32"), "UTF-32"),
    ],
)
def test_a_file_without_message_says_why(data, words):
    (remark,) = split_messages(data)
    assert remark.code == "not-hl7"
    assert words in remark.text
    assert remark.raw == data


def test_dos_end_of_file_and_nul_padding_are_dropped_and_reported():
    for tail in (b"\x1a", b"\0\0\0"):
        (found,) = messages(ONE + tail)
        assert found.raw == ONE
        assert [repair.code for repair in found.repairs] == ["trailing-bytes"]


def test_repairs_of_framing_reach_the_message():
    (found,) = messages(b"[SOM]" + ONE)
    assert [repair.code for repair in read_message(found).repairs] == ["leading-text"]


def test_splitting_is_linear_in_the_size_of_a_file():
    assert len(messages((ONE + TWO) * 5000)) == 10_000
    assert len(messages(ONE + b"[a]" * 200_000)) == 1
    assert len(messages(ONE + b"[" * 200_000)) == 1
