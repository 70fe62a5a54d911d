"""Value types: equal values are written alike, however they came about."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hcrm_core.model import values
from hcrm_core.model.values import ContactPoint, Date, DateTime, Decimal, Money, Value


def fresh(text: str) -> str:
    """An equal string that is another object, as a decoder makes it."""
    return "".join(list(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Money(5), Money(5, fresh("CNY"))),
        (ContactPoint("1"), ContactPoint(fresh("1"), fresh("phone"))),
        (Money(5), msgspec.structs.replace(Money(5, "JPY"), currency=fresh("CNY"))),
        (Money(5), msgspec.json.decode(b'{"amount":5,"currency":"CNY"}', type=Money)),
        (Money(5), msgspec.msgpack.decode(msgspec.msgpack.encode({"amount": 5, "currency": "CNY"}), type=Money)),
    ],
)
def test_a_default_that_is_said_is_written_like_one_that_is_not(one: Value, other: Value) -> None:
    assert one == other
    assert msgspec.json.encode(one) == msgspec.json.encode(other)
    assert msgspec.to_builtins(one) == msgspec.to_builtins(other)


def test_every_other_default_of_a_value_is_one_object() -> None:
    """`None`, `False` and the empty tuple are written alike by themselves; a text is not."""
    guarded = {(Money, "currency"), (ContactPoint, "system")}
    kinds = [kind for kind in vars(values).values() if isinstance(kind, type) and issubclass(kind, Value)]
    for kind in kinds:
        for field in msgspec.structs.fields(kind):
            if field.default is not msgspec.NODEFAULT and (kind, field.name) not in guarded:
                assert field.default in (None, False, ()), (kind, field.name)


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
