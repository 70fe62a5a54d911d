"""Value types: equal values are written alike, however they came about."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcrm_core.model import values
from hcrm_core.model.values import Date, DateTime, Decimal, Money, Value


def test_every_default_of_a_value_is_one_object() -> None:
    """A text as a default would be written or not by which object it is; equal values must be written alike."""
    kinds = [kind for kind in vars(values).values() if isinstance(kind, type) and issubclass(kind, Value)]
    assert len(kinds) > 5
    for kind in kinds:
        for field in msgspec.structs.fields(kind):
            assert field.default in (msgspec.NODEFAULT, None, False, ()), (kind, field.name)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Date, ("2026", "2026-03", "2026-03-10"), ("", "202603", "2026-3-1", "2026-03-10T10:00:00+08:00")),
        (
            DateTime,
            ("2026", "2026-03-10", "2026-03-10T10:00:00+08:00", "2026-03-10T10:00:00.5Z"),
            ("2026-03-10T10:00:00", "2026-03-10T10:00+08:00", "2026-03-10 10:00:00Z"),
        ),
        (Decimal, ("0", "-1.50", "+3", "1e-7"), ("", ".5", "5.", "1,000", "NaN", "0x1")),
    ],
)
def test_texts_that_are_dates_and_numbers_keep_their_form(kind, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    for text in good:
        assert msgspec.convert(text, kind) == text
    for text in bad:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(text, kind)


@given(st.integers(-(2**53), 2**53), st.sampled_from(("CNY", "JPY", "USD")))
def test_money_survives_the_way_from_worker_to_store(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    travelled = msgspec.msgpack.decode(msgspec.msgpack.encode(money), type=Money)
    assert travelled == money
    assert msgspec.json.encode(travelled) == msgspec.json.encode(money)
