"""HL7 times (HL7 v2.5.1 §2.A.77) as FHIR dates and dateTimes, as precise as they were sent."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_TIME = re.compile(
    r"(\d{4})-?(?:(\d{2})-?(?:(\d{2})(?:[T ]?(\d{2}):?(?:(\d{2}):?(?:(\d{2})(\.\d{1,9})?)?)?)?)?)?"
    r"(Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=65_536)
def date_time(text: str, zone: str) -> str | None:
    """An HL7 time as a FHIR dateTime, `None` where it is none.

    Args:
        text: Such as `20250314`, `202503140930`, `20250314093015.123-0500`; ISO 8601 is understood too.
        zone: Offset or IANA zone that holds where the text has no offset.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            tzinfo=_zone(offset or zone),
        )  # fmt: skip
        if hour is None:
            return "-".join(part for part in (year, month, day) if part)
        # A zone's offset is wrong by hours at instants the calendar skips; a round trip through UTC mends them.
        moment = moment.astimezone(UTC).astimezone(moment.tzinfo)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None).isoformat() + (fraction or "") + _offset(moment)


@lru_cache(maxsize=16_384)
def date(text: str) -> str | None:
    """An HL7 date or time as a FHIR date; what follows the day is left out."""
    found = date_time(text, "UTC")
    return found[:10] if found else None


@lru_cache(maxsize=16_384)
def microseconds(text: str, zone: str) -> int | None:
    """An HL7 time as microseconds since 1970 UTC; parts not sent are the first of their range."""
    found = date_time(text, zone)
    if found is None:
        return None
    if len(found) <= 10:
        padded = found + "-01-01"[len(found) - 4 :]
        moment = datetime.fromisoformat(padded).replace(tzinfo=_zone(zone))
    else:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", found))
    try:
        return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
    except OverflowError:
        return None


def offset_of(text: str) -> str | None:
    """The UTC offset an HL7 time carries, as sent; `None` where it carries none."""
    match = _TIME.fullmatch(text.strip())
    return match.group(8) if match else None


def add_minutes(moment: str, minutes: int) -> str | None:
    """A dateTime so many minutes later, a day so many whole days later; `None` where that is no moment."""
    if len(moment) < 10 or (len(moment) == 10 and minutes % 1440):
        return None
    try:
        later = datetime.fromisoformat(moment) + timedelta(minutes=minutes)
    except OverflowError:
        return None
    return later.isoformat()[:10] if len(moment) == 10 else later.isoformat()


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    if name == "Z":
        return UTC
    if name[0] in "+-":
        digits = name[1:].replace(":", "")
        delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return timezone(-delta if name[0] == "-" else delta)
    return ZoneInfo(name)


def _offset(moment: datetime) -> str:
    text = moment.strftime("%z")
    return f"{text[:3]}:{text[3:5]}"
