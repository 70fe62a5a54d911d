"""What drivers give, as the plain values the contract of pulling names (`model.pulling.Value`)."""

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hcrm_core.model.pulling import Value

_INTEGERS = range(-(1 << 63), 1 << 63)


def plain(value: Any) -> Value:
    """A column's value: exact decimals, dates and times (ISO 8601) as text, binary data as hexadecimal text."""
    match value:
        case None | bool() | str() | float():
            return value
        case int():
            return value if value in _INTEGERS else str(value)
        case Decimal():
            return f"{value:f}"
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return f"PT{value.days * 86_400 + value.seconds}.{value.microseconds:06}S"
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, default=plain)
        case _:
            return str(value)
