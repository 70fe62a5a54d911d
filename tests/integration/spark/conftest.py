"""One Spark for all its tests, since it takes seconds to start, and a table of values at the edges."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from support.spark import SETTINGS, passed_over

from hcrm_core.mart.check import check
from hcrm_core.mart.contract import bound
from hcrm_core.mart.engine import Mart, open_mart
from hcrm_core.mart.spark import Spark
from hcrm_core.testing.strategies.wards import Wards
from hcrm_core.testing.world import END, World

AS_OF = 1_709_210_096_000_007
TODAY = date(2024, 2, 29)
COLUMNS = {
    "id": "BIGINT", "n": "BIGINT", "i": "INTEGER", "v": "DECIMAL(18,6)", "s": "VARCHAR", "t": "VARCHAR", "d": "DATE",
    "e": "DATE", "ts": "TIMESTAMP", "b": "BOOLEAN", "l": "VARCHAR[]",
}  # fmt: skip
NUMBERS = "NULL, 0, 1, -1, 7, -7, 3, 10, -10, 2147483648, -9223372036854770000, 4611686018427387904, 100"
EXACT = "NULL, 0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.000001, -0.000001, 1.499999, 999.999999, 7, -7"
TEXTS = (
    None, "", " ", "\u3000", "中文", "急性心梗（疑似）", "a", "A", "a%b_c\\d", "Ärzte ß ﬁ İ ΑΣ", "12", "-1.50", "１２",
    "1_000", "0x1F", "1e3", "2024-02-29", "O'Neil \"x\"; -- ${env:HOME}", "😀é", "\ta\n", "E11.9",
    "0.4999999999999999999",
)  # fmt: skip
DAYS = (
    None, "2024-02-29", "2023-02-28", "2024-01-31", "2024-03-31", "2024-12-31", "2025-01-01", "1970-01-01",
    "1969-12-31", "0002-01-01", "9998-12-31", "1900-02-28", "2000-02-29", "1582-10-10",
)  # fmt: skip
CLOCK = ("00:00:00", "23:59:59.999999", "12:30:00.5", "00:00:00.000001")
LISTS = (None, [], ["a"], ["a", None], [None], ["中文", "", "\u3000"], ["b", "a"])


@pytest.fixture(scope="session")
def spark() -> Spark:
    if reason := passed_over():
        pytest.skip(reason)
    return Spark(SETTINGS)


@pytest.fixture(scope="session")
def edge() -> Iterator[Mart]:
    """A mart with the table `edge`."""
    wards = Wards(World((), END), "Asia/Shanghai")
    with open_mart(wards.empty.mart) as mart:
        numbers = [None if part.strip() == "NULL" else int(part) for part in NUMBERS.split(",")]
        exact = [part.strip() for part in EXACT.split(",")]
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        mart.execute(f"CREATE TEMP TABLE edge ({columns})")
        for row in range(182):  # every number meets every day
            day, other = DAYS[row % len(DAYS)], DAYS[(row // 3) % len(DAYS)]
            at = f"{day} {CLOCK[row % 4]}" if day else None
            values: dict[str, Any] = {
                "id": row, "n": numbers[row % 13], "i": (row % 11) - 5 if row % 12 else None,
                "v": None if exact[row % 13] == "NULL" else exact[row % 13], "s": TEXTS[row % 22],
                "t": TEXTS[row // 9 % 22], "d": day, "e": other, "ts": at, "b": (None, True, False)[row % 3],
                "l": LISTS[row % 7],
            }  # fmt: skip
            placed = ", ".join(f"CAST(${name} AS {kind})" for name, kind in COLUMNS.items())
            mart.execute(f"INSERT INTO edge SELECT {placed}", values)
        yield mart


@pytest.fixture
def both(spark: Spark, edge: Mart) -> Callable[..., tuple[list[Any], list[Any]]]:
    """Runs a checked SELECT on both engines and gives their rows, in order."""

    def run(sql: str, **parameters: Any) -> tuple[list[Any], list[Any]]:
        checked = check(sql, name="s", tables=("edge",), parameters=list(parameters), own={"edge": COLUMNS})
        values = bound(checked, parameters, as_of_us=AS_OF, today=TODAY)
        shown = spark.show(edge, checked, values, name="s")
        one = edge.query(sql, values, name="s")
        two = edge.query(shown, {}, name="s")
        assert one.schema == two.schema
        return one.to_pylist(), two.to_pylist()

    return run
