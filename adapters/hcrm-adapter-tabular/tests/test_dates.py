"""Dates, times and amounts as people write them: read exactly, or not at all."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcrm_adapter_tabular.mapping.dates import add_minutes, date_time, microseconds
from hcrm_adapter_tabular.mapping.numbers import decimal, integer, minor_units

ZONE = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-06-01", "2026-06-01"),
        ("2026/6/1", "2026-06-01"),
        ("2026.6.1", "2026-06-01"),
        ("20260601", "2026-06-01"),
        (20260601, "2026-06-01"),
        ("２０２６年６月１日", "2026-06-01"),
        ("2026年6月", "2026-06"),
        ("2026-06", "2026-06"),
        ("1980", "1980"),
        (1980, "1980"),
        (46174, "2026-06-01"),
        (46174.5, "2026-06-01T12:00:00+08:00"),
        ("2026-06-01 09:30", "2026-06-01T09:30:00+08:00"),
        ("2026/6/1 9:30:15", "2026-06-01T09:30:15+08:00"),
        ("2026-06-01T09:30:15.123Z", "2026-06-01T09:30:15.123+00:00"),
        ("2026-06-01T09:30:15+0800", "2026-06-01T09:30:15+08:00"),
        ("20260601093015", "2026-06-01T09:30:15+08:00"),
        ("202606010930", "2026-06-01T09:30:00+08:00"),
        ("2026年6月1日 9时30分", "2026-06-01T09:30:00+08:00"),
        ("2026年6月1日 下午3点", "2026-06-01T15:00:00+08:00"),
        ("2026年6月1日上午9:30", "2026-06-01T09:30:00+08:00"),
        ("2026-06-01 12:05 AM", "2026-06-01T00:05:00+08:00"),
        ("2026-06-01 01:05 PM", "2026-06-01T13:05:00+08:00"),
        ("0000-00-00", ""),
        ("0000-00-00 00:00:00", ""),
    ],
)
def test_a_date_is_read_as_precisely_as_it_was_written(written: str | int | float, read: str) -> None:
    assert date_time(written, ZONE) == read


@pytest.mark.parametrize(
    "written",
    [
        "01/06/2026", "1-6-2026", "6/1/26", "26/6/1", "2026-13-01", "2026-02-30", "2026-6/1", "20261301", "46174",
        "昨天",
        "2026-06-01 25:00", "2026-06-01 13:00 上午", "2026年6月1日 13点am", "", "0", 0, -5, 5, 99999999, 1e300,
        float("nan"), "2026-06-01 09:30 or later",
    ],
)  # fmt: skip
def test_what_is_no_date_or_two_is_none(written: str | int | float) -> None:
    assert date_time(written, ZONE) is None


def test_day_and_month_are_told_apart_only_by_the_setting() -> None:
    assert date_time("01/06/2026", ZONE, "dmy") == "2026-06-01"
    assert date_time("01/06/2026", ZONE, "mdy") == "2026-01-06"
    assert date_time("31/12/2026 9:30", ZONE, "dmy") == "2026-12-31T09:30:00+08:00"
    assert date_time("31/12/2026", ZONE, "mdy") is None
    assert date_time("2026-06-01", ZONE, "dmy") == "2026-06-01"


def test_a_workbook_that_counts_from_1904_is_1462_days_ahead() -> None:
    assert date_time(46174 - 1462, ZONE, "ymd", True) == "2026-06-01"


def test_an_hour_the_calendar_skips_is_moved_on() -> None:
    assert date_time("2026-03-08 02:30", "America/New_York") == "2026-03-08T03:30:00-04:00"


@given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["{0:%Y-%m-%d}", "{0.year}/{0.month}/{0.day}", "{0:%Y%m%d}", "{0.year}年{0.month}月{0.day}日"]),
)
def test_every_day_is_read_back(day: date, form: str) -> None:
    assert date_time(form.format(day), ZONE) == day.isoformat()
    assert add_minutes(day.isoformat(), 1440) == (day + timedelta(days=1)).isoformat()


@given(st.datetimes(datetime(1950, 1, 1), datetime(2099, 1, 1)).map(lambda one: one.replace(microsecond=0)))
def test_every_instant_keeps_its_order(moment: datetime) -> None:
    read = date_time(moment.isoformat(" "), "UTC")
    assert read is not None
    assert microseconds(read, "UTC") == (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)


@given(
    st.one_of(st.text(max_size=40), st.text("0123456789年月日时分:-/. 上下午", max_size=25), st.integers(), st.floats())
)
def test_nothing_makes_it_fail(cell: str | int | float) -> None:
    for order in ("ymd", "dmy", "mdy"):
        found = date_time(cell, ZONE, order)
        if found:
            microseconds(found, ZONE)


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("1234.5", 123450), ("¥1,234.50", 123450), ("￥１，２３４．５", 123450),
        ("1234元", 123400), ("0", 0), ("-8", -800),
        ("(8.00)", -800), ("（8.00）", -800), ("+8", 800), ("CNY 12.30", 1230), ("-¥8", -800), (".5", 50),
        ("12.300", 1230),
    ],
)  # fmt: skip
def test_an_amount_is_exact(written: str, minor: int) -> None:
    assert minor_units(written, "CNY", minor=False) == minor


@pytest.mark.parametrize(
    "written", ["1.234", "1,23", "12,34.5", "1e3", "八元", "", "--8", "(-8)", "1.2.3", "¥", "1 234", "9" * 16]
)
def test_what_is_no_exact_amount_is_none(written: str) -> None:
    assert minor_units(written, "CNY", minor=False) is None


def test_amounts_may_be_in_minor_units_and_currencies_differ() -> None:
    assert minor_units("123450", "CNY", minor=True) == 123450
    assert minor_units("1234.5", "CNY", minor=True) is None
    assert minor_units("1234", "JPY", minor=False) == 1234
    assert minor_units("1.234", "KWD", minor=False) == 1234


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2, allow_nan=False))
def test_every_amount_of_two_places_is_read_back(amount: Decimal) -> None:
    assert minor_units(f"{amount:f}", "CNY", minor=False) == int(amount * 100)
    assert minor_units(f"{amount:,f}", "CNY", minor=False) == int(amount * 100)


@given(st.text(max_size=30))
def test_numbers_never_fail_and_keep_their_digits(text: str) -> None:
    found = decimal(text)
    assert found is None or Decimal(found).is_finite()
    integer(text)
    minor_units(text, "CNY", minor=False)


@given(st.integers(-(10**14), 10**14))
def test_whole_numbers_are_read_back(number: int) -> None:
    assert integer(str(number)) == integer(f"{number:,}") == integer(f"{number}.0") == number


@pytest.mark.parametrize("piece", ["0", "1,234", "(", "¥", "元", "2026-06-01 ", "上午", "\u3000", "9"])
def test_a_cell_without_end_is_refused_at_once(piece: str) -> None:
    cell = piece * 200_000
    assert decimal(cell) is integer(cell) is minor_units(cell, "CNY", minor=False) is date_time(cell, ZONE) is None
