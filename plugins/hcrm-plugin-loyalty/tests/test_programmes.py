"""Programmes: what is earned, capped, refunded and ranked, and every mistake in a file named by its line."""

from datetime import date
from typing import Any

import duckdb
import pytest

from hcrm_core.api import ConfigurationError, Strategy
from hcrm_plugin_loyalty import register_strategies
from hcrm_plugin_loyalty.compiler import compile_programme
from hcrm_plugin_loyalty.reader import read_programmes

TODAY = date(2026, 6, 30)
CARD = """\
programmes:
  - id: card
    title: {en: Card, zh: 卡}
    since: 2026-01-01
    currency: CNY
    earn:
      - {id: spend, per: 1000, points: 1, cap: {points: 10, each: month}}
    tiers:
      window: 12m
      levels: [{id: silver, from: 10}, {id: gold, from: 20}]
"""


class Tables:
    """Charges, and the strategies of a programme over them."""

    def __init__(self, programme: str = CARD) -> None:
        self.strategies = list(compile_programme(read_programmes(programme, "card.yaml")[0]))
        self.connection = duckdb.connect(":memory:")
        self.connection.execute(
            "CREATE TABLE charge_item (charge_item_id VARCHAR, customer_id VARCHAR, encounter_id VARCHAR, "
            "code VARCHAR, type VARCHAR, status VARCHAR, amount BIGINT, currency VARCHAR, occurred_on DATE, "
            "occurred_at TIMESTAMP)"
        )
        self.connection.execute(
            "CREATE TABLE decision_points (strategy VARCHAR, customer_id VARCHAR, points_id VARCHAR, points BIGINT, "
            "booked_on DATE, state VARCHAR)"
        )
        self._lines = 0

    def charge(self, amount: int, day: str | None = "2026-06-01", customer: str = "c1", **more: Any) -> str:
        """One line of a bill; its id."""
        self._lines += 1
        line = {"encounter": "v1", "code": "X", "type": "CG", "status": "billable", "currency": "CNY"} | more
        identity = f"l{self._lines:03d}"
        values = [identity, customer, line["encounter"], line["code"], line["type"], line["status"], amount,
                  line["currency"], day, day and f"{day} 08:00:00"]  # fmt: skip
        self.connection.execute(f"INSERT INTO charge_item VALUES ({', '.join('?' * len(values))})", values)
        return identity

    def points(self) -> dict[str, int]:
        """Line (and rule) → points."""
        rows = self._run(self.strategies[0])
        return {f"{row['anchor']}" if row["step"] == "spend" else f"{row['anchor']} {row['step']}": row["points"]
                for row in rows}  # fmt: skip

    def tiers(self) -> dict[str, str]:
        """Customer → tier."""
        return {row["subject"]: row["segment"] for row in self._run(self.strategies[1])}

    def book(self, customer: str, points: int, day: str = "2026-06-01", state: str = "granted") -> None:
        values = ["loyalty.card", customer, f"{customer}{day}{points}", points, day, state]
        self.connection.execute("INSERT INTO decision_points VALUES (?, ?, ?, ?, ?, ?)", values)

    def _run(self, strategy: Strategy) -> list[dict[str, Any]]:
        given = strategy.parameters | {"today": TODAY}
        used = {name: value for name, value in given.items() if f"${name}" in strategy.sql}
        rows: list[dict[str, Any]] = self.connection.sql(strategy.sql, params=used).to_arrow_table().to_pylist()
        return rows


def test_a_point_for_every_full_ten_yuan_of_a_line() -> None:
    tables = Tables()
    assert [tables.charge(amount) for amount in (999, 1000, 1999, 5000)]
    assert tables.points() == {"l002": 1, "l003": 1, "l004": 5}


@pytest.mark.parametrize(
    "line",
    [
        {"type": "PY"}, {"type": "AJ"}, {"status": "aborted"}, {"currency": "USD"}, {"day": "2025-12-31"},
        {"day": "2026-07-01"}, {"amount": -5000},
    ],
)  # fmt: skip
def test_what_is_no_charge_of_the_programme_earns_nothing(line: dict[str, Any]) -> None:
    tables = Tables()
    tables.charge(**({"amount": 5000} | line))
    assert tables.points() == {}


def test_the_cap_is_of_a_customer_and_a_month_and_goes_to_the_first_lines() -> None:
    tables = Tables()
    for day in ("2026-06-01", "2026-06-02", "2026-06-03", "2026-05-31"):
        tables.charge(6_000, day, encounter=day)
    tables.charge(6_000, "2026-06-02", customer="c2")
    assert tables.points() == {"l001": 6, "l002": 4, "l004": 6, "l005": 6}


