"""What runs on Spark gives the rows of DuckDB: all in one file, so that Spark is started once."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from msgspec import structs
from sqlglot import exp
from support.broken_strategies import GOOD, SEEN, install
from support.spark_examples import EXAMPLES

from hcrm_core.config import Configuration, SparkSettings
from hcrm_core.decide.code import PluginCode
from hcrm_core.decide.run import decide, run_report_queries
from hcrm_core.errors import StrategyError, WorkspaceError
from hcrm_core.mart.check import Checked, allowed
from hcrm_core.mart.contract import evaluate
from hcrm_core.mart.engine import Limits, Mart, open_mart
from hcrm_core.mart.profile import NAME as PROFILE
from hcrm_core.mart.spark import Spark, plain_file
from hcrm_core.mart.spark_session import started
from hcrm_core.registry.enabled import Registry
from hcrm_core.testing.strategies import SUITE, bench
from hcrm_core.testing.strategies import scene as scenes
from hcrm_core.testing.strategies.bench import Bench, Examined, differences
from hcrm_core.testing.strategies.scene import Scene
from hcrm_core.testing.strategies.wards import wards
from hcrm_core.testing.world import hospital

Both = Callable[..., tuple[list[Any], list[Any]]]


@pytest.mark.parametrize("name", EXAMPLES)
def test_both_engines_give_the_same(both: Both, name: str) -> None:
    given = {"days": 3, "since": "2024-02-29", "rate": 1.25, "text": "中'文\\　", "none": None, "whole": 5_000_000_000}
    used = {key: value for key, value in given.items() if f"${key}" in EXAMPLES[name]}
    expected, found = both(EXAMPLES[name], **used)
    wrong = [(one, two) for one, two in zip(expected, found, strict=True) if one != two]
    differing = {key for one, two in wrong for key in one if one[key] != two[key]}
    assert not wrong, (
        f"{sorted(differing)}: {[{key: (one[key], two[key]) for key in differing} for one, two in wrong[:3]]}"
    )
    assert expected or name == "not in"


def parts_of(sql: str) -> Iterator[tuple[str, str]]:
    """The entries of allowed.toml that a SELECT uses, as `check` names them."""
    for node in sqlglot.parse_one(sql, dialect="duckdb").walk():
        if isinstance(node, exp.Cast | exp.TryCast):
            yield from (("casts", kind.this.name.removesuffix("NTZ")) for kind in node.to.find_all(exp.DataType))
        if isinstance(node, exp.Func):
            yield "functions", node.sql_name()
            if isinstance(node, exp.Extract):
                yield "extract", node.this.name.upper()
        else:
            yield "syntax", type(node).__name__
        if isinstance(node, exp.Interval):
            yield "intervals", node.unit.name.upper().removesuffix("S")


def test_nothing_is_allowed_without_an_example() -> None:
    shown = {part for sql in EXAMPLES.values() for part in parts_of(sql)}
    listed = {(kind, name) for kind in ("functions", "casts", "syntax", "extract", "intervals")
              for name in getattr(allowed(), kind)}  # fmt: skip
    assert listed - shown == set()


# Shipped strategies

CARD = """
programmes:
  - id: family-card
    title: {en: Family card, zh: 家庭卡}
    since: 2020-01-01
    currency: CNY
    earn:
      - {id: spend, per: 1000, points: 1, cap: {points: 500, each: month}}
      - {id: large, per: 100000, points: 50, when: "amount >= 50000 AND lower(code) NOT LIKE 'x\\_%'"}
    tiers:
      window: 12m
      levels:
        - {id: silver, from: 5}
        - {id: gold, from: 100}
"""
OWN = """
segments:
  - {id: chronic, title: {en: Chronic, zh: 慢病}, when: "chronic_conditions > 0 and left(sex, 1) <> 'x'"}
  - {id: away, title: {en: Away, zh: 久未就诊}, when: days_since_last_visit > 90 and last_visit_on < today - 90}
