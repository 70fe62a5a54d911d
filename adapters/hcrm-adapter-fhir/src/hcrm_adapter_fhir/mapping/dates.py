"""FHIR dates, dateTimes and instants (R4 datatypes), held against the calendar; senders' slips are mended."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_TIME = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,12})?)?"
    r"(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?)?)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 48


@lru_cache(maxsize=65_536)
def date_time(text: str, zone: str) -> str | None:
    """A FHIR dateTime, `None` where it is none.

    Args:
        text: As sent; seconds that are missing are none, an offset that is missing is the zone's.
        zone: IANA zone.
    """
    match = _TIME.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        # Second 60 is a leap second, which no calendar of ours has.
        seconds = min(int(second or 0), 59) if second == "60" else int(second or 0)
        moment = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), seconds)
    except ValueError:
        return None
    if hour is None:
        return text
    if offset is None:
        try:
            offset = moment.replace(tzinfo=ZoneInfo(zone)).strftime("%z")
        except (ValueError, OverflowError):
            return None
        offset = f"{offset[:3]}:{offset[3:5]}"
    return f"{moment.isoformat(timespec='seconds')}{fraction or ''}{offset}"


@lru_cache(maxsize=16_384)
def date(text: str) -> str | None:
    """A FHIR date; of a dateTime its day."""
    found = date_time(text, "UTC")
    return found[:10] if found else None


def moment(text: str, zone: str) -> datetime | None:
    """The instant a dateTime begins at, in UTC; `None` where it is no dateTime."""
    found = date_time(text, zone)
    if found is None:
        return None
    try:
        if len(found) <= 10:
            padded = found + "-01-01"[len(found) - 4 :]
            return datetime.fromisoformat(padded).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", found)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=16_384)
def microseconds(text: str, zone: str) -> int | None:
    """A dateTime as microseconds since 1970 UTC."""
    found = moment(text, zone)
    return (found - _EPOCH) // timedelta(microseconds=1) if found else None
