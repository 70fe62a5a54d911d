"""Decoding: by the declared charset, strictly, before anything is split."""

import pytest

from hcrm_adapter_hl7v2.reader import UnreadableMessage, decode, read_message

NAME = {
    "UNICODE UTF-8": ("utf-8", "张伟"),
    "GB 18030-2000": ("gb18030", "张𠀀伟"),
    "BIG-5": ("cp950", "許功蓋"),
    "8859/1": ("iso8859-1", "Müller"),
    "KS X 1001": ("cp949", "홍길동"),
    "ISO IR87": ("iso2022_jp_ext", "山田太郎"),
}
COLLISIONS = [
    (lead, trail)
    for lead in range(0x81, 0xFF)
    for trail in b"\\^|~"
    if len(bytes([lead, trail]).decode("gbk", "replace")) == 1
    and "\u4e00" <= bytes([lead, trail]).decode("gbk", "replace") <= "\u9fff"
]


def message(charset, name, codec, sender="HIS"):
    text = f"MSH|^~\\&|{sender}|{name}|||1||ADT^A01|1|P|2.5||||||{charset}|\rPID|1||p||{name}^{name}||1980\r"
    return text.encode(codec)


def codes(decoded):
    return [repair.code for repair in decoded.repairs]


@pytest.mark.parametrize("declared", NAME)
def test_the_declared_charset_is_used(declared):
    codec, name = NAME[declared]
    raw = message(f"~{declared}" if declared == "ISO IR87" else declared, name, codec)
    read = read_message(raw)
    assert read.charset == codec
    assert read.get("PID-5.2") == name
    assert read.get("PID-7") == "1980"
    assert read.repairs == []


@pytest.mark.parametrize("declared", NAME)
def test_without_a_declaration_the_sources_charset_is_used_and_reported(declared):
    codec, name = NAME[declared]
    for absent in ("", "ASCII"):
        raw = message(absent, name, codec)
        if raw.isascii():  # ISO 2022 is ASCII to whoever does not know of it
            continue
        decoded = decode(raw, declared)
        assert f"{name}^{name}" in decoded.text
        assert codes(decoded) == ["charset-fallback"]
        assert decode(raw, declared, override=True).text == decoded.text


@pytest.mark.parametrize("declared", ["GB 18030-2000", "BIG-5", "8859/1", "KS X 1001"])
def test_without_any_charset_known_the_message_is_refused(declared):
    codec, name = NAME[declared]
    raw = message("", name, codec)
    with pytest.raises(UnreadableMessage, match="set `charset` of the source") as refusal:
        decode(raw)
    start = raw.index(name.encode(codec))
    assert start <= refusal.value.where.byte < start + len(name.encode(codec))
    assert name not in str(refusal.value)


@pytest.mark.parametrize("declared", ["GB 18030-2000", "BIG-5", "8859/1", "KS X 1001"])
def test_a_wrong_declaration_is_refused_and_can_be_overridden(declared):
    codec, name = NAME[declared]
    raw = message("UNICODE UTF-8", name, codec)
    with pytest.raises(UnreadableMessage, match="UTF-8"):
        decode(raw, declared)
    assert f"{name}^{name}" in decode(raw, declared, override=True).text


def test_bytes_that_are_no_text_in_the_sources_charset_are_refused():
    raw = message("", "张伟", "gb18030").replace("伟".encode("gb18030"), b"\xff\xff")
    with pytest.raises(UnreadableMessage, match="gb18030"):
        decode(raw, "GB18030")


def test_a_wrong_single_byte_declaration_is_read_as_declared_and_doubted():
    decoded = decode(message("8859/1", "张伟", "utf-8"))
    assert decoded.charset == "iso8859-1"
    assert codes(decoded) == ["charset-doubt"]


def test_utf_8_without_declaration_is_recognised_before_the_sources_charset():
    decoded = decode(message("", "张伟", "utf-8"), "GB18030")
    assert decoded.charset == "utf-8"
    assert codes(decoded) == ["charset-fallback"]


def test_a_short_chinese_name_that_happens_to_be_utf_8_follows_the_source():
    raw = message("", "一", "gb18030")
    assert raw.decode("utf-8")
    decoded = decode(raw, "GB18030")
    assert "一" in decoded.text
    assert codes(decoded) == ["charset-ambiguous"]


