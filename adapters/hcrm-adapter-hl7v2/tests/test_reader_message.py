"""Reading values from one message, by the words of HL7 v2.5.1 chapter 2."""

import pytest

from hcrm_adapter_hl7v2.reader import NULL, Message, UnreadableMessage, Where, compile_paths, compile_rows, read_message

HEAD = "MSH|^~\\&|A|B|C|D|20250102||ADT^A01^ADT_A01|7|P|2.5\r"


def message(*segments, head=HEAD):
    return Message(head + "\r".join(segments) + "\r")


def codes(read):
    return [repair.code for repair in read.repairs]


# §2.5.4 delimiters


@pytest.mark.parametrize(
    ("msh_2", "component", "repetition", "escape", "subcomponent", "truncation"),
    [
        ("^~\\&", "^", "~", "\\", "&", "\r"),
        ("^~\\&#", "^", "~", "\\", "&", "#"),
        ("^~\\", "^", "~", "\\", "\r", "\r"),
        ("^~", "^", "~", "\r", "\r", "\r"),
        ("%*!?", "%", "*", "!", "?", "\r"),
    ],
)
def test_delimiters_of_any_number(msh_2, component, repetition, escape, subcomponent, truncation):
    read = Message(f"MSH|{msh_2}|A\rPID|1||x{component}y\r")
    assert read.delimiters[:6] == ("|", component, repetition, escape, subcomponent, truncation)
    assert (read.get("MSH-1"), read.get("MSH-2"), read.get("MSH-3")) == ("|", msh_2, "A")
    assert read.get("PID-3.2") == "y"
    assert codes(read) == []


def test_a_field_separator_of_its_own():
    read = Message("MSH$%~\\&$A\rPID$1$$x%y\r")
    assert (read.get("MSH-1"), read.get("MSH-3"), read.get("PID-3.2")) == ("$", "A", "y")


@pytest.mark.parametrize(
    ("msh_2", "code"),
    [
        ("", "no-delimiters"),
        ("^~\\\\&", "doubled-escape"),
        ("^~\\&#@", "long-delimiters"),
        ("^~\\&^", "truncation-character"),
    ],
)
def test_odd_delimiters_are_put_right_and_reported(msh_2, code):
    read = Message(f"MSH|{msh_2}|A\rPID|1||x^y&z\r")
    assert (read.get("PID-3.2.2"), codes(read)) == ("z", [code])


@pytest.mark.parametrize(
    "head", ["MSH|EPIC|HOSP", "MSH|^^\\&|A", "MSH|^~|&|", "MSH", "MSHX", "MSH ^~\\& A", "MSH|^~\\&X", "PID|1"]
)
def test_a_header_that_cannot_be_believed_is_refused(head):
    if head == "MSH|^~|&|":
        assert Message(head).delimiters.escape == "\r"
        return
    with pytest.raises(UnreadableMessage):
        Message(head + "\r")


# §2.8 references and what is left out of them


def test_references():
    read = message("PID|1||a^b&c^d~e^^^f&g||N^M", "OBX|1|ST|x||1", "OBX|2|ST|y||2")
    expected = {
        "PID-3": "a", "PID-3.1": "a", "PID-3.2": "b", "PID-3.2.2": "c", "PID-3.3": "d", "PID-3[2]": "e",
        "PID-3[2].4": "f",
        "PID-3[2].4.2": "g", "PID-3[2].2": None, "PID-3[3]": None, "PID-3.9": None, "PID-3.1.2": None, "PID-99": None,
        "PID-5.2": "M", "OBX[2]-5": "2", "OBX[3]-5": None, "ZZZ-1": None, "MSH-9.2": "A01", "MSH-2.1": "^~\\&",
        "MSH-2.2": None,
    }  # fmt: skip
    assert {reference: read.get(reference) for reference in expected} == expected
    assert compile_paths(list(expected))(read) == tuple(expected.values())


@pytest.mark.parametrize(
    "reference", ["PID", "PID-0", "PID-3.0", "pid-3", "PID-3[0]", "PID.3", "PID-3.1.1.1", "", "PID-3 "]
)
def test_malformed_references_are_mistakes_of_the_caller(reference):
    with pytest.raises(ValueError, match="PID-3"):
        message("PID|1").get(reference)


def test_whole_fields_as_text_for_senders_that_do_not_escape():
    read = message("OBX|1|TX|x||PT & INR ^ 5~second \\T\\ last")
    assert read.get("OBX-5") == "PT "
    assert read.get_text("OBX-5") == "PT & INR ^ 5"
    assert read.get_text("OBX-5[2]") == "second & last"
    assert read.get_text("OBX-5.1") == "PT & INR "
    assert read.get_text("MSH-2") == "^~\\&"
    assert read.get_text("OBX-77") is None


