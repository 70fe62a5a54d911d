"""What a bill line amounts to (FT1)."""

from fractions import Fraction
from typing import Any

from hcrm_adapter_hl7v2.mapping import datatypes
from hcrm_adapter_hl7v2.mapping.view import View
from hcrm_adapter_hl7v2.reader import parse_path

_QUANTITY = parse_path("FT1-10")


def line_amount(view: View, index: int, raw: str, where: str) -> Any:
    """CP in minor units: what the whole line costs (FT1-11), else the price of one (FT1-12) times how many (FT1-10).

    A line that does not say how many is of one. What is no exact amount is left out and reported.
    """
    quantity = view.first(view.raw(_QUANTITY, index)) if where == "FT1-12" else ""
    times = datatypes.decimal(quantity or "1")
    return datatypes.money(view, raw, where, view.currency, Fraction(times) if times else None)
