"""Numbers, money, shares and dates as a reader of one language writes them. All arithmetic is exact."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import ClassVar

from hcrm_plugin_reporting.catalogue import Catalogue, catalogue

SYMBOLS = {"CNY": "¥", "USD": "US$", "EUR": "€", "GBP": "£", "HKD": "HK$", "TWD": "NT$", "JPY": "JP¥", "SGD": "S$"}
MINOR_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3, "OMR": 3}
"""ISO 4217 exponents other than 2."""

SMALL = 10
"""Below this a change is told as a count: percentages of a handful mislead."""


def rounded(value: Fraction, digits: int) -> str:
    """`value` with `digits` decimals, halves away from zero, thousands separated."""
    scaled = Decimal(value.numerator) / Decimal(value.denominator)
    text = f"{scaled.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):,f}"
    return text.replace("-", "−")


class Wording:
    """Writes values for one language; calling it gives a text of the catalogue."""

    MONEY_STEPS: ClassVar[dict[str, tuple[tuple[int, str], ...]]] = {
        "zh": ((10**8, "亿"), (10**4, "万")),
        "en": ((10**9, " bn"), (10**6, "M"), (10**3, "k")),
    }
    MONTHS: ClassVar[tuple[str, ...]] = (
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    )  # fmt: skip

    def __init__(self, language: str) -> None:
        self.texts: Catalogue = catalogue(language)
        self.language = language

    def __call__(self, key: str, **values: object) -> str:
        """The catalogue's text at `key`."""
        return self.texts(key, **values)

    def name(self, group: str, code: str) -> str:
        """What a code is called."""
        return self.texts.name(group, code)

    def count(self, value: int) -> str:
        """A whole number."""
        return f"{value:,}".replace("-", "−")

    def mean(self, total: int, count: int, digits: int = 1) -> str:
        """`total` over `count`, or a dash where there is nothing to divide by."""
        return rounded(Fraction(total, count), digits) if count else self("unit.none")

    def percent(self, part: int, whole: int, digits: int = 1) -> str:
        """`part` of `whole` as a percentage, or a dash where there is no whole."""
        return rounded(Fraction(100 * part, whole), digits) + "%" if whole else self("unit.none")

    def money(self, minor: int, currency: str) -> str:
        """An amount in minor units, in the language's large units."""
        major = Fraction(minor, 10 ** MINOR_DIGITS.get(currency, 2))
        step, unit = next(((s, u) for s, u in self.MONEY_STEPS[self.language] if abs(major) >= s), (1, ""))
        number = rounded(abs(major) / step, 1 if step > 1 else 0) + unit
        symbol = SYMBOLS.get(currency)
        text = f"{symbol}{number}" if symbol else self("unit.money_code", code=currency, number=number)
        return ("−" if minor < 0 else "") + text

    def day(self, value: date) -> str:
        """A calendar day."""
        if self.language == "zh":
            return f"{value.year}年{value.month}月{value.day}日"
        return f"{value.day} {self.MONTHS[value.month - 1]} {value.year}"

    def month(self, value: date) -> str:
        """A month of a year."""
        if self.language == "zh":
            return f"{value.year}年{value.month}月"
        return f"{self.MONTHS[value.month - 1]} {value.year}"

    def short_day(self, value: date) -> str:
        """A day without its year, for an axis."""
        if self.language == "zh":
            return f"{value.month}月{value.day}日"
        return f"{value.day} {self.MONTHS[value.month - 1]}"

    def short_month(self, value: date) -> str:
        """A month without its year, for an axis."""
        return f"{value.month}月" if self.language == "zh" else self.MONTHS[value.month - 1]

    def change(self, now: int, before: int) -> str:
        """How `now` differs from `before`: a percentage, or a count where `before` is small."""
        if now == before:
            return self("change.same")
        if before < SMALL:
            return self("change.more" if now > before else "change.fewer", count=self.count(abs(now - before)))
        key = "change.up" if now > before else "change.down"
        return self(key, percent=self.percent(abs(now - before), before))