# §2.5.3 not mentioned, deleted, given


def test_three_states():
    read = message('PID|1|""||""^x|""~y|a^""^&""')
    assert read.get("PID-2") is NULL
    assert read.get("PID-2.5") is NULL
    assert read.get("PID-2.1.2") is NULL
    assert read.get("PID-3") is None
    assert read.get("PID-4.1") is NULL
    assert read.get("PID-4.2") == "x"
    assert read.get("PID-5[1].3") is NULL
    assert read.get("PID-5[2]") == "y"
    assert read.get("PID-6.2") is NULL
    assert read.get("PID-6.2.2") is NULL
    assert read.get("PID-6.3") is None
    assert read.get("PID-6.3.2") is NULL
    assert not NULL
    assert repr(NULL) == "NULL"


# §2.7 escape sequences


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f"),
        (r"\E\F\E\ ", "\\F\\ "),
        (r"\X48656C6C6F\!", "Hello!"),
        (r"\X0d0a\ ", "\r\n "),
        (r"\XE5BCA0\x\XE4\\XBC9F\ ", "张x伟 "),
        (r"a\.br\b\.sp\c\.sp2\d\.sp 2\e", "a\nb\nc\n\nd\n\ne"),
        (r"\H\bold\N\ \.in+4\x\.ti-2\y\.fi\z\.nf\ \.sk3\|".rstrip("|"), "bold xyz    "),
        (r"a\.ce\b\P\c", "a\nb#c"),
    ],
)
def test_known_escapes(raw, plain):
    read = message(f"OBX|1|FT|x||{raw}")
    assert read.get("OBX-5") == plain
    assert codes(read) == []


@pytest.mark.parametrize(
    "raw", [r"C:\temp", r"a\b\c", r"\\srv\share", r"\X4\ ", r"\XGG\ ", r"\XFF\ ", r"\X00\ ", r"\Z12\ ", r"\C2842\ ",
            r"\M244200\ ", r"\.zz\ ", "\\", "a\\", r"\Q\ ", r"\.sp99999\ "],
)  # fmt: skip
def test_unknown_and_broken_escapes_are_kept_and_reported_once(raw):
    read = message("PID|1", f"OBX|1|FT|x||{raw}")
    assert read.get("OBX-5") == raw
    assert read.get("OBX-5") == raw
    (repair,) = read.repairs
    assert (repair.code, repair.where) == ("escape", Where(line=3, segment="OBX", field=5))


def test_hex_escapes_are_in_the_messages_charset():
    assert Message("MSH|^~\\&|\\XD5C5\\\r", "gb18030").get("MSH-3") == "张"


def test_escapes_of_delimiters_the_message_does_not_have_stay():
    read = Message("MSH|^~\\|a\\T\\b\r")
    assert (read.get("MSH-3"), codes(read)) == ("a\\T\\b", ["escape"])
    assert Message("MSH|^~|a\\F\\b\r").get("MSH-3") == "a\\F\\b"


def test_the_delimiters_in_escapes_are_the_messages_own():
    assert Message("MSH$%*!?$a!F!!S!!T!!R!!E!\r").get("MSH-3") == "a$%?*!"


# §2.5.1 segments


def test_lines_end_at_cr_lf_and_crlf_only():
    read = Message("MSH|^~\\&|A\r\nPID|1||a\u0085b\u2028c\x0bd\x1ce\nPV1|1\rZZ1|x")
    assert [segment.id for segment in read] == ["MSH", "PID", "PV1", "ZZ1"]
    assert read.get("PID-3") == "a\u0085b\u2028c\x0bd\x1ce"
    assert codes(read) == ["line-ends"]


def test_segments_know_their_lines_and_blank_lines_count():
    read = Message("MSH|^~\\&|A\r\r  \rPID|1\rPD1\r\rPV1|1\r")
    assert [(segment.id, segment.line) for segment in read.segments()] == [
        ("MSH", 1),
        ("PID", 4),
        ("PD1", 5),
        ("PV1", 7),
    ]
    assert codes(read) == ["blank-lines"]
    assert read.repairs[0].where.line == 2


def test_malformed_lines_are_kept_and_reported():
    read = message("pid|1||x", "OBR|1", "ZZ|1", "1AB|2", "free words")
    assert codes(read) == ["malformed-segment"] * 4
    assert [repair.where.line for repair in read.repairs] == [2, 4, 5, 6]
    assert [segment.raw for segment in read][1] == "pid|1||x"
    assert read.segments("pid") == []


