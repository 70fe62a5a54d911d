"""Dates, identifiers, charsets and codes: HL7 values as records hold them."""

from datetime import datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hl7v2 import PATIENT, PID, adapter, kinds, message, one, problems, pv1, said, translate

from hcrm_adapter_hl7v2.mapping import dates
from hcrm_core.api import ConfigurationError

# --- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", "2026"), ("202603", "2026-03"), ("20260310", "2026-03-10"),
        ("2026031009", "2026-03-10T09:00:00+08:00"), ("202603100905", "2026-03-10T09:05:00+08:00"),
        ("20260310090507", "2026-03-10T09:05:07+08:00"), ("20260310090507.1234", "2026-03-10T09:05:07.1234+08:00"),
        ("20260310090507-0500", "2026-03-10T09:05:07-05:00"), ("20260310090507Z", "2026-03-10T09:05:07+00:00"),
        ("2026-03-10", "2026-03-10"), ("2026-03-10T09:05:07+08:00", "2026-03-10T09:05:07+08:00"),
        ("2026-03-10 09:05", "2026-03-10T09:05:00+08:00"), ("20240229", "2024-02-29"),
    ],
)  # fmt: skip
def test_a_time_is_as_precise_as_it_was_sent(text: str, expected: str) -> None:
    assert dates.date_time(text, "Asia/Shanghai") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "20",
        "20261301",
        "20260230",
        "20260310250000",
        "2026031009051",
        "0000",
        "20260310+9999",
        "２０２６０３１０",
        "昨天",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert dates.date_time(text, "Asia/Shanghai") is None
    assert dates.date(text) is None
    assert dates.microseconds(text, "Asia/Shanghai") is None


def test_summer_time_is_that_of_the_day() -> None:
    assert dates.date_time("202601011200", "Europe/Berlin") == "2026-01-01T12:00:00+01:00"
    assert dates.date_time("202607011200", "Europe/Berlin") == "2026-07-01T12:00:00+02:00"


@given(
    st.datetimes(min_value=datetime(1900, 1, 1)), st.sampled_from(("Asia/Shanghai", "America/New_York", "+0530", "Z"))
)
def test_every_second_of_the_calendar_is_an_instant(moment: datetime, zone: str) -> None:
    text = moment.strftime("%Y%m%d%H%M%S").zfill(14)
    found = dates.date_time(text, zone)
    if found is not None:
        instant = datetime.fromisoformat(found)
        assert dates.microseconds(text, zone) == int(instant.timestamp()) * 1_000_000


@given(st.text(alphabet="0123456789+-.:TZ０² ", max_size=26), st.sampled_from(("Asia/Shanghai", "-0330")))
def test_no_text_makes_the_reader_of_dates_fail(text: str, zone: str) -> None:
    assert (dates.date_time(text, zone) is None) or dates.date_time(text, zone)[:4].isascii()
    dates.date(text)
    dates.microseconds(text, zone)
    dates.offset_of(text)


def test_the_offset_of_the_header_holds_for_times_without_one() -> None:
    stay = one(translate("ADT^A01", PID, pv1(f44="20260310090000"), time="20260310100000-0300"), "Encounter")
    assert stay["period_start"] == "2026-03-10T09:00:00-03:00"


def test_an_offset_of_its_own_goes_before_that_of_the_header() -> None:
    stay = one(translate("ADT^A01", PID, pv1(f44="20260310090000+0900"), time="20260310100000-0300"), "Encounter")
    assert stay["period_start"] == "2026-03-10T09:00:00+09:00"


def test_without_any_offset_the_zone_of_the_source_holds() -> None:
    stay = one(translate("ADT^A01", PID, pv1(f44="20260310090000"), by=adapter(timezone="Asia/Urumqi")), "Encounter")
    assert stay["period_start"] == "2026-03-10T09:00:00+06:00"


def test_a_birth_date_with_a_time_is_the_day_as_sent() -> None:
    pid = PID.replace("19900307", "19900307003000+1400")
    assert one(translate("ADT^A31", pid), "Patient")["birth_date"] == "1990-03-07"


def test_a_date_that_is_none_is_left_out_and_reported() -> None:
    translation = translate("ADT^A31", PID.replace("19900307", "19901307"))
    assert "birth_date" not in one(translation, "Patient")
    assert [(p.code, p.where) for p in translation.problems] == [("bad-date", "PID-7")]


# --- the statement ----------------------------------------------------------------------------------------------------

TEN_THIRTY = 1_773_109_800_000_000  # 2026-03-10T10:30:00+08:00


