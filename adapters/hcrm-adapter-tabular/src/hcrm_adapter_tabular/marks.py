"""Watermarks: which values of a column a pull may go on from, and what stands so far before one."""

import math
import re
from datetime import datetime, timedelta
from decimal import Decimal

from hcrm_adapter_tabular.mapping import dates

Point = str | int | float
_TIME = re.compile(
    r"(\d{4})([-/.年]?)(\d\d)([-/.月]?)(\d\d)(日?)"
    r"(?:([ T]*)(\d\d)([:时]?)(\d\d)(?:([:分]?)(\d\d)((?:\.\d{1,9})?秒?(?:Z|[+-]\d\d:?\d\d)?))?)?",
    re.ASCII,
)
"""Times whose order as texts is that of time: every part has its place."""

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_EVER = 1 << 62


def moment(point: Point, zone: str) -> int | None:
    """A time, microseconds since 1970 UTC; `None` where it is none that can be compared as it is written.

    Args:
        point: `2026-06-01 09:30:00`, `2026/06/01 09:30`, `20260601093000` as text or number, `2026-06-01`.
        zone: IANA zone that holds where it names no offset.
    """
    found = _time(point)
    if found is None:
        return None
    text = dates.date_time(found.string, zone)
    said = dates.microseconds(text, zone) if text else None
    return _EVER if said is None and found[1] >= "9990" else said


def misordered(point: Point, zone: str) -> bool:
    """Whether it is a time in a form whose order is not that of time: `2026/6/1`, `01/06/2026`."""
    return (
        isinstance(point, str)
        and _time(point) is None
        and not _NUMBER.fullmatch(point)
        and any(dates.date_time(point, zone, order) for order in ("dmy", "mdy"))
    )


def before(point: Point, overlap: float, zone: str) -> Point | None:
    """What stands so many seconds, or units of a number, before; `None` where it is neither a time nor a number.

    A time keeps its form: whole seconds are taken off, and parts it does not have are cut off.
    """
    if not overlap:
        return point
    if (found := _time(point)) and moment(point, zone) is not None:
        year, a, month, b, day, c, t, hour, e, minute, f, second, rest = (one or "" for one in found.groups())
        try:
            clock = int(hour or 0), int(minute or 0), int(second or 0)
            then = datetime(int(year), int(month), int(day), *clock) - timedelta(seconds=math.ceil(overlap))
        except (ValueError, OverflowError):
            return None
        text = f"{then:%Y}".zfill(4) + f"{a}{then:%m}{b}{then:%d}{c}"
        text += f"{t}{then:%H}{e}{then:%M}" if hour else ""
        text += f"{f}{then:%S}{rest}" if second else ""
        return text if isinstance(point, str) else int(text)
    if isinstance(point, int | float):
        return point - (math.ceil(overlap) if isinstance(point, int) else overlap)
    if _NUMBER.fullmatch(point):
        less = f"{Decimal(point) - Decimal(str(overlap)):f}"
        return less if less.startswith("-") else less.zfill(len(point))
    return None


def _time(point: Point) -> re.Match[str] | None:
    if isinstance(point, int) and len(str(point)) == 14 and "19" <= str(point)[:2] <= "99":
        return _TIME.fullmatch(str(point))
    return _TIME.fullmatch(point) if isinstance(point, str) else None
