"""What a cell can be read as: values of records.

Every reader takes the cells of a rule and how the source writes, and gives the value, or raises `Unreadable` with what
is wrong. Emptiness is decided before: `main` is never empty unless only a display is.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from hcrm_adapter_tabular.mapping import dates
from hcrm_adapter_tabular.mapping.numbers import decimal, half_width, integer, minor_units
from hcrm_adapter_tabular.mapping.tables import Codes, FieldRule
from hcrm_adapter_tabular.rows import Cell, text
from hcrm_core.api import Address, CodeableConcept, Coding, ContactPoint, HumanName, Identifier, Money, Quantity

_YES = {
    **dict.fromkeys(("y", "yes", "1", "true", "t", "是", "有", "已", "√", "对"), True),
    **dict.fromkeys(("n", "no", "0", "false", "f", "否", "无", "未", "×", "错"), False),
}
_MINUTES = {
    **dict.fromkeys(("", "min", "m", "minute", "minutes", "mn", "分钟", "分"), Fraction(1)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "小时", "时"), Fraction(60)),
    **dict.fromkeys(("s", "sec", "second", "seconds", "秒"), Fraction(1, 60)),
    **dict.fromkeys(("d", "day", "days", "天", "日"), Fraction(1440)),
}
_COMPARED = re.compile(r"(<=|>=|<|>|≤|≥)\s*(.+)")
_MANY = re.compile(r"[,，;；、|\n]+")
EXACT_DIGITS = 15
"""Digits a spreadsheet keeps of a number."""


class Writing(NamedTuple):
    """How a source writes, as its settings say."""

    source: str
    authority: str
    zone: str
    order: dates.Order
    currency: str
    minor: bool
    codes: Codes


class Read(NamedTuple):
    """The cells of one rule; empty ones are `None`."""

    rule: FieldRule
    main: Cell
    display: Cell
    unit: Cell
    since_1904: bool


class Unreadable(ValueError):
    """A cell that cannot be what the mapping says it is."""

    def __init__(self, code: str, sentence: str, kept: Any = None) -> None:
        """Args: code, sentence: of the problem; kept: what is taken nevertheless."""
        super().__init__(sentence)
        self.code = code
        self.kept = kept


Reader = Callable[[Read, Writing], Any]


def plain_text(read: Read, writing: Writing) -> Any:
    """The text of the cell; a number without `.0`."""
    return text(read.main) or None


def texts(read: Read, writing: Writing) -> Any:
    """Several texts in one cell, parted by commas, semicolons, `、`, bars or line breaks."""
    return tuple(found for part in _MANY.split(text(read.main)) if (found := part.strip())) or None


def date(read: Read, writing: Writing) -> Any:
    """A day, as precise as it was written; a time behind it is left out."""
    found = date_time(read, writing)
    return found[:10] if found else None


def date_time(read: Read, writing: Writing) -> Any:
    """A day or time: ISO 8601, `2026/6/1 9:30`, `20260601`, `2026年6月1日`, a spreadsheet's number of a day."""
    assert read.main is not None
    found = dates.date_time(read.main, writing.zone, writing.order, read.since_1904)
    if found is None:
        advice = "Write it as 2026-06-01 09:30"
        if re.fullmatch(r"\D*\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}.*", half_width(text(read.main))):
            advice = "If the year comes last on purpose, say `date_order` in the settings of the source"
        raise Unreadable("bad-date", f"This is no date. {advice}.")
    return found or None


def boolean(read: Read, writing: Writing) -> Any:
    """Yes or no: 是/否, Y/N, 1/0, true/false."""
    found = _YES.get(half_width(text(read.main)))
    if found is None:
        raise Unreadable("bad-boolean", "This is neither yes nor no.")
    return found


def whole(read: Read, writing: Writing) -> Any:
    """A whole number."""
    found = integer(text(read.main))
    if found is None:
        raise Unreadable("bad-number", "This is no whole number.")
    return found


def minutes(read: Read, writing: Writing) -> Any:
    """A duration in whole minutes; its unit stands in `unit` and is minutes where that is empty."""
    found = decimal(text(read.main))
    factor = _MINUTES.get(half_width(text(read.unit)))
    if found is None or factor is None or "e" in found or (Fraction(found) * factor) % 1:
        raise Unreadable("bad-duration", "This duration is no whole number of minutes.")
    return int(Fraction(found) * factor)


def identifier(read: Read, writing: Writing) -> Any:
    """A number somebody gave a person; `type` says what it is, `system` who gave it."""
    if isinstance(read.main, int | float) and len(f"{abs(int(read.main))}") > EXACT_DIGITS:
        raise Unreadable(
            "digits-lost", "This was kept as a number and has lost its last digits. Keep the column as text."
        )
    value = half_width(text(read.main)).upper() if read.rule.type == "NI" else text(read.main)
    return Identifier(value, read.rule.system or writing.authority, read.rule.type) if value else None