def test_a_statement_is_made_at_evn_2_else_at_msh_7() -> None:
    for event_time, header_time in (
        ("20260310103000", "20260310235959"),
        ("", "20260310103000"),
        ("nonsense", "20260310103000"),
    ):
        statement = translate("ADT^A01", PID, time=header_time, evn=event_time or header_time).statement
        assert statement is not None and statement.said_at == TEN_THIRTY


def test_event_time_never_orders() -> None:
    segments = ("EVN|A13|20260310103000||||20250101000000", PID, pv1())
    assert translate("ADT^A13", *segments, evn=None).statement.said_at == TEN_THIRTY


def test_a_message_without_any_time_loses_against_every_dated_one() -> None:
    translation = translate("ADT^A31", PID, time="", evn=None)
    assert translation.statement.said_at == 0
    assert "no-statement-time" in problems(translation)


def test_the_sequence_and_a_rising_control_id_are_told_where_they_are_sent() -> None:
    text = message("ADT^A31", PID).replace("|2.5|||", "|2.5|42||")
    assert adapter().translate(text.encode()).statement.sequence == 42
    assert adapter().translate(text.encode()).statement.rising == ""
    assert adapter(rising_control_ids=True).translate(text.encode()).statement.rising == "C1"
    assert adapter().translate(text.replace("|42|", "|-1|").encode()).statement.sequence == -1


# --- identifiers ------------------------------------------------------------------------------------------------------


def numbers(field: str) -> list[dict[str, object]]:
    return one(translate("ADT^A31", f"PID|1||{field}||王^芳"), "Patient")["identifier"]


def test_a_namespace_is_authority_and_type() -> None:
    assert numbers("1^^^RMYY&1.2.156&ISO^MR") == [{"value": "1", "system": "RMYY", "type": "MR"}]
    assert numbers("1^^^&1.2.156&ISO^MR") == [{"value": "1", "system": "1.2.156", "type": "MR"}]


def test_without_an_authority_the_namespace_is_the_sender() -> None:
    for field in ("1^^^^MR", "1^^^&&ISO^MR", '1^^^""^MR'):
        assert numbers(field) == [{"value": "1", "system": "his/HIS/RMYY", "type": "MR", "sender_scoped": True}]
    assert numbers("1") == [{"value": "1", "system": "his/HIS/RMYY", "sender_scoped": True}]


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("9^^^PRC^NI~1^^^RMYY^MR", "RMYY|MR|1"), ("9^^^PRC^NI~1^^^RMYY^PI", "RMYY|PI|1"),
        ("9^^^PRC^NI~1^^^RMYY", "RMYY||1"), ("V^^^RMYY^VN~9^^^PRC^NI", "PRC|NI|9"), ("1^^^A^MR~2^^^B^MR", "A|MR|1"),
        ("~^^^RMYY^MR~1^^^RMYY^MR", "RMYY|MR|1"),
    ],
)  # fmt: skip
def test_the_patient_is_known_by_the_number_a_source_knows_its_patients_by(field: str, key: str) -> None:
    assert list(said(translate("ADT^A31", f"PID|1||{field}"), "Patient")) == [key]


def test_older_places_of_the_number_stand_in_for_an_empty_one() -> None:
    assert list(said(translate("ADT^A31", "PID|1|7^^^RMYY^MR|||王^芳"), "Patient")) == ["RMYY|MR|7"]
    assert list(said(translate("ADT^A31", "PID|1|||8^^^RMYY^MR|王^芳"), "Patient")) == ["RMYY|MR|8"]


# --- codes and texts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "kept"), [("F", "female"), ("m", "male"), ("1", "male"), ("女", "female"), ("U", "unknown")]
)
def test_sex_is_understood_in_american_and_chinese_codes(sent: str, kept: str) -> None:
    assert one(translate("ADT^A31", PID.removesuffix("F") + sent), "Patient")["gender"] == kept


def test_a_code_nobody_knows_is_left_out_and_reported_without_its_content() -> None:
    translation = translate("ADT^A31", PID.removesuffix("F") + "秘密")
    assert "gender" not in one(translation, "Patient")
    (problem,) = translation.problems
    assert (problem.code, problem.where) == ("unknown-code", "PID-8")
    assert "秘密" not in problem.text


def test_escapes_are_replaced_where_text_is_read() -> None:
    name = one(translate("ADT^A31", PID.replace("王^芳", "王\\T\\李^芳\\S\\")), "Patient")["name"]
    assert name == [{"family": "王&李", "given": ["芳^"]}]


def test_no_problem_holds_what_a_patient_is_called() -> None:
    translation = translate(
        "ADT^A01", "PID|1||1001^^^RMYY^MR||王芳~李雷||1990-99|神秘|||||13800138000", pv1(f44="王芳", f2="王芳")
    )
    assert translation.problems
    for problem in translation.problems:
        assert not [word for word in ("王芳", "李雷", "神秘", "13800138000") if word in problem.text + problem.where]