"""
PLUGINS: dict[str, dict[str, Any]] = {
    "segmentation": {"settings": '[segmentation]\nsegments = ["own.yaml"]\n', "files": {"own.yaml": OWN}},
    "followup": {},
    "loyalty": {"settings": '[loyalty]\nprogrammes = ["card.yaml"]\n', "files": {"card.yaml": CARD}},
}


@pytest.fixture(scope="module")
def benches() -> Iterator[dict[str, Bench]]:
    made = {plugin: bench(plugin, **more) for plugin, more in PLUGINS.items()}
    yield made
    for one in made.values():
        one.close()


def on_spark(spark: Spark, examined: Examined, scene: Scene) -> list[dict[str, Any]]:
    made, end = examined.bench, examined.wards.end
    evaluate(
        scene.mart, examined.strategy, examined.checked, as_of_us=end, today=made.today(end),
        compute=made.code.compute, engine=spark,
    )  # fmt: skip
    return scene.mart.query("SELECT * FROM decided", {}, name="decided").to_pylist()


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("values", ["as they are", "at the edges"])
def test_strategies(spark: Spark, benches: dict[str, Bench], plugin: str, values: str) -> None:
    for name in benches[plugin].own:
        examined = benches[plugin].examined(name)
        scene = benches[plugin].changeable
        scene.lay(examined.tables, scenes.extreme if values == "at the edges" else lambda table, kept: f"FROM {kept}")
        expected = examined.rows(scene, examined.wards.end)
        assert expected or values == "at the edges"
        assert list(differences(examined.key, expected, on_spark(spark, examined, scene))) == []


def test_the_profile_is_computed_by_spark(spark: Spark) -> None:
    with open_mart(wards(hospital(1), ZONE).whole.mart, tables=(PROFILE,)) as mart:
        everything = Checked(f"SELECT * FROM {PROFILE}", frozenset(), frozenset({PROFILE}))
        expected = mart.query(everything.sql, {}, name=PROFILE).to_pylist()
        # What DuckDB computed is taken away, so that nothing of it can be shown.
        mart.execute(f"DELETE FROM computed_{PROFILE} WHERE customer_id IS NOT NULL")
        found = mart.query(spark.show(mart, everything, {}, name=PROFILE), {}, name=PROFILE).to_pylist()
    assert len(found) == len(expected) > 10 and any(row["revenue_12m"] for row in expected)
    assert list(differences(("customer_id",), expected, found)) == []


# The kit


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


# Runs

ZONE = "Asia/Shanghai"


def test_a_run_and_every_report_are_equal(spark: Spark, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hcrm.toml").write_text(
        'plugins = ["segmentation", "followup", "compliance", "loyalty", "reporting"]\n'
    )
    registry = Registry(Configuration(tmp_path))
    code = PluginCode(registry)
    whole = wards(hospital(1), ZONE).whole
    seen = {}
    capfd.readouterr()
    for name, engine in {"duckdb": None, "spark": spark}.items():
        ward = whole.copy(tmp_path / name)
        given = {"now_us": ward.now, "timezone": ZONE, "engine": engine}
        with ward.store() as store:
            outcomes = decide(
                store, ward.mart, list(registry.strategies.values()), compute=code.compute, stop_on_error=True,
                reviews=list(registry.reviews.values()), **given,
            )  # fmt: skip
            reports = {
                (report.name, query): table.to_pylist()
                for report in registry.reports.values()
                for query, table in run_report_queries(store, ward.mart, report, **given).items()
            }
        seen[name] = [one._replace(seconds=0) for one in outcomes], reports
        assert list(ward.mart.glob("spark-*")) == []
    code.close()
    registry.close()
    assert seen["spark"][0] == seen["duckdb"][0]
    assert sum(one.new for one in seen["duckdb"][0])
    for query, rows in seen["duckdb"][1].items():
        assert seen["spark"][1][query] == rows, query
    assert capfd.readouterr().err == ""


def test_errors_hold_no_values_and_print_nothing(spark: Spark, edge: Mart, capfd: pytest.CaptureFixture[str]) -> None:
    checked = Checked("SELECT CAST(s AS DECIMAL(10, 2)) AS x FROM edge", frozenset(), frozenset({"edge"}))
    with pytest.raises(StrategyError, match="s: it failed on Spark") as caught:
        spark.show(edge, checked, {}, name="s")
    assert "中文" not in str(caught.value) and "".join(capfd.readouterr()) == ""


def test_what_takes_too_long_is_stopped(edge: Mart, spark: Spark) -> None:
    # Spark ends a task only where it reads, so this one runs to its end: some seconds, and not minutes.
    slow = (
        "SELECT count(*) AS n FROM edge AS a, edge AS b, edge AS c, edge AS d WHERE a.id + b.id + c.id > 3 AND d.id < 5"
    )
    began = time.monotonic()
    with pytest.raises(StrategyError, match="slow: it took longer than 1 seconds"):
        Spark(SparkSettings(master="local[2]"), Limits(seconds=1)).show(
            edge, Checked(slow, frozenset(), frozenset({"edge"})), {}, name="slow"
        )
    assert time.monotonic() - began < 60


def test_what_keeps_engines_equal_cannot_be_configured(spark: Spark) -> None:
    session = started(SparkSettings())
    for name in ("spark.sql.ansi.enabled", "spark.sql.session.timeZone", "spark.sql.variable.substitute"):
        assert session.conf.get(name) == {"spark.sql.session.timeZone": "UTC"}.get(
            name, "false" if name.endswith("substitute") else "true"
        )


def test_a_table_that_is_a_file_is_read_as_one() -> None:
    from hcrm_core.mart.engine import open_mart

    ward = wards(hospital(1), ZONE).whole
    with open_mart(ward.mart) as mart:
        file = plain_file(mart, "encounter")
        assert file is not None and file.suffix == ".parquet" and file.exists()
        assert plain_file(mart, "decision_task") is None
        mart.execute("CREATE TEMP TABLE other AS SELECT * FROM encounter")
        mart.execute("CREATE OR REPLACE VIEW encounter AS SELECT * FROM other")
        assert plain_file(mart, "encounter") is None


def test_without_java_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hcrm_core.mart.spark_session import require_java

    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(WorkspaceError, match=r"not on this machine\. On Debian"):
        require_java()
    (tmp_path / "bin").mkdir()
    java = tmp_path / "bin" / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    java.chmod(0o755)
    with pytest.raises(WorkspaceError, match="needs Java 17, and this is Java 8"):
        require_java()
