"""When a message said what it says: EVN-2 and MSH-7."""

from datetime import UTC, datetime

import pytest
from support.hl7v2 import PID, adapter, problems, pv1, translate

from hcrm_core.api import Translation


def said_at(translation: Translation) -> str:
    """The statement time as the hospital's clock shows it."""
    assert translation.statement is not None
    seconds = translation.statement.said_at // 1_000_000 + 8 * 3600
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H%M%S")


@pytest.mark.parametrize(
    ("evn", "msh", "expected", "told"),
    [
        ("20260601100000", "20260601100500", "20260601100000", []),
        ("20260602100000", "20260601100500", "20260602100000", []),
        ("22060601100000", "20260601100500", "20260601100500", ["time-in-future"]),
        ("20260601", "20260601100500", "20260601100500", []),
        ("20260531", "20260601100500", "20260531000000", ["coarse-time"]),
        ("20260601", "20260601", "20260601000000", ["coarse-time"]),
        ("22060601", "20260601", "20260601000000", ["time-in-future", "coarse-time"]),
        ("2026060110", "20260601100500", "20260601100000", []),
        ("22060601100000", "", "22060601100000", []),
        ("nonsense", "20260601100500", "20260601100500", []),
    ],
)
def test_a_time_that_cannot_be_or_says_no_hour_is_told(evn: str, msh: str, expected: str, told: list[str]) -> None:
    translation = translate("ADT^A01", PID, pv1(), time=msh, evn=evn)
    assert (said_at(translation), problems(translation)) == (expected, told)


def test_control_ids_that_count_up_order_the_messages_of_a_day() -> None:
    rising = adapter(rising_control_ids=True)
    assert problems(translate("ADT^A01", PID, pv1(), time="20260601", evn="20260601", by=rising)) == []
