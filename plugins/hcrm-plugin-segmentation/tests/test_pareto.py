"""The 80/20 analysis against figures computed by hand."""

from typing import Any

Tables = Any


def test_exactly_eighty_twenty(tables: Tables) -> None:
    tables.charge("a", 4_000)
    tables.charge("b", 4_000)
    for customer in "cdefghij":
        tables.charge(customer, 250)
    found = tables.run("pareto")
    assert [name for name, row in found.items() if row["in_most"]] == ["a", "b"]
    assert [name for name, row in found.items() if row["in_top"]] == ["a", "b"]
    assert [found[name]["cumulative_bp"] for name in "abcj"] == [4_000, 8_000, 8_250, 10_000]
    assert [found[name]["share_bp"] for name in "abc"] == [4_000, 4_000, 250]
    assert [found[name]["place"] for name in "abcdefghij"] == list(range(1, 11))
    assert found["a"]["value"] == 4_000 and found["a"]["score"] == "revenue"
    assert found["a"]["evidence"] == ["charge_item/c0000#amount"]


def test_one_fen_short_of_eighty_needs_one_more(tables: Tables) -> None:
    tables.charge("a", 7_999)
    tables.charge("b", 1_001)
    tables.charge("c", 1_000)
    found = tables.run("pareto")
    assert {name: row["in_most"] for name, row in found.items()} == {"a": True, "b": True, "c": False}
    assert {name: row["in_top"] for name, row in found.items()} == {"a": True, "b": False, "c": False}
    assert found["a"]["cumulative_bp"] == 7_999


def test_measured_not_assumed(tables: Tables) -> None:
    for customer in "abcde":
        tables.charge(customer, 100)
    found = tables.run("pareto")
    assert sorted(name for name, row in found.items() if row["in_most"]) == ["a", "b", "c", "d"]
    assert sorted(name for name, row in found.items() if row["in_top"]) == ["a"]


def test_top_is_rounded_up_and_ties_go_by_id(tables: Tables) -> None:
    for customer in "fedcba":
        tables.charge(customer, 100)
    found = tables.run("pareto")
    assert sorted(name for name, row in found.items() if row["in_top"]) == ["a", "b"]


def test_who_brought_nothing_is_left_out(tables: Tables) -> None:
    tables.charge("a", 100)
    tables.charge("b", 100)
    tables.charge("b", 100, type="CD")
    tables.charge("c", -5, type="AJ")
    assert set(tables.run("pareto")) == {"a"}
    assert tables.run("pareto")["a"]["cumulative_bp"] == 10_000


def test_no_revenue_at_all(tables: Tables) -> None:
    assert tables.run("pareto") == {}


def test_parameters(tables: Tables) -> None:
    for place, customer in enumerate("abcd"):
        tables.charge(customer, 100 - place)
    found = tables.run("pareto", share_percent=50, top_percent=75)
    assert sorted(name for name, row in found.items() if row["in_most"]) == ["a", "b"]
    assert sorted(name for name, row in found.items() if row["in_top"]) == ["a", "b", "c"]
    assert tables.run("pareto", currency="USD") == {}