def test_a_delimiter_hidden_by_iso_2022_before_its_declaration_is_no_delimiter():
    raw = message("~ISO IR87", "山万", "iso2022_jp", sender="山万")  # a byte of the second is |
    read = read_message(raw)
    assert (read.get("MSH-3"), read.get("PID-5.1")) == ("山万", "山万")


def test_there_are_464_colliding_ideographs():
    assert len(COLLISIONS) == 464


@pytest.mark.parametrize("declared", ["GB 18030-2000", "GBK", "gb2312"])
def test_ideographs_whose_second_byte_is_a_delimiter_round_trip(declared):
    for pair in COLLISIONS:
        name = bytes(pair).decode("gbk")
        raw = message(declared, name, "gb18030", sender=name)
        read = read_message(raw)
        assert (read.get("MSH-3"), read.get("MSH-4"), read.get("PID-5.1"), read.get("PID-5.2")) == (name,) * 4
        assert read.text.encode(read.charset) == raw
        assert read_message(message("", name, "gb18030", sender=name), "GBK").get("PID-5.2") == name


def test_msh_18_is_found_behind_colliding_text_in_every_such_charset():
    for declared, codec, name in (("BIG-5", "cp950", "功許蓋"), ("Shift-JIS", "cp932", "表ソ十")):
        assert any(byte in name.encode(codec) for byte in b"\\|^~")
        assert decode(message(declared, name, codec, sender=name)).charset == codec


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF-8", "utf-8"), ("utf8", "utf-8"), ("UNICODE", "utf-8"), ("UTF-8~UNICODE", "utf-8"),
        ("GB18030", "gb18030"), ("gbk", "gb18030"), ("GB2312", "gb18030"), ("CP936", "gb18030"), ("Big5", "cp950"),
        ("8859-1", "iso8859-1"), ("ISO-8859-1", "iso8859-1"), ("ISO 8859-15", "iso8859-15"), ("8859/9", "iso8859-9"),
        ("windows-1252", "cp1252"), ("EUC-KR", "cp949"), ("ISO IR14", "iso2022_jp_ext"), ("Unicode UTF-8", "utf-8"),
        ("ISO IR159", "iso2022_jp_ext"),
        ("ASCII~ISO IR87", "iso2022_jp_ext"), ("~ISO IR87", "iso2022_jp_ext"), ("ASCII", "ascii"), ("", "ascii"),
    ],
)  # fmt: skip
def test_names_of_table_0211_and_their_usual_misspellings(name, codec):
    assert decode(message(name, "Smith", "ascii")).charset == codec


def test_an_unknown_charset_is_refused_unless_it_cannot_matter():
    assert codes(decode(message("CNS 11643-1992", "Smith", "ascii"))) == ["charset-unknown"]
    with pytest.raises(UnreadableMessage, match="no charset HCRM reads"):
        decode(message("CNS 11643-1992", "é", "utf-8"))


def test_a_field_that_is_no_charset_name_is_not_repeated_in_the_sentence():
    with pytest.raises(UnreadableMessage) as refusal:
        decode(message("somebody with a rather long name", "é", "utf-8"))
    assert "somebody" not in str(refusal.value)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_refused(codec):
    with pytest.raises(UnreadableMessage, match="UTF-16"):
        read_message(message("", "张", codec))
    with pytest.raises(UnreadableMessage, match="UTF-16"):
        decode(message("UNICODE UTF-16", "张", "utf-8"))


def test_a_nul_byte_is_refused_with_its_place():
    raw = message("", "a\0b", "ascii")
    with pytest.raises(UnreadableMessage, match="NUL") as refusal:
        read_message(raw)
    assert refusal.value.where.byte == raw.index(b"\0")


def test_replacement_characters_come_only_from_the_sender():
    decoded = decode(message("UTF-8", "a\ufffdb", "utf-8"))
    assert codes(decoded) == ["lost-characters"]


def test_a_wrong_charset_of_the_source_is_a_mistake_in_the_configuration():
    with pytest.raises(ValueError, match="GB18030"):
        decode(message("", "a", "ascii"), "klingon")