def name(read: Read, writing: Writing) -> Any:
    """A person's name in one piece: Chinese as the family name, as HL7 sources send it."""
    return HumanName(family=" ".join(text(read.main).split())) if text(read.main) else None


def contact(read: Read, writing: Writing) -> Any:
    """A phone number or an e-mail address; `use` says which."""
    value = text(read.main)
    if "@" in value:
        return ContactPoint(value, "email", read.rule.use if read.rule.use != "mobile" else None)
    return ContactPoint(half_width(value), "phone", read.rule.use) if value else None


def address(read: Read, writing: Writing) -> Any:
    """A postal address in one piece."""
    return Address((text(read.main),), use=read.rule.use) if text(read.main) else None


def location(read: Read, writing: Writing) -> Any:
    """A ward and, from `display`, a bed, as `ward//bed`."""
    return f"{text(read.main)}//{text(read.display)}".rstrip("/") or None


def quantity(read: Read, writing: Writing) -> Any:
    """A number; its unit stands in `unit`."""
    found = decimal(text(read.main))
    if found is None:
        raise Unreadable("bad-number", "This is no number.")
    return Quantity(found, text(read.unit) or None)


def observation_value(read: Read, writing: Writing) -> Any:
    """A result: a number with its unit and, where it has one, `<` or `>`; any other text as text."""
    compared = _COMPARED.fullmatch(half_width(text(read.main)))
    found = decimal(compared[2] if compared else text(read.main))
    if found is None:
        return text(read.main) or None
    comparator = compared[1].replace("≤", "<=").replace("≥", ">=") if compared else None
    return Quantity(found, text(read.unit) or None, comparator)


def money(read: Read, writing: Writing) -> Any:
    """An amount in minor units, exactly: `1234.5`, `¥1,234.50`, `(12.00)` for minus twelve."""
    found = minor_units(text(read.main), writing.currency, minor=writing.minor)
    if found is None:
        raise Unreadable("bad-amount", "This is no exact amount of money.")
    return Money(found, writing.currency)


def code(read: Read, writing: Writing) -> Any:
    """A code, by a table."""
    table = read.rule.table or ""
    found = coded(writing.codes[table], text(read.main))
    if found is None:
        raise Unreadable("unknown-code", f"The code is not in the table {table}. Map it in the mapping.")
    return None if found == "" else found


def coding(read: Read, writing: Writing) -> Any:
    """A code and, from `display`, what it means; a table translates it."""
    written, display = text(read.main), text(read.display)
    table = writing.codes[read.rule.table] if read.rule.table else None
    found = coded(table, written or display) if table is not None else None
    if found is not None:
        return Coding(str(found), read.rule.system, display or written) if found != "" else None
    made = Coding(written or None, read.rule.system, display or None) if written or display else None
    if table is not None and made is not None:
        text_ = f"The code is not in the table {read.rule.table}; it stayed as it is. Map it in the mapping."
        raise Unreadable("unknown-code", text_, made)
    return made


def concept(read: Read, writing: Writing) -> Any:
    """A code and, from `display`, what it means; a name alone is a display."""
    try:
        found = coding(read, writing)
    except Unreadable as error:
        raise Unreadable(error.code, str(error), CodeableConcept((error.kept,))) from None
    return CodeableConcept((found,)) if found else None


def coded(table: dict[str, str | bool], written: str) -> str | bool | None:
    """What a table says of a code, however it is written; `None`: nothing."""
    if written in table:
        return table[written]
    wanted = half_width(written)
    return next((value for known, value in table.items() if half_width(known) == wanted), None)


READERS: dict[str, Reader] = {
    "text": plain_text,
    "texts": texts,
    "date": date,
    "datetime": date_time,
    "boolean": boolean,
    "integer": whole,
    "minutes": minutes,
    "identifier": identifier,
    "name": name,
    "contact": contact,
    "address": address,
    "location": location,
    "quantity": quantity,
    "observation-value": observation_value,
    "money": money,
    "code": code,
    "coding": coding,
    "concept": concept,
}
"""Data types a table may name under `as`, besides `LINKS`."""

LINKS = {"practitioner": "Practitioner", "department": "Organization"}
"""Data types that give the key of a record they make → its kind."""

VALUE_FIELDS = ("value_quantity", "value_concept", "value_string", "value_date_time")
"""A result has one of them; stating one empties the others, so that a correction may change the type."""

GIVES: dict[str, Any] = {
    "text": "x",
    "texts": ["x"],
    "date": "2026-01-01",
    "datetime": "2026-01-01T00:00:00+08:00",
    "boolean": True,
    "integer": 1,
    "minutes": 1,
    "identifier": {"value": "x", "system": "x"},
    "name": {"family": "x"},
    "contact": {"value": "x", "system": "phone"},
    "address": {"line": ["x"]},
    "location": "x",
    "quantity": {"value": "1"},
    "money": {"amount": 1, "currency": "CNY"},
    "code": "x",
    "coding": {"code": "x"},
    "concept": {"coding": [{"code": "x"}]},
}
"""Data type → what it gives; `observation-value` fills several fields."""
