"""The kit's check of the second engine: what is good passes it, functions too, and what Spark cannot run does not."""

import sys
from collections.abc import Iterator

import pytest
from msgspec import structs
from support.broken_strategies import GOOD, SEEN, install

from hcrm_core.mart.spark import Spark
from hcrm_core.testing.strategies import SUITE, Bench, bench


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("plugins")
    install(folder)
    sys.path.insert(0, str(folder))
    made = bench("good")
    yield made
    made.close()
    sys.path.remove(str(folder))


@pytest.mark.parametrize("name", [strategy.name for strategy in GOOD])
def test_what_is_good_is_good_on_spark(spark: Spark, good: Bench, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HCRM_TEST_SPARK", raising=False)
    found = SUITE.outcome("S28", good.examined(name))
    assert found.state == "passed", found.text


def test_what_spark_cannot_run_is_found(spark: Spark, good: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HCRM_TEST_SPARK", raising=False)
    examined = good.examined("seen")
    examined.strategy = structs.replace(examined.strategy, sql=SEEN + " AND 1")
    found = SUITE.outcome("S28", examined)
    assert found.state == "failed"
    assert "Spark cannot run it (DATATYPE_MISMATCH" in found.findings[0]


def test_it_is_passed_over_in_one_line_where_there_is_no_java(
    good: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.delenv("HCRM_TEST_SPARK", raising=False)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    found = SUITE.outcome("S28", good.examined("seen"))
    assert found.state == "passed over" and "\n" not in found.text and "Java 17" in found.text