# --- charsets ---------------------------------------------------------------------------------------------------------

SILENT = message("ADT^A31", PID).replace("|||||CHN|UNICODE UTF-8", "")


def name_of(payload: bytes, **settings: object) -> object:
    return one(adapter(**settings).translate(payload), "Patient")["name"]


def test_where_the_header_is_silent_the_source_s_charset_holds() -> None:
    expected = [{"family": "王", "given": ["芳"]}]
    assert name_of(SILENT.encode("gb18030"), charset="GB18030") == expected
    assert name_of(SILENT.encode("utf-8"), charset="UTF-8") == expected
    assert name_of(SILENT.encode("utf-8")) == expected


def test_the_header_s_charset_goes_before_the_source_s() -> None:
    assert name_of(message("ADT^A31", PID).encode(), charset="GB18030") == [{"family": "王", "given": ["芳"]}]


@pytest.mark.parametrize("letter", ["俓", "憒", "亅", "侤", "偊", "乗"])
def test_characters_whose_second_byte_is_a_delimiter_stay_whole(letter: str) -> None:
    """In GB18030 some trail bytes equal backslash, hat, bar or tilde."""
    text = SILENT.replace("王^芳", f"{letter}^{letter}{letter}")
    assert name_of(text.encode("gb18030"), charset="GB18030") == [{"family": letter, "given": [letter * 2]}]


def test_a_charset_that_does_not_exist_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match=r"^charset: `GB18031` is not"):
        adapter(charset="GB18031")


# --- never fails, always the same -------------------------------------------------------------------------------------

SEGMENTS = (
    "PID", "PV1", "PV2", "MRG", "NK1", "AL1", "DG1", "PR1", "IN1", "OBR", "OBX", "SCH", "AIS", "AIP", "TQ1", "FT1",
    "ZZZ", "MSH",
)  # fmt: skip
junk = st.one_of(
    st.binary(max_size=200),
    st.binary(max_size=120).map(lambda tail: message("ADT^A01", PID, "").encode() + tail),
    st.text(alphabet='|^~\\&"\r王0123456789.PVIDG1XOBRSCHFT-+eE', max_size=200).map(
        lambda text: (message("DFT^P03", PID, "") + text).encode()
    ),
)
values = st.sampled_from(
    (
        "", "1", '""', "王^芳", "20260310", "20260310090000+1400", "9" * 40, "-1", "1e9", "a^b&c~d", "\\X00\\",
        "\\.br\\", "^^^^", "~~", "&", "²", "٣",
    )
)  # fmt: skip


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    event = draw(st.sampled_from(("ADT^A01", "ADT^A08", "ADT^A13", "ADT^A40", "ORU^R01", "SIU^S12", "DFT^P03", "X")))
    lines = [
        f"{name}|" + "|".join(draw(st.lists(values, max_size=20)))
        for name in draw(
            st.lists(
                st.sampled_from(SEGMENTS),
                max_size=6,
            )
        )
    ]
    return message(event, *draw(st.sampled_from(((PID,), ()))), *lines, time=draw(values), evn=draw(values)).encode()


@given(st.one_of(junk, messages()))
def test_no_bytes_make_the_translation_fail_and_equal_bytes_translate_equally(payload: bytes) -> None:
    first, second = adapter().translate(payload), adapter().translate(payload)
    assert first == second
    assert (first.statement is None) == (first.quarantine is not None)
    # What travels between worker and core arrives as it was, so every record keeps to its definition.
    travelled = msgspec.msgpack.decode(msgspec.msgpack.encode(first), type=type(first))
    assert travelled == first


@given(messages())
def test_a_used_adapter_translates_like_a_new_one(payload: bytes) -> None:
    assert USED.translate(payload) == adapter().translate(payload)


USED = adapter()


@given(messages())
def test_every_record_has_one_key_and_names_only_patients_of_its_message(payload: bytes) -> None:
    translation = adapter().translate(payload)
    keys = [(type(record).__name__, record.key) for record in translation.records]
    assert len(keys) == len(set(keys))
    patients = {key for kind, key in keys if kind == "Patient"}
    for record in translation.records:
        for name in ("subject", "patient", "beneficiary"):
            owner = getattr(record, name, None)
            assert owner in patients or not isinstance(owner, str)


def test_a_patient_alone_is_enough() -> None:
    assert kinds(translate("ADT^A31", "PID|||1001^^^RMYY^MR")) == ["Patient"]
    assert PATIENT in said(translate("ADT^A31", "PID|||1001^^^RMYY^MR"), "Patient")