def test_blanks_before_a_segment_are_removed():
    read = message("  PID|1||x", "\tPV1|1")
    assert (read.get("PID-3"), read.get("PV1-1"), codes(read)) == ("x", "1", ["leading-blanks"] * 2)


def test_text_broken_over_lines_is_joined():
    read = message("OBX|1|TX|x||first", "second line", "", "third|||F", "NTE|1||a", "b|c", "PV1|1", "not text")
    assert read.get("OBX-5") == "first\nsecond line\n\nthird"
    assert read.get("OBX-8") == "F"
    assert read.get("NTE-3") == "a\nb" or codes(read).count("joined-line") == 2
    assert codes(read)[:2] == ["joined-line", "joined-line"]
    assert codes(read)[-1] == "malformed-segment"
    assert read.segment("PV1").line == 8


def test_a_second_message_inside_is_refused():
    with pytest.raises(UnreadableMessage, match="second message"):
        message("PID|1", "MSH|^~\\&|B", "PID|2")
    with pytest.raises(UnreadableMessage, match="several messages"):
        read_message(b"\n" + HEAD.encode() * 2)


def test_a_frame_with_framing_bytes_in_it_is_read():
    read = read_message(b"\x0b" + HEAD.encode() + b"PID|1||x\r\x1c\r")
    assert (read.get("PID-3"), codes(read)) == ("x", ["mllp-framing"])


@pytest.mark.parametrize("raw", [b"", b"\x1c\r", b"PID|1\r", b"\0MSH", b"hello"])
def test_no_message(raw):
    with pytest.raises(UnreadableMessage):
        read_message(raw)


# The low level


def test_segments_by_hand():
    read = message("PID|1||a^b&c~d\\T\\e|", "OBX|1", "OBX|2")
    pid = read.segment("PID")
    assert pid.field(3) == "a^b&c~d\\T\\e"
    assert pid.repetitions(3) == ["a^b&c", "d\\T\\e"]
    assert pid.components(3) == ["a", "b&c"]
    assert pid.subcomponents(3, 2) == ["b", "c"]
    assert pid.value(3, 2, 2) == "c"
    assert pid.value(3, repetition=2) == "d&e"
    assert pid.unescape("x\\T\\y", 3) == "x&y"
    assert (pid.field(4), pid.repetitions(4), pid.components(9), pid.subcomponents(3, 9)) == ("", [], [], [])
    assert pid.filled() == [1, 3]
    assert [segment.line for segment in read.segments("OBX")] == [3, 4]
    assert read.segment("OBX", 2).field(1) == "2"
    assert read.segment("OBX", 3) is None
    msh = read.segment("MSH")
    assert (msh.field(1), msh.field(2), msh.field(3)) == ("|", "^~\\&", "A")
    assert (msh.repetitions(2), msh.components(2), msh.subcomponents(2)) == (["^~\\&"],) * 3
    assert msh.filled() == [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12]
    with pytest.raises(ValueError, match="from 1"):
        pid.field(0)


def test_rows():
    rows = compile_rows("OBX", ["OBX-5", "OBX-3.1", "OBX-3.2"])
    read = message("OBX|1|NM|a^b||1", "NTE|1", "OBX|2|NM|c", 'OBX|3|NM|d^\\T\\||""')
    assert rows(read) == [("1", "a", "b"), (None, "c", None), (NULL, "d", "&")]
    assert rows(message("PID|1")) == []
    with pytest.raises(ValueError, match="OBX"):
        compile_rows("OBX", ["PID-3"])


def test_repairs_read_as_sentences():
    read = message("PID|1||\\Z\\")
    read.get("PID-3")
    assert str(read.repairs[0]).startswith("PID-3, line 2: ")
    assert str(UnreadableMessage("it is broken", Where(byte=7))) == "byte 7: it is broken"


@pytest.mark.parametrize("between", [b"\x1c\r\x0b", b"\x0b", b"\x1c\x0b", b"\x1c\r"])
def test_two_frames_sent_as_one_never_become_one_message(between):
    with pytest.raises(UnreadableMessage):
        read_message(HEAD.encode() + b"OBX|1|TX|x||a\r" + between + HEAD.encode() + b"PID|1||other\r")


def test_a_vertical_tab_or_file_separator_inside_a_text_is_a_character_of_it():
    assert read_message(HEAD.encode() + b"OBX|1|TX|x||a\x0bb\x1cc\r").get("OBX-5") == "a\x0bb\x1cc"
