"""Instants are whole seconds since 1970 UTC; the hospital's clock is UTC+8 all year."""

from datetime import date
from functools import lru_cache

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ZONE = 8 * HOUR
ZONE_HL7 = "+0800"
ZONE_ISO = "+08:00"
_EPOCH = date(1970, 1, 1).toordinal()
_SECONDS = tuple(f"{n:02d}" for n in range(60))
# A time of day is two look-ups: a bulk of records holds one time a record.
_HL7_TIMES = tuple(f"{h:02d}{m:02d}" for h in range(24) for m in range(60))
_ISO_TIMES = tuple(f"T{h:02d}:{m:02d}:" for h in range(24) for m in range(60))
_HL7_ENDS = tuple(f"{second}{ZONE_HL7}" for second in _SECONDS)
_ISO_ENDS = tuple(f"{second}{ZONE_ISO}" for second in _SECONDS)


def midnight(day: date) -> int:
    """The instant a day begins at the hospital."""
    return (day.toordinal() - _EPOCH) * DAY - ZONE


@lru_cache(maxsize=100_000)
def _day(number: int) -> date:
    return date.fromordinal(number + _EPOCH)


def day_of(instant: int) -> date:
    """The hospital's calendar day of an instant."""
    return _day((instant + ZONE) // DAY)


@lru_cache(maxsize=100_000)
def _calendar(number: int) -> int:
    return ordered(_day(number))


def calendar(instant: int) -> int:
    """The hospital's calendar day of an instant as a number of eight digits."""
    return _calendar((instant + ZONE) // DAY)


def ordered(day: date) -> int:
    """A day as a number of eight digits: the difference of two, without its last four, is completed years."""
    return day.year * 10_000 + day.month * 100 + day.day


def weekday(instant: int) -> int:
    """The hospital's day of the week, 0 Monday; 1970 began on a Thursday."""
    return ((instant + ZONE) // DAY + 3) % 7


def start_of_day(instant: int) -> int:
    """The midnight before an instant."""
    return instant - (instant + ZONE) % DAY


@lru_cache(maxsize=100_000)
def _day_hl7(number: int) -> str:
    return f"{_day(number):%Y%m%d}"


@lru_cache(maxsize=100_000)
def _day_iso(number: int) -> str:
    return f"{_day(number):%Y-%m-%d}"


def hl7(instant: int) -> str:
    """As an HL7 v2 time stamp with its offset."""
    local = instant + ZONE
    return f"{_day_hl7(local // DAY)}{_HL7_TIMES[local % DAY // 60]}{_HL7_ENDS[local % 60]}"


def iso(instant: int) -> str:
    """As a FHIR dateTime with its offset."""
    local = instant + ZONE
    return f"{_day_iso(local // DAY)}{_ISO_TIMES[local % DAY // 60]}{_ISO_ENDS[local % 60]}"
