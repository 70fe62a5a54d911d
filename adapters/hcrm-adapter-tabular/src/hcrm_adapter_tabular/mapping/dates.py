"""Dates and times as people, programs and spreadsheets write them, as FHIR dates and dateTimes; nothing is guessed."""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

Order = Literal["ymd", "dmy", "mdy"]
"""In which order day and month stand where the year comes last; `ymd`: it never does."""

_CLOCK = (
    r"(?:(?P<half>上午|下午|中午|晚上|凌晨)?(?P<hour>\d{1,2})(?:[:时点](?P<minute>\d{1,2})(?:[:分](?:(?P<second>\d{1,2})"
    r"(?P<fraction>\.\d{1,9})?秒?)?)?|时|点)(?: ?(?P<after>[ap]m))?)"
)
_OFFSET = r"(?P<offset>z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?"
_WRITTEN = re.compile(
    r"(?P<year>\d{4})(?:(?P<mark>[-/.])(?P<month>\d{1,2})(?:(?P=mark)(?P<day>\d{1,2})(?:[t ]*"
    + _CLOCK
    + _OFFSET
    + r")?)?"
    r"|年(?:(?P<month2>\d{1,2})月(?:(?P<day2>\d{1,2})日?(?: *"
    + re.sub(r"\?P<(\w+)>", r"?P<c\1>", _CLOCK)
    + r")?)?)?)?",
    re.ASCII,
)
_DIGITS = re.compile(r"(\d{4})(\d\d)?(?:(\d\d)(?:[t ]?(\d\d)(\d\d)(\d\d)?)?)?", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:[t ]+" + _CLOCK + r")?", re.ASCII)
_NOTHING = re.compile(r"0{4}([-/.]?0{2}){2}([ t]?00:?00(:?00)?)?")
_LONGEST = 60
"""Characters a date may have; what is longer is none."""

_EPOCHS = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=65_536)
def date_time(cell: str | int | float, zone: str, order: Order = "ymd", since_1904: bool = False) -> str | None:
    """A date or time as a FHIR dateTime, as precise as it was written; `None` where it is none, empty for zeros.

    Args:
        cell: `2026-06-01 09:30`, `2026/6/1`, `20260601`, `2026年6月1日 下午3点`, or a spreadsheet's number of a day.
        zone: IANA zone that holds where it names no offset.
        order: Of day and month where the year comes last.
        since_1904: Whether numbers count days from that year.
    """
    if isinstance(cell, int | float) and 9_999 < cell < 80_000:
        return _serial(cell, zone, since_1904)
    if isinstance(cell, str) and len(cell) > _LONGEST:
        return None
    text = " ".join(unicodedata.normalize("NFKC", str(cell)).lower().split())
    if _NOTHING.fullmatch(text):
        return ""
    parts = _parts(text, order)
    if parts is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = parts
    try:
        checked = date(int(year), int(month or 1), int(day or 1))
        if hour is None:
            return checked.isoformat()[: 4 if month is None else 7 if day is None else 10]
        moment = datetime(checked.year, checked.month, checked.day, hour, int(minute or 0), int(second or 0))
    except ValueError:
        return None
    return zoned(moment, zone, offset, fraction)


def zoned(moment: datetime, zone: str, offset: str | None = None, fraction: str | None = None) -> str | None:
    """A wall-clock time as a FHIR dateTime with its UTC offset."""
    try:
        # A zone's offset is wrong by hours at instants the calendar skips; a round trip through UTC mends them.
        place = moment.replace(tzinfo=_zone(offset or zone))
        place = place.astimezone(UTC).astimezone(place.tzinfo)
    except (ValueError, OverflowError):
        return None
    told = place.strftime("%z")
    return f"{place.replace(tzinfo=None).isoformat()}{fraction or ''}{told[:3]}:{told[3:5]}"


def microseconds(found: str, zone: str) -> int | None:
    """A FHIR dateTime as microseconds since 1970 UTC; parts not said are the first of their range."""
    if len(found) <= 10:
        padded = found + "-01-01"[len(found) - 4 :]
        moment = datetime.fromisoformat(padded).replace(tzinfo=_zone(zone))
    else:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", found))
    try:
        return (moment.astimezone(UTC) - _ZERO) // timedelta(microseconds=1)
    except OverflowError:
        return None


def ends_before(end: str, start: str, zone: str) -> bool:
    """Whether an end lies before its beginning, as precisely as both are said."""
    if len(end) > 10 and len(start) > 10:
        last, first = microseconds(end, zone), microseconds(start, zone)
        return last is not None and first is not None and last < first
    common = min(len(end), len(start), 10)
    return end[:common] < start[:common]


def add_minutes(moment: str, minutes: int) -> str | None:
    """A dateTime so many minutes later, a day so many whole days later; `None` where that is no moment."""
    if len(moment) < 10 or (len(moment) == 10 and minutes % 1440):
        return None
    try:
        later = datetime.fromisoformat(moment) + timedelta(minutes=minutes)
    except OverflowError:
        return None
    return later.isoformat()[:10] if len(moment) == 10 else later.isoformat()


_Parts = tuple[str, str | None, str | None, int | None, str | None, str | None, str | None, str | None]


def _parts(text: str, order: Order) -> _Parts | None:
    """Year, month, day, hour, minute, second, fraction and offset of a written time."""
    if found := _DIGITS.fullmatch(text):
        year, month, day, hour, minute, second = found.groups()
        return year, month, day, None if hour is None else int(hour), minute, second, None, None
    if found := _WRITTEN.fullmatch(text):
        said = found.groupdict()
        clock = {
            name: said[name] or said[f"c{name}"] for name in ("half", "hour", "minute", "second", "fraction", "after")
        }
        hour_ = _hour(clock)
        if clock["hour"] and hour_ is None:
            return None
        return (
            said["year"], said["month"] or said["month2"], said["day"] or said["day2"],
            hour_, clock["minute"], clock["second"], clock["fraction"], _upper(said["offset"]),
        )  # fmt: skip
    if order != "ymd" and (found := _YEAR_LAST.fullmatch(text)):
        first, _, second_, year = found.groups()[:4]
        day, month = (first, second_) if order == "dmy" else (second_, first)
        said = found.groupdict()
        hour_ = _hour(said)
        if said["hour"] and hour_ is None:
            return None
        return year, month, day, hour_, said["minute"], said["second"], said["fraction"], None
    return None


def _hour(clock: dict[str, str | None]) -> int | None:
    """The hour of 24, from one that morning or afternoon is said of; `None` where that cannot be."""
    if clock["hour"] is None:
        return None
    hour, half = int(clock["hour"]), clock["half"] or clock["after"]
    if half is None:
        return hour
    if hour > 12:
        return hour if half in ("下午", "晚上", "pm") else None
    if half in ("下午", "pm", "晚上"):
        return hour if half == "晚上" and hour == 12 else hour % 12 + 12
    if half == "中午":
        return hour if hour in (11, 12) else hour + 12
    return hour % 12


def _serial(days: int | float, zone: str, since_1904: bool) -> str | None:
    moment = _EPOCHS[since_1904] + timedelta(seconds=round(days * 86_400))
    return moment.date().isoformat() if float(days).is_integer() else zoned(moment, zone)


def _upper(text: str | None) -> str | None:
    return text.upper() if text else None


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    if name == "Z":
        return UTC
    if name[0] in "+-":
        return datetime.strptime(name.replace(":", ""), "%z").tzinfo or UTC
    return ZoneInfo(name)
