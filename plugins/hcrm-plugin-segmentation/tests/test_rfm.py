"""RFM against figures computed by hand."""

from typing import Any

import pytest

Tables = Any


def ladder(tables: Tables) -> None:
    """Ten customers, a the best in everything and j the worst."""
    for place, customer in enumerate("abcdefghij"):
        for visit in range(10 - place):
            tables.visit(customer, 10 * place + visit)
        tables.charge(customer, 1_000 * (10 - place))


def test_fifths_of_ten(tables: Tables) -> None:
    ladder(tables)
    found = tables.run("rfm")
    assert {name: (row["r"], row["f"], row["m"]) for name, row in found.items()} == {
        "a": (5, 5, 5), "b": (5, 5, 5), "c": (4, 4, 4), "d": (4, 4, 4), "e": (3, 3, 3),
        "f": (3, 3, 3), "g": (2, 2, 2), "h": (2, 2, 2), "i": (1, 1, 1), "j": (1, 1, 1),
    }  # fmt: skip
    assert {name: row["segment"] for name, row in found.items()} == {
        "a": "champions", "b": "champions", "c": "loyal", "d": "loyal", "e": "need_attention",
        "f": "need_attention", "g": "hibernating", "h": "hibernating", "i": "lost", "j": "lost",
    }  # fmt: skip
    row = found["c"]
    assert (row["recency_days"], row["frequency"], row["monetary"]) == (20, 8, 8_000)
    assert row["evidence"] == ["encounter/e-c-20#started_on", "charge_item/c0002#amount"]


def test_ties_are_broken_by_the_other_measures_and_then_by_id(tables: Tables) -> None:
    for customer in "edcba":
        tables.visit(customer, 7)
    tables.charge("b", 500)
    found = tables.run("rfm")
    assert {name: (row["r"], row["f"], row["m"]) for name, row in found.items()} == {
        "a": (1, 1, 1), "c": (2, 2, 2), "d": (3, 3, 3), "e": (4, 4, 4), "b": (5, 5, 5),
    }  # fmt: skip
    assert found["a"]["evidence"] == ["encounter/e-a-7#started_on"]
    assert found == tables.run("rfm")


# Recency, frequency and revenue fifth of a customer among five → segment; the README's table.
SEGMENTS = [
    (5, 1, 1, "new"), (5, 2, 1, "potential_loyalist"), (5, 3, 3, "potential_loyalist"), (5, 4, 4, "champions"),
    (4, 1, 1, "promising"), (4, 2, 2, "potential_loyalist"), (4, 4, 3, "loyal"),
    (3, 1, 1, "about_to_sleep"), (3, 2, 2, "about_to_sleep"), (3, 3, 3, "need_attention"), (3, 5, 5, "loyal"),
    (2, 1, 1, "hibernating"), (2, 2, 2, "hibernating"), (2, 3, 3, "at_risk"), (2, 4, 4, "at_risk"),
    (2, 5, 5, "cannot_lose"), (1, 1, 1, "lost"), (1, 2, 2, "lost"), (1, 4, 3, "at_risk"), (1, 5, 5, "cannot_lose"),
]  # fmt: skip


@pytest.mark.parametrize(("r", "f", "m", "segment"), SEGMENTS)
def test_segment_of_fifths(tables: Tables, r: int, f: int, m: int, segment: str) -> None:
    others = "abcd"
    for wanted, put in ((r, "r"), (f, "f"), (m, "m")):
        better = others[: 5 - wanted]
        for customer in [*others, "x"]:
            ahead = customer in better
            if put == "r":
                tables.visit(customer, 300 if customer == "x" else 200 if ahead else 400, name=f"last-{customer}")
            elif put == "f":
                for visit in range(5 if customer == "x" else 9 if ahead else 1):
                    tables.visit(customer, 500 + visit, name=f"{customer}{visit}")
            else:
                tables.charge(customer, 500 if customer == "x" else 900 if ahead else 100)
    row = tables.run("rfm")["x"]
    assert (row["r"], row["f"], row["m"], row["segment"]) == (r, f, m, segment)


def test_the_window_is_counted_in_months(tables: Tables) -> None:
    tables.visit("in", 0)
    tables.visit("in", 30)  # 1 March
    tables.visit("out", 31)  # 28 February: one month before 31 March ends there
    tables.charge("in", 70, days_ago=30)
    tables.charge("in", 5, days_ago=31)
    found = tables.run("rfm", window_months=1)
    assert set(found) == {"in"}
    assert (found["in"]["frequency"], found["in"]["monetary"]) == (2, 70)


def test_revenue_is_charges_less_credits_in_one_currency(tables: Tables) -> None:
    tables.visit("a", 1)
    tables.charge("a", 1_000)
    tables.charge("a", 300, type="CD")  # written without a sign
    tables.charge("a", -200, type="CD")
    tables.charge("a", -50, type="AJ")
    tables.charge("a", 9_999, type="PY")
    tables.charge("a", 9_999, status="aborted")
    tables.charge("a", 9_999, currency="USD")
    tables.charge("a", None)
    tables.charge("a", 9_999, days_ago=-1)
    row = tables.run("rfm")["a"]
    assert row["monetary"] == 450
    assert row["evidence"][1] == "charge_item/c0000#amount"


def test_planned_and_cancelled_visits_do_not_count(tables: Tables) -> None:
    tables.visit("a", 1, status="planned")
    tables.visit("a", 2, status="cancelled")
    tables.visit("a", -3)
    tables.visit("b", 4, status=None)
    assert set(tables.run("rfm")) == {"b"}