def test_a_credit_takes_back_from_the_last_line_to_the_first() -> None:
    tables = Tables()
    tables.charge(5_000, "2026-06-01")
    tables.charge(5_000, "2026-06-02")
    tables.charge(-6_000, "2026-06-05", type="CD")
    assert tables.points() == {"l001": 4}
    tables.charge(4_000, "2026-06-06", type="CD")
    assert tables.points() == {}


@pytest.mark.parametrize("credit", [{"type": "CG"}, {"type": "CD"}, {"type": "CD", "day": None}])
def test_a_refund_is_one_however_it_is_sent(credit: dict[str, Any]) -> None:
    tables = Tables()
    tables.charge(5_000, "2026-06-02")
    tables.charge(-5_000, **credit)
    assert tables.points() == {}


def test_a_refund_of_a_line_before_the_programme_takes_nothing_from_a_later_one() -> None:
    tables = Tables()
    tables.charge(5_000, "2025-12-31")
    tables.charge(5_000, "2026-01-01")
    tables.charge(-5_000, "2026-01-02", type="CD")
    assert tables.points() == {}
    tables.charge(5_000, "2026-01-03")
    assert tables.points() == {"l002": 5}


def test_a_credit_of_another_visit_or_code_takes_nothing() -> None:
    tables = Tables()
    tables.charge(5_000)
    tables.charge(-5_000, type="CD", encounter="v2")
    tables.charge(-5_000, type="CD", code="Y")
    assert tables.points() == {"l001": 5}


def test_each_rule_earns_by_itself_and_where_its_condition_holds() -> None:
    rules = "      - {id: bonus, per: 5000, points: 3, when: code = 'CHECKUP', cap: {points: 100, each: year}}\n"
    tables = Tables(CARD.replace("    tiers:", f"{rules}    tiers:"))
    tables.charge(10_000, code="CHECKUP")
    tables.charge(9_000, code="X", encounter="v2", day="2026-05-01")
    assert tables.points() == {"l001": 10, "l001 bonus": 6, "l002": 9}


def test_tiers_are_of_the_points_of_the_last_months() -> None:
    tables = Tables()
    tables.book("silver", 10)
    tables.book("gold", 15)
    tables.book("gold", 5, "2025-07-01")
    tables.book("old", 50, "2025-06-30")
    tables.book("few", 9)
    tables.book("refused", 90, state="refused")
    assert tables.tiers() == {"silver": "silver", "gold": "gold"}


def test_the_version_shows_every_change() -> None:
    first, second = Tables(), Tables(CARD.replace("points: 1,", "points: 2,"))
    assert first.strategies[0].version != second.strategies[0].version
    assert first.strategies[1].reads == ("loyalty.card",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("currency: CNY", "currency: yuan"), r"card\.yaml, line 5: programmes\.0\.currency:"),
        (("since: 2026-01-01", "since: soon"), r"card\.yaml, line 4: programmes\.0\.since:"),
        (("per: 1000", "per: 0"), r"card\.yaml, line 7: programmes\.0\.earn\.0\.per:"),
        (("points: 1,", "poinst: 1,"), r"line 7: .*points|line 7: poinst is not a key\. Did you mean 'points'\?"),
        (("points: 1,", "points: 1, when: 'amount > 1) OR (1=1',"), "line 7: the parentheses"),
        (("points: 1,", "points: 1, when: amount > $today,"), "line 7: a condition may not hold a parameter"),
        (("from: 20", "from: 10"), "line 10: gold must begin at more points than silver"),
        (("id: gold", "id: silver"), "line 10: the level id 'silver' stands here twice"),
        (("window: 12m", "window: 1y"), r"line 9: programmes\.0\.tiers\.window:"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(change: tuple[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_programmes(CARD.replace(*change), "card.yaml")


class View:
    """A workspace with settings and files."""

    def __init__(self, settings: dict[str, Any], **files: str) -> None:
        self._settings, self._files = settings, files

    def settings(self, table: str) -> dict[str, Any]:
        return self._settings if table == "loyalty" else {}

    def read_text(self, path: str) -> str:
        return self._files[path]


def test_the_shipped_programme_applies_where_none_is_named() -> None:
    assert [one.name for one in register_strategies(View({}))] == ["loyalty.family-card", "loyalty.family-card.tier"]


def test_programmes_are_named_in_the_settings() -> None:
    names = [one.name for one in register_strategies(View({"programmes": ["a"]}, a=CARD))]
    assert names == ["loyalty.card", "loyalty.card.tier"]
    with pytest.raises(ConfigurationError, match="stands in another file too"):
        register_strategies(View({"programmes": ["a", "b"]}, a=CARD, b=CARD))
    with pytest.raises(ConfigurationError, match="no key 'programs'"):
        register_strategies(View({"programs": []}))
    with pytest.raises(ConfigurationError, match="must be a list of paths"):
        register_strategies(View({"programmes": 3}))
